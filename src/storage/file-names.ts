/**
 * Names below version-2 (org.apache.zookeeper.server.persistence.Util, SnapStream). The zxid in a name is what recovery
 * goes by, never the order of names or file times.
 */
import { ZERO_ZXID, type Zxid } from "../../spec/vocabulary.ts";

export type SnapshotCompression = "none" | "gzip" | "snappy";

export interface StoredFile {
  readonly name: string;
  readonly size: number;
}

/** `log.N`: N is the zxid of its first txn. */
export interface LogFile extends StoredFile {
  readonly zxid: Zxid;
}

/** `snapshot.N`: N is the last zxid applied when the writing began. */
export interface SnapshotFile extends StoredFile {
  readonly zxid: Zxid;
  readonly compression: SnapshotCompression;
}

const LOG = /^log\.([0-9a-f]{1,16})$/i;
const SNAPSHOT = /^snapshot\.([0-9a-f]{1,16})(?:\.(gz|snappy))?$/i;
const TEMPORARY = /\.tmp$/;

export function logName(firstZxid: Zxid): string {
  return `log.${firstZxid.toString(16)}`;
}

export function snapshotName(zxid: Zxid): string {
  return `snapshot.${zxid.toString(16)}`;
}

/** Not `snapshot.N.tmp`: Apache ZooKeeper would take that for a snapshot if its last bytes look right. */
export function unfinishedSnapshotName(zxid: Zxid): string {
  return `snapshot-${zxid.toString(16)}.tmp`;
}

/** What an interrupted write left behind: never read, except `currentEpoch.tmp`. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

export function parseLogName(file: StoredFile): LogFile | null {
  const match = LOG.exec(file.name);
  const zxid = match === null ? null : parseZxid(match[1]!);
  return zxid === null ? null : { ...file, zxid };
}

export function parseSnapshotName(file: StoredFile): SnapshotFile | null {
  const match = SNAPSHOT.exec(file.name);
  const zxid = match === null ? null : parseZxid(match[1]!);
  if (match === null || zxid === null) return null;
  const suffix = match[2]?.toLowerCase();
  return { ...file, zxid, compression: suffix === "gz" ? "gzip" : suffix === "snappy" ? "snappy" : "none" };
}

/** The logs of a listing, oldest first. */
export function logsOf(files: readonly StoredFile[]): LogFile[] {
  return files
    .map(parseLogName)
    .filter((file) => file !== null)
    .sort((a, b) => a.zxid - b.zxid);
}

/** The snapshots of a listing, newest first. */
export function snapshotsOf(files: readonly StoredFile[]): SnapshotFile[] {
  return files
    .map(parseSnapshotName)
    .filter((file) => file !== null)
    .sort((a, b) => b.zxid - a.zxid);
}

/** The logs that may hold `zxid` or anything after it: the newest that starts at or before it, and all later ones. */
export function logsFrom(logs: readonly LogFile[], zxid: Zxid): LogFile[] {
  const first = logs.findLastIndex((log) => log.zxid <= zxid);
  return logs.slice(Math.max(first, 0));
}

function parseZxid(hex: string): Zxid | null {
  const zxid = Number.parseInt(hex, 16);
  return zxid >= ZERO_ZXID && Number.isSafeInteger(zxid) ? (zxid as Zxid) : null;
}
