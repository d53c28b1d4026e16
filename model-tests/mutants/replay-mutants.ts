/** Known bugs of snapshots and replay, as variants of production's parts, each with the invariant that notices it. */

import { ErrorCode } from "../../src/protocol/error-codes.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { makeTxn, type Txn } from "../../src/protocol/txn.ts";
import { SessionTracker } from "../../src/session/session-tracker.ts";
import type { ApplyResult } from "../../src/tree/apply-result.ts";
import { Database } from "../../src/tree/database.ts";
import { TreeSnapshotter } from "../../src/tree/snapshot-source.ts";
import type { Mutant } from "../checker/check.ts";
import { COUNTER_BOUNDS, counterBoundsText, counterModel } from "../models/replay/counter-model.ts";
import {
  QUICK_REPLAY_BOUNDS,
  type ReplayBounds,
  replayBoundsText,
  replayModel,
} from "../models/replay/replay-model.ts";
import { databases, PRODUCTION_REPLAY, type ReplayRules } from "../models/replay/replay-rules.ts";

interface ReplayMutant {
  readonly story: string;
  readonly killer: string;
  readonly depth: number;
  readonly rules: Partial<ReplayRules>;
  readonly bounds?: ReplayBounds;
  /** The killer alone is looked at: another invariant fails on a shorter way. */
  readonly alone?: boolean;
}

function mutant(name: string, { rules, bounds = QUICK_REPLAY_BOUNDS, alone, ...known }: ReplayMutant): Mutant {
  const only = alone === true ? known.killer : undefined;
  const load = async () => replayModel({ bounds, rules: { ...PRODUCTION_REPLAY, ...rules }, only });
  return { name, bounds: replayBoundsText(bounds), load, ...known };
}

/** A database of which some edits were replaced. */
function edited(change: (database: Database) => void): () => Database {
  return databases(() => {
    const database = new Database();
    change(database);
    return database;
  });
}

/** Before 3.8 a delete that found nothing was nothing. */
function deleteNeedsNode(database: Database): void {
  const { edits } = database;
  const production = edits.delete.bind(edits);
  edits.delete = (path, zxid) => (database.tree.get(path) === undefined ? ErrorCode.NONODE : production(path, zxid));
}

/** A create counts its parent's children itself. */
function createCountsAnew(database: Database): void {
  const { edits } = database;
  const production = edits.create.bind(edits);
  edits.create = (path, data, acl, owner, _parentCVersion, zxid, time) =>
    production(path, data, acl, owner, -1, zxid, time);
}

/** closeSession does nothing when the session map does not know the session. */
class ForgetfulDatabase extends Database {
  override apply(txn: Txn): ApplyResult {
    const unknown = txn.type === OpCode.closeSession && !this.sessions.has(txn.sessionId);
    return super.apply(unknown ? makeTxn(txn.sessionId, txn.cxid, txn.zxid, txn.time, NOTHING, null) : txn);
  }
}
const NOTHING = { type: OpCode.error, err: ErrorCode.OK } as const;

/** The nodes as production, sessions and ACLs as they are when the nodes are through. */
function sessionsLast(database: Database) {
  const snapshotter = new TreeSnapshotter(database);
  snapshotter.next(1);
  const nodes: Buffer[] = [];
  let ended = false;
  return (budget: number): Buffer | null => {
    const part = ended ? null : snapshotter.next(budget);
    if (part !== null) {
      nodes.push(part);
      return Buffer.alloc(0);
    }
    if (ended) return null;
    ended = true;
    const late = new TreeSnapshotter(database);
    const head = late.next(1) as Buffer;
    late.close();
    return Buffer.concat([head, ...nodes]);
  };
}

/** Lets a session write until its closeSession is applied. */
class LateClosingTracker extends SessionTracker {
  override setClosing(): void {}
}

/** Refuses what comes after a closeSession that it has applied itself: which a server that came back has not. */
class RememberingDatabase extends Database {
  readonly #closed = new Set<bigint>();

  override apply(txn: Txn): ApplyResult {
    if (txn.type === OpCode.closeSession) this.#closed.add(txn.sessionId);
    const refused = txn.type !== OpCode.closeSession && this.#closed.has(txn.sessionId);
    return super.apply(refused ? makeTxn(txn.sessionId, txn.cxid, txn.zxid, txn.time, NOTHING, null) : txn);
  }

  override clear(): void {
    super.clear();
    this.#closed.clear();
  }
}

export const REPLAY_MUTANTS: readonly Mutant[] = [
  mutant("M21 the first op of a multi takes its zxid", {
    story: "ZOOKEEPER-3127: a snapshot that starts inside a multi holds half of it, and replay skips the other half.",
    killer: "MultiIsWhole",
    depth: 8,
    rules: {
      steps: (txn) =>
        txn.body.type === OpCode.multi && txn.body.txns.every(({ type }) => type !== OpCode.error)
          ? txn.body.txns.map((sub) => makeTxn(txn.sessionId, txn.cxid, txn.zxid, txn.time, sub, null))
          : [txn],
    },
  }),
  mutant("M22 a replayed delete leaves the parent's pzxid", {
    story: "ZOOKEEPER-3249: the snapshot has the parent from before the delete and the child's place from after it.",
    killer: "ReplayIdempotence",
    depth: 6,
    rules: { database: edited(deleteNeedsNode) },
  }),
  mutant("M22 a replayed closeSession trusts the session map", {
    story: "ZOOKEEPER-3144: sessions are written after the nodes; closing one that the map no longer has does nothing.",
    killer: "EphemeralsHaveSessions",
    depth: 10,
    alone: true,
    rules: { database: databases(() => new ForgetfulDatabase()), snapshot: sessionsLast },
    bounds: { scripts: [{ letters: "EX", longest: 2 }] },
  }),
  mutant("M23 the parent's counter is counted anew", {
    story: "ZOOKEEPER-1046: the snapshot has the parent from after a create, and replay counts that create once more.",
    killer: "SequentialNamesGoOn",
    depth: 8,
    rules: { database: edited(createCountsAnew) },
  }),
  {
    name: "M24 the counter runs into the epoch",
    story: "ZOOKEEPER-1277: the leader does not look how many zxids its epoch has left.",
    bounds: counterBoundsText(COUNTER_BOUNDS),
    killer: "CounterBound",
    depth: 5,
    load: async () => counterModel(COUNTER_BOUNDS, (broadcast) => (Number(broadcast.lastProposed) + 1) as never),
  },
  mutant("M27 TRUNC leaves newer snapshots", {
    story: "ZOOKEEPER-4837: after TRUNC the server loads a snapshot of what was to be forgotten.",
    killer: "ReplayIdempotence",
    depth: 7,
    rules: { survivesTrunc: () => true },
  }),
  mutant("M32 a closed session is refused from memory", {
    story: "ClickHouse Keeper 65198: a write behind a prepared close is applied by a server that came back in between.",
    killer: "DigestAgreement",
    depth: 7,
    rules: {
      database: databases(() => new RememberingDatabase()),
      tracker: () => new LateClosingTracker({ tickTimeMs: 2000 }),
    },
    bounds: { scripts: [{ letters: "EQX", longest: 2 }] },
  }),
];
