import { assert } from "../runtime/assert.ts";
import type { Slab, SlabPool } from "./slab.ts";

const TWO_32 = 2 ** 32;
const NOTHING = Buffer.alloc(0);
const NO_VIEW = viewOf(NOTHING);
/** Up to here a loop in JavaScript beats the call into Node's encoder. */
const SHORT_TEXT = 16;

/**
 * Writes Jute (org.apache.jute.BinaryOutputArchive) into a growing buffer. Offsets count from the start of the current
 * message, that is from the last `take` or `reset`.
 *
 * `take` hands bytes over without copying and goes on in the rest of the same slab, so a stream of small messages costs
 * one allocation per slab. With a pool each `take` hands over a slab of its own, which its reader releases.
 */
export class JuteWriter {
  readonly #slabSize: number;
  #slab: Buffer = NOTHING;
  /** The same memory: a DataView stores a number in one instruction, where bytes take four. */
  #view: DataView = NO_VIEW;
  #start = 0;
  #at = 0;
  readonly #pool: SlabPool | null;
  /** From the pool, and the memory written to. */
  #lent: Slab | null = null;
  #taken: Slab | null = null;

  /** `memory`: bytes of each allocation unless a message needs more, or a pool. Nothing is allocated before the first write. */
  constructor(memory: number | SlabPool = 1024) {
    this.#pool = typeof memory === "number" ? null : memory;
    this.#slabSize = typeof memory === "number" ? memory : memory.slabBytes;
  }

  /** With a pool: whose memory the last `take` handed over; null when it was too much for one slab. To be released. */
  get takenSlab(): Slab | null {
    return this.#taken;
  }

  /** Of each allocation, unless a message needs more. */
  get slabBytes(): number {
    return this.#slabSize;
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

  /** 32 bits, signed or unsigned. */
  int(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  /** A safe integer as 64 bits. */
  long(value: number): void {
    assert(Number.isSafeInteger(value), "A long on the wire is a safe integer.");
    const high = Math.floor(value / TWO_32);
    this.#reserve(8);
    this.#view.setInt32(this.#at, high);
    this.#view.setUint32(this.#at + 4, value - high * TWO_32);
    this.#at += 8;
  }

  /** All 64 bits; signed and unsigned forms give the same bytes. */
  int64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#at, value);
    this.#at += 8;
  }

  /** Length and bytes; null is length -1. The bytes are copied. */
  buffer(value: Buffer | null): void {
    if (value === null) {
      this.int(-1);
    } else {
      this.int(value.length);
      this.raw(value);
    }
  }

  /** Length and UTF-8 bytes; null is length -1. */
  ustring(value: string | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    // Three bytes per UTF-16 unit is the most that UTF-8 can need.
    this.#reserve(4 + value.length * 3);
    const at = this.#at + 4;
    const length = isShortAscii(value) ? this.#putAscii(at, value) : this.#slab.write(value, at, "utf8");
    this.#view.setInt32(this.#at, length);
    this.#at = at + length;
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
    this.#view.setInt32(this.#start + at, value);
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
    if (this.#pool !== null) {
      this.#taken = this.#lent;
      this.#lent = null;
      this.#install(NOTHING, NO_VIEW, 0);
      return taken;
    }
    this.#start = this.#at;
    // A slab that grew for one large message is not kept for the small ones that follow.
    if (this.#slab.length > this.#slabSize) this.#install(NOTHING, NO_VIEW, 0);
    return taken;
  }

  /** Forgets what was written, keeps the memory. */
  reset(): void {
    this.#at = this.#start;
  }

  #reserve(size: number): void {
    if (this.#slab.length - this.#at < size) this.#grow(size);
  }

  #grow(size: number): void {
    const used = this.#at - this.#start;
    if (this.#pool !== null && used === 0 && size <= this.#slabSize && this.#lent === null) {
      this.#lent = this.#pool.take();
      return this.#install(this.#lent.memory, this.#lent.view, 0);
    }
    let capacity = this.#slabSize;
    while (capacity < used + size) capacity *= 2;
    const slab = Buffer.allocUnsafe(capacity);
    this.#slab.copy(slab, 0, this.#start, this.#at);
    this.#lent?.release();
    this.#lent = null;
    this.#install(slab, viewOf(slab), used);
  }

  #install(slab: Buffer, view: DataView, used: number): void {
    this.#slab = slab;
    this.#view = view;
    this.#start = 0;
    this.#at = used;
  }

  #putAscii(at: number, value: string): number {
    const slab = this.#slab;
    for (let i = 0; i < value.length; i++) slab[at + i] = value.charCodeAt(i);
    return value.length;
  }
}

function viewOf(slab: Buffer): DataView {
  return new DataView(slab.buffer, slab.byteOffset, slab.length);
}

function isShortAscii(value: string): boolean {
  if (value.length > SHORT_TEXT) return false;
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) >= 0x80) return false;
  return true;
}
