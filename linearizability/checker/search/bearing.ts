/**
 * What entries of one partition have to do with each other, which is what spares the search most of its ways: entries that touch
 * nothing in common may be ordered either way, and of lost writes that would do the same only the number matters.
 */
import { MODES, Op, type Operations, Outcome } from "../../histories/operations.ts";
import { isEphemeral, isSequential, parentOf } from "./partitions.ts";
import type { Entry } from "./wgl.ts";
import type { Step } from "./znode-model.ts";

/** An entry, of which it is not known yet what it has to do with others. */
export type Bound = { -readonly [K in keyof Entry]: Entry[K] };

export const UNBOUND: Pick<Entry, "touches" | "pooled"> = { touches: [], pooled: -1 };

/** `paths`: the znodes of the partition; nothing in it depends on others. */
export function bind(
  operations: Operations,
  paths: readonly string[],
  entries: readonly Bound[],
  steps: readonly Step[],
): void {
  // Of a single znode everything bears on everything.
  if (paths.length > 1) findTouches(operations, new Set(paths), entries, steps);
  findLike(operations, entries, steps);
}

// ---- what is touched

function findTouches(
  operations: Operations,
  paths: ReadonlySet<string>,
  entries: readonly Bound[],
  steps: readonly Step[],
): void {
  const ids = new Map<string, number>();
  const idOf = (name: string): number => {
    let id = ids.get(name);
    if (id === undefined) {
      id = ids.size;
      ids.set(name, id);
    }
    return id;
  };
  const ended = endedIn(steps);
  const numbered = new Set<string>();
  const owned = new Map<number, Set<string>>();
  for (const step of steps) {
    if (step.kind !== "op") continue;
    for (const { path, mode, session } of createsOf(operations, step.op)) {
      if (isSequential(mode)) numbered.add(parentOf(path));
      if (isEphemeral(mode)) owned.set(session, (owned.get(session) ?? new Set()).add(path));
    }
  }
  const names = new Set<string>();
  const single: (readonly number[])[] = [];
  const keys = (): readonly number[] => {
    const ids = [...names].map(idOf);
    if (ids.length !== 1) return ids;
    single[ids[0]!] ??= ids;
    return single[ids[0]!]!;
  };
  // Of a sequential node that nobody was told of the name is not known: whatever has the same parent may be it.
  const add = (path: string): void => {
    names.add(path);
    if (numbered.has(parentOf(path))) names.add(parentOf(path));
  };
  /** That a node is there or not is the parent's affair, too: its children and its counter. */
  const addWithParent = (path: string): void => {
    add(path);
    if (paths.has(parentOf(path))) names.add(parentOf(path));
  };
  for (const [index, step] of steps.entries()) {
    names.clear();
    if (step.kind === "told") {
      for (const path of [...step.there, ...step.gone]) add(path);
    } else if (step.kind === "end") {
      names.add(sessionKey(step.session));
      for (const path of owned.get(step.session) ?? []) addWithParent(path);
    } else {
      const i = step.op;
      if (ended.has(operations.session[i]!)) names.add(sessionKey(operations.session[i]!));
      const isPlain =
        operations.op[i] === Op.setData || operations.op[i] === Op.getData || operations.op[i] === Op.exists;
      for (const { path, mode } of createsOf(operations, i)) {
        addWithParent(path);
        if (isSequential(mode)) names.add(parentOf(path));
      }
      if (operations.op[i] === Op.multi) {
        for (const { op, args } of operations.extra[i]!.ops ?? []) {
          if (op === "delete") addWithParent(args.path);
          else if (op !== "create") add(args.path);
        }
      } else if (isPlain) add(operations.path[i]!);
      else if (operations.op[i] !== Op.create) addWithParent(operations.path[i]!);
    }
    entries[index]!.touches = keys();
  }
}

function sessionKey(session: number): string {
  return `session ${session}`;
}

function endedIn(steps: readonly Step[]): Set<number> {
  return new Set(steps.filter((step) => step.kind === "end").map(({ session }) => session));
}

interface Created {
  readonly path: string;
  readonly mode: string;
  readonly session: number;
}

/** Under all names that are known of them. */
function createsOf(operations: Operations, i: number): Created[] {
  const session = operations.session[i]!;
  if (operations.op[i] === Op.create) {
    const mode = MODES[operations.mode[i]!]!;
    const asked = { path: operations.path[i]!, mode, session };
    return operations.created[i] === null ? [asked] : [asked, { path: operations.created[i]!, mode, session }];
  }
  const { ops, results } = operations.extra[i]!;
  if (operations.op[i] !== Op.multi || ops === undefined) return [];
  return ops.flatMap(({ op, args }, at) => {
    if (op !== "create") return [];
    const result = results?.[at];
    const asked = { path: args.path, mode: args.mode, session };
    const name = typeof result === "object" ? result.path : undefined;
    return name === undefined ? [asked] : [asked, { path: name, mode: args.mode, session }];
  });
}

// ---- what would do the same

function findLike(operations: Operations, entries: readonly Bound[], steps: readonly Step[]): void {
  if (!entries.some(({ optional }) => optional)) return;
  const seen = dataSeen(operations, steps);
  const effects = entries.map(({ optional }, index) => {
    const step = steps[index]!;
    return optional && step.kind === "op" ? effectOf(operations, step.op, seen) : null;
  });
  pool(operations, entries, steps, effects);
}

/**
 * A client's last lost writes that are all alike bind nothing that comes after them. If those of several clients are alike, any
 * of them may stand for any other.
 */
function pool(
  operations: Operations,
  entries: readonly Bound[],
  steps: readonly Step[],
  effects: readonly (string | null)[],
): void {
  const ended = endedIn(steps);
  /** By lane: what all of its entries from here on would do; null: they differ. */
  const rest = new Map<number, string | null>();
  const members: number[] = [];
  for (let index = entries.length - 1; index >= 0; index--) {
    const { lane, op } = entries[index]!;
    if (lane < 0) continue;
    const effect = effects[index]!;
    const later = rest.get(lane);
    const alike = later === undefined || later === effect ? effect : null;
    rest.set(lane, alike);
    if (alike !== null && !ended.has(operations.session[op]!)) members.push(index);
  }
  const last = new Map<string, number>();
  for (const index of members.reverse()) {
    const effect = effects[index]!;
    entries[index]!.pooled = last.get(effect) ?? -1;
    last.set(effect, index);
  }
}

/** What reads show; a value that none does may as well be any other. */
function dataSeen(operations: Operations, steps: readonly Step[]): Set<string | null> {
  const seen = new Set<string | null>();
  for (const step of steps) {
    if (step.kind !== "op" || operations.op[step.op] !== Op.getData) continue;
    if (operations.outcome[step.op] === Outcome.ok) seen.add(operations.data[step.op]!);
  }
  return seen;
}

/** null: it is like no other. */
function effectOf(operations: Operations, i: number, seen: ReadonlySet<string | null>): string | null {
  const { path, version, data, mode, session } = operations;
  const value = seen.has(data[i]!) ? ["seen", data[i]!] : [];
  switch (operations.op[i]!) {
    case Op.setData:
      return JSON.stringify(["set", path[i]!, version[i]!, value]);
    case Op.delete:
      return JSON.stringify(["delete", path[i]!, version[i]!]);
    case Op.create: {
      const owner = isEphemeral(MODES[mode[i]!]!) ? session[i]! : 0;
      return JSON.stringify(["create", path[i]!, mode[i]!, owner, value]);
    }
    default:
      return null;
  }
}
