/**
 * What a history means, told as simply as can be: try every order. Good for half a dozen operations, and the judge of both
 * checkers, with whom it shares nothing but the columns of a history.
 *
 * Ordered sequential consistency: the updates of all clients have one order; each client's operations have their places in it as
 * they were asked for; an operation that was answered before an update was asked for comes before it. A read after a sync
 * counts as if it had been asked for with the sync, by the clocks of all clients. What was never answered may have happened,
 * at any later time, or not.
 */
import type { SubOperation, SubResult } from "../histories/format.ts";
import type { History } from "../histories/history.ts";
import { isWrite, MODES, Op, type Operations, Outcome } from "../histories/operations.ts";

/** Does some order explain all answers? `only`: the operations to look at. */
export function hasOrder(history: History, only?: readonly number[]): boolean {
  const items = itemsOf(history, only);
  const place = (order: readonly number[]): boolean => {
    const left = items.map((_, at) => at).filter((at) => !order.includes(at));
    // What is unknown need not happen; the rest must.
    if (left.every((at) => items[at]!.unknown)) return true;
    return left.some((at) => {
      if (left.some((other) => comesBefore(items[other]!, items[at]!) && !items[other]!.unknown)) return false;
      if (order.some((other) => comesBefore(items[at]!, items[other]!))) return false;
      const next = [...order, at];
      return isExplained(history.operations, items, next) && place(next);
    });
  };
  return place([]);
}

/** The answers of the last one fit, given the order of all. */
function isExplained(operations: Operations, items: readonly Item[], order: readonly number[]): boolean {
  const tree = new TinyTree();
  for (const at of order.slice(0, -1)) tree.run(operations, items[at]!.op, null);
  const last = items[order.at(-1)!]!;
  const told = tree.run(operations, last.op, null);
  return last.unknown || fits(operations, last.op, told, false);
}

/**
 * The same with the zxids that the answers carry: they are the order. `fates`: where unknown writes are in the servers' logs
 * (0: nowhere); null: nobody knows, so that every place that is free is tried.
 */
export function hasWitness(history: History, fates: ReadonlyMap<number, number> | null): boolean {
  const { operations } = history;
  const items = itemsOf(history, undefined, true);
  const taken = items.filter(({ unknown, op }) => !unknown && isWrite(operations.op[op]!)).map(({ zxid }) => zxid);
  if (new Set(taken).size < taken.length) return false;
  const isLogged = ({ op, unknown, update, zxid }: Item): boolean => unknown || !update || fates?.get(op) === zxid;
  if (fates !== null && !items.every(isLogged)) return false;
  const unknown = items.filter((item) => item.unknown);
  const [from, to] = [
    Math.min(...items.map(({ zxid }) => zxid || 2 ** 33)),
    Math.max(...items.map(({ zxid }) => zxid)),
  ];
  const assign = (at: number): boolean => {
    const item = unknown[at];
    if (item === undefined)
      return isWitness(
        operations,
        items.filter(({ zxid }) => zxid > 0),
        fates !== null,
      );
    const places = fates === null ? range(from, to + unknown.length) : [fates.get(item.op) ?? 0];
    for (const zxid of fates === null ? [0, ...places] : places) {
      if (zxid > 0 && items.some((other) => other.zxid === zxid && (other.unknown || taken.includes(zxid)))) continue;
      item.zxid = zxid;
      if (assign(at + 1)) return true;
    }
    item.zxid = 0;
    return false;
  };
  return assign(0);
}

function isWitness(operations: Operations, items: readonly Item[], prefix: boolean): boolean {
  const isUpdate = ({ op }: Item): boolean => isWrite(operations.op[op]!);
  // At its zxid a read has seen the write of that zxid.
  const precedes = (x: Item, y: Item): boolean => {
    if (isUpdate(x)) return isUpdate(y) ? x.zxid < y.zxid : x.zxid <= y.zxid;
    return isUpdate(y) ? x.zxid < y.zxid : x.zxid <= y.zxid;
  };
  for (const x of items) for (const y of items) if (x !== y && comesBefore(x, y) && !precedes(x, y)) return false;
  if (prefix && hasHole(operations, items)) return false;
  const order = [...items].sort((x, y) => x.zxid - y.zxid || Number(isUpdate(y)) - Number(isUpdate(x)));
  const tree = new TinyTree();
  return order.every((item) => {
    const told = tree.run(operations, item.op, item.zxid);
    return item.unknown || fits(operations, item.op, told, true);
  });
}

