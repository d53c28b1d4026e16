/**
 * What the recovery chart is made of: its context, events and effects, and the rules its guards ask. The states are in
 * recovery.machine.ts.
 */
import { setup } from "xstate";
import { chartActions } from "../chart-actions.ts";
import { type Epoch, epochOf, formatZxid, NO_EPOCH, NO_ZXID, ZERO_ZXID, type Zxid } from "../vocabulary.ts";

/** Why a disk, or what was on it, made the server stop. */
export interface StorageFailure {
  /** errno's name, or one of ours: CORRUPT_RECORD, LOG_GAP, NO_VALID_SNAPSHOT, … */
  readonly code: string;
  readonly message: string;
  /** `log/log.100000001`, `snap/currentEpoch`; the area alone when no file is to blame. */
  readonly file: string;
  /** Byte offset in the file; 0 when no place in it is to blame. */
  readonly offset: number;
}

/** One change that recovery makes to the disk before the server may trust it. */
export type Cut =
  | { readonly kind: "removeSnapshot" | "removeLog" | "removeLeftover" | "removeMarker"; readonly file: string }
  | { readonly kind: "truncateLog"; readonly file: string; readonly length: number };

export interface RecoveryInput {
  /** TRUNC: forget everything after this zxid. null = a plain start. */
  readonly truncateTo: Zxid | null;
  /** A standalone server keeps no epoch files. */
  readonly epochFiles: boolean;
  readonly autoCreate: boolean;
  readonly trustEmptySnapshot: boolean;
}

export interface RecoveryContext extends RecoveryInput {
  /** Names of snapshots not tried yet, newest first. */
  readonly snapshots: readonly string[];
  /** How many were tried and could not be used. */
  readonly skipped: number;
  /** The tree came from a snapshot. Otherwise one is written before the server may trust this directory. */
  readonly hasSnapshot: boolean;
  readonly hasLogs: boolean;
  /** The marker file `initialize`: this directory is empty on purpose. */
  readonly initialize: boolean;
  readonly cuts: readonly Cut[];
  readonly lastZxid: Zxid;
  /** NO_EPOCH: history was lost, and none acknowledged since. */
  readonly currentEpoch: Epoch | null;
  readonly acceptedEpoch: Epoch | null;
  /** In currentEpoch.tmp, if a rename was interrupted. */
  readonly unfinishedEpoch: Epoch | null;
  readonly failure: StorageFailure | null;
}

export type RecoveryEvent =
  /** Nothing is gathered or under way any more; a snapshot that was being written is given up. */
  | { readonly type: "WRITES_SETTLED" }
  | {
      readonly type: "LISTED";
      readonly snapshots: readonly string[];
      readonly hasLogs: boolean;
      readonly initialize: boolean;
    }
  /** The file ends the way a finished one does. */
  | { readonly type: "SNAPSHOT_WHOLE" }
  | { readonly type: "SNAPSHOT_UNUSABLE" }
  | { readonly type: "SNAPSHOT_LOADED" }
  | { readonly type: "LOGS_EMPTY" }
  | { readonly type: "LOGS_HOLD_TXNS"; readonly file: string }
  | { readonly type: "REPLAYED"; readonly lastZxid: Zxid; readonly cuts: readonly Cut[] }
  | { readonly type: "CUT_MADE" }
  | { readonly type: "SNAPSHOT_CREATED" }
  | {
      readonly type: "EPOCHS_READ";
      readonly currentEpoch: Epoch | null;
      readonly acceptedEpoch: Epoch | null;
      readonly unfinishedEpoch: Epoch | null;
    }
  | { readonly type: "EPOCH_WRITTEN" }
  /** What was read contradicts itself: no repair that would not risk an acknowledged txn. */
  | { readonly type: "DATA_REFUSED"; readonly failure: StorageFailure }
  | { readonly type: "DISK_FAILED"; readonly failure: StorageFailure };

export type RecoveryEffect =
  | { readonly type: "recovery.settle" }
  | { readonly type: "recovery.list" }
  | { readonly type: "recovery.inspectSnapshot"; readonly file: string }
  | { readonly type: "recovery.loadSnapshot"; readonly file: string }
  | { readonly type: "recovery.probeLogs" }
  /** An empty tree, as of this zxid. NO_ZXID: and nobody should elect a server that has only this. */
  | { readonly type: "recovery.startEmpty"; readonly zxid: Zxid }
  | { readonly type: "recovery.replay" }
  | { readonly type: "recovery.cut"; readonly cut: Cut }
  | { readonly type: "recovery.createSnapshot" }
  | { readonly type: "recovery.readEpochs" }
  | { readonly type: "recovery.writeEpoch"; readonly kind: "currentEpoch" | "acceptedEpoch"; readonly epoch: Epoch }
  | {
      readonly type: "recovery.recovered";
      readonly lastZxid: Zxid;
      readonly currentEpoch: Epoch;
      readonly acceptedEpoch: Epoch;
    }
  | { readonly type: "recovery.failed"; readonly failure: StorageFailure };

