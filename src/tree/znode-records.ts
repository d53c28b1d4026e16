/**
 * The records of znodes: 32 words each (two cache lines) in pages of plain integers, numbered from 1 (the root). No
 * JavaScript object per node: a million znodes cost the garbage collector nothing.
 */
import type { Znode } from "./data-tree.ts";

/** Words of a record. The first 15 are the stat in the order in which the digest reads it. */
export const CZXID = 0;
export const MZXID = 2;
export const PZXID = 4;
export const CTIME = 6;
export const MTIME = 8;
export const VERSION = 10;
export const CVERSION = 11;
export const AVERSION = 12;
export const OWNER = 13;
export const STAT_WORDS = 15;
export const ACL = 15;
export const CHILD_COUNT = 16;
/** -1: null. */
export const DATA_LENGTH = 17;
export const NAME_LENGTH = 18;
export const CELL = 19;
/** Bytes of the whole path; 0 for the root. */
export const PATH_BYTES = 20;
/** CRC-32 of the whole path: the index's hash, and where the content's goes on. */
export const PATH_CRC = 21;
/** CRC-32 of path and data. */
export const CONTENT_CRC = 22;
/** CRC-32 of path, data and stat, as it was added to the tree's digest; 0 if the node does not count. */
export const DIGEST = 23;
export const PARENT = 24;
/** Here, because a read that follows a chain finds it in the line it is in already. */
export const NEXT_IN_BUCKET = 25;
export const NEXT_SIBLING = 26;
export const PREVIOUS_SIBLING = 27;
export const FIRST_CHILD = 28;
/** Links between the nodes of one session, between containers, between TTL nodes. */
export const NEXT_OWNED = 29;
export const PREVIOUS_OWNED = 30;
/** Bit 0: below /zookeeper, not in the digest. Above: how many snapshots had been started when the node was created. */
export const MARKS = 31;

const RECORD_BITS = 5;
const PAGE_BITS = 13;
const PAGE_RECORDS = 1 << PAGE_BITS;
const TWO_32 = 2 ** 32;

export const NO_NODE = 0 as Znode;
export const ROOT = 1 as Znode;

export class ZnodeRecords {
  #pages: Int32Array[] = [];
  /** Records in use or free, record 0 included, which stays unused. */
  #records = 1;
  #freeRecord = 0;

  /** The words of a node's record start at `at(node)` in `page(node)`. */
  page(node: Znode): Int32Array {
    return this.#pages[node >>> PAGE_BITS]!;
  }

  at(node: Znode): number {
    return (node & (PAGE_RECORDS - 1)) << RECORD_BITS;
  }

  word(node: Znode, field: number): number {
    return this.#pages[node >>> PAGE_BITS]![((node & (PAGE_RECORDS - 1)) << RECORD_BITS) + field]!;
  }

  setWord(node: Znode, field: number, value: number): void {
    this.#pages[node >>> PAGE_BITS]![((node & (PAGE_RECORDS - 1)) << RECORD_BITS) + field] = value;
  }

  /** Zxids and times: two words, read as one number. */
  long(node: Znode, field: number): number {
    const page = this.page(node);
    const at = this.at(node) + field;
    return page[at]! * TWO_32 + (page[at + 1]! >>> 0);
  }

  setLong(node: Znode, field: number, value: number): void {
    const page = this.page(node);
    const at = this.at(node) + field;
    const high = Math.floor(value / TWO_32);
    page[at] = high;
    page[at + 1] = value - high * TWO_32;
  }

  /** A record of zeros. */
  take(): Znode {
    const free = this.#freeRecord as Znode;
    if (free !== NO_NODE) {
      this.#freeRecord = this.word(free, NEXT_SIBLING);
      this.setWord(free, NEXT_SIBLING, 0);
      return free;
    }
    if (this.#records >>> PAGE_BITS === this.#pages.length) {
      this.#pages.push(new Int32Array(PAGE_RECORDS << RECORD_BITS));
    }
    return this.#records++ as Znode;
  }

  release(node: Znode): void {
    const at = this.at(node);
    this.page(node).fill(0, at, at + (1 << RECORD_BITS));
    this.setWord(node, NEXT_SIBLING, this.#freeRecord);
    this.#freeRecord = node;
  }

  /** Keeps the first page, wiped: whoever is emptied is mostly filled again at once. */
  releaseAll(): void {
    const first = this.#pages[0];
    first?.fill(0, 0, Math.min(this.#records, PAGE_RECORDS) << RECORD_BITS);
    this.#pages = first === undefined ? [] : [first];
    this.#records = 1;
    this.#freeRecord = 0;
  }
}
