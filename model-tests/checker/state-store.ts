/** Where states wait to be expanded, and how each was first reached. Chunks, so that growth copies nothing. */

import { assert } from "../../src/runtime/assert.ts";
import type { Words } from "./model.ts";

const CHUNK_STATES = 1 << 12;

/** A queue of one breadth-first level: written once, read once by position, then cleared and its memory reused. */
export class LevelQueue {
  size = 0;
  readonly #width: number;
  readonly #chunks: Int32Array[] = [];

  constructor(width: number) {
    this.#width = width;
  }

  push(words: Words): void {
    const chunk = this.size >> 12;
    if (chunk === this.#chunks.length) this.#chunks.push(new Int32Array(CHUNK_STATES * this.#width));
    (this.#chunks[chunk] as Int32Array).set(words, (this.size & (CHUNK_STATES - 1)) * this.#width);
    this.size += 1;
  }

  read(position: number, into: Words): void {
    const chunk = this.#chunks[position >> 12] as Int32Array;
    const start = (position & (CHUNK_STATES - 1)) * this.#width;
    for (let i = 0; i < this.#width; i++) into[i] = chunk[start + i] as number;
  }

  /** Memory beyond `keep` states is given back, so that one wide level does not hold its memory for ever. */
  clear(keep: number): void {
    const chunks = Math.ceil(keep / CHUNK_STATES);
    if (this.#chunks.length > chunks) this.#chunks.length = chunks;
    this.size = 0;
  }
}

export const NO_PARENT = 0xffffffff;
const MAX_ORDINAL = 0xffff;
const CHUNK = 1 << 18;

/**
 * For each state: its parent's number, and the how-many-th successor of the parent it was. 6 bytes a state; a trace is
 * found again by walking up the parents and then running the model down along the ordinals.
 */
export class Ancestry {
  size = 0;
  readonly #parents: Uint32Array[] = [];
  readonly #ordinals: Uint16Array[] = [];

  get bytes(): number {
    return this.#parents.length * CHUNK * 6;
  }

  push(parent: number, ordinal: number): void {
    assert(ordinal <= MAX_ORDINAL, "A state has more successors than an ordinal can count.");
    const chunk = this.size >> 18;
    if (chunk === this.#parents.length) {
      this.#parents.push(new Uint32Array(CHUNK));
      this.#ordinals.push(new Uint16Array(CHUNK));
    }
    const offset = this.size & (CHUNK - 1);
    (this.#parents[chunk] as Uint32Array)[offset] = parent;
    (this.#ordinals[chunk] as Uint16Array)[offset] = ordinal;
    this.size += 1;
  }

  parent(state: number): number {
    return (this.#parents[state >> 18] as Uint32Array)[state & (CHUNK - 1)] as number;
  }

  ordinal(state: number): number {
    return (this.#ordinals[state >> 18] as Uint16Array)[state & (CHUNK - 1)] as number;
  }
}

/** A growing list of 32-bit numbers, for the edges of a recorded graph. */
export class NumberList {
  size = 0;
  readonly #chunks: Uint32Array[] = [];

  push(value: number): void {
    const chunk = this.size >> 18;
    if (chunk === this.#chunks.length) this.#chunks.push(new Uint32Array(CHUNK));
    (this.#chunks[chunk] as Uint32Array)[this.size & (CHUNK - 1)] = value;
    this.size += 1;
  }

  at(index: number): number {
    return (this.#chunks[index >> 18] as Uint32Array)[index & (CHUNK - 1)] as number;
  }
}
