/** What storage tells the server, and what the server tells storage about itself. */
import type { StorageFailure } from "../../spec/storage/recovery-setup.ts";
import type { Epoch, Zxid } from "../../spec/vocabulary.ts";
import type { Txn } from "../protocol/txn.ts";

export type EpochKind = "acceptedEpoch" | "currentEpoch";

export type { StorageFailure };

export type StorageFact =
  /**
   * The database is what snapshot and log say. `lastZxid` is NO_ZXID for an empty directory that nobody said may be trusted.
   * After a TRUNC it may be smaller than what was asked for: this server never had the rest, and DIFF alone cannot help it.
   * Epochs are those of `lastZxid` where the server keeps no epoch files (standalone).
   */
  | { readonly type: "RECOVERED"; readonly lastZxid: Zxid; readonly currentEpoch: Epoch; readonly acceptedEpoch: Epoch }
  /** Everything appended up to this zxid is durable. Raised once per group, in order. */
  | { readonly type: "LOG_APPENDED"; readonly upTo: Zxid }
  | { readonly type: "EPOCH_WRITTEN"; readonly kind: EpochKind; readonly epoch: Epoch }
  /** Complete, durable, and under its final name. */
  | { readonly type: "SNAPSHOT_TAKEN"; readonly zxid: Zxid }
  /** Final: storage does nothing more, acknowledges nothing more, and only a new process may look at the disk again. */
  | ({ readonly type: "STORAGE_FAILED" } & StorageFailure);

export interface StorageConfig {
  /** A quorum peer keeps acceptedEpoch and currentEpoch; a standalone server ignores them. */
  readonly epochFiles: boolean;
  /** dataLogDir differs from dataDir: then a snapshot among the logs, or a log among the snapshots, stops the start. */
  readonly separateLogDir: boolean;
  /** Txns after which a snapshot is due (at random between half and all of it, so that an ensemble's servers spread). */
  readonly snapCount: number;
  /** Log bytes after which a snapshot is due, likewise. */
  readonly snapSizeLimitBytes: number;
  /** A log file grows by this much at a time. 0 = not ahead of what is written. */
  readonly preAllocSizeBytes: number;
  /** Snapshots that a purge keeps. */
  readonly snapRetainCount: number;
  /** false = acknowledge what the kernel has (`forceSync=no`): a power failure may then lose acknowledged txns. */
  readonly forceSync: boolean;
  /** A log write that takes longer is reported. */
  readonly fsyncWarningThresholdMs: number;
  /** Longest txn entry accepted from disk (jute.maxbuffer and its slack). */
  readonly maxEntryBytes: number;
  /** Write the digest section into snapshots and expect it there (`digest.enabled`). */
  readonly digestEnabled: boolean;
  /** Empty directories start an empty tree at zxid 0 (`db.autocreate`); otherwise only if the file `initialize` exists. */
  readonly autoCreate: boolean;
  /** Start from logs without any snapshot (`snapshot.trust.empty`). */
  readonly trustEmptySnapshot: boolean;
}

export const DEFAULT_STORAGE_CONFIG: StorageConfig = {
  epochFiles: true,
  separateLogDir: false,
  snapCount: 100_000,
  snapSizeLimitBytes: 4 * 2 ** 30,
  preAllocSizeBytes: 64 * 2 ** 20,
  snapRetainCount: 3,
  forceSync: true,
  fsyncWarningThresholdMs: 1000,
  maxEntryBytes: 2 * 2 ** 20,
  digestEnabled: true,
  autoCreate: true,
  trustEmptySnapshot: false,
};

/** A txn that recovery replayed, oldest first. `entry` stays valid; it is a view into the chunk it was read with. */
export type ReplayedTxn = (txn: Txn, entry: Buffer) => void;

/** Why reading the log for a learner ended. All but `complete` mean: send a snapshot; only `failed` may come after entries. */
export type LogReadingEnd = "complete" | "missing" | "gap" | "tooLarge" | "failed";

/** Receives the log, oldest first. */
export interface LogVisitor {
  /**
   * The newest entry not above the asked-for zxid comes first; a view that stays valid. Return false to pause until `resume`
   * (after the very first entry, one more may come before the pause).
   */
  entry(zxid: Zxid, entry: Buffer): boolean;
  end(outcome: LogReadingEnd): void;
}

export interface LogReading {
  resume(): void;
  /** No more calls to the visitor. */
  cancel(): void;
}

/** Takes the steps of storage's chart, for the trace. */
export type ChartSteps = (chart: string, from: string, event: { readonly type: string }, to: string) => void;
