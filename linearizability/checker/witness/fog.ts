/**
 * Black box: what cannot be known of the tree. A write whose answer was lost may have happened or not; a session may have ended
 * without anybody's being told, and its ephemerals with it. The znodes that this may have changed are in the fog from the
 * moment on at which it may have happened. In there the replay takes clients at their word, and only what certainly happened
 * is held against them; everything else is judged as strictly as with logs.
 */
import { parentOf } from "../../../spec/models/znode-tree.ts";
import { type Effect, withoutNumber } from "./effects.ts";

/** By path: the largest zxid up to which everything about it is known. */
type Limits = Map<string, number>;

export class Fog {
  /** Data, Stat, existence. */
  readonly #nodes: Limits = new Map();
  /** Lists of children, and what of a Stat follows from them. */
  readonly #lists: Limits = new Map();
  /** Names that a sequential create without an answer may have got, without their numbers. */
  readonly #prefixes: Limits = new Map();

  get isEmpty(): boolean {
    return this.#nodes.size === 0 && this.#prefixes.size === 0;
  }

  /** This may have happened after `zxid`. */
  add({ path, kind, unnumbered }: Pick<Effect, "path" | "kind" | "unnumbered">, zxid: number): void {
    lower(unnumbered ? this.#prefixes : this.#nodes, path, zxid);
    if (kind === "create" || kind === "delete") lower(this.#lists, parentOf(path), zxid);
  }

  /** May something unknown have happened to the znode itself by `zxid`? */
  node(path: string, zxid: number): boolean {
    if ((this.#nodes.get(path) ?? Number.POSITIVE_INFINITY) < zxid) return true;
    if (this.#prefixes.size === 0) return false;
    const prefix = withoutNumber(path);
    return prefix !== null && (this.#prefixes.get(prefix) ?? Number.POSITIVE_INFINITY) < zxid;
  }

  /** To its children? */
  list(path: string, zxid: number): boolean {
    return (this.#lists.get(path) ?? Number.POSITIVE_INFINITY) < zxid;
  }

  /** Does what such a write does, or answers, depend on anything unknown? */
  write({ path, kind, unnumbered, mortal }: Effect, zxid: number): boolean {
    if (mortal || this.node(path, zxid)) return true;
    if (kind === "delete") return this.list(path, zxid);
    // A name that was answered came from the parent's counter, which counts creates that nobody was told of.
    const numbered = unnumbered || withoutNumber(path) !== null;
    return kind === "create" && (this.node(parentOf(path), zxid) || (numbered && this.list(parentOf(path), zxid)));
  }

  /** Can watches on this path be judged? */
  hidesChanges(path: string, recursive: boolean): boolean {
    const ever = Number.POSITIVE_INFINITY;
    if (this.node(path, ever) || this.list(path, ever)) return true;
    if (!recursive || this.isEmpty) return false;
    const below = path === "/" ? "/" : `${path}/`;
    const isBelow = (other: string): boolean => other.startsWith(below);
    return [...this.#nodes.keys()].some(isBelow) || [...this.#prefixes.keys()].some(isBelow);
  }
}

function lower(limits: Limits, path: string, zxid: number): void {
  limits.set(path, Math.min(limits.get(path) ?? Number.POSITIVE_INFINITY, zxid));
}
