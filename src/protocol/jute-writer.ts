import { assert } from "../runtime/assert.ts";

const TWO_32 = 2 ** 32;
const NOTHING = Buffer.alloc(0);
const scratch = new DataView(new ArrayBuffer(8));

/**
 * Writes Jute (org.apache.jute.BinaryOutputArchive) into a growing buffer. Offsets count from the start of the current
 * message, that is from the last `take` or `reset`.
 *
 * `take` hands bytes over without copying and goes on in the rest of the same slab, so a stream of small messages costs
 * one allocation per slab.
 */
export class JuteWriter {
  readonly #slabSize: number;
  #slab: Buffer;
  #start = 0;
  #at = 0;

  /** `slabSize`: bytes of the first allocation, and of each new slab once one is full. */
  constructor(slabSize = 1024) {
    this.#slabSize = slabSize;
    this.#slab = Buffer.allocUnsafe(slabSize);
  }

  /** Bytes written since the last `take` or `reset`. */
  get offset(): number {
    return this.#at - this.#start;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#slab[this.#at++] = value;
  }

  bool(value: boolean): void {
    this.#reserve(1);
    this.#slab[this.#at++] = value ? 1 : 0;
  }

  int(value: number): void {
    this.#reserve(4);
    this.#putInt(this.#at, value);
    this.#at += 4;
  }

  /** A safe integer as 64 bits. */
  long(value: number): void {
    assert(Number.isSafeInteger(value), "A long on the wire is a safe integer.");
    const high = Math.floor(value / TWO_32);
    this.#reserve(8);
    this.#putInt(this.#at, high);
    this.#putInt(this.#at + 4, value - high * TWO_32);
    this.#at += 8;
  }

  /** All 64 bits; signed and unsigned forms give the same bytes. */
  int64(value: bigint): void {
    scratch.setBigInt64(0, value);
    this.#reserve(8);
    this.#putInt(this.#at, scratch.getInt32(0));
    this.#putInt(this.#at + 4, scratch.getInt32(4));
    this.#at += 8;
  }

  /** Length and bytes; null is length -1. The bytes are copied. */
  buffer(value: Buffer | null): void {
    if (value === null) return this.int(-1);
    this.int(value.length);
    this.raw(value);
  }

  /** Length and UTF-8 bytes; null is length -1. */
  ustring(value: string | null): void {
    if (value === null) return this.int(-1);
    // Three bytes per UTF-16 unit is the most that UTF-8 can need.
    this.#reserve(4 + value.length * 3);
    const length = this.#slab.write(value, this.#at + 4, "utf8");
    this.#putInt(this.#at, length);
    this.#at += 4 + length;
  }

  /** Element count; -1 for the null vector. */
  vectorCount(count: number): void {
    this.int(count);
  }

  /** Bytes without a length. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#slab.set(value, this.#at);
    this.#at += value.length;
  }

  /** Bytes `from` to `to` (exclusive) of a buffer, without a length and without a view being made. */
  rawRange(bytes: Buffer, from: number, to: number): void {
    this.#reserve(to - from);
    bytes.copy(this.#slab, this.#at, from, to);
    this.#at += to - from;
  }

  /** Overwrites four bytes that were written before: lengths that are known only afterwards. */
  patchInt(at: number, value: number): void {
    assert(at >= 0 && at + 4 <= this.offset, "Only bytes that were written can be patched.");
    this.#putInt(this.#start + at, value);
  }

  /** Forgets everything from `offset` on: a reply that turned out differently. */
  truncate(offset: number): void {
    assert(offset >= 0 && offset <= this.offset, "Only bytes that were written can be taken back.");
    this.#at = this.#start + offset;
  }

  /** A view of what was written, valid until the next call. */
  bytes(): Buffer {
    return this.#slab.subarray(this.#start, this.#at);
  }

  /** Hands over what was written, for good, and starts anew. */
  take(): Buffer {
    const taken = this.bytes();
    this.#start = this.#at;
    // A slab that grew for one large message is not kept for the small ones that follow.
    if (this.#slab.length > this.#slabSize) this.#renew();
    return taken;
  }

  /** Forgets what was written, keeps the memory. */
  reset(): void {
    this.#at = this.#start;
  }

  #renew(): void {
    this.#slab = NOTHING;
    this.#start = 0;
    this.#at = 0;
  }

  #reserve(size: number): void {
    if (this.#slab.length - this.#at < size) this.#grow(size);
  }

  #grow(size: number): void {
    const used = this.#at - this.#start;
    let capacity = this.#slabSize;
    while (capacity < used + size) capacity *= 2;
    const slab = Buffer.allocUnsafe(capacity);
    this.#slab.copy(slab, 0, this.#start, this.#at);
    this.#slab = slab;
    this.#start = 0;
    this.#at = used;
  }

  #putInt(at: number, value: number): void {
    const slab = this.#slab;
    slab[at] = value >>> 24;
    slab[at + 1] = value >>> 16;
    slab[at + 2] = value >>> 8;
    slab[at + 3] = value;
  }
}
