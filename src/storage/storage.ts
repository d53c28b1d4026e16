/**
 * All that a server keeps on disk: txn log, snapshots, epoch files. Sans I/O: effects go out, answers come in, and what the
 * rest of the server may rely on is raised as facts.
 *
 * After STORAGE_FAILED nothing is written and nothing acknowledged any more: after a failed write or sync nobody knows what
 * the disk holds, and a log with a hole is worse than a server that is down (ZOOKEEPER-4882).
 */
import { type Epoch, formatZxid, ZERO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import { assert } from "../runtime/assert.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { Database } from "../tree/database.ts";
import { DiskClient } from "./disk-client.ts";
import type { DiskEffect, DiskInput } from "./disk-io.ts";
import { EpochFiles } from "./epoch-files.ts";
import { cutLogAfter } from "./log-cut.ts";
import { LogReader } from "./log-reader.ts";
import { LogWriter } from "./log-writer.ts";
import { Purge } from "./purge.ts";
import { Recovery } from "./recovery.ts";
import { SnapshotWriter } from "./snapshot-writer.ts";
import type {
  ChartSteps,
  EpochKind,
  LogReading,
  LogVisitor,
  ReplayedTxn,
  StorageConfig,
  StorageFact,
  StorageFailure,
} from "./storage-facts.ts";

export interface StorageOptions {
  readonly database: Database;
  /** Where effects go: the array of the step that runs now. */
  readonly effects: () => { push(effect: DiskEffect): unknown };
  readonly fact: (fact: StorageFact) => void;
  /** Called for every txn of the log that is applied during recovery (to fill the committed log). */
  readonly replayed?: ReplayedTxn;
  readonly report: Reporter;
  readonly environment: Environment;
  readonly config: StorageConfig;
  readonly stepped?: ChartSteps;
}

export class Storage {
  readonly #options: StorageOptions;
  readonly #disk: DiskClient;
  readonly #log: LogWriter;
  readonly #epochs: EpochFiles;
  readonly #readers = new Set<LogReader>();
  #recovery: Recovery | null = null;
  /** Asked for while another recovery was under way: only its outcome counts. */
  #recoverAgain: { readonly truncateTo: Zxid | null } | null = null;
  #replayedCount = 0;
  #snapshot: SnapshotWriter | null = null;
  #purge: Purge | null = null;
  /** This many txns, and this many bytes, in the log make a snapshot due. */
  #dueTxns = 0;
  #dueBytes = 0;
  /** Recovered once: the log may be appended to. */
  #ready = false;
  /** Failed or closed. */
  #over = false;

  constructor(options: StorageOptions) {
    const { config, environment, report } = options;
    this.#options = options;
    this.#disk = new DiskClient(options.effects);
    this.#log = new LogWriter({
      disk: this.#disk,
      config,
      environment,
      report,
      appended: (upTo) => this.#fact({ type: "LOG_APPENDED", upTo }),
      failed: (failure) => this.#fail(failure),
    });
    this.#epochs = new EpochFiles(this.#disk, (failure) => this.#fail(failure));
    this.#drawThresholds();
  }

  /** The answer to a disk effect. Answers to effects that others sent (with ids below zero) are passed over. */
  input(input: DiskInput): void {
    this.#disk.input(input);
  }

  /** Reads snapshot and log into the database (emptied first): RECOVERED or STORAGE_FAILED. Waits for what is being written. */
  recover(): void {
    this.#recover(null);
  }

  /** TRUNC: as `recover`, but forgets everything after `zxid`, on disk too: log records and snapshots. */
  truncate(zxid: Zxid): void {
    this.#recover(zxid);
  }

  /** Queues a txn (header, record, digest: what a PROPOSAL carries). Durable when LOG_APPENDED reaches it. */
  append(zxid: Zxid, entry: Buffer): void {
    if (this.#over) return;
    assert(this.#ready && this.#recovery === null, "Txns are logged only after recovery.");
    this.#log.append(zxid, entry);
  }

  /** At the end of a turn: hands what was gathered to the disk, unless a group is under way (then it goes right after that). */
  flush(): void {
    this.#log.flush();
  }

  /** Last zxid appended or recovered, durable or not. */
  get lastAppended(): Zxid {
    return this.#log.lastAppended;
  }

  /** Everything up to here is durable. */
  get durable(): Zxid {
    return this.#log.durable;
  }

  /** Atomic and durable when EPOCH_WRITTEN says so. */
  writeEpoch(kind: EpochKind, epoch: Epoch): void {
    if (this.#over) return;
    this.#epochs.write(kind, epoch, () => this.#fact({ type: "EPOCH_WRITTEN", kind, epoch }));
  }

  /** Enough was logged since the last snapshot: call `snapshot("count")`. */
  get snapshotDue(): boolean {
    if (!this.#ready || this.#snapshot !== null || this.#recovery !== null) return false;
    return this.#log.txns > this.#dueTxns || this.#log.bytes > this.#dueBytes;
  }

  /**
   * Writes the database as of now, fuzzily and in slices, and starts a new log file.
   * - count: gives way to one that is being written. Should it fail, the log simply stays longer.
   * - sync: the database came from a leader (SNAP), so this replaces the history on disk. One that is being written is given
   *   up, txns in the log beyond the database's zxid are removed, and what is appended from now on is written behind that.
   */
  snapshot(reason: "count" | "sync"): void {
    if (this.#over) return;
    const { config } = this.#options;
    assert(this.#ready && this.#recovery === null, "Snapshots are taken only after recovery.");
    assert(this.#options.database.lastProcessedZxid >= ZERO_ZXID, "There is a history to take a snapshot of.");
    this.#drawThresholds();
    if (reason === "sync") return this.#replaceHistory();
    if (this.#snapshot !== null) return;
    this.#log.roll();
    this.#startSnapshot(config.digestEnabled, (failure) => this.#snapshotFailed(failure));
  }

  /**
   * Reads the txn log from the newest entry <= `from` on, up to `to`. `maxBytes`: a longer stretch of log is not worth it
   * (snapshotSizeFactor); 0 = any length. What is on its way to the log is waited for: a quorum of others may commit a txn first.
   */
  readLog(from: Zxid, to: Zxid, visitor: LogVisitor, maxBytes = 0): LogReading {
    const { config } = this.#options;
    const reader = new LogReader({
      disk: this.#disk,
      maxEntryBytes: config.maxEntryBytes,
      from,
      to,
      maxBytes,
      active: () => this.#log.active,
      visitor,
      closed: (closed) => this.#readers.delete(closed),
    });
    this.#readers.add(reader);
    if (this.#over || this.#recovery !== null) reader.fail();
    else this.#log.whenDurable(to < this.#log.lastAppended ? to : this.#log.lastAppended, () => reader.start());
    return reader;
  }

  /** Removes what no recovery needs any more: all but the newest valid snapshots, and the logs before the oldest kept one. */
  purge(): void {
    if (this.#over || this.#purge !== null || this.#recovery !== null) return;
    const { config, report } = this.#options;
    this.#purge = new Purge(this.#disk, config.snapRetainCount, report, () => {
      this.#purge = null;
    });
    this.#purge.start();
  }

  /** Writes out what was appended, then falls silent. */
  close(): void {
    if (this.#over) return;
    this.#settle(() => {
      this.#over = true;
      this.#log.stop();
      this.#disk.abandon();
    });
  }

  #recover(truncateTo: Zxid | null): void {
    if (this.#over) return;
    if (this.#recovery !== null) {
      this.#recoverAgain = { truncateTo };
      return;
    }
    const { database, config, environment, report, replayed, stepped } = this.#options;
    this.#replayedCount = 0;
    this.#recovery = new Recovery(
      {
        disk: this.#disk,
        database,
        epochs: this.#epochs,
        config,
        environment,
        report,
        replayed: (txn, entry) => {
          this.#replayedCount += 1;
          replayed?.(txn, entry);
        },
        settle: (settled) => this.#settle(settled),
        recovered: ({ lastZxid, currentEpoch, acceptedEpoch }) => {
          this.#recovered(lastZxid, { type: "RECOVERED", lastZxid, currentEpoch, acceptedEpoch });
        },
        failed: (failure) => this.#fail(failure),
        stepped,
      },
      truncateTo,
    );
    this.#recovery.start();
  }

  #recovered(lastZxid: Zxid, fact: StorageFact): void {
    this.#recovery = null;
    this.#ready = true;
    // Txns that had to be replayed count: a start should not take longer each time.
    this.#log.start(lastZxid, this.#replayedCount);
    const again = this.#recoverAgain;
    this.#recoverAgain = null;
    if (again !== null) this.#recover(again.truncateTo);
    else this.#fact(fact);
  }

  /** Calls back when nothing is being written any more and nothing is going to be. */
  #settle(settled: () => void): void {
    this.#purge?.cancel();
    for (const reader of [...this.#readers]) reader.fail();
    this.#abandonSnapshot(() => this.#log.whenDurable(this.#log.lastAppended, () => this.#epochs.whenQuiet(settled)));
  }

  /** Calls back when nothing of it is left; at once if none is being written. */
  #abandonSnapshot(gone: () => void): void {
    const snapshot = this.#snapshot;
    this.#snapshot = null;
    if (snapshot === null) gone();
    else snapshot.abandon(gone);
  }

  #replaceHistory(): void {
    const { database, config } = this.#options;
    const zxid = database.lastProcessedZxid;
    const beyond = this.#log.lastAppended > zxid;
    this.#log.replaceHistory(zxid, () => {
      if (!beyond) return this.#log.release();
      const data = { code: "LOG_REPLACED", zxid: formatZxid(zxid) };
      this.#options.report({ level: "warn", message: "The leader's history ends before this server's log.", data });
      cutLogAfter({
        disk: this.#disk,
        zxid,
        maxEntryBytes: config.maxEntryBytes,
        done: () => this.#log.release(),
        failed: (failure) => this.#fail(failure),
      });
    });
    // No digest: the leader's tree changed while it was sent, and up to which txn it may be ahead is not known here.
    this.#abandonSnapshot(() => this.#startSnapshot(false, (failure) => this.#fail(failure)));
  }

  #startSnapshot(digestEnabled: boolean, failed: (failure: StorageFailure) => void): void {
    const { database, environment } = this.#options;
    const snapshot = new SnapshotWriter({
      disk: this.#disk,
      database,
      environment,
      digestEnabled,
      whenLogDurable: (callback) => this.#log.whenDurable(this.#log.lastAppended, callback),
      done: (zxid) => {
        this.#snapshot = null;
        this.#fact({ type: "SNAPSHOT_TAKEN", zxid });
      },
      failed,
      overtaken: () => this.#abandonSnapshot(() => {}),
    });
    this.#snapshot = snapshot;
    snapshot.start();
  }

  /** The older snapshots and the log still tell everything, so the server goes on without it. */
  #snapshotFailed(failure: StorageFailure): void {
    const message = `No snapshot was taken: ${failure.message}. The log is kept, and grows.`;
    this.#options.report({ level: "error", message, data: { ...failure } });
    this.#abandonSnapshot(() => {});
  }

  #fail(failure: StorageFailure): void {
    if (this.#over) return;
    this.#over = true;
    this.#recovery = null;
    this.#snapshot = null;
    this.#log.stop();
    for (const reader of [...this.#readers]) reader.fail();
    this.#disk.abandon();
    this.#options.fact({ type: "STORAGE_FAILED", ...failure });
  }

  #fact(fact: StorageFact): void {
    if (!this.#over) this.#options.fact(fact);
  }

  /** At random between half and all of the limit, so that the servers of an ensemble do not all write at once. */
  #drawThresholds(): void {
    const { config, environment } = this.#options;
    const share = 0.5 + environment.random() / 2;
    this.#dueTxns = Math.floor(config.snapCount * share);
    this.#dueBytes = Math.floor(config.snapSizeLimitBytes * share);
  }
}
