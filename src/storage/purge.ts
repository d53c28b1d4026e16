import type { Reporter } from "../runtime/environment.ts";
import type { DiskClient } from "./disk-client.ts";
import { type LogFile, logsOf, type SnapshotFile, snapshotsOf } from "./file-names.ts";
import { planPurge } from "./purge-plan.ts";
import { inspectSnapshot } from "./snapshot-reader.ts";
import type { StorageFailure } from "./storage-facts.ts";

/**
 * Removes old logs, then old snapshots, oldest first and one at a time: a snapshot that came from a leader is all that tells
 * of the txns which the log before it lacks, so it outlives that log, wherever a crash may fall. A disk that fails here loses nothing that is needed,
 * so it is reported, not fatal. `over` is called in any case.
 */
export class Purge {
  readonly #disk: DiskClient;
  readonly #retain: number;
  readonly #report: Reporter;
  readonly #over: () => void;
  #cancelled = false;

  constructor(disk: DiskClient, retain: number, report: Reporter, over: () => void) {
    this.#disk = disk;
    this.#retain = retain;
    this.#report = report;
    this.#over = over;
  }

  start(): void {
    this.#disk.list("snap", (snapFailure, snapFiles) => {
      if (snapFailure !== null) return this.#failed(snapFailure);
      this.#disk.list("log", (logFailure, logFiles) => {
        if (logFailure !== null) return this.#failed(logFailure);
        this.#inspect(snapshotsOf(snapFiles), 0, [], logsOf(logFiles));
      });
    });
  }

  /** Nothing more is removed, and `over` comes at once. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#over();
  }

  #inspect(all: readonly SnapshotFile[], index: number, valid: SnapshotFile[], logs: readonly LogFile[]): void {
    if (this.#cancelled) return;
    const file = all[index];
    if (file === undefined || valid.length === this.#retain) return this.#remove(all, valid, logs);
    inspectSnapshot(this.#disk, file, (verdict) => {
      if (verdict.type === "failed") return this.#failed(verdict.failure);
      if (verdict.type === "whole") valid.push(file);
      this.#inspect(all, index + 1, valid, logs);
    });
  }

  #remove(all: readonly SnapshotFile[], valid: readonly SnapshotFile[], logs: readonly LogFile[]): void {
    const plan = planPurge(all, valid, logs, this.#retain);
    const files = [
      ...plan.logs.map((file) => ({ area: "log", file }) as const),
      ...plan.snapshots.toReversed().map((file) => ({ area: "snap", file }) as const),
    ];
    if (files.length > 0) {
      const data = { code: "PURGE", files: files.map(({ area, file }) => `${area}/${file}`) };
      this.#report({ level: "info", message: "Old snapshots and logs are removed.", data });
    }
    const next = (index: number): void => {
      if (this.#cancelled) return;
      const file = files[index];
      if (file === undefined) return this.cancel();
      this.#disk.remove(file.area, file.file, (failure) => {
        if (failure !== null) this.#failed(failure);
        else next(index + 1);
      });
    };
    next(0);
  }

  #failed(failure: StorageFailure): void {
    if (this.#cancelled) return;
    this.#report({ level: "warn", message: `Purge stopped: ${failure.message}`, data: { code: failure.code } });
    this.cancel();
  }
}
