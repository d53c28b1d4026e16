/** Runs the recovery chart: performs its effects with the disk and the database, and reports back what came of them. */
import { recoveryMachine } from "../../spec/storage/recovery.machine.ts";
import type { Cut, RecoveryEffect, RecoveryEvent } from "../../spec/storage/recovery-setup.ts";
import { type Epoch, formatZxid, NO_EPOCH, NO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import { assert } from "../runtime/assert.ts";
import { ChartRunner } from "../runtime/chart.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { Database } from "../tree/database.ts";
import type { DiskClient } from "./disk-client.ts";
import type { EpochFiles } from "./epoch-files.ts";
import { isTemporary, type LogFile, logsOf, type SnapshotFile, type StoredFile, snapshotsOf } from "./file-names.ts";
import { LogReplay } from "./log-replay.ts";
import { LogWalk } from "./log-walk.ts";
import type { SnapshotDigest } from "./snapshot-format.ts";
import { inspectSnapshot, loadSnapshot, type SnapshotVerdict } from "./snapshot-reader.ts";
import { SnapshotWriter } from "./snapshot-writer.ts";
import type { ChartSteps, EpochKind, ReplayedTxn, StorageConfig, StorageFailure } from "./storage-facts.ts";

/** FileSnap looks at no more: older ones could hardly be brought up to date. */
const MAX_SNAPSHOTS = 100;
const INITIALIZE = "initialize";
const UNFINISHED_EPOCH = "currentEpoch.tmp";

export interface RecoveryOptions {
  readonly disk: DiskClient;
  readonly database: Database;
  readonly epochs: EpochFiles;
  readonly config: StorageConfig;
  readonly environment: Environment;
  readonly replayed: ReplayedTxn;
  readonly report: Reporter;
  /** Calls back once nothing is being written any more. */
  readonly settle: (settled: () => void) => void;
  readonly recovered: (end: Extract<RecoveryEffect, { type: "recovery.recovered" }>) => void;
  readonly failed: (failure: StorageFailure) => void;
  /** Every step of the recovery chart. */
  readonly stepped?: ChartSteps | undefined;
}

export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #chart: ChartRunner<typeof recoveryMachine, RecoveryEffect>;
  readonly #truncateTo: Zxid | null;
  #snapshots: readonly SnapshotFile[] = [];
  #logs: readonly LogFile[] = [];
  /** Names in the snapshot directory: epoch files, and what interrupted writes left. */
  #snapFiles: ReadonlySet<string> = new Set();
  #leftovers: readonly Cut[] = [];
  #digest: SnapshotDigest | null = null;
  #replayedCount = 0;

  constructor(options: RecoveryOptions, truncateTo: Zxid | null) {
    const { epochFiles, autoCreate, trustEmptySnapshot } = options.config;
    this.#options = options;
    this.#truncateTo = truncateTo;
    this.#chart = new ChartRunner<typeof recoveryMachine, RecoveryEffect>(recoveryMachine, {
      name: "recovery",
      input: { truncateTo, epochFiles, autoCreate, trustEmptySnapshot },
      perform: (effect) => this.#perform(effect),
      timer: () => assert(false, "The recovery chart sets no timers."),
      unexpected: (state, event) => assert(false, `Recovery does not expect ${event} in ${state}.`),
    });
    const { stepped } = options;
    if (stepped !== undefined) this.#chart.onTransition = (from, event, to) => stepped("recovery", from, event, to);
  }

  start(): void {
    this.#chart.start();
  }

  /** For the operator: "replaying", "epochs.reading". */
  get state(): string {
    return this.#chart.state;
  }

  #send(event: RecoveryEvent): void {
    this.#chart.send(event);
  }

  #perform(effect: RecoveryEffect): void {
    switch (effect.type) {
      case "recovery.settle":
        return this.#options.settle(() => this.#send({ type: "WRITES_SETTLED" }));
      case "recovery.list":
        return this.#list();
      case "recovery.inspectSnapshot":
        return inspectSnapshot(this.#options.disk, this.#snapshot(effect.file), (v) => this.#inspected(effect.file, v));
      case "recovery.loadSnapshot":
        return this.#load(effect.file);
      case "recovery.probeLogs":
        return this.#probe();
      case "recovery.startEmpty":
        this.#options.database.clear();
        this.#options.database.lastProcessedZxid = effect.zxid;
        return;
      case "recovery.replay":
        return this.#replay();
      case "recovery.cut":
        return this.#cut(effect.cut);
      case "recovery.createSnapshot":
        return this.#createSnapshot();
      case "recovery.readEpochs":
        return this.#readEpochs();
      case "recovery.writeEpoch":
        return this.#writeEpoch(effect.kind, effect.epoch);
      case "recovery.recovered":
        return this.#options.recovered(effect);
      case "recovery.failed":
        return this.#options.failed(effect.failure);
    }
  }

  readonly #diskFailed = (failure: StorageFailure): void => this.#send({ type: "DISK_FAILED", failure });
  readonly #refused = (failure: StorageFailure): void => this.#send({ type: "DATA_REFUSED", failure });

  #list(): void {
    const { disk } = this.#options;
    disk.list("snap", (snapFailure, snapFiles) => {
      if (snapFailure !== null) return this.#diskFailed(snapFailure);
      disk.list("log", (logFailure, logFiles) => {
        if (logFailure !== null) return this.#diskFailed(logFailure);
        disk.list("data", (dataFailure, dataFiles) => {
          if (dataFailure !== null) return this.#diskFailed(dataFailure);
          this.#listed(snapFiles, logFiles, dataFiles);
        });
      });
    });
  }

  #listed(snapFiles: readonly StoredFile[], logFiles: readonly StoredFile[], dataFiles: readonly StoredFile[]): void {
    const snapshots = snapshotsOf(snapFiles);
    this.#logs = logsOf(logFiles);
    this.#snapFiles = new Set(snapFiles.map((file) => file.name));
    const stray = this.#options.config.separateLogDir ? strayFile(snapFiles, logFiles) : null;
    if (stray !== null) {
      const message = `${stray} stands in the wrong directory: dataDir holds snapshots, dataLogDir holds logs.`;
      return this.#refused({ code: "MISPLACED_FILE", message, file: stray, offset: 0 });
    }
    const { limit, keep } = { limit: this.#truncateTo, keep: this.#truncateTo ?? Number.POSITIVE_INFINITY };
    this.#snapshots = snapshots.filter((file) => file.zxid <= keep).slice(0, MAX_SNAPSHOTS);
    const initialize = dataFiles.some((file) => file.name === INITIALIZE);
    this.#leftovers = [
      ...(limit === null ? [] : snapshots.filter((file) => file.zxid > limit).map(removeSnapshot)),
      ...snapFiles.filter((file) => isLeftover(file.name)).map((file) => removeLeftover(file.name)),
      ...(initialize ? [{ kind: "removeMarker", file: INITIALIZE } as const] : []),
    ];
    const names = this.#snapshots.map((file) => file.name);
    this.#send({ type: "LISTED", snapshots: names, hasLogs: this.#logs.length > 0, initialize });
  }

  #snapshot(name: string): SnapshotFile {
    const file = this.#snapshots.find((snapshot) => snapshot.name === name);
    assert(file !== undefined, "The chart names snapshots from the listing.");
    return file;
  }

  #inspected(file: string, verdict: SnapshotVerdict): void {
    if (verdict.type === "failed") this.#diskFailed(verdict.failure);
    else if (verdict.type === "unusable") this.#skip(file, verdict.reason);
    else this.#send({ type: "SNAPSHOT_WHOLE" });
  }

  #skip(file: string, reason: string): void {
    const message = `snap/${file} is no usable snapshot: ${reason}. The next older one is tried.`;
    this.#options.report({ level: "warn", message, data: { code: "SNAPSHOT_SKIPPED", file: `snap/${file}` } });
    this.#send({ type: "SNAPSHOT_UNUSABLE" });
  }

  #load(name: string): void {
    const { database, disk } = this.#options;
    const file = this.#snapshot(name);
    loadSnapshot(disk, file, database, (verdict) => {
      if (verdict.type === "failed") return this.#diskFailed(verdict.failure);
      if (verdict.type === "unusable") return this.#skip(name, verdict.reason);
      const { digest } = verdict;
      if (this.#truncateTo !== null && digest !== null && digest.zxid > this.#truncateTo) {
        // Written while those txns were applied: parts of them are in it, and no replay would take them out again.
        this.#leftovers = [removeSnapshot(file), ...this.#leftovers];
        return this.#skip(name, `it holds effects up to ${formatZxid(digest.zxid)}, which are to be forgotten`);
      }
      database.lastProcessedZxid = file.zxid;
      this.#digest = digest;
      this.#send({ type: "SNAPSHOT_LOADED" });
    });
  }

  /** Is there any txn in logs without a snapshot? The first whole record answers. */
  #probe(): void {
    const { disk, config } = this.#options;
    new LogWalk(disk, this.#logs, config.maxEntryBytes, {
      record: (_scanner, file) => {
        this.#send({ type: "LOGS_HOLD_TXNS", file: `log/${file.name}` });
        return "stop";
      },
      fileEnded: (_end, next) => next(),
      done: () => this.#send({ type: "LOGS_EMPTY" }),
      failed: this.#diskFailed,
    }).start();
  }

  #replay(): void {
    const { disk, database, config, replayed, report } = this.#options;
    new LogReplay({
      disk,
      database,
      logs: this.#logs,
      limit: this.#truncateTo,
      unusable: this.#snapshots.map((file) => file.zxid).filter((zxid) => zxid > database.lastProcessedZxid),
      digest: this.#digest,
      maxEntryBytes: config.maxEntryBytes,
      replayed: (txn, entry) => {
        this.#replayedCount += 1;
        replayed(txn, entry);
      },
      report,
      done: (lastZxid, cuts) => this.#replayed(lastZxid, cuts),
      refused: this.#refused,
      failed: this.#diskFailed,
    }).start();
  }

  #replayed(lastZxid: Zxid, cuts: readonly Cut[]): void {
    const { database, report } = this.#options;
    const data = { code: "REPLAYED", txns: this.#replayedCount, lastZxid: formatZxid(lastZxid) };
    if (lastZxid !== NO_ZXID) report({ level: "info", message: "Snapshot and log are loaded.", data });
    assert(database.lastProcessedZxid === lastZxid, "The database stands where the log ends.");
    this.#send({ type: "REPLAYED", lastZxid, cuts: [...this.#leftovers, ...cuts] });
  }

  #cut(cut: Cut): void {
    const { disk } = this.#options;
    const done = (failure: StorageFailure | null): void => {
      if (failure !== null) this.#diskFailed(failure);
      else this.#send({ type: "CUT_MADE" });
    };
    switch (cut.kind) {
      case "removeSnapshot":
      case "removeLeftover":
        return disk.remove("snap", cut.file, done);
      case "removeLog":
        return disk.remove("log", cut.file, done);
      case "removeMarker":
        return disk.remove("data", cut.file, done);
      case "truncateLog":
        return disk.truncate("log", cut.file, cut.length, done);
    }
  }

  #createSnapshot(): void {
    const { disk, database, environment, config } = this.#options;
    new SnapshotWriter({
      disk,
      database,
      environment,
      digestEnabled: config.digestEnabled,
      whenLogDurable: (callback) => callback(),
      done: () => this.#send({ type: "SNAPSHOT_CREATED" }),
      failed: this.#diskFailed,
      overtaken: () => assert(false, "Nobody else touches the database during recovery."),
    }).start();
  }

  #writeEpoch(kind: EpochKind, epoch: Epoch): void {
    this.#options.epochs.write(kind, epoch, () => this.#send({ type: "EPOCH_WRITTEN" }), this.#diskFailed);
  }

  #readEpochs(): void {
    const { epochs } = this.#options;
    const listed = (name: string): boolean => this.#snapFiles.has(name);
    const refuse = (failure: StorageFailure): void =>
      failure.code === "BAD_EPOCH_FILE" ? this.#refused(failure) : this.#diskFailed(failure);
    epochs.read("currentEpoch", listed("currentEpoch"), (currentFailure, currentEpoch) => {
      if (currentFailure !== null) return refuse(currentFailure);
      epochs.read("acceptedEpoch", listed("acceptedEpoch"), (acceptedFailure, accepted) => {
        if (acceptedFailure !== null) return refuse(acceptedFailure);
        // Apache ZooKeeper writes -1 here as well: nothing was promised yet.
        const acceptedEpoch = accepted === NO_EPOCH ? null : accepted;
        epochs.read(UNFINISHED_EPOCH, listed(UNFINISHED_EPOCH), (unfinishedFailure, unfinishedEpoch) => {
          // Cut off in the middle: then it was never promised to anybody.
          if (unfinishedFailure !== null && unfinishedFailure.code !== "BAD_EPOCH_FILE")
            return refuse(unfinishedFailure);
          this.#send({ type: "EPOCHS_READ", currentEpoch, acceptedEpoch, unfinishedEpoch });
        });
      });
    });
  }
}

const removeSnapshot = (file: SnapshotFile): Cut => ({ kind: "removeSnapshot", file: file.name });
const removeLeftover = (file: string): Cut => ({ kind: "removeLeftover", file });

/** `currentEpoch.tmp` may still explain why the log is ahead of currentEpoch: the chart decides about it later. */
function isLeftover(name: string): boolean {
  return isTemporary(name) && name !== UNFINISHED_EPOCH;
}

function strayFile(snapFiles: readonly StoredFile[], logFiles: readonly StoredFile[]): string | null {
  const log = logsOf(snapFiles)[0];
  if (log !== undefined) return `snap/${log.name}`;
  const snapshot = snapshotsOf(logFiles)[0];
  return snapshot === undefined ? null : `log/${snapshot.name}`;
}
