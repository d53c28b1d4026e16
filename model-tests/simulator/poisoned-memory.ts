/**
 * Memory that spoils what nobody may read any more: whoever does so all the same gets what no txn and no packet is made of,
 * instead of the right bytes by luck. Production uses the same memory again, but only after a while.
 */
import type { Zxid } from "../../spec/vocabulary.ts";
import { EntryMemory } from "../../src/ensemble/entry-memory.ts";
import type { Slab } from "../../src/protocol/slab.ts";

/** No byte of any request that a test sends. */
export const SPOILT = 0xa5;

/** Every entry has memory of its own, spoilt as soon as it may be used again. */
export class PoisonedEntryMemory extends EntryMemory {
  #living: { readonly zxid: Zxid; readonly entry: Buffer }[] = [];

  override keep(zxid: Zxid, entry: Buffer): Buffer {
    const kept = Buffer.from(entry);
    this.#living.push({ zxid, entry: kept });
    return kept;
  }

  override forget(upTo: Zxid): void {
    for (const { zxid, entry } of this.#living) if (zxid <= upTo) entry.fill(SPOILT);
    this.#living = this.#living.filter(({ zxid }) => zxid > upTo);
  }

  /** Whoever holds an entry by now may go on doing so. */
  override abandon(): void {
    this.#living = [];
  }
}

interface Write {
  readonly bytes: Buffer;
  readonly slab: Slab | null;
}

/** What was written to one socket and not taken by the kernel yet: read when it is, not when it was written. */
export class LateWrites {
  readonly #taken: (bytes: Buffer) => void;
  #waiting: Write[] = [];

  constructor(taken: (bytes: Buffer) => void) {
    this.#taken = taken;
  }

  /** @returns whether it has to wait for `flush`. */
  write(bytes: Buffer, slab: Slab | null, late: boolean): boolean {
    this.#waiting.push({ bytes, slab });
    if (late || this.#waiting.length > 1) return true;
    this.flush();
    return false;
  }

  flush(): void {
    for (const { bytes, slab } of this.#waiting.splice(0)) {
      this.#taken(bytes);
      if (slab === null) continue;
      slab.memory.fill(SPOILT);
      slab.release();
    }
  }
}
