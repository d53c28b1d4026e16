/**
 * The set of states seen, as 64-bit fingerprints in open addressing (linear probing) over typed arrays. A JavaScript
 * `Set` ends at 2^24 entries and costs some 50 bytes for each; this takes 8 bytes a slot, 12 with the states' numbers.
 */

const MAX_LOAD = 0.8;

export class VisitedSet {
  size = 0;
  #slots: Int32Array;
  #numbers: Uint32Array | null;
  #mask: number;
  #limit: number;

  /** `numbered`: keep each state's number too, for a run that records the graph. Capacities are powers of two. */
  constructor(numbered: boolean, capacity = 1 << 16) {
    this.#slots = new Int32Array(capacity * 2);
    this.#numbers = numbered ? new Uint32Array(capacity) : null;
    this.#mask = capacity - 1;
    this.#limit = Math.floor(capacity * MAX_LOAD);
  }

  get bytes(): number {
    return this.#slots.byteLength + (this.#numbers?.byteLength ?? 0);
  }

  /** -1 if the state is new (it is then in the set, with this number), else the number it has (0 if not numbered). */
  add(lo: number, hi: number, number: number): number {
    if (this.size >= this.#limit) this.#grow();
    // (0, 0) marks an empty slot; the one state with that fingerprint is filed under (1, 0).
    const low = lo === 0 && hi === 0 ? 1 : lo;
    const slots = this.#slots;
    let slot = low & this.#mask;
    for (;;) {
      const a = slots[slot * 2] as number;
      const b = slots[slot * 2 + 1] as number;
      if (a === low && b === hi) return this.#numbers === null ? 0 : (this.#numbers[slot] as number);
      if (a === 0 && b === 0) break;
      slot = (slot + 1) & this.#mask;
    }
    slots[slot * 2] = low;
    slots[slot * 2 + 1] = hi;
    if (this.#numbers !== null) this.#numbers[slot] = number;
    this.size += 1;
    return -1;
  }

  #grow(): void {
    const old = this.#slots;
    const oldNumbers = this.#numbers;
    const capacity = (this.#mask + 1) * 2;
    this.#slots = new Int32Array(capacity * 2);
    this.#numbers = oldNumbers === null ? null : new Uint32Array(capacity);
    this.#mask = capacity - 1;
    this.#limit = Math.floor(capacity * MAX_LOAD);
    for (let from = 0; from < old.length; from += 2) {
      const lo = old[from] as number;
      const hi = old[from + 1] as number;
      if (lo === 0 && hi === 0) continue;
      let slot = lo & this.#mask;
      while (this.#slots[slot * 2] !== 0 || this.#slots[slot * 2 + 1] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot * 2] = lo;
      this.#slots[slot * 2 + 1] = hi;
      if (this.#numbers !== null && oldNumbers !== null) this.#numbers[slot] = oldNumbers[from >> 1] as number;
    }
  }
}
