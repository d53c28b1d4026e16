/** What of recovery can be done wrongly. Production's way is the default; the mutants replace one entry each. */

import type { SessionId } from "../../../spec/vocabulary.ts";
import type { Txn } from "../../../src/protocol/txn.ts";
import { SessionTracker } from "../../../src/session/session-tracker.ts";
import { Database } from "../../../src/tree/database.ts";
import { TreeSnapshotter } from "../../../src/tree/snapshot-source.ts";

export type Slicer = (nodes: number) => Buffer | null;

export interface ReplayRules {
  readonly database: () => Database;
  readonly tracker: () => SessionTracker;
  /** Takes the snapshot's bytes slice by slice. */
  readonly snapshot: (database: Database) => Slicer;
  /** The steps in which a txn is applied: a snapshot may start between them. */
  readonly steps: (txn: Txn) => readonly Txn[];
  /** Does TRUNC to `zxid` leave this snapshot on the disk? */
  readonly survivesTrunc: (snapshotZxid: number, zxid: number) => boolean;
}

/** At most so many are looked at together; a new one costs a page of records, an old one is emptied in no time. */
const LIVE_DATABASES = 6;

/** Hands out databases that are empty: old ones, round and round. */
export function databases(make: () => Database, live = LIVE_DATABASES): () => Database {
  const ring: Database[] = [];
  let next = 0;
  return () => {
    next = (next + 1) % live;
    const database = ring[next] ?? make();
    // Not only the old ones: what is new is as empty as what was emptied.
    database.clear();
    ring[next] = database;
    return database;
  };
}

export const PRODUCTION_REPLAY: ReplayRules = {
  database: databases(() => new Database()),
  tracker: () => new SessionTracker({ tickTimeMs: 2000 }),
  snapshot: (database) => {
    const snapshotter = new TreeSnapshotter(database);
    return (nodes) => snapshotter.next(nodes);
  },
  steps: (txn) => [txn],
  // As Recovery lists what it may load (src/storage/recovery.ts).
  survivesTrunc: (snapshotZxid, zxid) => snapshotZxid <= zxid,
};

export const FIRST_SESSION = 0x1000000000000a1n as SessionId;
export const SECOND_SESSION = 0x1000000000000a2n as SessionId;
