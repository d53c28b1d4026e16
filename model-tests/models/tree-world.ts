/** What the tests of the tree share: random writes, the txns a leader would make of them, and dumps to compare. */
import { crc32 } from "node:zlib";
import fc from "fast-check";
import {
  type CreateMode,
  type Outcome,
  parentOf,
  type Stamp,
  type SubWrite,
  type Write,
  ZnodeTree,
} from "../../spec/models/znode-tree.ts";
import type { Acl, SessionId, Zxid } from "../../spec/vocabulary.ts";
import { makeTxn, type Txn } from "../../src/protocol/txn.ts";
import type { Znode } from "../../src/tree/data-tree.ts";
import type { Database } from "../../src/tree/database.ts";
import { CONTAINER_OWNER, ttlOwner } from "../../src/tree/ephemeral-owner.ts";
import { txnBodyOf } from "../support/model-txns.ts";

export const SESSIONS = [0x0100000000000001n, -0x7000000000000000n, 0x02ffffffffffffffn].map((id) => id as SessionId);

const ACLS: readonly (readonly Acl[])[] = [
  [{ perms: 31, scheme: "world", id: "anyone" }],
  [{ perms: 1, scheme: "world", id: "anyone" }],
  [
    { perms: 31, scheme: "digest", id: "ann:x" },
    { perms: 1, scheme: "ip", id: "10.0.0.0/8" },
  ],
  [{ perms: 16, scheme: "digest", id: "bob:y" }],
];

/** Few names, so that writes meet; some of them not ASCII, some of them no good. */
const GOOD_PATHS = ["/a", "/b", "/é", "/a/a", "/a/b", "/b/a", "/é/日本", "/a/a/a", "/a/a/b", "/a/b/a", "/b/a/a"];
const ODD_PATHS = ["/", "", "a", "/a/", "//", "/a/..", "/b/\u0001", "/zookeeper", "/zookeeper/config", "/zookeeper/x"];
/** In cells of one size, of several, and in one of its own. */
const SIZES = [0, 1, 5, 40, 100, 101, 700, 9000];

const anyPath = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...GOOD_PATHS) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_PATHS) },
);
/** So few that nodes are deleted and created again, and get children again, within one short run. */
const fewPaths = fc.constantFrom("/a", "/a/b", "/a/b", "/b", "/b/c");

const data = fc.oneof(
  fc.constant(null),
  fc.tuple(fc.constantFrom(...SIZES), fc.constantFrom("x", "y")).map(([size, letter]) => letter.repeat(size)),
);
const version = fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat({ max: 2 }) });
const acl = fc.constantFrom(...ACLS);
const mode = fc.constantFrom<CreateMode[]>(
  "persistent",
  "persistent",
  "persistent",
  "ephemeral",
  "persistentSequential",
  "ephemeralSequential",
  "container",
  { ttlMs: 5000 },
);

function writes(path: fc.Arbitrary<string>): fc.Arbitrary<Write> {
  const sub: fc.Arbitrary<SubWrite> = fc.oneof(
    { weight: 5, arbitrary: fc.record({ op: fc.constant("create" as const), path, data, acl, mode }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant("delete" as const), path, version }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant("setData" as const), path, data, version }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("check" as const), path, version }) },
  );
  return fc.oneof(
    { weight: 12, arbitrary: sub.filter(({ op }) => op !== "check") },
    { weight: 2, arbitrary: fc.record({ op: fc.constant("setACL" as const), path, acl, version }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant("multi" as const), ops: fc.array(sub, { maxLength: 4 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ op: fc.constant("createSession" as const), timeoutMs: fc.nat({ max: 9000 }) }),
    },
    { weight: 1, arbitrary: fc.constant<Write>({ op: "closeSession" }) },
  );
}

/** A write and the session it comes from. `listed`: does closeSession list what it deletes? */
export interface Step {
  readonly write: Write;
  readonly session: SessionId;
  readonly listed: boolean;
}

interface StepsOptions {
  readonly listed?: boolean;
  readonly fewPaths?: boolean;
}

export function steps(maxLength: number, options: StepsOptions = {}): fc.Arbitrary<Step[]> {
  const write = writes(options.fewPaths === true ? fewPaths : anyPath);
  const listed = options.listed === true ? fc.constant(true) : fc.boolean();
  const session = fc.constantFrom(...SESSIONS);
  return fc.array(fc.record({ write, session, listed }), { maxLength, size: "max" });
}

