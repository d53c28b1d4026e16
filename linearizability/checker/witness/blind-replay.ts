/**
 * The replay of what is in the fog (fog.ts): the tree follows what clients were told, whatever it said before, so that the rest
 * of it stays exact. Of a read there, only this is asked: that it shows no value older than the last one certainly written.
 */
import { type Change, type ModelNode, parentOf, type Stamp, type ZnodeTree } from "../../../spec/models/znode-tree.ts";
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import type { History } from "../../histories/history.ts";
import { Op, Outcome, STAT_WIDTH } from "../../histories/operations.ts";
import { quote } from "../describe.ts";
import { type Effect, effectsOf } from "./effects.ts";
import { Fate, type Timeline } from "./timeline.ts";

const OPEN = [{ perms: 31, scheme: "world", id: "anyone" }] as const;
const MZXID_AT = 1;
const VERSION_AT = 5;
const OWNER_AT = 8;

export interface Difference {
  readonly expected: string;
  readonly actual: string;
}

export class BlindReplay {
  readonly #history: History;
  readonly #timeline: Timeline;
  readonly #tree: ZnodeTree;
  /** By path: the last write that certainly changed it, up to where the replay has come. */
  readonly #last = new Map<string, { readonly effect: Effect; readonly zxid: number }>();

  constructor(history: History, timeline: Timeline, tree: ZnodeTree) {
    this.#history = history;
    this.#timeline = timeline;
    this.#tree = tree;
  }

  /** Does what this write did, or what came of it, depend on anything that nobody can know? */
  takes(i: number, zxid: number): boolean {
    const { fog, fate } = this.#timeline;
    const { operations } = this.#history;
    if (fate[i] === Fate.resolved) return true;
    if (fog.isEmpty) return false;
    const subs = operations.op[i] === Op.multi ? (operations.extra[i]!.ops ?? []) : [];
    if (subs.some(({ op, args }) => op === "check" && fog.node(args.path, zxid))) return true;
    return effectsOf(operations, i).some((effect) => fog.write(effect, zxid));
  }

  /** What watchers could be told of. */
  force(i: number, stamp: Stamp): Change[] {
    const changes: Change[] = [];
    const { operations } = this.#history;
    if (operations.outcome[i] === Outcome.fail) return changes;
    for (const effect of effectsOf(operations, i)) {
      // The name that it got is not known.
      if (effect.unnumbered) continue;
      if (this.#forceOne(effect, stamp)) changes.push(...this.#tree.changes);
      if (effect.kind !== "acl") this.#last.set(effect.path, { effect, zxid: stamp.zxid });
    }
    return changes;
  }

  /** A write that was judged and applied as usual. */
  note(i: number, zxid: number): void {
    const { operations } = this.#history;
    if (operations.outcome[i] !== Outcome.ok) return;
    for (const effect of effectsOf(operations, i)) {
      if (effect.kind !== "acl") this.#last.set(effect.path, { effect, zxid });
    }
  }

  hidesRead(i: number): boolean {
    return this.#timeline.fog.node(this.#history.operations.path[i]!, this.#timeline.place[i]!);
  }

  /** null: it may be so. */
  judgeRead(i: number): Difference | null {
    const { operations } = this.#history;
    const row = operations.stat[i]!;
    const last = this.#last.get(operations.path[i]!);
    if (row < 0 || operations.outcome[i] !== Outcome.ok) return null;
    const mzxid = operations.stats[row * STAT_WIDTH + MZXID_AT]!;
    const version = operations.stats[row * STAT_WIDTH + VERSION_AT]!;
    const data = operations.op[i] === Op.getData ? `${quote(operations.data[i]!)}, ` : "";
    const actual = `${data}version ${version}, mzxid ${hex(mzxid)}`;
    if (mzxid > this.#timeline.place[i]!) return { expected: "nothing newer than the reply itself", actual };
    if (last === undefined || mzxid > last.zxid) return null;
    const { kind, data: written, version: told, owner, mortal } = last.effect;
    if (mzxid < last.zxid) {
      const what = kind === "delete" ? "deleted" : `written as ${quote(written)}`;
      return { expected: `what was ${what} at ${hex(last.zxid)}`, actual };
    }
    if (kind === "delete") return { expected: `deleted at ${hex(last.zxid)}`, actual };
    if (operations.op[i] === Op.getData && operations.data[i] !== written) return { expected: quote(written), actual };
    const found = operations.stats[row * STAT_WIDTH + OWNER_AT]!;
    if (kind === "create" && !mortal && owner !== found) {
      const name = (session: number): string => operations.sessions.text(operations.sessions.ids[session]!);
      return { expected: `ephemeralOwner ${name(owner)}`, actual: `ephemeralOwner ${name(found)}` };
    }
    const expected = kind === "create" ? 0 : told;
    return expected === null || expected === version ? null : { expected: `version ${expected}`, actual };
  }

  /** A list of children, of which some may have come or gone unseen. */
  fitsChildren(i: number, node: ModelNode): boolean {
    const path = this.#history.operations.path[i]!;
    const zxid = this.#timeline.place[i]!;
    const below = path === "/" ? "/" : `${path}/`;
    const found = new Set(this.#history.operations.extra[i]!.children ?? []);
    const hidden = (name: string): boolean => this.#timeline.fog.node(below + name, zxid);
    return (
      [...found].every((name) => node.children.has(name) || hidden(name)) &&
      [...node.children].every((name) => found.has(name) || hidden(name))
    );
  }

  /** False: nothing changed. */
  #forceOne({ path, kind, data, owner, version, mortal }: Effect, stamp: Stamp): boolean {
    const tree = this.#tree;
    switch (kind) {
      case "create": {
        this.#clear(path, stamp);
        this.#require(parentOf(path), stamp);
        const lasting = owner !== 0 ? "ephemeral" : "persistent";
        tree.write({ op: "create", path, data, acl: OPEN, mode: mortal ? "container" : lasting }, stamp);
        return true;
      }
      case "set": {
        this.#require(path, stamp);
        tree.write({ op: "setData", path, data, version: -1 }, stamp);
        if (version !== null) tree.nodes.set(path, { ...tree.nodes.get(path)!, version });
        return true;
      }
      case "delete": {
        if (!tree.nodes.has(path)) return false;
        for (const name of tree.children(path)) this.#clear(`${path}/${name}`, stamp);
        tree.write({ op: "delete", path, version: -1 }, stamp);
        return true;
      }
      case "acl":
        return false;
    }
  }

  /** Whatever is there must have gone. */
  #clear(path: string, stamp: Stamp): void {
    if (!this.#tree.nodes.has(path)) return;
    for (const name of this.#tree.children(path)) this.#clear(`${path}/${name}`, stamp);
    this.#tree.write({ op: "delete", path, version: -1 }, stamp);
  }

  /** It must be there, and be able to have children. */
  #require(path: string, stamp: Stamp): void {
    const { nodes } = this.#tree;
    const node = nodes.get(path);
    if (node === undefined) {
      this.#require(parentOf(path), stamp);
      this.#tree.write({ op: "create", path, data: null, acl: OPEN, mode: "persistent" }, stamp);
    } else if (typeof node.owner === "bigint") {
      nodes.set(path, { ...node, owner: null });
    }
  }
}

function hex(zxid: number): string {
  return formatZxid(zxid as Zxid);
}
