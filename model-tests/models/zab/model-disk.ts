/**
 * A server's disk: what is durable, and what is under way. Mirrors src/storage at the grain at which a crash can tell a
 * difference; recovery and truncation are the production chart, run to its end.
 */

import { type History, lastZxid } from "../../../spec/invariants/zab-view.ts";
import type { recoveryMachine } from "../../../spec/storage/recovery.machine.ts";
import type { Cut, RecoveryEffect } from "../../../spec/storage/recovery-setup.ts";
import { type Epoch, NO_EPOCH, ZERO_ZXID, type Zxid } from "../../../spec/vocabulary.ts";
import { follows, leapsOver } from "../../../src/storage/log-replay.ts";
import type { EpochKind, StorageFact } from "../../../src/storage/storage-facts.ts";
import type { ChartMachine } from "../../checker/chart-machine.ts";
import { ChartSlot } from "./chart-slot.ts";

export type RecoveryChart = ChartMachine<typeof recoveryMachine, RecoveryEffect>;

export interface DiskState {
  readonly acceptedEpoch: Epoch;
  readonly currentEpoch: Epoch;
  /** What each snapshot holds; oldest first. */
  readonly snapshots: readonly History[];
  /** Every txn in the log files, also those of a history that a snapshot has replaced. */
  readonly log: History;
  /** The group that is being written and synced, and the next one. */
  readonly writing: History;
  readonly gathered: History;
  readonly epochWrites: readonly (readonly [EpochKind, Epoch])[];
  /** A leader's tree on its way to the disk. `cutting`: txns beyond it must leave the log first. */
  readonly snapshot: { readonly tree: History; readonly cutting: boolean } | null;
  readonly truncateTo: Zxid | null;
}

export const EMPTY_DISK: DiskState = {
  acceptedEpoch: 0 as Epoch,
  currentEpoch: 0 as Epoch,
  snapshots: [[]],
  log: [],
  writing: [],
  gathered: [],
  epochWrites: [],
  snapshot: null,
  truncateTo: null,
};

export interface Recovered {
  readonly fact: Extract<StorageFact, { type: "RECOVERED" }>;
  readonly tree: History;
  /** Those of the tree's txns that came from the log. */
  readonly replayed: History;
}

export class ModelDisk {
  /** A disk that fails stops its server, which is a crash. A mutant may go on. */
  static readonly mayLoseAppends: boolean = false;
  /** db.autocreate: an empty directory is an empty history, instead of none. */
  static readonly autoCreate: boolean = false;
  protected now: DiskState;
  readonly #recovery: RecoveryChart;

  constructor(state: DiskState, recovery: RecoveryChart) {
    this.now = state;
    this.#recovery = recovery;
  }

  get state(): DiskState {
    return this.now;
  }

  get busy(): boolean {
    const { writing, epochWrites, snapshot, truncateTo } = this.now;
    return writing.length > 0 || epochWrites.length > 0 || snapshot !== null || truncateTo !== null;
  }

  append(txn: History[number]): void {
    this.#set({ gathered: [...this.now.gathered, txn] });
  }

  /** While a group or a leader's snapshot is under way, the next group gathers. */
  flush(): void {
    const { writing, gathered, snapshot } = this.now;
    if (writing.length > 0 || gathered.length === 0 || snapshot !== null) return;
    this.#set({ writing: gathered, gathered: [] });
  }

  /** @returns up to where the log is durable now. */
  logSynced(): Zxid {
    const { log, writing } = this.now;
    this.#set({ log: [...log, ...writing], writing: [] });
    return lastZxid(writing);
  }

  /** The group under way is not written, and yet reported: see `mayLoseAppends`. */
  appendLost(): Zxid {
    const { writing } = this.now;
    this.#set({ writing: [] });
    return lastZxid(writing);
  }

  writeEpoch(kind: EpochKind, epoch: Epoch): void {
    this.#set({ epochWrites: [...this.now.epochWrites, [kind, epoch]] });
  }

  epochWritten(): readonly [EpochKind, Epoch] {
    const [first, ...rest] = this.now.epochWrites as [readonly [EpochKind, Epoch]];
    this.#set({ epochWrites: rest, [first[0]]: first[1] });
    return first;
  }

