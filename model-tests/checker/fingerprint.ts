/**
 * 64-bit fingerprints of states, as two 32-bit halves (JavaScript has no fast 64-bit integer). The visited set keeps only
 * these, so two different states with one fingerprint would be taken for one: with n states the chance is about n² / 2⁶⁵,
 * for 100 million states 1 in 3,700. The report names it.
 */

import type { InternPool } from "./intern-pool.ts";
import type { Symmetry, Words } from "./model.ts";

/** Murmur3's step and finish, with other constants for the second half so that the halves are independent. */
function mixLo(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function mixHi(hash: number, word: number): number {
  let k = Math.imul(word, 0x239b961b);
  k = (k << 16) | (k >>> 16);
  const h = hash ^ Math.imul(k, 0xab0e9789);
  return (Math.imul((h << 17) | (h >>> 15), 9) + 0x561ccd1b) | 0;
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Puts the hash of a text into `lo[at]` and `hi[at]`. */
export function hashText(text: string, lo: Int32Array, hi: Int32Array, at: number): void {
  let a = text.length;
  let b = ~text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = mixLo(a, unit);
    b = mixHi(b, unit);
  }
  lo[at] = finish(a);
  hi[at] = finish(b);
}

/** 64 bits of a text as a short text, for keys of values with long parts. */
export function hashOf(text: string): string {
  hashText(text, HASH_LO, HASH_HI, 0);
  return `${HASH_LO[0]}.${HASH_HI[0]}`;
}

const HASH_LO = new Int32Array(1);
const HASH_HI = new Int32Array(1);

/** Fingerprints tuples of one model. `lo` and `hi` hold the last result: two numbers cannot be returned for free. */
export class Fingerprinter {
  lo = 0;
  hi = 0;
  readonly #pools: readonly (InternPool<unknown> | null)[];
  readonly #symmetry: Symmetry | null;
  readonly #permuted: Words;
  readonly #all: readonly number[];

  constructor(pools: readonly (InternPool<unknown> | null)[], symmetry: Symmetry | null) {
    this.#pools = pools;
    this.#symmetry = symmetry;
    this.#permuted = new Int32Array(pools.length);
    this.#all = Array.from({ length: symmetry?.size ?? 1 }, (_, permutation) => permutation);
  }

  /**
   * With symmetry, the least fingerprint over all renamings stands for the whole class. The state that is kept and
   * expanded stays the one that was met, so traces show real runs.
   */
  of(words: Words): void {
    const symmetry = this.#symmetry;
    if (symmetry === null) return this.#hash(words);
    const candidates = symmetry.candidates?.(words) ?? this.#all;
    let lo = 0;
    let hi = 0;
    for (let i = 0; i < candidates.length; i++) {
      const permutation = candidates[i] as number;
      if (permutation !== 0) symmetry.permute(words, permutation, this.#permuted);
      this.#hash(permutation === 0 ? words : this.#permuted);
      if (i === 0 || this.hi < hi || (this.hi === hi && this.lo < lo)) {
        lo = this.lo;
        hi = this.hi;
      }
    }
    this.lo = lo;
    this.hi = hi;
  }

  #hash(words: Words): void {
    const pools = this.#pools;
    let a = 0x2545f491;
    let b = 0x27220a95;
    for (let i = 0; i < pools.length; i++) {
      const word = words[i] as number;
      const pool = pools[i] as InternPool<unknown> | null;
      a = mixLo(a, pool === null ? word : (pool.lo[word] as number));
      b = mixHi(b, pool === null ? word : (pool.hi[word] as number));
    }
    this.lo = finish(a);
    this.hi = finish(b);
  }
}
