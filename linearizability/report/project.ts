/**
 * A history without some of its operations, as if they had never been: later versions of the znodes they wrote count without
 * them, lists do not name what they made. What cannot be said without them (a parent's Stat) is left out.
 */
import type { History } from "../histories/history.ts";
import { isWrite, Op, Operations, Outcome, STAT_FIELDS, STAT_WIDTH } from "../histories/operations.ts";

const CZXID_AT = STAT_FIELDS.indexOf("czxid");
const MZXID_AT = STAT_FIELDS.indexOf("mzxid");
const VERSION_AT = STAT_FIELDS.indexOf("version");

const COLUMNS = [
  "id",
  "proc",
  "session",
  "conn",
  "server",
  "xid",
  "op",
  "outcome",
  "mode",
  "watch",
  "version",
  "invoked",
  "completed",
  "invokeLine",
  "completeLine",
  "zxid",
] as const satisfies readonly (keyof Operations)[];
const LISTS = ["path", "created", "data", "err", "extra"] as const satisfies readonly (keyof Operations)[];

/** `keep`: indices, ascending. `place`: by operation, its zxid in the order of writes (Timeline.place), -1 without. */
export function project(history: History, keep: readonly number[], place: Float64Array): History {
  const { operations } = history;
  const kept = new Set(keep);
  const dropped = droppedWrites(operations, kept, place);
  const rows = keep.map((i) => rowOf(operations, i, dropped));
  const lines = new Map<number, number>();
  const procs = new Set(keep.map((i) => operations.proc[i]!));
  const watched = keep.filter((i) => operations.watch[i] === 1 || operations.op[i] === Op.addWatch);
  const isWatched = ({
    proc,
    path,
    line,
  }: {
    readonly proc: number;
    readonly path: string;
    readonly line: number;
  }): boolean =>
    watched.some(
      (i) =>
        operations.proc[i] === proc &&
        operations.invokeLine[i]! < line &&
        (path === operations.path[i] || isBelow(path, operations, i)),
    );
  const events = history.events.filter(isWatched);
  const connections = history.connections.filter(({ proc }) => procs.has(proc));
  const numbers = [
    ...keep.flatMap((i) => [operations.invokeLine[i]!, operations.completeLine[i]!]),
    ...events.map(({ line }) => line),
    ...connections.map(({ line }) => line),
  ];
  for (const line of [...new Set(numbers)].sort((a, b) => a - b)) if (line >= 0) lines.set(line, lines.size);
  const renumber = <T extends { readonly line: number }>(noted: T): T => ({ ...noted, line: lines.get(noted.line)! });
  return {
    ...history,
    operations: operationsOf(operations, keep, rows, lines),
    events: events.map(renumber),
    connections: connections.map(renumber),
    digests: [],
    lines: lines.size,
  };
}

/** A recursive watch hears of it. */
function isBelow(path: string, operations: Operations, i: number): boolean {
  const root = operations.path[i]!;
  return operations.extra[i]!.watches === "persistentRecursive" && path.startsWith(root === "/" ? "/" : `${root}/`);
}

interface Dropped {
  /** By path: zxids of sets that are gone. */
  readonly sets: ReadonlyMap<string, readonly number[]>;
  /** Parents of nodes whose creation or end is gone, and those nodes. */
  readonly parents: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
}

function droppedWrites(operations: Operations, kept: ReadonlySet<number>, place: Float64Array): Dropped {
  const sets = new Map<string, number[]>();
  const parents = new Set<string>();
  const nodes = new Set<string>();
  const made = new Set<string>();
  for (let i = 0; i < operations.count; i++) {
    if (!isWrite(operations.op[i]!) || operations.outcome[i] === Outcome.fail) continue;
    for (const { op, path } of partsOf(operations, i)) {
      if (kept.has(i)) {
        if (op === "create") made.add(path);
        continue;
      }
      if (op === "setData" && place[i]! > 0) {
        const zxids = sets.get(path);
        if (zxids === undefined) sets.set(path, [place[i]!]);
        else zxids.push(place[i]!);
      }
      if (op === "create" || op === "delete") parents.add(path.slice(0, path.lastIndexOf("/")) || "/");
      if (op === "create") nodes.add(path);
    }
  }
  for (const path of made) nodes.delete(path);
  return { sets, parents, nodes };
}