  /** Storage.snapshot("sync"): the tree replaces the history on disk. */
  replaceHistory(tree: History): void {
    const { log } = this.now;
    this.#set({ writing: [], gathered: [], snapshot: { tree, cutting: lastZxid(log) > lastZxid(tree) } });
  }

  /** One step of it. @returns the snapshot's zxid once it is there. */
  snapshotStep(): Zxid | null {
    const { snapshot, log, snapshots } = this.now as DiskState & { snapshot: { tree: History; cutting: boolean } };
    const last = lastZxid(snapshot.tree);
    if (snapshot.cutting) {
      this.#set({
        log: log.filter(([zxid]) => zxid <= last),
        snapshots: snapshots.filter((older) => lastZxid(older) <= last),
        snapshot: { ...snapshot, cutting: false },
      });
      return null;
    }
    const others = snapshots.filter((older) => lastZxid(older) !== last);
    this.#set({ snapshots: [...others, snapshot.tree], snapshot: null });
    return last;
  }

  truncate(zxid: Zxid): void {
    this.#set({ truncateTo: zxid });
  }

  /**
   * Reads everything anew, once the disk is quiet. A snapshot that is being written is given up, though what it made leave
   * the log has left. Null: what is there no crash explains.
   */
  recover(): Recovered | null {
    const { truncateTo, snapshot } = this.now;
    if (snapshot?.cutting === true) this.snapshotStep();
    this.#set({ truncateTo: null, snapshot: null });
    return this.#recover(truncateTo);
  }

  /** What a restart would find, were it now. */
  peek(): History | null {
    const before = this.now;
    const found = this.#recover(null);
    this.now = before;
    return found?.tree ?? null;
  }

  /** The power fails: of what was handed to the disk and not synced the first `kept` txns remain. */
  crash(kept: number): void {
    const { log, writing, gathered } = this.now;
    this.#set({
      log: [...log, ...[...writing, ...gathered].slice(0, kept)],
      writing: [],
      gathered: [],
      epochWrites: [],
      snapshot: null,
      truncateTo: null,
    });
  }

  /**
   * Storage.readLog: from the newest txn not above `from` up to `to`; nothing where some of it is missing. Production waits for
   * what is on its way to the log. Here that is handed out at once: what the learner is sent may take its time anyway.
   */
  stretch(from: Zxid, to: Zxid): { readonly txns: History; readonly complete: boolean } {
    const { log, writing, gathered } = this.now;
    const txns = this.wholeUntil([...log, ...writing, ...gathered], from, to);
    return lastZxid(txns) >= to ? { txns, complete: true } : { txns: [], complete: false };
  }

  /** From the newest txn not above `from` as far as nothing is missing, but not beyond `to`. */
  protected wholeUntil(log: History, from: Zxid, to: Zxid): History {
    const snapshots = this.now.snapshots.map(lastZxid);
    const start = log.findLastIndex(([zxid]) => zxid <= from);
    const txns: History[number][] = [];
    if (start === -1) return txns;
    for (const txn of log.slice(start)) {
      const last = txns[txns.length - 1];
      if (last !== undefined && (last[0] >= to || !follows(last[0], txn[0]))) break;
      if (last !== undefined && leapsOver(snapshots, last[0], txn[0])) break;
      txns.push(txn);
    }
    return txns;
  }

  #recover(truncateTo: Zxid | null): Recovered | null {
    let recovered: Recovered | null = null;
    let emptyAt: Zxid = ZERO_ZXID;
    let tree: History = [];
    let replayed: History = [];
    const perform = (effect: RecoveryEffect): void => {
      switch (effect.type) {
        case "recovery.settle":
          return chart.send({ type: "WRITES_SETTLED" });
        case "recovery.list": {
          const hasLogs = this.now.log.length > 0;
          return chart.send({ type: "LISTED", snapshots: this.#names(truncateTo), hasLogs, initialize: false });
        }
        case "recovery.inspectSnapshot":
          return chart.send({ type: "SNAPSHOT_WHOLE" });
        case "recovery.loadSnapshot":
          tree = this.now.snapshots[Number(effect.file)] as History;
          return chart.send({ type: "SNAPSHOT_LOADED" });
        case "recovery.startEmpty":
          emptyAt = effect.zxid;
          return;
        case "recovery.createSnapshot":
          this.#set({ snapshots: [[]] });
          return chart.send({ type: "SNAPSHOT_CREATED" });
        case "recovery.replay": {
          const found = this.#replay(tree, truncateTo);
          if (found === null) {
            const failure = { code: "LOG_GAP", message: "the log has a gap", file: "log", offset: 0 };
            return chart.send({ type: "DATA_REFUSED", failure });
          }
          replayed = found.replayed;
          tree = [...tree, ...replayed];
          const cuts = [...this.#removals(truncateTo), ...found.cuts];
          const last = tree.length === 0 ? emptyAt : lastZxid(tree);
          return chart.send({ type: "REPLAYED", lastZxid: last, cuts });
        }
        case "recovery.readEpochs": {
          const { currentEpoch, acceptedEpoch } = this.now;
          return chart.send({ type: "EPOCHS_READ", currentEpoch, acceptedEpoch, unfinishedEpoch: null });
        }
        case "recovery.cut":
          this.#cut(effect.cut);
          return chart.send({ type: "CUT_MADE" });
        case "recovery.writeEpoch":
          this.#set({ [effect.kind]: effect.epoch });
          return chart.send({ type: "EPOCH_WRITTEN" });
        case "recovery.recovered": {
          const { lastZxid, currentEpoch, acceptedEpoch } = effect;
          recovered = { fact: { type: "RECOVERED", lastZxid, currentEpoch, acceptedEpoch }, tree, replayed };
          return;
        }
        default:
          // recovery.failed: what is there must not be served. recovery.probeLogs: logs here never lack a snapshot.
          return;
      }
    };
    const { autoCreate } = this.constructor as typeof ModelDisk;
    const input = { truncateTo, epochFiles: true, autoCreate, trustEmptySnapshot: false };
    const { state, outputs } = this.#recovery.initial(input);
    const chart = new ChartSlot(this.#recovery, state, { perform, unexpected: () => {} });
    for (const output of outputs) if (output.type === "effect") perform(output.effect);
    return recovered;
  }

  /** Newest first; those beyond a truncation's limit are no candidates. */
  #names(truncateTo: Zxid | null): string[] {
    const limit = truncateTo ?? Number.POSITIVE_INFINITY;
    return this.now.snapshots.flatMap((tree, i) => (lastZxid(tree) <= limit ? [String(i)] : [])).reverse();
  }

  #removals(truncateTo: Zxid | null): Cut[] {
    if (truncateTo === null) return [];
    const later = this.now.snapshots.filter((tree) => lastZxid(tree) > truncateTo);
    return later.map((tree): Cut => ({ kind: "removeSnapshot", file: String(lastZxid(tree)) }));
  }

  /** LogReplay: every txn after the snapshot, in order, without gaps. */
  #replay(tree: History, limit: Zxid | null): { replayed: History; cuts: Cut[] } | null {
    const { log } = this.now;
    const replayed: History[number][] = [];
    let last = lastZxid(tree);
    for (const [i, txn] of log.entries()) {
      const zxid = txn[0];
      if (replayed.length === 0 && zxid <= last) continue;
      if (limit !== null && zxid > limit) return { replayed, cuts: [{ kind: "truncateLog", file: "log", length: i }] };
      if (!follows(last, zxid)) return null;
      replayed.push(txn);
      last = zxid;
    }
    return { replayed, cuts: [] };
  }

  #cut(cut: Cut): void {
    const { log, snapshots } = this.now;
    if (cut.kind === "truncateLog") this.#set({ log: log.slice(0, cut.length) });
    if (cut.kind === "removeSnapshot")
      this.#set({ snapshots: snapshots.filter((tree) => lastZxid(tree) !== Number(cut.file)) });
  }

  #set(change: Partial<DiskState>): void {
    this.now = { ...this.now, ...change };
  }
}

/** Nothing is left of what was there. */
export const WIPED_DISK: DiskState = { ...EMPTY_DISK, currentEpoch: NO_EPOCH, snapshots: [] };

/** A disk that holds this history, as if it had been logged. */
export const diskWith = (log: History, epoch: Epoch): DiskState => ({
  ...EMPTY_DISK,
  log,
  acceptedEpoch: epoch,
  currentEpoch: epoch,
});
