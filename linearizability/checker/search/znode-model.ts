/**
 * Znodes as a search sees them: value and version in one state (as in Jepsen's test of etcd), who is there, what number the next
 * sequential child gets. Registers, sets, queues and locks are all told in these terms. Written from the programmer's guide,
 * without a line of the other checker or its reference tree.
 */
import type { SubOperation } from "../../histories/format.ts";
import { isWrite, MODES, Op, type Operations, Outcome, STAT_FIELDS, STAT_WIDTH } from "../../histories/operations.ts";
import { isEphemeral, isSequential, parentOf } from "./partitions.ts";
import { SeenVersions } from "./seen-versions.ts";
import { mix } from "./state-cache.ts";
import type { Model } from "./wgl.ts";

/** One step of an entry: an operation of a history, or the end of a session. */
export type Step =
  | { readonly kind: "op"; readonly op: number }
  /** What a list of other partitions, too, says of this one. */
  | { readonly kind: "told"; readonly there: readonly string[]; readonly gone: readonly string[] }
  /** `certain`: it did happen; else it is only worth a place if it takes something away. */
  | { readonly kind: "end"; readonly session: number; readonly certain: boolean };

interface Node {
  readonly path: string;
  readonly data: string | null;
  readonly version: number;
  /** Session of an ephemeral, or 0. */
  readonly owner: number;
  /** Creates of children so far. */
  readonly created: number;
  readonly children: number;
}

type Undo = readonly [path: string, node: Node | undefined];

const DIGITS = 10;
/** No answer says so: somebody has still to see what would be changed. */
const TOO_EARLY = "too early";
const VERSION_AT = STAT_FIELDS.indexOf("version");

/** That a session has ended is part of the state: a node with a name that no znode has. */
function endMark(session: number): string {
  return `end of ${session}`;
}

export class ZnodeModel implements Model {
  high = 0;
  low = 0;
  readonly #operations: Operations;
  readonly #steps: readonly Step[];
  readonly #nodes = new Map<string, Node>();
  /** Nodes that are outside the partition, and always there. */
  readonly #given: ReadonlySet<string>;
  readonly #undo: Undo[] = [];
  /** Lengths of #undo before each applied entry. */
  readonly #marks: number[] = [];
  /** By session: paths it may own. */
  readonly #owned = new Map<number, Set<string>>();
  readonly #hashes = new Map<string, number>();
  readonly #seen: SeenVersions;
  readonly #applied: number[] = [];
  /** The operation at hand is to be done; else it was refused. */
  #changes = true;

  /** `given`: znodes that the history takes for granted, such as parents in other partitions. */
  constructor(operations: Operations, steps: readonly Step[], given: ReadonlySet<string>) {
    this.#operations = operations;
    this.#steps = steps;
    this.#given = given;
    this.#seen = new SeenVersions(operations, steps);
    for (const path of ["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"]) {
      this.#replace(path, { path, data: "", version: 0, owner: 0, created: 0, children: 0 });
    }
    this.#replace("/", { ...this.#nodes.get("/")!, children: 1 });
    this.#replace("/zookeeper", { ...this.#nodes.get("/zookeeper")!, children: 2 });
  }

  apply(index: number): boolean {
    const mark = this.#undo.length;
    const step = this.#steps[index]!;
    if (step.kind === "op") this.#seen.count(step.op, -1);
    if (this.#step(step)) {
      this.#marks.push(mark);
      this.#applied.push(index);
      return true;
    }
    if (step.kind === "op") this.#seen.count(step.op, 1);
    this.#back(mark);
    return false;
  }

  undo(): void {
    this.#back(this.#marks.pop()!);
    const step = this.#steps[this.#applied.pop()!]!;
    if (step.kind === "op") this.#seen.count(step.op, 1);
  }

  /** For reports: what is known of a path now. */
  describe(path: string): string {
    const node = this.#nodes.get(path);
    return node === undefined ? "not there" : `${JSON.stringify(node.data)} v${node.version}`;
  }

