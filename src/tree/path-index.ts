/**
 * From the CRC-32 of a path to the nodes that have it, as chains through the nodes' records. Linear hashing: at most two
 * buckets are split per insertion, so growing never stalls.
 */
import type { Znode } from "./data-tree.ts";
import { NEXT_IN_BUCKET, NO_NODE, PATH_CRC, type ZnodeRecords } from "./znode-records.ts";

const FIRST_BUCKETS = 64;

export class PathIndex {
  readonly #records: ZnodeRecords;
  #heads = new Int32Array(FIRST_BUCKETS);
  /** Buckets in use; `#mask` is the power of two above, minus one. */
  #buckets = FIRST_BUCKETS;
  #mask = FIRST_BUCKETS - 1;
  #count = 0;

  constructor(records: ZnodeRecords) {
    this.#records = records;
  }

  /** Start of the chain in which a node with this CRC is, among others. */
  first(crc: number): Znode {
    return this.#heads[this.#bucketOf(crc)]! as Znode;
  }

  /** The node's PATH_CRC is set. */
  add(node: Znode): void {
    this.#count++;
    // Two buckets per node: a chain is rarely longer than one, and each link would cost a cache miss.
    for (let i = 0; i < 2 && this.#buckets < this.#count * 2; i++) this.#splitBucket();
    const bucket = this.#bucketOf(this.#records.word(node, PATH_CRC));
    this.#records.setWord(node, NEXT_IN_BUCKET, this.#heads[bucket]!);
    this.#heads[bucket] = node;
  }

  remove(node: Znode): void {
    const records = this.#records;
    const bucket = this.#bucketOf(records.word(node, PATH_CRC));
    const next = records.word(node, NEXT_IN_BUCKET);
    this.#count--;
    let here = this.#heads[bucket]! as Znode;
    if (here === node) {
      this.#heads[bucket] = next;
      return;
    }
    while (records.word(here, NEXT_IN_BUCKET) !== node) here = records.word(here, NEXT_IN_BUCKET) as Znode;
    records.setWord(here, NEXT_IN_BUCKET, next);
  }

  reset(): void {
    this.#heads = new Int32Array(FIRST_BUCKETS);
    this.#buckets = FIRST_BUCKETS;
    this.#mask = FIRST_BUCKETS - 1;
    this.#count = 0;
  }

  /** Makes the buckets for this many nodes at once, if they are more than there are. */
  reserve(nodes: number): void {
    let buckets = this.#heads.length;
    while (buckets < nodes * 2) buckets *= 2;
    if (buckets === this.#heads.length) return;
    const old = this.#heads;
    const used = this.#buckets;
    this.#heads = new Int32Array(buckets);
    this.#buckets = buckets;
    this.#mask = buckets - 1;
    for (let bucket = 0; bucket < used; bucket++) this.#scatter(old[bucket]! as Znode);
  }

  #bucketOf(crc: number): number {
    const bucket = crc & this.#mask;
    return bucket < this.#buckets ? bucket : bucket & (this.#mask >>> 1);
  }

  /** One more bucket: the nodes of the one that its numbers came from are divided between the two. */
  #splitBucket(): void {
    const added = this.#buckets;
    if (added === this.#heads.length) {
      const heads = new Int32Array(added * 2);
      heads.set(this.#heads);
      this.#heads = heads;
    }
    if (added > this.#mask) this.#mask = this.#mask * 2 + 1;
    const old = added & (this.#mask >>> 1);
    const node = this.#heads[old]! as Znode;
    this.#heads[old] = NO_NODE;
    this.#buckets = added + 1;
    this.#scatter(node);
  }

  /** Puts the nodes of a chain where they belong now. */
  #scatter(chain: Znode): void {
    const records = this.#records;
    for (let node = chain; node !== NO_NODE; ) {
      const next = records.word(node, NEXT_IN_BUCKET) as Znode;
      const bucket = this.#bucketOf(records.word(node, PATH_CRC));
      records.setWord(node, NEXT_IN_BUCKET, this.#heads[bucket]!);
      this.#heads[bucket] = node;
      node = next;
    }
  }
}
