/**
 * The last committed txns of this server, as they were logged: what a leader brings slightly stale learners up to date with
 * (ZKDatabase.committedLog). Every txn that reaches the tree passes through here, in sync phases too: a hole would become a
 * hole in the log of whoever is synchronized from it (ZOOKEEPER-4925).
 */
import type { Zxid } from "../../spec/vocabulary.ts";
import { assert } from "../runtime/assert.ts";
import { EntryMemory } from "./entry-memory.ts";

export interface CommittedTxn {
  readonly zxid: Zxid;
  /** Header, record and digest, as in the log and in PROPOSAL. */
  readonly entry: Buffer;
}

/** ZKDatabase.DEFAULT_COMMIT_LOG_COUNT. */
export const COMMIT_LOG_COUNT = 500;

export class CommittedLog {
  /** Where the entries of this server live until they are forgotten here. */
  readonly memory = new EntryMemory();
  readonly #limit: number;
  #txns: CommittedTxn[] = [];
  /** Txns before this index have been forgotten; the array is compacted now and then instead of shifted each time. */
  #start = 0;

  constructor(limit = COMMIT_LOG_COUNT) {
    this.#limit = limit;
  }

  add(zxid: Zxid, entry: Buffer): void {
    const last = this.#txns[this.#txns.length - 1];
    assert(last === undefined || zxid > last.zxid, "The committed log only grows.");
    this.#txns.push({ zxid, entry });
    if (this.#txns.length - this.#start > this.#limit) {
      this.memory.forget((this.#txns[this.#start] as CommittedTxn).zxid);
      this.#start++;
    }
    if (this.#start > this.#limit) {
      this.#txns = this.#txns.slice(this.#start);
      this.#start = 0;
    }
  }

  /** The tree was replaced: what came before is not known to lead up to it. */
  clear(): void {
    this.memory.abandon();
    this.#txns = [];
    this.#start = 0;
  }

  zxids(): Zxid[] {
    const zxids: Zxid[] = [];
    for (let i = this.#start; i < this.#txns.length; i++) zxids.push((this.#txns[i] as CommittedTxn).zxid);
    return zxids;
  }

  /** Oldest txn that is remembered. */
  get first(): Zxid | undefined {
    return this.#txns[this.#start]?.zxid;
  }

  /** Txns after `zxid`, oldest first. */
  *after(zxid: Zxid): Iterable<CommittedTxn> {
    for (let i = this.#start; i < this.#txns.length; i++) {
      const txn = this.#txns[i] as CommittedTxn;
      if (txn.zxid > zxid) yield txn;
    }
  }
}
