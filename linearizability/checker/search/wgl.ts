/**
 * Wing and Gong's search with Lowe's cache, over one partition: is there an order of the operations, each between its call and
 * its return, that the model can go through? Calls and returns are a linked list, from which operations are lifted as they are
 * ordered, and to which they return when the search goes back. It can be interrupted after a budget and go on later.
 */
import { Choice } from "./choice.ts";
import { mix, StateCache } from "./state-cache.ts";

/** One operation of a partition. */
export interface Entry {
  /** What the operation is in the history. */
  readonly op: number;
  /** It takes effect after `call` and before `end`: any two numbers on one scale; `end` Infinity: no limit. */
  readonly call: number;
  readonly end: number;
  /** It may as well never happen. */
  readonly optional: boolean;
  /** Index of an entry that comes before it whatever the clock says (the same session's), -1 for none. */
  readonly after: number;
  /** Another such: an earlier write of its lane that was not answered, and happened. */
  readonly afterLost: number;
  /** The unanswered one sent before it on its connection: it does not happen without that one. */
  readonly prefix: number;
  /** Whose update it is, counted from 0; -1: nobody's, or none. One client's updates are ordered as they are numbered. */
  readonly lane: number;
  /**
   * It changes no state, and nothing optional is before it in its lane. As soon as its answer fits it may as well take its place: any order in which it comes
   * later is as good with it here. So there is no second way to try.
   */
  readonly pure: boolean;
  /** What it depends on, as numbers: entries without a common one may be ordered either way. */
  readonly touches: readonly number[];
  /** The one before it of those that may stand for each other, in whatever lane; -1: none. */
  readonly pooled: number;
}

/** A state machine that can go back. */
export interface Model {
  /** Takes entry `index` if its answer fits the state; else false, and nothing has changed. */
  apply(index: number): boolean;
  /** Takes the last applied entry back. */
  undo(): void;
  /** Hash of the state, 64 bits in two words. Equal states have equal hashes. */
  readonly high: number;
  readonly low: number;
}

export type SearchResult = "valid" | "invalid" | "open";

const NONE = -1;

/**
 * Which entries are tried first: what changes nothing, then what certainly happened, and only where none of that fits what may
 * never have happened.
 */
const Turn = { pure: 0, certain: 1, optional: 2 } as const;

export class Search {
  readonly entries: readonly Entry[];
  readonly #model: Model;
  readonly #cache = new StateCache();
  /** Nodes 0…n-1 are calls, n…2n-1 returns, 2n the head of the list. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #done: Uint8Array;
  readonly #stack: Int32Array;
  /** By lane: the last update that is ordered; and what that was before each step. */
  readonly #latest: Int32Array;
  readonly #latestBefore: Int32Array;
  readonly #turns: Uint8Array;
  readonly #choice: Choice;
  readonly #mostInRow: number;
  /** Optional entries since the last that was not; and how many these were before each step. */
  #inRow = 0;
  readonly #inRowBefore: Int32Array;
  #depth = 0;
  #left: number;
  #at = NONE;
  /** What is looked for now. */
  #turn: number = Turn.pure;
  #high = 0;
  #low = 0;
  /** The longest order found so far, and the entry whose return it could not pass. */
  best: Int32Array = new Int32Array(0);
  stuckAt = NONE;
  steps = 0;

