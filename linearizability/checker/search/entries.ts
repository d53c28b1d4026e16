/**
 * The operations of a partition as entries of the search, with the times between which each takes effect:
 * - updates (writes, failed ones too): from invoke to answer; without an answer they are optional, at any later time;
 * - reads after a sync of their session: from the sync's invoke to the read's answer, like an update;
 * - plain reads: any time after the session's earlier operations up to their answer. They are ordered with the rest of their
 *   session, not with other sessions' clocks (ordered sequential consistency, which is what is promised).
 */
import type { History } from "../../histories/history.ts";
import { isRead, isWrite, MODES, Op, type Operations, Outcome } from "../../histories/operations.ts";
import { type Bound, bind, UNBOUND } from "./bearing.ts";
import type { Partition } from "./partitions.ts";
import { isEphemeral, isSequential, parentOf } from "./partitions.ts";
import { shownIn } from "./seen-values.ts";
import type { SessionEnd } from "./session-ends.ts";
import type { Entry } from "./wgl.ts";
import type { Step } from "./znode-model.ts";

export interface Problem {
  readonly name: string;
  readonly entries: readonly Entry[];
  readonly steps: readonly Step[];
  readonly given: ReadonlySet<string>;
  /** Why it cannot be judged; null: it can. */
  readonly blind: string | null;
}

/** Told by the tree itself. Other errors are refusals: nothing happened, nothing can be said. */
const DECIDED = new Set(["NONODE", "NODEEXISTS", "BADVERSION", "NOTEMPTY", "NOCHILDRENFOREPHEMERALS"]);
const ALWAYS_THERE = ["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"];

/** By operation: when its session's last sync before it was asked for; -1 without. */
export function syncsBefore({ operations }: History): Float64Array {
  const before = new Float64Array(operations.count).fill(-1);
  const last = new Map<number, number>();
  for (let i = 0; i < operations.count; i++) {
    const client = clientOf(operations, i);
    before[i] = last.get(client) ?? -1;
    if (operations.op[i] === Op.sync && operations.outcome[i] === Outcome.ok) last.set(client, operations.invoked[i]!);
  }
  return before;
}

export function problemOf(
  history: History,
  partition: Partition,
  syncs: Float64Array,
  ends: ReadonlyMap<number, SessionEnd>,
): Problem {
  const { operations } = history;
  const entries: Bound[] = [];
  const steps: Step[] = [];
  /** By client: its last entry that certainly happened. */
  const last = new Map<number, number>();
  const lanes = new Map<number, number>();
  const lossy = new Set<number>();
  const shown = shownIn(operations, partition.ops);
  /** By client: its last write without an answer. */
  const lastLost = new Map<number, number>();
  /** By client: its last write of which only a read tells. */
  const lastShown = new Map<number, number>();
  const owners = new Set<number>();
  for (const i of partition.ops) {
    const unknown = operations.outcome[i] === Outcome.info;
    if (!says(operations, i)) continue;
    const client = clientOf(operations, i);
    const after = last.get(client) ?? -1;
    const invoked = operations.invoked[i]!;
    const call = isRead(operations.op[i]!) ? Math.max(syncs[i]!, after < 0 ? -1 : entries[after]!.call) : invoked;
    // What a read has shown did happen, whether its client knows or not: before that read was answered.
    const end = unknown ? (shown.get(i) ?? Number.POSITIVE_INFINITY) : operations.completed[i]!;
    const optional = unknown && !shown.has(i);
    if (!unknown) last.set(client, entries.length);
    if (!lanes.has(client)) lanes.set(client, lanes.size);
    const lane = isWrite(operations.op[i]!) ? lanes.get(client)! : -1;
    // A refusal changes nothing, and is the last word only on what its client lost before it.
    if (optional) lossy.add(client);
    const pure = isRead(operations.op[i]!) || (operations.outcome[i] === Outcome.fail && !lossy.has(client));
    const afterLost = lane < 0 ? -1 : (lastShown.get(client) ?? -1);
    if (unknown && !optional) lastShown.set(client, entries.length);
    // Of what was under way when a connection broke a prefix took effect.
    const sent = unknown && operations.xid[i] !== 0 && operations.conn[i]! > 0;
    const before = sent ? lastLost.get(client) : undefined;
    const prefix = before !== undefined && operations.conn[entries[before]!.op] === operations.conn[i] ? before : -1;
    if (sent) lastLost.set(client, entries.length);
    entries.push({ op: i, call, end, optional, after, afterLost, prefix, lane, pure, ...UNBOUND });
    const told = partition.told.get(i);
    steps.push(told === undefined ? { kind: "op", op: i } : { kind: "told", ...told });
    if (createsEphemeral(operations, i)) owners.add(operations.session[i]!);
  }
  for (const session of owners) {
    const end = ends.get(session);
    if (end === undefined) continue;
    // After all that its client was answered: a server that answers does not know of the end yet.
    const after = lastOf(last, session);
    const ending = { op: end.op, call: end.call, end: end.end, optional: !end.certain };
    entries.push({ ...ending, after, afterLost: -1, prefix: -1, lane: -1, pure: false, ...UNBOUND });
    steps.push({ kind: "end", session, certain: end.certain });
  }
  bind(operations, partition.paths, entries, steps);
  return { name: partition.name, entries, steps, ...givenBy(operations, partition) };
}

