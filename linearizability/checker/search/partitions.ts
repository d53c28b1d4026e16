/**
 * Which operations must be ordered together. Linearizability is local: each znode can be judged alone, and that is what makes a
 * search feasible. Znodes belong together when one operation spans them (multi), and a parent with its children when an
 * operation's answer depends on both (sequential names, deletes of parents, lists of children).
 *
 * Lists would join whole trees. Where that makes a partition too large, a list is told to each of its children's partitions
 * as what it says of them: there, or not there.
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
  /** What lists say of these paths, by operation; other lists are ordinary operations. */
  readonly told: ReadonlyMap<number, Told>;
}

export interface Told {
  readonly there: readonly string[];
  readonly gone: readonly string[];
}

/** Up to so many operations a partition may be joined by a list. */
const MOST_JOINED = 300;

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
  const bound = parentsThatMatter(operations);
  const listed = listedParents(operations, bound);
  const joined = grouped(operations, new Set([...bound, ...listed]));
  const sizes = new Map<number, number>();
  for (const group of joined.first) {
    if (group >= 0) sizes.set(joined.groups.root(group), (sizes.get(joined.groups.root(group)) ?? 0) + 1);
  }
  const sizeOf = (path: string): number => sizes.get(joined.groups.root(joined.groups.of(path))) ?? 0;
  const split = new Set([...listed].filter((path) => sizeOf(path) > MOST_JOINED));
  if (split.size === 0) return partsOf(operations, joined, new Map());
  const grouping = grouped(operations, new Set([...bound, ...listed].filter((path) => !split.has(path))));
  return partsOf(operations, grouping, toldBySplit(operations, grouping.groups, split));
}

interface Grouping {
  readonly groups: Groups;
  /** By operation: the group of its first path, -1 without. */
  readonly first: Int32Array;
}

function grouped(operations: Operations, joined: ReadonlySet<string>): Grouping {
  const groups = new Groups();
  const first = new Int32Array(operations.count).fill(-1);
  for (let i = 0; i < operations.count; i++) {
    for (const path of pathsOf(operations, i)) {
      const group = groups.of(path);
      if (first[i] === -1) first[i] = group;
      else groups.join(first[i]!, group);
      const parent = parentOf(path);
      if (path !== "/" && joined.has(parent)) groups.join(group, groups.of(parent));
    }
  }
  return { groups, first };
}

/** By operation, and by group: what lists of the `split` parents say. */
function toldBySplit(
  operations: Operations,
  groups: Groups,
  split: ReadonlySet<string>,
): Map<number, Map<number, { there: string[]; gone: string[] }>> {
  const lists: number[] = [];
  for (let i = 0; i < operations.count; i++) {
    if (operations.op[i] !== Op.getChildren || !split.has(operations.path[i]!)) continue;
    lists.push(i);
    for (const name of operations.extra[i]!.children ?? []) groups.of(childOf(operations.path[i]!, name));
  }
  const children = new Map<string, string[]>();
  for (const [path] of groups.paths()) {
    if (path === "/" || !split.has(parentOf(path))) continue;
    const others = children.get(parentOf(path));
    if (others === undefined) children.set(parentOf(path), [path]);
    else others.push(path);
  }
  const told = new Map<number, Map<number, { there: string[]; gone: string[] }>>();
  for (const i of lists) {
    const path = operations.path[i]!;
    const own = new Map<number, { there: string[]; gone: string[] }>();
    const tell = (about: string, isThere: boolean): void => {
      const group = groups.root(groups.of(about));
      let one = own.get(group);
      if (one === undefined) {
        one = { there: [], gone: [] };
        own.set(group, one);
      }
      one[isThere ? "there" : "gone"].push(about);
    };
    told.set(i, own);
    tell(path, operations.outcome[i] === Outcome.ok);
    if (operations.outcome[i] !== Outcome.ok) continue;
    const names = new Set((operations.extra[i]!.children ?? []).map((name) => childOf(path, name)));
    for (const child of children.get(path) ?? []) tell(child, names.has(child));
  }
  return told;
}

function partsOf(
  operations: Operations,
  { groups, first }: Grouping,
  told: ReadonlyMap<number, ReadonlyMap<number, Told>>,
): Partition[] {
  const parts = new Map<number, { paths: string[]; ops: number[]; told: Map<number, Told> }>();
  const partOf = (group: number) => {
    const root = groups.root(group);
    let part = parts.get(root);
    if (part === undefined) {
      part = { paths: [], ops: [], told: new Map() };
      parts.set(root, part);
    }
    return part;
  };
  for (const [path, group] of groups.paths()) partOf(group).paths.push(path);
  for (let i = 0; i < operations.count; i++) {
    const one = told.get(i);
    if (one === undefined) {
      if (first[i]! >= 0) partOf(first[i]!).ops.push(i);
      continue;
    }
    for (const [group, what] of one) {
      const part = partOf(group);
      part.ops.push(i);
      part.told.set(i, what);
    }
  }
  return [...parts.values()].map((part) => ({ name: shortest(part.paths), ...part }));
}

/** Parents that lists alone would join with their children. */
function listedParents(operations: Operations, bound: ReadonlySet<string>): Set<string> {
  const listed = new Set<string>();
  for (let i = 0; i < operations.count; i++) {
    if (operations.op[i] === Op.getChildren && !bound.has(operations.path[i]!)) listed.add(operations.path[i]!);
  }
  return listed;
}

/** Its parent was not there (yet), or may have no children: the parent's own story tells. */
const OF_THE_PARENT: ReadonlySet<string> = new Set(["NONODE", "NOCHILDRENFOREPHEMERALS"]);

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
      case Op.delete:
        parents.add(path);
        break;
      case Op.create:
        if (isSequential(MODES[operations.mode[i]!]!)) parents.add(parentOf(path));
        if (operations.outcome[i] === Outcome.fail && OF_THE_PARENT.has(operations.err[i]!))
          parents.add(parentOf(path));
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

function childOf(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
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
