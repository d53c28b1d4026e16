/**
 * Which operations must be ordered together. Linearizability is local: each znode can be judged alone, and that is what makes a
 * search feasible. Znodes belong together when one operation spans them (multi), and a parent with its children when an
 * operation's answer depends on both (lists of children, sequential names, deletes of parents).
 */
import type { SubOperation } from "../../histories/format.ts";
import type { History } from "../../histories/history.ts";
import { MODES, Op, type Operations, Outcome } from "../../histories/operations.ts";

export interface Partition {
  /** What to call it: the shortest of its paths. */
  readonly name: string;
  readonly paths: readonly string[];
  /** Indices of operations, ascending. */
  readonly ops: readonly number[];
}

/** The paths that an operation's effect or answer is about. Empty: none that a search could judge. */
export function pathsOf(operations: Operations, i: number): string[] {
  switch (operations.op[i]!) {
    case Op.create:
      return [createdName(operations, i)];
    case Op.delete:
    case Op.setData:
    case Op.getData:
    case Op.exists:
    case Op.getChildren:
      return [operations.path[i]!];
    case Op.multi:
      return (operations.extra[i]!.ops ?? []).map((sub) => subName(sub));
    default:
      return [];
  }
}

export function partition(history: History): Partition[] {
  const { operations } = history;
  const groups = new Groups();
  const joined = parentsThatMatter(operations);
  const first = new Int32Array(operations.count).fill(-1);
  for (let i = 0; i < operations.count; i++) {
    const paths = pathsOf(operations, i);
    for (const path of paths) {
      const group = groups.of(path);
      if (first[i] === -1) first[i] = group;
      else groups.join(first[i]!, group);
      const parent = parentOf(path);
      if (path !== "/" && joined.has(parent)) groups.join(group, groups.of(parent));
    }
  }
  const parts = new Map<number, { paths: string[]; ops: number[] }>();
  const partOf = (group: number): { paths: string[]; ops: number[] } => {
    const root = groups.root(group);
    let part = parts.get(root);
    if (part === undefined) {
      part = { paths: [], ops: [] };
      parts.set(root, part);
    }
    return part;
  };
  for (const [path, group] of groups.paths()) partOf(group).paths.push(path);
  for (let i = 0; i < operations.count; i++) if (first[i]! >= 0) partOf(first[i]!).ops.push(i);
  return [...parts.values()].map(({ paths, ops }) => ({ name: shortest(paths), paths, ops }));
}

/** Parents whose children cannot be judged without them. */
function parentsThatMatter(operations: Operations): Set<string> {
  const parents = new Set<string>();
  const sub = ({ op, args }: SubOperation): void => {
    if (op === "delete") parents.add(args.path);
    else if (op === "create" && isSequential(args.mode)) parents.add(parentOf(args.path));
  };
  for (let i = 0; i < operations.count; i++) {
    const path = operations.path[i]!;
    switch (operations.op[i]!) {
      case Op.getChildren:
      case Op.delete:
        parents.add(path);
        break;
      case Op.create:
        if (isSequential(MODES[operations.mode[i]!]!)) parents.add(parentOf(path));
        // Its parent was not there (yet), or may have no children: the parent's own story tells.
        if (operations.outcome[i] === Outcome.fail && operations.err[i] !== "NODEEXISTS") parents.add(parentOf(path));
        break;
      case Op.multi:
        for (const one of operations.extra[i]!.ops ?? []) sub(one);
    }
  }
  return parents;
}

/** Of a sequential create that was never answered: the name without its number, which stands for whichever it got. */
function createdName(operations: Operations, i: number): string {
  return operations.created[i] ?? operations.path[i]!;
}

function subName({ op, args }: SubOperation): string {
  return op === "create" && isSequential(args.mode) ? parentOf(args.path) : args.path;
}

export function isSequential(mode: string): boolean {
  return mode.includes("Sequential");
}

export function isEphemeral(mode: string): boolean {
  return mode.startsWith("ephemeral");
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function shortest(paths: readonly string[]): string {
  return paths.reduce((a, b) => (b.length < a.length || (b.length === a.length && b < a) ? b : a));
}

/** Union-find over paths. */
class Groups {
  readonly #ids = new Map<string, number>();
  readonly #parents: number[] = [];

  of(path: string): number {
    const known = this.#ids.get(path);
    if (known !== undefined) return known;
    const id = this.#parents.length;
    this.#ids.set(path, id);
    this.#parents.push(id);
    return id;
  }

  root(id: number): number {
    let at = id;
    while (this.#parents[at] !== at) {
      this.#parents[at] = this.#parents[this.#parents[at]!]!;
      at = this.#parents[at]!;
    }
    return at;
  }

  join(a: number, b: number): void {
    this.#parents[this.root(a)] = this.root(b);
  }

  paths(): Iterable<[string, number]> {
    return this.#ids;
  }
}
