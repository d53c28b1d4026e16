/**
 * Which entries have to be tried next, of all that may come next. The one whose return comes first must be ordered before
 * anything that has not been called yet. Whoever has something to do with it may have to come before it; so may whoever has to
 * do with those, and so on. All others could as well come later: ordering them now leads nowhere that cannot be reached
 * otherwise (a persistent set, as in partial-order reduction). Znodes that a multi has bound together are so searched nearly as
 * if each were alone.
 */
import type { Entry } from "./wgl.ts";

const NONE = -1;

export class Choice {
  /** The entry that has to be ordered next, or after some of the others; -1: none has to. */
  due = NONE;
  readonly #entries: readonly Entry[];
  readonly #next: Int32Array;
  readonly #done: Uint8Array;
  /** Everything bears on everything: there is no choice. */
  readonly #all: boolean;
  /** Entries, keys and lanes that are in the choice made last have its number. */
  #number = 0;
  readonly #chosen: Float64Array;
  readonly #touched: Float64Array;
  readonly #lanes: Float64Array;
  readonly #lost: Float64Array;
  readonly #window: number[] = [];

  /** `next`: the list of calls and returns, as in the search; `done`: what is ordered. Both change under way. */
  constructor(entries: readonly Entry[], next: Int32Array, done: Uint8Array) {
    const most = (values: Iterable<number>): number => {
      let highest = NONE;
      for (const value of values) highest = Math.max(highest, value);
      return highest;
    };
    const keys = most(entries.map(({ touches }) => most(touches))) + 1;
    const lanes = most(entries.map(({ lane }) => lane)) + 1;
    this.#entries = entries;
    this.#next = next;
    this.#done = done;
    this.#all = keys <= 1;
    this.#chosen = new Float64Array(entries.length);
    this.#touched = new Float64Array(keys);
    this.#lanes = new Float64Array(lanes);
    this.#lost = new Float64Array(lanes);
  }

  has(index: number): boolean {
    return this.#all || this.#chosen[index] === this.#number;
  }

  /** For the state at hand. */
  make(): void {
    if (this.#all) return;
    const count = this.#entries.length;
    const window = this.#window;
    window.length = 0;
    let node = this.#next[2 * count]!;
    for (; node >= 0 && node < count; node = this.#next[node]!) window.push(node);
    this.due = node < 0 ? NONE : node - count;
    this.#number++;
    if (this.due === NONE) {
      for (const index of window) this.#chosen[index] = this.#number;
      return;
    }
    this.#choose(this.due);
    for (let grows = true; grows; ) {
      grows = false;
      for (const index of window) {
        if (this.#chosen[index] === this.#number || !this.#bears(index)) continue;
        this.#choose(index);
        grows = true;
      }
    }
  }

  /** With what comes before it whatever the clock says. */
  #choose(index: number): void {
    if (index < 0 || this.#done[index] === 1 || this.#chosen[index] === this.#number) return;
    const { touches, lane, optional, after, afterLost, prefix } = this.#entries[index]!;
    this.#chosen[index] = this.#number;
    for (const key of touches) this.#touched[key] = this.#number;
    if (lane >= 0) this.#lanes[lane] = this.#number;
    if (lane >= 0 && optional) this.#lost[lane] = this.#number;
    this.#choose(after);
    this.#choose(afterLost);
    this.#choose(prefix);
  }

  /** Would it make a difference whether it is ordered before or after one that is chosen? */
  #bears(index: number): boolean {
    const { touches, lane, optional } = this.#entries[index]!;
    for (const key of touches) if (this.#touched[key] === this.#number) return true;
    // One that was lost has no place any more after a later one of its client.
    return lane >= 0 && (this.#lost[lane] === this.#number || (optional && this.#lanes[lane] === this.#number));
  }
}