/** Whatever an operation is about. */
export function pathsOf(operations: Operations, i: number): string[] {
  const written = partsOf(operations, i).map(({ path }) => path);
  const checked = (operations.extra[i]!.ops ?? []).map(({ args }) => args.path);
  return [...new Set([operations.path[i]!, ...written, ...checked])].filter((path) => path !== "");
}

/** What a write does to which paths. */
export function partsOf(operations: Operations, i: number): { readonly op: string; readonly path: string }[] {
  const path = operations.created[i] ?? operations.path[i]!;
  switch (operations.op[i]!) {
    case Op.create:
      return [{ op: "create", path }];
    case Op.delete:
      return [{ op: "delete", path }];
    case Op.setData:
      return [{ op: "setData", path }];
    case Op.multi:
      return (operations.extra[i]!.ops ?? []).map(({ op, args }, at) => {
        const result = operations.extra[i]!.results?.[at];
        return { op, path: typeof result === "object" ? (result.path ?? args.path) : args.path };
      });
    default:
      return [];
  }
}

interface Row {
  /** null: none. */
  readonly stat: Float64Array | null;
  readonly version: number;
  readonly extra: Operations["extra"][number];
}

function rowOf(operations: Operations, i: number, { sets, parents, nodes }: Dropped): Row {
  const path = operations.created[i] ?? operations.path[i]!;
  const at = operations.stat[i]! * STAT_WIDTH;
  const known = at >= 0 && !parents.has(path);
  const stat = known ? operations.stats.slice(at, at + STAT_WIDTH) : null;
  if (stat !== null) {
    const gone = (sets.get(path) ?? []).filter((zxid) => zxid > stat[CZXID_AT]! && zxid <= stat[MZXID_AT]!);
    stat[VERSION_AT] = stat[VERSION_AT]! - gone.length;
  }
  const condition = operations.version[i]!;
  // A condition that was met named the version before; without a Stat of its own it is left as it was.
  const own = stat === null || operations.op[i] !== Op.setData ? condition : stat[VERSION_AT]! - 1;
  const version = condition < 0 || operations.outcome[i] !== Outcome.ok ? condition : own;
  const { children, results, ...rest } = operations.extra[i]!;
  const below = path === "/" ? "/" : `${path}/`;
  const extra = {
    ...rest,
    ...(children === undefined ? {} : { children: children.filter((name) => !nodes.has(below + name)) }),
    ...(results === undefined
      ? {}
      : { results: results.map((one) => (typeof one === "object" ? pathOnly(one) : one)) }),
  };
  return { stat, version, extra };
}

function pathOnly({ path }: { readonly path?: string }): { readonly path?: string } {
  return path === undefined ? {} : { path };
}

function operationsOf(
  from: Operations,
  keep: readonly number[],
  rows: readonly Row[],
  lines: ReadonlyMap<number, number>,
): Operations {
  const to = new Operations(Math.max(1, keep.length));
  to.count = keep.length;
  Object.assign(to, { sessions: from.sessions });
  for (const column of COLUMNS) for (const [at, i] of keep.entries()) to[column][at] = from[column][i]!;
  for (const list of LISTS) (to[list] as unknown[]) = keep.map((i) => from[list][i]);
  to.stats = new Float64Array(Math.max(1, keep.length) * STAT_WIDTH);
  to.statCount = keep.length;
  for (const [at, { stat, version, extra }] of rows.entries()) {
    to.stat[at] = stat === null ? -1 : at;
    if (stat !== null) to.stats.set(stat, at * STAT_WIDTH);
    to.version[at] = version;
    to.extra[at] = extra;
    to.invokeLine[at] = lines.get(to.invokeLine[at]!) ?? -1;
    to.completeLine[at] = lines.get(to.completeLine[at]!) ?? -1;
  }
  return to;
}