/** Of what was under way when a connection broke, a prefix took effect. */
function hasHole(operations: Operations, items: readonly Item[]): boolean {
  for (let i = 0; i < operations.count; i++) {
    if (!isWrite(operations.op[i]!) || operations.outcome[i] !== Outcome.info) continue;
    if (items.some(({ op }) => op === i)) continue;
    const later = ({ op }: Item): boolean =>
      op > i &&
      isWrite(operations.op[op]!) &&
      operations.proc[op] === operations.proc[i] &&
      operations.session[op] === operations.session[i] &&
      operations.conn[op] === operations.conn[i];
    if (items.some(later)) return true;
  }
  return false;
}

// ---- which operations say something, and which of two comes first whatever the order

interface Item {
  readonly op: number;
  readonly client: string;
  readonly unknown: boolean;
  readonly update: boolean;
  /** By all clients' clocks it takes effect after this moment; -1: nothing is promised. */
  readonly call: number;
  readonly end: number;
  zxid: number;
}

const REFUSED = new Set(["SESSIONMOVED", "SESSIONEXPIRED", "CONNECTIONLOSS", "THROTTLEDOP"]);

/** `syncs`: a sync has no effect, but its answer has a zxid. */
function itemsOf({ operations }: History, only?: readonly number[], syncs = false): Item[] {
  const items: Item[] = [];
  const synced = new Map<string, number>();
  for (let op = 0; op < operations.count; op++) {
    const client = `${operations.proc[op]} ${operations.session[op]}`;
    const kind = operations.op[op]!;
    const unknown = operations.outcome[op] === Outcome.info;
    const update = isWrite(kind);
    if (kind === Op.sync && operations.outcome[op] === Outcome.ok) synced.set(client, operations.invoked[op]!);
    const refused = operations.outcome[op] === Outcome.fail && REFUSED.has(operations.err[op]!);
    if (kind > Op.sync || (kind === Op.sync && !syncs) || (unknown && !update) || refused) continue;
    const call = update ? operations.invoked[op]! : kind === Op.sync ? -1 : (synced.get(client) ?? -1);
    const zxid = unknown ? 0 : operations.zxid[op]!;
    if (only === undefined || only.includes(op))
      items.push({ op, client, unknown, update, call, end: operations.completed[op]!, zxid });
  }
  return items;
}

function comesBefore(x: Item, y: Item): boolean {
  if (x.end < y.call) return true;
  // A read may miss a write of its client that was lost on the way and is still to come.
  return x.client === y.client && x.op < y.op && !(x.unknown && !y.update);
}

// ---- a tree

interface Node {
  data: string | null;
  version: number;
  czxid: number;
  mzxid: number;
  pzxid: number;
  /** Children made so far. */
  made: number;
}

interface Told {
  readonly err: string;
  readonly node?: Node & { readonly children: readonly string[] };
  readonly path?: string;
  readonly results?: readonly Told[];
}

class TinyTree {
  #nodes = new Map(["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"].map((path) => [path, newNode("", 0)]));

  run(operations: Operations, i: number, zxid: number | null): Told {
    const [path, version, at] = [operations.path[i]!, operations.version[i]!, zxid ?? 0];
    switch (operations.op[i]!) {
      case Op.create:
        return this.#create(path, operations.data[i]!, MODES[operations.mode[i]!]!, at);
      case Op.delete:
        return this.#delete(path, version, at);
      case Op.setData:
        return this.#set(path, operations.data[i]!, version, at);
      case Op.multi:
        return this.#multi(operations.extra[i]!.ops!, at);
      case Op.sync:
        return { err: "" };
      default:
        return this.#look(path);
    }
  }