/** Does the outcome say anything about the order? */
function says(operations: Operations, i: number): boolean {
  const outcome = operations.outcome[i]!;
  if (outcome === Outcome.fail) return DECIDED.has(operations.err[i]!);
  return outcome === Outcome.ok || isWrite(operations.op[i]!);
}

function createsEphemeral(operations: Operations, i: number): boolean {
  if (operations.outcome[i] === Outcome.fail) return false;
  if (operations.op[i] === Op.create) return isEphemeral(MODES[operations.mode[i]!]!);
  const subs = operations.op[i] === Op.multi ? (operations.extra[i]!.ops ?? []) : [];
  return subs.some(({ op, args }) => op === "create" && isEphemeral(args.mode));
}

function lastOf(last: ReadonlyMap<number, number>, session: number): number {
  let latest = -1;
  for (const [client, entry] of last) if (Math.floor(client / CLIENTS) === session) latest = Math.max(latest, entry);
  return latest;
}

/** Parents that have a partition of their own are taken to be there. A znode that nobody created cannot be judged. */
function givenBy(
  operations: Operations,
  { paths, ops, told }: Partition,
): { readonly given: ReadonlySet<string>; readonly blind: string | null } {
  const own = new Set(paths);
  const given = new Set(paths.map(parentOf).filter((parent) => !own.has(parent)));
  const created = new Set(ALWAYS_THERE);
  const prefixes: string[] = [];
  const note = (path: string, mode: string, name: string | null): void => {
    if (name !== null || !isSequential(mode)) created.add(name ?? path);
    else prefixes.push(path);
  };
  for (const i of ops) {
    const { results, ops: subs } = operations.extra[i]!;
    if (operations.op[i] === Op.create) note(operations.path[i]!, MODES[operations.mode[i]!]!, operations.created[i]!);
    for (const [at, { op, args }] of (subs ?? []).entries()) {
      const result = results?.[at];
      if (op === "create") note(args.path, args.mode, typeof result === "object" ? (result.path ?? null) : null);
    }
  }
  const isCreated = (path: string): boolean => created.has(path) || prefixes.some((prefix) => path.startsWith(prefix));
  for (const i of ops) {
    const lacking = told.get(i)?.there.find((path) => own.has(path) && !isCreated(path));
    if (lacking !== undefined) return { given, blind: `no recorded operation created ${lacking}` };
    if (operations.outcome[i] !== Outcome.ok || operations.op[i] === Op.multi || told.has(i)) continue;
    const path = operations.op[i] === Op.create ? parentOf(operations.path[i]!) : operations.path[i]!;
    if (own.has(path) && !isCreated(path)) return { given, blind: `no recorded operation created ${path}` };
  }
  return { given, blind: null };
}

const CLIENTS = 2 ** 20;

function clientOf({ proc, session }: Operations, i: number): number {
  return session[i]! * CLIENTS + proc[i]!;
}