  /** `mostInRow`: no more optional entries than that after each other. With less than all, "invalid" means nothing. */
  constructor(entries: readonly Entry[], model: Model, mostInRow: number = Number.POSITIVE_INFINITY) {
    const count = entries.length;
    this.#mostInRow = mostInRow;
    this.#inRowBefore = new Int32Array(count);
    this.entries = entries;
    this.#model = model;
    this.#next = new Int32Array(2 * count + 1).fill(NONE);
    this.#previous = new Int32Array(2 * count + 1).fill(NONE);
    this.#done = new Uint8Array(count);
    this.#stack = new Int32Array(count);
    this.#latest = new Int32Array(entries.reduce((most, { lane }) => Math.max(most, lane), -1) + 1).fill(NONE);
    this.#latestBefore = new Int32Array(count);
    this.#left = entries.filter(({ optional }) => !optional).length;
    this.#turns = Uint8Array.from(entries, ({ pure, optional }) => {
      if (optional) return Turn.optional;
      return pure ? Turn.pure : Turn.certain;
    });
    this.#link();
    this.#choice = new Choice(entries, this.#next, this.#done);
    this.#restart(Turn.pure);
  }

  /** How many states have been seen. */
  get size(): number {
    return this.#cache.size;
  }

  /** Goes on until there is a result, or until `budget` states in all have been seen. */
  run(budget: number): SearchResult {
    const count = this.entries.length;
    while (this.#left > 0) {
      const node = this.#at;
      this.steps++;
      if (node >= 0 && node < count) {
        const turn = this.#turn;
        const taken = this.#turns[node] === turn && this.#choice.has(node) && this.#take(node);
        // Once the entry that had to come next has its place, another one has to.
        if (taken && (turn !== Turn.pure || node === this.#choice.due)) {
          this.#restart(Turn.pure);
        } else {
          // What has been lifted still points to what followed it, which may be its own return.
          const next = this.#next[node]!;
          this.#at = taken && next === count + node ? this.#next[next]! : next;
        }
        if (this.#cache.size >= budget) return this.#left > 0 ? "open" : "valid";
      } else if (this.#turn !== Turn.optional) {
        this.#turn++;
        this.#at = this.#next[2 * count]!;
      } else {
        // A return whose operation has no place yet, or the end of the list: this way leads nowhere.
        this.#remember(node);
        if (!this.#goBack()) return "invalid";
      }
    }
    return "valid";
  }

  /** The order that was found, or the longest one. */
  order(): number[] {
    const length = this.#left === 0 ? this.#depth : this.best.length;
    const from = this.#left === 0 ? this.#stack : this.best;
    return Array.from(from.subarray(0, length));
  }

  #restart(turn: number): void {
    this.#turn = turn;
    this.#at = this.#next[2 * this.entries.length]!;
    this.#choice.make();
  }

  /** To the last choice there was. False: there is none left. */
  #goBack(): boolean {
    while (this.#depth > 0) {
      const index = this.#giveBack();
      const turn = this.#turns[index]!;
      if (turn === Turn.pure) continue;
      this.#turn = turn;
      this.#at = this.#next[index]!;
      this.#choice.make();
      return true;
    }
    return false;
  }

  #take(index: number): boolean {
    const entry = this.entries[index]!;
    if (!this.#isDone(entry.after) || !this.#isDone(entry.afterLost) || !this.#isDone(entry.prefix)) return false;
    // One that was lost on the way may be missing from the order, but comes no later than those after it.
    const { lane, optional } = entry;
    if (optional && this.#inRow >= this.#mostInRow) return false;
    if (lane >= 0 && this.#latest[lane]! > index) return false;
    if (optional && this.#standsBack(index)) return false;
    const model = this.#model;
    if (!model.apply(index)) return false;
    const high = this.#high ^ mix(index, 1);
    const low = this.#low ^ mix(index, 2);
    const inRow = optional ? this.#inRow + 1 : 0;
    const again = this.#mostInRow === Number.POSITIVE_INFINITY ? 0 : mix(inRow, 3);
    // The set of ordered operations and the state they lead to: whoever comes here again fares no better.
    if (!entry.pure && !this.#cache.add(high | 1, low ^ again, model.high, model.low)) {
      model.undo();
      return false;
    }
    this.#high = high;
    this.#low = low;
    this.#done[index] = 1;
    if (lane >= 0) {
      this.#latestBefore[this.#depth] = this.#latest[lane]!;
      this.#latest[lane] = index;
    }
    this.#inRowBefore[this.#depth] = this.#inRow;
    this.#inRow = inRow;
    this.#stack[this.#depth++] = index;
    if (!entry.optional) this.#left--;
    this.#lift(index);
    return true;
  }

  /** Is there another one, like it and not ordered yet, that is tried in its place? */
  #standsBack(index: number): boolean {
    for (let other = this.entries[index]!.pooled; other >= 0; other = this.entries[other]!.pooled) {
      if (this.#canTake(other)) return true;
    }
    return false;
  }

  /** -1 is. */
  #isDone(index: number): boolean {
    return index < 0 || this.#done[index] === 1;
  }

  #canTake(index: number): boolean {
    const { after, afterLost, prefix, lane } = this.entries[index]!;
    if (this.#done[index] === 1 || this.#latest[lane]! > index) return false;
    return this.#isDone(after) && this.#isDone(afterLost) && this.#isDone(prefix);
  }

  #giveBack(): number {
    const index = this.#stack[--this.#depth]!;
    const entry = this.entries[index]!;
    if (entry.lane >= 0) this.#latest[entry.lane] = this.#latestBefore[this.#depth]!;
    this.#inRow = this.#inRowBefore[this.#depth]!;
    this.#model.undo();
    this.#high ^= mix(index, 1);
    this.#low ^= mix(index, 2);
    this.#done[index] = 0;
    if (!entry.optional) this.#left++;
    this.#unlift(index);
    return index;
  }

  #remember(node: number): void {
    if (this.#depth < this.best.length || (this.#depth === this.best.length && this.stuckAt >= 0)) return;
    this.best = this.#stack.slice(0, this.#depth);
    this.stuckAt = node < 0 ? NONE : node - this.entries.length;
  }

  /** Events by time; at the same moment calls come first, which makes intervals wider and never raises a false alarm. */
  #link(): void {
    const { entries } = this;
    const count = entries.length;
    const nodes: number[] = [];
    for (const [index, { end }] of entries.entries()) {
      nodes.push(index);
      if (end !== Number.POSITIVE_INFINITY) nodes.push(count + index);
    }
    const time = (node: number): number => (node < count ? entries[node]!.call : entries[node - count]!.end);
    nodes.sort((a, b) => time(a) - time(b) || Number(a >= count) - Number(b >= count) || a - b);
    let last = 2 * count;
    for (const node of nodes) {
      this.#next[last] = node;
      this.#previous[node] = last;
      last = node;
    }
  }

  #lift(index: number): void {
    this.#unlink(index);
    if (this.entries[index]!.end !== Number.POSITIVE_INFINITY) this.#unlink(this.entries.length + index);
  }

  #unlift(index: number): void {
    if (this.entries[index]!.end !== Number.POSITIVE_INFINITY) this.#relink(this.entries.length + index);
    this.#relink(index);
  }

  #unlink(node: number): void {
    const [before, after] = [this.#previous[node]!, this.#next[node]!];
    this.#next[before] = after;
    if (after >= 0) this.#previous[after] = before;
  }

  #relink(node: number): void {
    const [before, after] = [this.#previous[node]!, this.#next[node]!];
    this.#next[before] = node;
    if (after >= 0) this.#previous[after] = node;
  }
}
