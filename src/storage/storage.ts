/** All that a server keeps on disk. */
import type { Epoch, Zxid } from "../../spec/vocabulary.ts";
import { assert } from "../runtime/assert.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { Database } from "../tree/database.ts";
import type { DiskEffect, DiskInput } from "./disk-io.ts";
import type { EpochKind, LogReading, LogVisitor, ReplayedTxn, StorageConfig, StorageFact } from "./storage-facts.ts";

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
}

export class Storage {
  constructor(options: StorageOptions) {
    void options;
  }

  /** The answer to a disk effect. Answers to effects of others are ignored (see `FIRST_DISK_ID`). */
  input(_input: DiskInput): void {
    assert(false, "being written");
  }

  /** Reads snapshot and log into the database (emptied first): RECOVERED or STORAGE_FAILED. Waits for what is being written. */
  recover(): void {
    assert(false, "being written");
  }

  /** TRUNC: as `recover`, but forgets everything after `zxid`, on disk too: log records and snapshots. */
  truncate(_zxid: Zxid): void {
    assert(false, "being written");
  }

  /** Queues a txn (header, record, digest: what a PROPOSAL carries). Durable when LOG_APPENDED reaches it. */
  append(_zxid: Zxid, _entry: Buffer): void {
    assert(false, "being written");
  }

  /** At the end of a turn: hands what was gathered to the disk, unless a group is under way (then it goes right after that). */
  flush(): void {
    assert(false, "being written");
  }

  /** Atomic and durable when EPOCH_WRITTEN says so. */
  writeEpoch(_kind: EpochKind, _epoch: Epoch): void {
    assert(false, "being written");
  }

  /** Enough was logged since the last snapshot: call `snapshot("count")`. */
  get snapshotDue(): boolean {
    return false;
  }

  /**
   * Writes the database as of now, fuzzily and in slices, and starts a new log file. "count" gives way when one is being
   * written already; "sync" (after SNAP or TRUNC) replaces it and drops whatever the log holds beyond the database.
   */
  snapshot(_reason: "count" | "sync"): void {
    assert(false, "being written");
  }

  /** Reads the txn log from the newest entry <= `from` on, up to `to`. `maxBytes`: longer logs are not worth it (0 = any). */
  readLog(_from: Zxid, _to: Zxid, _visitor: LogVisitor, _maxBytes = 0): LogReading {
    assert(false, "being written");
  }

  /** Removes what no recovery needs any more: all but the newest valid snapshots, and the logs before the oldest kept one. */
  purge(): void {
    assert(false, "being written");
  }

  /** Writes out what was appended, then falls silent. */
  close(): void {
    assert(false, "being written");
  }
}
