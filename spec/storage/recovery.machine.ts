/**
 * How a server comes back from its disk: newest valid snapshot → replay of the logs → epoch files → cut of what must not
 * stay → ready. The same walk serves TRUNC, where everything after a given zxid must not stay.
 * Source: FileTxnSnapLog.restore, FileTxnLog.truncate, QuorumPeer.loadDataBase. Diagram: recovery.
 *
 * Every step that changes the disk is a state of its own, so that a crash between any two is a case of the chart:
 * - Nothing is changed before snapshot, logs and epoch files have been read to the end. A recovery that fails leaves the disk as it was.
 * - Newer things go first: snapshots, then logs, then the tail of the last log. Wherever a crash falls, what is left is an
 *   unbroken history, and the next recovery finds it.
 *
 * Differs from Apache ZooKeeper (deviations.md, "recovery"): torn tails are cut off, gaps inside an epoch stop the start,
 * TRUNC removes newer snapshots too, and a log that is ahead of currentEpoch is explained by acceptedEpoch.
 */
import { assign, setup } from "xstate";
import { chartActions } from "../chart-actions.ts";
import { type Epoch, epochOf, formatZxid, NO_ZXID, ZERO_ZXID, type Zxid } from "../vocabulary.ts";

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
const logEpoch = ({ lastZxid }: RecoveryContext): Epoch => epochOf(lastZxid === NO_ZXID ? ZERO_ZXID : lastZxid);

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

/** What currentEpoch must be so that the last txn is not ahead of it. */
function dueEpoch(context: RecoveryContext): Epoch {
  if (context.currentEpoch !== null && context.currentEpoch >= logEpoch(context)) return context.currentEpoch;
  return caughtUpEpoch(context) ?? logEpoch(context);
}

const because = (code: string, file: string, message: string): StorageFailure => ({ code, file, offset: 0, message });

const noSnapshot = ({ truncateTo, skipped }: RecoveryContext): StorageFailure => {
  const upTo = truncateTo === null ? "" : ` up to ${formatZxid(truncateTo)}`;
  const message = `No snapshot${upTo} can be loaded (${skipped} tried). Restore one, or empty the directory of a server whose ensemble has a quorum without it.`;
  return because("NO_VALID_SNAPSHOT", "snap", message);
};

const epochBehind = (context: RecoveryContext): StorageFailure => {
  const last = formatZxid(context.lastZxid);
  const message = `currentEpoch ${context.currentEpoch} is older than the log, which ends at ${last}, and acceptedEpoch ${context.acceptedEpoch} does not explain it.`;
  return because("EPOCH_BEHIND_LOG", "snap/currentEpoch", message);
};

const acceptedBehind = (context: RecoveryContext): StorageFailure => {
  const message = `acceptedEpoch ${context.acceptedEpoch} is older than currentEpoch ${dueEpoch(context)}: a promise to a leader is lost.`;
  return because("ACCEPTED_EPOCH_BEHIND", "snap/acceptedEpoch", message);
};

