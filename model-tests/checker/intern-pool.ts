/**
 * Values that occur in many states, numbered. A state holds the number; the value is kept once. Ids are private to a
 * process, so each value also has a 64-bit hash of its content: fingerprints built from it are equal in every process.
 */

import { assert } from "../../src/runtime/assert.ts";
import { hashText } from "./fingerprint.ts";

export class InternPool<T> {
  readonly name: string;
  /** Content hashes by id, in two halves. The arrays are replaced when the pool grows: read them anew after `intern`. */
  lo = new Int32Array(64);
  hi = new Int32Array(64);
  readonly #key: (value: T) => string;
  readonly #ids = new Map<string, number>();
  /** The values of the pool themselves: their keys need not be made again. */
  readonly #own = new WeakMap<object, number>();
  readonly #values: T[] = [];

  /** `key` must be equal for equal values only: sort what is a set. */
  constructor(name: string, key: (value: T) => string) {
    this.name = name;
    this.#key = key;
  }

  get size(): number {
    return this.#values.length;
  }

  /** The id of the value; ids count up from 0 in the order of first sight. The value must not change any more. */
  intern(value: T): number {
    const own = this.#own.get(value as object);
    if (own !== undefined) return own;
    const key = this.#key(value);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#values.length;
    this.#ids.set(key, id);
    this.#values.push(value);
    if (typeof value === "object" && value !== null) this.#own.set(value, id);
    if (id === this.lo.length) {
      this.lo = grown(this.lo);
      this.hi = grown(this.hi);
    }
    hashText(key, this.lo, this.hi, id);
    return id;
  }

  get(id: number): T {
    assert(id >= 0 && id < this.#values.length, `Pool ${this.name} holds no value ${id}.`);
    return this.#values[id] as T;
  }
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
