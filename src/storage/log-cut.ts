/**
 * Takes everything after a zxid off the disk without loading anything: when a SNAP has replaced this server's history, its log
 * may hold txns that no leader ever committed. They must be gone before the snapshot appears, or a restart would replay them.
 */
import type { Zxid } from "../../spec/vocabulary.ts";
import type { DiskClient } from "./disk-client.ts";
import { type LogFile, logsOf, type SnapshotFile, snapshotsOf } from "./file-names.ts";
import { LogWalk } from "./log-walk.ts";
import type { StorageFailure } from "./storage-facts.ts";

export interface LogCutOptions {
  readonly disk: DiskClient;
  /** Last zxid to keep. */
  readonly zxid: Zxid;
  readonly maxEntryBytes: number;
  readonly done: () => void;
  readonly failed: (failure: StorageFailure) => void;
}

/** Newest first, as in recovery: wherever a crash falls, an unbroken history is left. */
export function cutLogAfter(options: LogCutOptions): void {
  const { disk, zxid, failed } = options;
  disk.list("snap", (snapFailure, snapFiles) => {
    if (snapFailure !== null) return failed(snapFailure);
    const snapshots = snapshotsOf(snapFiles).filter((file) => file.zxid > zxid);
    disk.list("log", (logFailure, logFiles) => {
      if (logFailure !== null) return failed(logFailure);
      const logs = logsOf(logFiles);
      const later = logs.filter((file) => file.zxid > zxid).reverse();
      const last = logs.findLast((file) => file.zxid <= zxid);
      removeAll(options, "snap", snapshots, () => removeAll(options, "log", later, () => truncate(options, last)));
    });
  });
}

function removeAll(
  options: LogCutOptions,
  area: "snap" | "log",
  files: readonly (SnapshotFile | LogFile)[],
  done: () => void,
): void {
  const [file, ...others] = files;
  if (file === undefined) return done();
  options.disk.remove(area, file.name, (failure) => {
    if (failure !== null) options.failed(failure);
    else removeAll(options, area, others, done);
  });
}

function truncate({ disk, zxid, maxEntryBytes, done, failed }: LogCutOptions, last: LogFile | undefined): void {
  if (last === undefined) return done();
  const cutAt = (length: number): void =>
    disk.truncate("log", last.name, length, (failure) => {
      if (failure !== null) failed(failure);
      else done();
    });
  new LogWalk(disk, [last], maxEntryBytes, {
    record: (scanner, _file, offset) => {
      if (scanner.zxid <= zxid) return "on";
      cutAt(offset);
      return "stop";
    },
    fileEnded: (end) => cutAt(end.length),
    done,
    failed,
  }).start();
}
