/**
 * The set of places a search has been to, as 128-bit hashes in typed arrays: a Set of strings would end at 2^24 entries, and
 * long before that at the memory.
 */
const WIDTH = 4;
const FIRST_SLOTS = 256;

export class StateCache {
  #slots = FIRST_SLOTS;
  #words = new Uint32Array(FIRST_SLOTS * WIDTH);
  size = 0;

  /** False: it was there already. The four words together are the hash; all zeros stand for an empty slot. */
  add(a: number, b: number, c: number, d: number): boolean {
    if (this.size * 2 >= this.#slots) this.#grow();
    if (!insert(this.#words, this.#slots, a, b, c, d)) return false;
    this.size++;
    return true;
  }

  #grow(): void {
    const slots = this.#slots * 4;
    const words = new Uint32Array(slots * WIDTH);
    const old = this.#words;
    for (let at = 0; at < old.length; at += WIDTH) {
      const [a, b, c, d] = [old[at]!, old[at + 1]!, old[at + 2]!, old[at + 3]!];
      if ((a | b | c | d) !== 0) insert(words, slots, a, b, c, d);
    }
    this.#slots = slots;
    this.#words = words;
  }
}

function insert(words: Uint32Array, slots: number, a: number, b: number, c: number, d: number): boolean {
  const mask = slots - 1;
  for (let slot = (a ^ c) & mask; ; slot = (slot + 1) & mask) {
    const at = slot * WIDTH;
    const [w, x, y, z] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!];
    if ((w | x | y | z) === 0) {
      words[at] = a;
      words[at + 1] = b;
      words[at + 2] = c;
      words[at + 3] = d;
      return true;
    }
    if (w === a >>> 0 && x === b >>> 0 && y === c >>> 0 && z === d >>> 0) return false;
  }
}

/** Scrambles two numbers into 32 bits (MurmurHash3's finalizer). */
export function mix(a: number, b: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