export const recoveryMachine = setup({
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
    logUnexplained: ({ context }) =>
      context.currentEpoch !== null && logEpoch(context) > context.currentEpoch && caughtUpEpoch(context) === null,
    acceptedBehind: ({ context }) => (context.acceptedEpoch ?? logEpoch(context)) < dueEpoch(context),
    currentDue: ({ context }) => context.currentEpoch !== dueEpoch(context),
    acceptedMissing: ({ context }) => context.acceptedEpoch === null,
    leftUnfinished: ({ context }) => context.unfinishedEpoch !== null,
  },
}).createMachine({
  id: "recovery",
  context: ({ input }) => ({
    ...input,
    snapshots: [],
    skipped: 0,
    hasSnapshot: false,
    hasLogs: false,
    initialize: false,
    cuts: [],
    lastZxid: NO_ZXID,
    currentEpoch: null,
    acceptedEpoch: null,
    unfinishedEpoch: null,
    failure: null,
  }),
  initial: "settling",
  on: {
    DISK_FAILED: { target: ".failed.disk", actions: assign({ failure: ({ event }) => event.failure }) },
  },
  states: {
    settling: {
      description: "What is being written goes to the disk first: the walk must not race with it.",
      entry: { type: "effect", params: { type: "recovery.settle" } },
      on: { WRITES_SETTLED: "listing" },
    },
    listing: {
      description: "Which snapshots and logs are there?",
      entry: { type: "effect", params: { type: "recovery.list" } },
      on: {
        LISTED: {
          target: "choosing",
          actions: assign(({ event }) => ({
            snapshots: event.snapshots,
            hasLogs: event.hasLogs,
            initialize: event.initialize,
          })),
        },
        DATA_REFUSED: {
          description: "Snapshots among the logs, or logs among the snapshots: a path is wrong.",
          target: "failed.layout",
          actions: assign({ failure: ({ event }) => event.failure }),
        },
      },
    },
    choosing: {
      description: "The newest snapshot that was not tried yet. Only a fresh directory has none.",
      always: [
        { guard: "hasCandidate", target: "inspecting" },
        {
          guard: "mustHaveSnapshot",
          target: "failed.noSnapshot",
          actions: assign({ failure: ({ context }) => noSnapshot(context) }),
        },
        { guard: "hasLogs", target: "probing" },
        { target: "fresh" },
      ],
    },
    inspecting: {
      description: "An interrupted write leaves a short file: look at its end before loading all of it.",
      entry: {
        type: "effect",
        params: ({ context }) => ({ type: "recovery.inspectSnapshot", file: context.snapshots[0] ?? "" }),
      },
      on: {
        SNAPSHOT_WHOLE: "loading",
        SNAPSHOT_UNUSABLE: {
          target: "choosing",
          actions: assign(({ context }) => ({ snapshots: context.snapshots.slice(1), skipped: context.skipped + 1 })),
        },
      },
    },
    loading: {
      description: "Into an emptied database. The seals at the end of the file decide whether it counts.",
      entry: {
        type: "effect",
        params: ({ context }) => ({ type: "recovery.loadSnapshot", file: context.snapshots[0] ?? "" }),
      },
      on: {
        SNAPSHOT_LOADED: { target: "replaying", actions: assign({ hasSnapshot: true }) },
        SNAPSHOT_UNUSABLE: {
          target: "choosing",
          actions: assign(({ context }) => ({ snapshots: context.snapshots.slice(1), skipped: context.skipped + 1 })),
        },
      },
    },
    probing: {
      description: "Logs without any snapshot: harmless only if no txn is in them.",
      entry: { type: "effect", params: { type: "recovery.probeLogs" } },
      on: {
        LOGS_EMPTY: "fresh",
        LOGS_HOLD_TXNS: [
          { guard: "trustsLogsAlone", target: "fresh" },
          {
            target: "failed.noSnapshot",
            actions: assign({
              failure: ({ event }) =>
                because(
                  "LOG_WITHOUT_SNAPSHOT",
                  event.file,
                  "The log holds txns, but there is no snapshot to apply them to. If there never was one, set snapshot.trust.empty=true.",
                ),
            }),
          },
        ],
        DATA_REFUSED: { target: "failed.log", actions: assign({ failure: ({ event }) => event.failure }) },
      },
    },
    fresh: {
      description: "Nothing was ever stored here. Is that meant to be so, or did a server lose its disk?",
      always: [
        {
          guard: "mayStartEmpty",
          target: "replaying",
          actions: { type: "effect", params: { type: "recovery.startEmpty", zxid: ZERO_ZXID } },
        },
        {
          description:
            "It may join an ensemble, but neither be elected nor make anybody leader with its empty history.",
          target: "replaying",
          actions: { type: "effect", params: { type: "recovery.startEmpty", zxid: NO_ZXID } },
        },
      ],
    },
    replaying: {
      description:
        "Every txn after the snapshot, in zxid order and without gaps, up to the end or to where TRUNC says.",
      entry: { type: "effect", params: { type: "recovery.replay" } },
      on: {
        REPLAYED: [
          {
            guard: "keepsEpochs",
            target: "epochs",
            actions: assign(({ event }) => ({ lastZxid: event.lastZxid, cuts: event.cuts })),
          },
          {
            target: "cutting",
            actions: assign(({ event }) => ({ lastZxid: event.lastZxid, cuts: event.cuts })),
          },
        ],
        DATA_REFUSED: { target: "failed.log", actions: assign({ failure: ({ event }) => event.failure }) },
      },
    },
    epochs: {
      description: "What this server promised: acceptedEpoch to a leader to be, currentEpoch to an established one.",
      initial: "reading",
      states: {
        reading: {
          description: "Both files, and what an interrupted rename left.",
          entry: { type: "effect", params: { type: "recovery.readEpochs" } },
          on: {
            EPOCHS_READ: {
              target: "judging",
              actions: assign(({ event }) => ({
                currentEpoch: event.currentEpoch,
                acceptedEpoch: event.acceptedEpoch,
                unfinishedEpoch: event.unfinishedEpoch,
              })),
            },
            DATA_REFUSED: {
              target: "#recovery.failed.epochs",
              actions: assign({ failure: ({ event }) => event.failure }),
            },
          },
        },
        judging: {
          description: "epoch of the last txn <= currentEpoch <= acceptedEpoch, or a crash that explains why not.",
          always: [
            {
              guard: "logUnexplained",
              target: "#recovery.failed.epochs",
              actions: assign({ failure: ({ context }) => epochBehind(context) }),
            },
            {
              guard: "acceptedBehind",
              target: "#recovery.failed.epochs",
              actions: assign({ failure: ({ context }) => acceptedBehind(context) }),
            },
            { target: "#recovery.cutting" },
          ],
        },
      },
    },
    cutting: {
      description:
        "All has been read, nothing speaks against it. Newer snapshots, later logs, the torn tail go one by one.",
      always: [
        { guard: "hasCut", target: "removing" },
        { guard: "needsSnapshot", target: "creating" },
        { guard: "keepsEpochs", target: "promising" },
        { target: "ready" },
      ],
    },
    removing: {
      description: "One of them goes.",
      entry: {
        type: "effect",
        params: ({ context }) => context.cuts.slice(0, 1).map((cut) => ({ type: "recovery.cut" as const, cut })),
      },
      on: {
        CUT_MADE: { target: "cutting", actions: assign({ cuts: ({ context }) => context.cuts.slice(1) }) },
      },
    },
    creating: {
      description: "The first snapshot of a fresh directory: later starts need one to trust the logs.",
      entry: { type: "effect", params: { type: "recovery.createSnapshot" } },
      on: {
        SNAPSHOT_CREATED: { target: "cutting", actions: assign({ hasSnapshot: true }) },
      },
    },
    promising: {
      description: "Epoch files that are missing or behind are written. What was promised stays promised.",
      initial: "checking",
      states: {
        checking: {
          description: "Is one due?",
          always: [
            { guard: "currentDue", target: "writingCurrent" },
            { guard: "acceptedMissing", target: "writingAccepted" },
            { guard: "leftUnfinished", target: "tidying" },
            { target: "#recovery.ready" },
          ],
        },
        writingCurrent: {
          description: "A directory that was standalone, or a crash between synced txns and currentEpoch.",
          entry: {
            type: "effect",
            params: ({ context }) => ({ type: "recovery.writeEpoch", kind: "currentEpoch", epoch: dueEpoch(context) }),
          },
          on: {
            EPOCH_WRITTEN: {
              target: "checking",
              actions: assign({ currentEpoch: ({ context }) => dueEpoch(context) }),
            },
          },
        },
        writingAccepted: {
          description: "A directory that was standalone.",
          entry: {
            type: "effect",
            params: ({ context }) => ({ type: "recovery.writeEpoch", kind: "acceptedEpoch", epoch: logEpoch(context) }),
          },
          on: {
            EPOCH_WRITTEN: {
              target: "checking",
              actions: assign({ acceptedEpoch: ({ context }) => logEpoch(context) }),
            },
          },
        },
        tidying: {
          description: "currentEpoch stands now, so what was left of its last write can go.",
          entry: {
            type: "effect",
            params: { type: "recovery.cut", cut: { kind: "removeLeftover", file: "currentEpoch.tmp" } },
          },
          on: { CUT_MADE: "#recovery.ready" },
        },
      },
    },
    ready: {
      description: "Database, log and epochs agree with the disk.",
      type: "final",
      entry: {
        type: "effect",
        params: ({ context }) => ({
          type: "recovery.recovered",
          lastZxid: context.lastZxid,
          currentEpoch: dueEpoch(context),
          acceptedEpoch: context.acceptedEpoch ?? logEpoch(context),
        }),
      },
    },
    failed: {
      description: "The server must not start: whatever it would serve might be wrong.",
      initial: "disk",
      entry: {
        type: "effect",
        params: ({ context }) =>
          context.failure === null ? [] : [{ type: "recovery.failed" as const, failure: context.failure }],
      },
      states: {
        disk: { type: "final", description: "An operation failed: EIO, ENOSPC, EACCES." },
        layout: { type: "final", description: "Files stand in the wrong directory." },
        noSnapshot: { type: "final", description: "No snapshot, or none that its seals confirm." },
        log: { type: "final", description: "A damaged record, a gap, or a txn that nobody can read." },
        epochs: { type: "final", description: "The epoch files contradict each other or the log." },
      },
    },
  },
});