  #step(step: Step): boolean {
    switch (step.kind) {
      case "op":
        return this.#operation(step.op);
      case "told":
        return step.there.every((path) => this.#nodes.has(path)) && !step.gone.some((path) => this.#nodes.has(path));
      case "end":
        return this.#end(step);
    }
  }

  #operation(i: number): boolean {
    const { op, outcome, err, path, version, data, mode, session, created, extra } = this.#operations;
    const known = outcome[i] !== Outcome.info;
    const wanted = outcome[i] === Outcome.fail ? err[i]! : "";
    // A session that has ended writes no more.
    if (isWrite(op[i]!) && this.#nodes.has(endMark(session[i]!))) return false;
    this.#changes = true;
    switch (op[i]!) {
      case Op.getData:
      case Op.exists:
      case Op.getChildren:
        return this.#read(i, wanted);
      case Op.create: {
        const done = this.#create(path[i]!, data[i]!, MODES[mode[i]!]!, session[i]!);
        if (!this.#fits(known, done.err, wanted)) return false;
        return !known || wanted !== "" || (done.path === created[i] && this.#versionFits(i, done.path));
      }
      case Op.delete:
        return this.#fits(known, this.#delete(path[i]!, version[i]!), wanted);
      case Op.setData:
        if (!this.#fits(known, this.#setData(path[i]!, data[i]!, version[i]!), wanted)) return false;
        return !known || wanted !== "" || this.#versionFits(i, path[i]!);
      default:
        return this.#multi(extra[i]!.ops ?? [], session[i]!, known, wanted, extra[i]!.results ?? []);
    }
  }

  /** What is unknown may have been refused, too: then it has its place for the sake of what was sent after it. */
  #fits(known: boolean, err: string, wanted: string): boolean {
    return known ? err === wanted : err !== TOO_EARLY;
  }

  #versionFits(i: number, path: string): boolean {
    const { stat, stats } = this.#operations;
    const row = stat[i]!;
    return row < 0 || stats[row * STAT_WIDTH + VERSION_AT] === this.#nodes.get(path)?.version;
  }

  #read(i: number, wanted: string): boolean {
    const { op, path, data, extra } = this.#operations;
    const node = this.#nodes.get(path[i]!);
    if (node === undefined) return wanted === "NONODE";
    if (wanted !== "" || !this.#versionFits(i, path[i]!)) return false;
    if (op[i] === Op.getData) return node.data === data[i];
    if (op[i] !== Op.getChildren) return true;
    const names = extra[i]!.children ?? [];
    const below = path[i] === "/" ? "/" : `${path[i]}/`;
    return names.length === node.children && names.every((name) => this.#nodes.has(below + name));
  }

  #create(asked: string, data: string | null, mode: string, session: number): { err: string; path: string } {
    const parentPath = parentOf(asked);
    const parent = this.#nodes.get(parentPath);
    if (parent === undefined && !this.#given.has(parentPath)) return { err: "NONODE", path: asked };
    const suffix = isSequential(mode) ? String(parent?.created ?? 0).padStart(DIGITS, "0") : "";
    const path = asked + suffix;
    if (this.#nodes.has(path)) return { err: "NODEEXISTS", path };
    if (parent !== undefined && parent.owner !== 0) return { err: "NOCHILDRENFOREPHEMERALS", path };
    const owner = isEphemeral(mode) ? session : 0;
    this.#put(path, { path, data, version: 0, owner, created: 0, children: 0 });
    if (owner !== 0) this.#ownedBy(owner).add(path);
    if (parent !== undefined) {
      this.#put(parentPath, { ...parent, created: parent.created + 1, children: parent.children + 1 });
    }
    return { err: "", path };
  }

  #delete(path: string, version: number): string {
    const node = this.#nodes.get(path);
    if (node === undefined) return "NONODE";
    if (version !== -1 && version !== node.version) return "BADVERSION";
    if (node.children > 0) return "NOTEMPTY";
    this.#remove(path);
    return "";
  }

  #setData(path: string, data: string | null, version: number): string {
    const node = this.#nodes.get(path);
    if (node === undefined) return "NONODE";
    if (version !== -1 && version !== node.version) return "BADVERSION";
    if (this.#changes && !this.#seen.isOver(path, node.version)) return TOO_EARLY;
    this.#put(path, { ...node, data, version: node.version + 1 });
    return "";
  }

  #multi(
    ops: readonly SubOperation[],
    session: number,
    known: boolean,
    wanted: string,
    results: readonly ({ readonly path?: string; readonly stat?: { readonly version: number } } | string)[],
  ): boolean {
    const mark = this.#undo.length;
    // What is refused changes nothing.
    this.#changes = wanted === "";
    for (const [at, sub] of ops.entries()) {
      const { err, path } = this.#sub(sub, session);
      const result = results[at];
      if (err !== "") {
        this.#back(mark);
        if (!known) return err !== TOO_EARLY;
        return err === wanted && (result === undefined || result === err);
      }
      if (!known || wanted !== "" || result === undefined || typeof result === "string") continue;
      if (result.path !== undefined && result.path !== path) return false;
      if (result.stat !== undefined && result.stat.version !== this.#nodes.get(path)?.version) return false;
    }
    return wanted === "";
  }

  #sub(sub: SubOperation, session: number): { err: string; path: string } {
    const { path } = sub.args;
    switch (sub.op) {
      case "create":
        return this.#create(path, sub.args.data, sub.args.mode, session);
      case "delete":
        return { err: this.#delete(path, sub.args.version), path };
      case "setData":
        return { err: this.#setData(path, sub.args.data, sub.args.version), path };
      case "check": {
        const node = this.#nodes.get(path);
        if (node === undefined) return { err: "NONODE", path };
        const fits = sub.args.version === -1 || sub.args.version === node.version;
        return { err: fits ? "" : "BADVERSION", path };
      }
    }
  }

  #end({ session, certain }: Step & { kind: "end" }): boolean {
    let removed = false;
    for (const path of this.#ownedBy(session)) {
      if (this.#nodes.get(path)?.owner !== session) continue;
      this.#remove(path);
      removed = true;
    }
    const path = endMark(session);
    this.#put(path, { path, data: null, version: 0, owner: 0, created: 0, children: 0 });
    return removed || certain;
  }

  #ownedBy(session: number): Set<string> {
    let owned = this.#owned.get(session);
    if (owned === undefined) {
      owned = new Set();
      this.#owned.set(session, owned);
    }
    return owned;
  }

  #remove(path: string): void {
    this.#put(path, undefined);
    const parentPath = parentOf(path);
    const parent = this.#nodes.get(parentPath);
    if (parent !== undefined) this.#put(parentPath, { ...parent, children: parent.children - 1 });
  }

  #put(path: string, node: Node | undefined): void {
    this.#undo.push([path, this.#nodes.get(path)]);
    this.#replace(path, node);
  }

  #back(mark: number): void {
    while (this.#undo.length > mark) {
      const [path, node] = this.#undo.pop()!;
      this.#replace(path, node);
    }
  }

  #replace(path: string, node: Node | undefined): void {
    this.#toggle(this.#nodes.get(path));
    this.#toggle(node);
    if (node === undefined) this.#nodes.delete(path);
    else this.#nodes.set(path, node);
  }

  /** The state's hash is the exclusive or of its nodes'. */
  #toggle(node: Node | undefined): void {
    if (node === undefined) return;
    const name = this.#hash(node.path);
    const value = this.#hash(node.data ?? "\0null");
    const rest = mix(node.version, mix(node.owner, node.created));
    this.high ^= mix(name, mix(value, rest));
    this.low ^= mix(rest, mix(value, name));
  }

  #hash(text: string): number {
    let hash = this.#hashes.get(text);
    if (hash === undefined) {
      hash = 0;
      for (let at = 0; at < text.length; at++) hash = mix(hash, text.charCodeAt(at));
      this.#hashes.set(text, hash);
    }
    return hash;
  }
}
