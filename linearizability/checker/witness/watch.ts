/** One watch that a client has left, and what it must be told next. */
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import type { WatchEvent } from "../../histories/format.ts";
import type { WatchedChange } from "./watched-changes.ts";

/** `exist`: left on a node that was not there. */
export type WatchKind = "data" | "exist" | "child" | "persistent" | "persistentRecursive";

const NEVER = Number.POSITIVE_INFINITY;

export class Watch {
  readonly kind: WatchKind;
  readonly path: string;
  /** The operation that left it. */
  readonly op: number;
  /** The reply that came without the event having come before. */
  overdueBy = -1;
  readonly #changes: readonly WatchedChange[];
  /** Index of the change it must be told of next. */
  #next: number;

  constructor(kind: WatchKind, path: string, op: number, changes: readonly WatchedChange[], since: number) {
    this.kind = kind;
    this.path = path;
    this.op = op;
    this.#changes = changes;
    this.#next = this.#firstAfter(since);
  }

  get isPersistent(): boolean {
    return this.kind === "persistent" || this.kind === "persistentRecursive";
  }

  /** zxid of the next change; Infinity if there is none. */
  get due(): number {
    return this.#changes[this.#next]?.zxid ?? NEVER;
  }

  /** The same watch, to be kept aside while this one goes on. */
  asOverdue(): Watch {
    const copy = new Watch(this.kind, this.path, this.op, this.#changes, -1);
    copy.overdueBy = this.overdueBy;
    copy.#next = this.#next;
    return copy;
  }

  advance(): void {
    this.#next = this.#matching(this.#next + 1);
  }

  skipTo(zxid: number): void {
    this.#next = this.#firstAfter(zxid);
  }

  /** Is the event about something that this watch hears of at all? */
  concerns({ type, path }: WatchEvent): boolean {
    if (this.kind === "persistentRecursive") {
      return (
        type !== "childrenChanged" && (path === this.path || path.startsWith(`${this.path === "/" ? "" : this.path}/`))
      );
    }
    return path === this.path && this.#hears(type);
  }

  /**
   * The zxid of the change that the event tells this watch of; Infinity if it is not the next one that the watch must hear.
   * `catchingUp`: the watch has just been set again, and may be told the state instead.
   */
  tells(event: WatchEvent, catchingUp: boolean): number {
    if (!this.concerns(event)) return NEVER;
    if (catchingUp && event.zxid < 0 && !this.isPersistent) return this.#tellsState(event);
    // A persistent watch that is set again hears from then on, whenever that was; so does one on a node that came and went.
    const anyLater = catchingUp && (this.isPersistent || this.kind === "exist");
    const last = anyLater ? this.#changes.length : this.#next + 1;
    for (let at = this.#next; at < last && at < this.#changes.length; at++) {
      const change = this.#changes[at]!;
      if (change.kind !== event.type || change.path !== event.path) continue;
      if (event.zxid >= 0 && event.zxid !== change.zxid) continue;
      if (catchingUp) this.#next = at;
      return change.zxid;
    }
    return NEVER;
  }

  // ---- set again

  /** The client has a new connection; it has seen everything up to `relativeZxid`. */
  setAgain(relativeZxid: number): void {
    this.#next = this.#firstAfter(relativeZxid);
  }

  /** The first reply came, at `zxid`: what need not have been told by now is forgotten. */
  caughtUp(zxid: number): void {
    if (this.isPersistent) this.#next = this.#firstAfter(zxid);
    // The node came and went: whether anybody was told depends on the moment.
    else if (this.kind === "exist" && this.#goneBy(zxid)) this.#next = this.#firstAfter(zxid);
  }

  describeNext(): string {
    const change = this.#changes[this.#next];
    return change === undefined ? "nothing" : `${change.kind} ${change.path} at ${formatZxid(change.zxid as Zxid)}`;
  }

  /** setWatches compares the state with what the client has seen; the state may be that after any change since. */
  #tellsState({ type }: WatchEvent): number {
    const first = this.#next;
    for (let at = first; at < this.#changes.length; at++) {
      const { kind } = this.#changes[at]!;
      // What is left without being caught up on is triggered as usual, by its first change.
      const told = stateEvent(this.kind, kind);
      if (told === type || (at === first && kind === type)) return this.#changes[first]!.zxid;
    }
    return NEVER;
  }

  #goneBy(zxid: number): boolean {
    let gone = false;
    for (let at = this.#next; at < this.#changes.length && this.#changes[at]!.zxid <= zxid; at++) {
      const { kind } = this.#changes[at]!;
      if (kind === "created" || kind === "dataChanged") gone = false;
      else if (kind === "deleted") gone = true;
    }
    return gone;
  }

  #firstAfter(zxid: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#changes[middle]!.zxid <= zxid) low = middle + 1;
      else high = middle;
    }
    return this.#matching(low);
  }

  #matching(from: number): number {
    let at = from;
    while (at < this.#changes.length && !this.#hears(this.#changes[at]!.kind)) at++;
    return at;
  }

  #hears(kind: WatchedChange["kind"]): boolean {
    switch (this.kind) {
      case "persistent":
        return true;
      case "persistentRecursive":
        return kind !== "childrenChanged";
      case "child":
        return kind === "childrenChanged" || kind === "deleted";
      default:
        return kind !== "childrenChanged";
    }
  }
}

/** What setWatches says of a node whose last change was this; null if the watch is left silently. */
function stateEvent(kind: WatchKind, last: WatchedChange["kind"]): WatchedChange["kind"] | null {
  if (kind === "exist") return last === "deleted" ? null : "created";
  if (last === "deleted") return "deleted";
  return kind === "child" ? "childrenChanged" : "dataChanged";
}
