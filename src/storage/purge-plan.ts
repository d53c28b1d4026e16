/** Which files no recovery needs any more (PurgeTxnLog). Goes by the zxids in the names, never by the age of files. */
import type { LogFile, SnapshotFile } from "./file-names.ts";

export interface PurgePlan {
  readonly snapshots: readonly string[];
  readonly logs: readonly string[];
}

const NOTHING: PurgePlan = { snapshots: [], logs: [] };

/**
 * Keeps the `retain` newest of the valid snapshots, and every log from the newest one that starts at or before the oldest of
 * them: that one may hold the txns right after it. Fewer valid snapshots than that: nothing goes.
 *
 * @param valid snapshots that end as finished ones do, newest first; at least the `retain` newest of them
 */
export function planPurge(
  all: readonly SnapshotFile[],
  valid: readonly SnapshotFile[],
  logs: readonly LogFile[],
  retain: number,
): PurgePlan {
  const oldestKept = valid[retain - 1];
  if (oldestKept === undefined) return NOTHING;
  const { zxid } = oldestKept;
  const firstKept = logs.findLast((log) => log.zxid <= zxid)?.zxid ?? zxid;
  return {
    snapshots: all.filter((snapshot) => snapshot.zxid < zxid).map((snapshot) => snapshot.name),
    logs: logs.filter((log) => log.zxid < firstKept).map((log) => log.name),
  };
}
