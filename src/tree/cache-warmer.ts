/**
 * Fetches what several reads are about to need from a tree that is larger than the caches. A read by itself waits for memory
 * four times, one after the other: index, record, the chain's next record, cell. For a group of reads each of these steps is
 * done for all of them before the next, and the processor waits for a dozen at a time.
 *
 * Nothing here has an effect other than on the time that the reads take: a path that is not found, or no longer there when
 * its turn comes, costs nothing but the look.
 */
import { crc32 } from "./crc32.ts";
import type { Znode } from "./data-tree.ts";
import { CELL, DATA_LENGTH, NAME_LENGTH, NEXT_IN_BUCKET, NO_NODE, PATH_CRC } from "./znode-records.ts";
import type { ZnodeStore } from "./znode-store.ts";

/** What they fetch together, 20 to 60 KB, stays in a core's own cache until they are answered. */
export const GROUP = 96;
/** Smaller trees are in the caches as they are. Records and cells take 250 bytes per node. */
const LARGE_TREE_NODES = 4096;
/** A chain is rarely longer; what is behind is left to the read itself. */
const CHAIN_STEPS = 2;
const LINE_BYTES = 64;
/** What is longer, the processor itself has understood by then. */
const TOUCHED_BYTES = 256;

export class CacheWarmer {
  readonly #store: ZnodeStore;
  readonly #crcs = new Int32Array(GROUP);
  readonly #nodes = new Int32Array(GROUP);
  #count = 0;
  /** Takes what was read, so that no compiler finds the reading useless. */
  #sink = 0;

  constructor(store: ZnodeStore) {
    this.#store = store;
  }

  /** Whether warming is worth its own cost. */
  get worthwhile(): boolean {
    return this.#store.count >= LARGE_TREE_NODES;
  }

  /** The path `bytes[start, end)` is going to be looked up. At most GROUP of them between two calls of `warm`. */
  expect(bytes: Uint8Array, start: number, end: number): void {
    if (this.#count < GROUP) this.#crcs[this.#count++] = crc32(bytes, start, end, 0);
  }

  /** Fetches for everything that is expected, and forgets it. */
  warm(): void {
    this.#touchIndex();
    this.#touchRecords();
    for (let step = 0; step < CHAIN_STEPS; step++) this.#followChains();
    this.#touchCells();
    this.#count = 0;
  }

  #touchIndex(): void {
    for (let i = 0; i < this.#count; i++) this.#nodes[i] = this.#store.firstWith(this.#crcs[i]!);
  }

  /** No branch depends on what is read: one that was mispredicted would end the overlap. */
  #touchRecords(): void {
    let sink = this.#sink;
    for (let i = 0; i < this.#count; i++) {
      const node = this.#nodes[i]! as Znode;
      const page = this.#store.page(node);
      const at = this.#store.at(node);
      sink ^= page[at]! ^ page[at + PATH_CRC]!;
    }
    this.#sink = sink;
  }

  #followChains(): void {
    let sink = this.#sink;
    for (let i = 0; i < this.#count; i++) {
      const node = this.#nodes[i]! as Znode;
      if (node === NO_NODE) continue;
      const page = this.#store.page(node);
      const at = this.#store.at(node);
      if (page[at + PATH_CRC] === this.#crcs[i]) continue;
      const next = page[at + NEXT_IN_BUCKET]! as Znode;
      this.#nodes[i] = next;
      sink ^= this.#store.word(next, PATH_CRC) ^ this.#store.word(next, 0);
    }
    this.#sink = sink;
  }

  #touchCells(): void {
    const { arena } = this.#store;
    let sink = this.#sink;
    for (let i = 0; i < this.#count; i++) {
      const node = this.#nodes[i]! as Znode;
      if (node === NO_NODE) continue;
      const page = this.#store.page(node);
      const at = this.#store.at(node);
      const ref = page[at + CELL]!;
      const slab = arena.slab(ref);
      const from = arena.offset(ref);
      const length = page[at + NAME_LENGTH]! + page[at + DATA_LENGTH]!;
      const end = from + Math.min(length, TOUCHED_BYTES);
      for (let byte = from; byte < end; byte += LINE_BYTES) sink ^= slab[byte]!;
      if (end > from) sink ^= slab[end - 1]!;
    }
    this.#sink = sink;
  }
}