  #look(path: string): Told {
    const node = this.#nodes.get(path);
    return node === undefined
      ? { err: "NONODE" }
      : { err: "", node: { ...node, children: this.#children(path) }, path };
  }

  #create(asked: string, data: string | null, mode: string, zxid: number): Told {
    const parent = this.#nodes.get(above(asked));
    if (parent === undefined) return { err: "NONODE" };
    const path = mode.includes("Sequential") ? asked + String(parent.made).padStart(10, "0") : asked;
    if (this.#nodes.has(path)) return { err: "NODEEXISTS" };
    this.#nodes.set(path, newNode(data, zxid));
    this.#nodes.set(above(path), { ...parent, made: parent.made + 1, pzxid: zxid });
    return this.#look(path);
  }

  #delete(path: string, version: number, zxid: number): Told {
    const node = this.#nodes.get(path);
    if (node === undefined) return { err: "NONODE" };
    if (version !== -1 && version !== node.version) return { err: "BADVERSION" };
    if (this.#children(path).length > 0) return { err: "NOTEMPTY" };
    this.#nodes.delete(path);
    this.#nodes.set(above(path), { ...this.#nodes.get(above(path))!, pzxid: zxid });
    return { err: "" };
  }

  #set(path: string, data: string | null, version: number, zxid: number): Told {
    const node = this.#nodes.get(path);
    if (node === undefined) return { err: "NONODE" };
    if (version !== -1 && version !== node.version) return { err: "BADVERSION" };
    this.#nodes.set(path, { ...node, data, version: node.version + 1, mzxid: zxid });
    return this.#look(path);
  }

  #multi(ops: readonly SubOperation[], zxid: number): Told {
    const before = new Map(this.#nodes);
    const results: Told[] = [];
    for (const { op, args } of ops) {
      if (op === "create") results.push(this.#create(args.path, args.data, args.mode, zxid));
      else if (op === "delete") results.push(this.#delete(args.path, args.version, zxid));
      else if (op === "setData") results.push(this.#set(args.path, args.data, args.version, zxid));
      else {
        const { err, node } = this.#look(args.path);
        const wrong = err === "" && args.version !== -1 && args.version !== node!.version;
        results.push({ err: wrong ? "BADVERSION" : err });
      }
      const { err } = results.at(-1)!;
      if (err === "") continue;
      this.#nodes = before;
      return { err, results };
    }
    return { err: "", results };
  }

  #children(path: string): string[] {
    const below = path === "/" ? "/" : `${path}/`;
    const names = [...this.#nodes.keys()].filter((other) => other !== "/" && other.startsWith(below));
    return names.map((name) => name.slice(below.length)).filter((name) => !name.includes("/"));
  }
}

function newNode(data: string | null, zxid: number): Node {
  return { data, version: 0, czxid: zxid, mzxid: zxid, pzxid: zxid, made: 0 };
}

function above(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Does the answer of operation `i` say what the tree told? `zxids`: those in its Stat too. */
function fits(operations: Operations, i: number, told: Told, zxids: boolean): boolean {
  if (operations.outcome[i] === Outcome.fail || told.err !== "") {
    const codes = operations.extra[i]!.results;
    const failedAt = (told.results?.length ?? 0) - 1;
    return told.err === operations.err[i]! && (codes === undefined || codes[failedAt] === told.err);
  }
  if (operations.op[i] === Op.sync || operations.op[i] === Op.delete) return true;
  if (operations.op[i] === Op.create && operations.created[i] !== told.path) return false;
  if (operations.op[i] === Op.getData && operations.data[i] !== told.node!.data) return false;
  if (operations.op[i] === Op.getChildren) {
    const said = [...(operations.extra[i]!.children ?? [])].sort();
    if (said.join() !== [...told.node!.children].sort().join()) return false;
  }
  if (operations.op[i] === Op.multi) {
    const results = (operations.extra[i]!.results ?? []) as readonly SubResult[];
    return results.every(({ path, stat }, at) => {
      const { node, path: made } = told.results![at]!;
      return (path === undefined || path === made) && (stat === undefined || stat.version === node!.version);
    });
  }
  const stat = operations.statOf(i);
  if (stat === null) return true;
  const { version, czxid, mzxid, pzxid, made, children } = told.node!;
  if (stat.version !== version) return false;
  if (!zxids) return true;
  if (stat.numChildren !== children.length || stat.cversion !== made * 2 - children.length) return false;
  return stat.czxid === czxid && stat.mzxid === mzxid && stat.pzxid === pzxid;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