/** Epochs start at 0, also for a server that must not be elected. */
export const logEpoch = ({ lastZxid }: RecoveryContext): Epoch => epochOf(lastZxid === NO_ZXID ? ZERO_ZXID : lastZxid);

/**
 * The disk came back empty, and no leader's history was acknowledged since: what stands here by now may be the beginning of
 * one that no quorum backs. `initialize` and `db.autocreate` are the operator's word that it may be trusted all the same.
 */
const historyLost = (context: RecoveryContext): boolean =>
  context.epochFiles &&
  !context.initialize &&
  !context.autoCreate &&
  (context.lastZxid === NO_ZXID || context.currentEpoch === NO_EPOCH);

/** What the file says, where that is an epoch. */
const knownEpoch = ({ currentEpoch }: RecoveryContext): Epoch | null =>
  currentEpoch === NO_EPOCH ? null : currentEpoch;

/**
 * The epoch to put into currentEpoch when the log is ahead of it, or null if nothing explains that. A learner makes synced
 * txns durable before currentEpoch (ZOOKEEPER-4643), so a crash in between is ordinary: it had accepted the epoch by then,
 * and a txn of an epoch means that the log holds all of that epoch's initial history.
 */
function caughtUpEpoch(context: RecoveryContext): Epoch | null {
  const epoch = logEpoch(context);
  const { unfinishedEpoch, acceptedEpoch } = context;
  if (unfinishedEpoch !== null && unfinishedEpoch >= epoch) return unfinishedEpoch;
  return acceptedEpoch !== null && acceptedEpoch >= epoch ? epoch : null;
}

/** What currentEpoch must be so that the last txn is not ahead of it; NO_EPOCH stays until a history is acknowledged. */
export function dueEpoch(context: RecoveryContext): Epoch {
  if (historyLost(context)) return NO_EPOCH;
  const known = knownEpoch(context);
  if (known !== null && known >= logEpoch(context)) return known;
  return caughtUpEpoch(context) ?? logEpoch(context);
}

export const because = (code: string, file: string, message: string): StorageFailure => ({
  code,
  file,
  offset: 0,
  message,
});

export const noSnapshot = ({ truncateTo, skipped }: RecoveryContext): StorageFailure => {
  const upTo = truncateTo === null ? "" : ` up to ${formatZxid(truncateTo)}`;
  const message = `No snapshot${upTo} can be loaded (${skipped} tried). Restore one, or empty the directory of a server whose ensemble has a quorum without it.`;
  return because("NO_VALID_SNAPSHOT", "snap", message);
};

export const epochBehind = (context: RecoveryContext): StorageFailure => {
  const last = formatZxid(context.lastZxid);
  const message = `currentEpoch ${context.currentEpoch} is older than the log, which ends at ${last}, and acceptedEpoch ${context.acceptedEpoch} does not explain it.`;
  return because("EPOCH_BEHIND_LOG", "snap/currentEpoch", message);
};

export const acceptedBehind = (context: RecoveryContext): StorageFailure => {
  const message = `acceptedEpoch ${context.acceptedEpoch} is older than currentEpoch ${dueEpoch(context)}: a promise to a leader is lost.`;
  return because("ACCEPTED_EPOCH_BEHIND", "snap/acceptedEpoch", message);
};

export const recoverySetup = setup({
  types: {
    context: {} as RecoveryContext,
    events: {} as RecoveryEvent,
    input: {} as RecoveryInput,
  },
  actions: chartActions<RecoveryEffect>(),
  guards: {
    hasCandidate: ({ context }) => context.snapshots.length > 0,
    mustHaveSnapshot: ({ context }) => context.skipped > 0 || context.truncateTo !== null,
    hasLogs: ({ context }) => context.hasLogs,
    mayStartEmpty: ({ context }) => context.initialize || context.autoCreate,
    trustsLogsAlone: ({ context }) => context.trustEmptySnapshot,
    hasCut: ({ context }) => context.cuts.length > 0,
    needsSnapshot: ({ context }) => !context.hasSnapshot && context.lastZxid !== NO_ZXID,
    keepsEpochs: ({ context }) => context.epochFiles,
    logUnexplained: ({ context }) => {
      const known = knownEpoch(context);
      return known !== null && logEpoch(context) > known && caughtUpEpoch(context) === null;
    },
    acceptedBehind: ({ context }) => (context.acceptedEpoch ?? logEpoch(context)) < dueEpoch(context),
    currentDue: ({ context }) => context.currentEpoch !== dueEpoch(context),
    acceptedMissing: ({ context }) => context.acceptedEpoch === null,
    leftUnfinished: ({ context }) => context.unfinishedEpoch !== null,
  },
});
