/**
 * States on their way between two shards. Each side numbers pooled values by itself, so a batch carries the values that
 * the sender has not sent before, and the receiver keeps a translation of the sender's ids.
 */

import type { InternPool } from "./intern-pool.ts";
import type { Model, Words } from "./model.ts";

/** Words 0 .. width - 1 of each state, then its fingerprint (2), parent and ordinal. */
const EXTRA = 4;
const BATCH_STATES = 2048;
const RECENT = 1 << 15;

export interface Batch {
  /** By pool, in the order of the first words that use them: values with ids from `from` on. */
  readonly definitions: readonly { readonly from: number; readonly values: readonly unknown[] }[];
  readonly states: Int32Array<ArrayBuffer>;
}

/** Gathers what goes to one peer. */
export class BatchWriter {
  readonly #pools: readonly InternPool<unknown>[];
  readonly #sent: number[];
  readonly #stride: number;
  readonly #post: (batch: Batch) => void;
  #states: Int32Array<ArrayBuffer>;
  #count = 0;
  // Successors repeat themselves soon: what was sent lately need not be sent again.
  readonly #recent = new Int32Array(RECENT * 2);

  constructor(model: Model<unknown>, post: (batch: Batch) => void) {
    this.#pools = poolsOf(model);
    this.#sent = this.#pools.map(() => 0);
    this.#stride = model.width + EXTRA;
    this.#states = new Int32Array(BATCH_STATES * this.#stride);
    this.#post = post;
  }

  add(words: Words, lo: number, hi: number, parent: number, ordinal: number): void {
    const slot = (lo & (RECENT - 1)) * 2;
    if (this.#recent[slot] === lo && this.#recent[slot + 1] === hi) return;
    this.#recent[slot] = lo;
    this.#recent[slot + 1] = hi;
    const start = this.#count * this.#stride;
    this.#states.set(words, start);
    const extra = start + words.length;
    this.#states[extra] = lo;
    this.#states[extra + 1] = hi;
    this.#states[extra + 2] = parent;
    this.#states[extra + 3] = ordinal;
    this.#count += 1;
    if (this.#count === BATCH_STATES) this.flush();
  }

  flush(): void {
    if (this.#count === 0) return;
    const definitions = this.#pools.map((pool, i) => {
      const from = this.#sent[i] as number;
      const values: unknown[] = [];
      for (let id = from; id < pool.size; id++) values.push(pool.get(id));
      this.#sent[i] = pool.size;
      return { from, values };
    });
    const states = this.#states.slice(0, this.#count * this.#stride);
    this.#count = 0;
    this.#post({ definitions, states });
  }
}

export type Admit = (words: Words, lo: number, hi: number, parent: number, ordinal: number) => void;

/** Takes what comes from one peer. */
export class BatchReader {
  readonly #pools: readonly InternPool<unknown>[];
  readonly #translations: readonly number[][];
  /** For each word the translation it needs, or -1. */
  readonly #poolOfWord: readonly number[];
  readonly #words: Words;

  constructor(model: Model<unknown>) {
    this.#pools = poolsOf(model);
    this.#translations = this.#pools.map(() => []);
    this.#poolOfWord = model.pools.map((pool) => (pool === null ? -1 : this.#pools.indexOf(pool)));
    this.#words = new Int32Array(model.width);
  }

  read({ definitions, states }: Batch, admit: Admit): void {
    definitions.forEach(({ from, values }, i) => {
      const pool = this.#pools[i] as InternPool<unknown>;
      const translation = this.#translations[i] as number[];
      values.forEach((value, offset) => {
        translation[from + offset] = pool.intern(value);
      });
    });
    const words = this.#words;
    const stride = words.length + EXTRA;
    for (let start = 0; start < states.length; start += stride) {
      for (let i = 0; i < words.length; i++) {
        const word = states[start + i] as number;
        const pool = this.#poolOfWord[i] as number;
        words[i] = pool === -1 ? word : ((this.#translations[pool] as number[])[word] as number);
      }
      const extra = start + words.length;
      const parent = (states[extra + 2] as number) >>> 0;
      admit(words, states[extra] as number, states[extra + 1] as number, parent, states[extra + 3] as number);
    }
  }
}

function poolsOf(model: Model<unknown>): InternPool<unknown>[] {
  return [...new Set(model.pools)].filter((pool) => pool !== null);
}
