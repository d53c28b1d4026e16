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

/** The kernel has taken the bytes. */
export function releasePoisoned(slab: Slab | null | undefined): void {
  if (slab == null) return;
  slab.memory.fill(SPOILT);
  slab.release();
}
