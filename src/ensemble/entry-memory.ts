/**
 * Memory for log entries, from their proposal until the committed log forgets them. They come and go in the order of their zxids,
 * so a slab is used again as soon as its last entry is forgotten: fresh memory for each would keep the collector busy, which
 * answers memory outside its heap with full collections.
 */
import { NO_ZXID, type Zxid } from "../../spec/vocabulary.ts";

const SLAB_BYTES = 64 * 1024;
/** A longer entry has memory of its own: it would waste the rest of too many slabs. */
const MAX_ENTRY_BYTES = SLAB_BYTES / 8;
/** 4 MB. */
const SLABS_KEPT = 64;

interface FullSlab {
  readonly memory: Buffer;
  /** The highest zxid in it. */
  readonly last: Zxid;
}

export class EntryMemory {
  #memory: Buffer = Buffer.alloc(0);
  #used = 0;
  #last: Zxid = NO_ZXID;
  /** Oldest first, from `#oldest` on. */
  #full: FullSlab[] = [];
  #oldest = 0;
  readonly #free: Buffer[] = [];

  /** A copy of `entry`, valid until `forget` reaches its zxid. */
  keep(zxid: Zxid, entry: Buffer): Buffer {
    const size = entry.length;
    if (size > MAX_ENTRY_BYTES) return Buffer.from(entry);
    if (this.#memory.length - this.#used < size) this.#next();
    const at = this.#used;
    this.#memory.set(entry, at);
    this.#used = at + size;
    if (zxid > this.#last) this.#last = zxid;
    return this.#memory.subarray(at, at + size);
  }

  /** Nobody reads the entries up to this one any more. */
  forget(upTo: Zxid): void {
    for (
      let full = this.#full[this.#oldest];
      full !== undefined && full.last <= upTo;
      full = this.#full[this.#oldest]
    ) {
      this.#oldest++;
      if (this.#free.length < SLABS_KEPT) this.#free.push(full.memory);
    }
    if (this.#oldest > 64 && this.#oldest * 2 > this.#full.length) {
      this.#full = this.#full.slice(this.#oldest);
      this.#oldest = 0;
    }
  }

  /** The history was replaced. Whoever still holds an entry may do so: its memory is not used again. */
  abandon(): void {
    this.#full = [];
    this.#oldest = 0;
    this.#memory = Buffer.alloc(0);
    this.#used = 0;
    this.#last = NO_ZXID;
  }

  #next(): void {
    if (this.#memory.length > 0) this.#full.push({ memory: this.#memory, last: this.#last });
    this.#memory = this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#used = 0;
  }
}