/** Runs the step on the model and says which txn a leader would have logged for it. */
export function perform(model: ZnodeTree, step: Step, index: number): { readonly outcome: Outcome; readonly txn: Txn } {
  const stamp: Stamp = { session: step.session, zxid: 2 ** 32 + index + 1, time: 1_700_000_000_000 + index };
  const before = model.clone();
  const outcome = model.write(step.write, stamp);
  const owned = step.listed ? before.ephemeralsOf(step.session) : null;
  const body = txnBodyOf(step.write, outcome, { owned, parentCVersions: parentCVersions(before, step.write, stamp) });
  return { outcome, txn: makeTxn(step.session, index, stamp.zxid as Zxid, stamp.time, body, null) };
}

/** The model and the txns of a whole run. */
export function performAll(all: readonly Step[]): { readonly model: ZnodeTree; readonly txns: readonly Txn[] } {
  const model = new ZnodeTree();
  return { model, txns: all.map((step, index) => perform(model, step, index).txn) };
}

/** What `write` makes of the parents' counters on its way, op by op. */
function parentCVersions(scratch: ZnodeTree, write: Write, stamp: Stamp): number[] {
  const ops: readonly Write[] = write.op === "multi" ? write.ops : [write];
  return ops.map((op) => {
    const { path } = scratch.write(op, stamp);
    return path === undefined ? -1 : scratch.nodes.get(parentOf(path))!.cversion;
  });
}

/** Everything that must be equal on two servers, in a form that a failing test can print. */
export function dumpDatabase(database: Database): unknown {
  const { tree } = database;
  const nodes: Record<string, unknown> = {};
  const visit = (node: Znode): void => {
    const children = tree.childNames(node).sort();
    nodes[tree.path(node)] = {
      data: tree.data(node)?.toString() ?? null,
      acl: tree.acl(node),
      ...tree.stat(node),
      children,
    };
    tree.forEachChild(node, visit);
  };
  visit(tree.root);
  const ephemerals = [...database.ephemeralOwners()].map((id) => [id, database.ephemeralsOf(id).sort()] as const);
  return { nodes, sessions: sortById(database.sessions), ephemerals: sortById(ephemerals) };
}

export function dumpModel(model: ZnodeTree): unknown {
  const nodes: Record<string, unknown> = {};
  const ephemerals = new Map<SessionId, string[]>();
  for (const [at, node] of model.nodes) {
    const { data: text, acl: list, owner, ...stat } = node;
    const children = model.children(at).sort();
    nodes[at] = { data: text, acl: list, ...stat, ephemeralOwner: storedOwner(owner), children };
    if (typeof owner === "bigint") ephemerals.set(owner, [...(ephemerals.get(owner) ?? []), at].sort());
  }
  return { nodes, sessions: sortById(model.sessions), ephemerals: sortById(ephemerals) };
}

function storedOwner(owner: SessionId | "container" | { readonly ttlMs: number } | null): bigint {
  if (owner === null) return 0n;
  if (owner === "container") return CONTAINER_OWNER;
  return typeof owner === "bigint" ? owner : ttlOwner(owner.ttlMs);
}

function sortById<V>(entries: Iterable<readonly [SessionId, V]>): (readonly [SessionId, V])[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The digest by its definition: a CRC-32 per node, over bytes put together for it. */
export function digestByDefinition(database: Database): bigint {
  const { tree } = database;
  let sum = 0n;
  const visit = (node: Znode): void => {
    const at = tree.path(node);
    if (!at.startsWith("/zookeeper/")) {
      const stat = tree.stat(node);
      const tail = Buffer.alloc(60);
      const longs = [stat.czxid, stat.mzxid, stat.pzxid, stat.ctime, stat.mtime];
      for (const [i, long] of longs.entries()) tail.writeBigInt64BE(BigInt(long), i * 8);
      for (const [i, int] of [stat.version, stat.cversion, stat.aversion].entries()) tail.writeInt32BE(int, 40 + i * 4);
      tail.writeBigInt64BE(stat.ephemeralOwner, 52);
      const bytes = Buffer.concat([Buffer.from(at === "/" ? "" : at), tree.data(node) ?? Buffer.alloc(0), tail]);
      sum += BigInt(crc32(bytes));
    }
    tree.forEachChild(node, visit);
  };
  visit(tree.root);
  return BigInt.asUintN(64, sum);
}

export function digestOf(database: Database): bigint {
  const { hi, lo } = database.digest!;
  return (BigInt(hi) << 32n) | BigInt(lo);
}
