/**
 * Reads Jute, ZooKeeper's serialisation: big endian, no tags, no padding (org.apache.jute.BinaryInputArchive).
 * Whatever the bytes are, the only thing thrown is a JuteError.
 */

import { assert } from "../runtime/assert.ts";

/**
 * - TRUNCATED: the bytes end inside a value.
 * - BAD_LENGTH: a length below -1, or above the limit of the stream.
 * - OUT_OF_RANGE: a 64-bit value where only a safe integer makes sense.
 * - UNKNOWN_TYPE: a tag (txn type, peer state) that nobody knows.
 */
export type JuteErrorCode = "TRUNCATED" | "BAD_LENGTH" | "OUT_OF_RANGE" | "UNKNOWN_TYPE";

/** Bytes from outside do not mean anything. `value` is the length, number or type that was refused. */
export class JuteError extends Error {
  override readonly name = "JuteError";
  readonly code: JuteErrorCode;
  readonly value: number;

  constructor(code: JuteErrorCode, message: string, value: number) {
    super(message);
    this.code = code;
    this.value = value;
  }
}

const TWO_32 = 2 ** 32;

/** Node's own JavaScript for 64-bit reads builds three bigints; a DataView builds one. */
const scratch = new DataView(new ArrayBuffer(8));

export class JuteReader {
  #bytes: Buffer;
  #offset: number;
  #end: number;

  /** Reads `bytes` from `offset` (default 0) up to `end` (exclusive, default all). Nothing is copied. */
  constructor(bytes: Buffer, offset = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#end = end;
  }

  /** Starts anew on other bytes, so that a connection needs one reader for its whole life. */
  reset(bytes: Buffer, offset: number, end: number): void {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#end = end;
  }

  /** Where the next value starts, in the coordinates of the buffer given to the constructor. */
  get offset(): number {
    return this.#offset;
  }

  get end(): number {
    return this.#end;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** Bytes from the current offset to the end, as a view; consumes them. */
  rest(): Buffer {
    const view = this.#bytes.subarray(this.#offset, this.#end);
    this.#offset = this.#end;
    return view;
  }

  byte(): number {
    const at = this.#advance(1);
    return (this.#bytes[at]! << 24) >> 24;
  }

  bool(): boolean {
    const at = this.#advance(1);
    return this.#bytes[at] !== 0;
  }

  int(): number {
    const at = this.#advance(4);
    const bytes = this.#bytes;
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  /** A 64-bit integer that must be a safe one: zxids, times, versions. Throws OUT_OF_RANGE otherwise. */
  long(): number {
    const value = this.#long();
    if (value > Number.MAX_SAFE_INTEGER || value < -Number.MAX_SAFE_INTEGER) {
      throw new JuteError("OUT_OF_RANGE", `A 64-bit number beyond 2^53: ${value}`, value);
    }
    return value;
  }

  /** A 64-bit integer, cut to ±(2^53 - 1): for values that are compared with a bound far below. */
  clampedLong(): number {
    return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, this.#long()));
  }

  /** All 64 bits, signed: session ids. */
  int64(): bigint {
    scratch.setInt32(0, this.int());
    scratch.setInt32(4, this.int());
    return scratch.getBigInt64(0);
  }

  /** Upper or lower half of 64 bits that are no number: digests. */
  uint32(): number {
    return this.int() >>> 0;
  }

  /** A view of the bytes, not a copy: it keeps the chunk it came from in memory. null is length -1. */
  buffer(): Buffer | null {
    const length = this.#length();
    if (length < 0) return null;
    const at = this.#offset;
    this.#offset = at + length;
    return this.#bytes.subarray(at, at + length);
  }

  /** UTF-8 text. Malformed bytes become U+FFFD, as in Java. */
  ustring(): string | null {
    const length = this.#length();
    if (length < 0) return null;
    const at = this.#offset;
    this.#offset = at + length;
    return this.#bytes.toString("utf8", at, at + length);
  }

  /** Skips a buffer or ustring and returns its length, -1 for null. Its bytes end at `offset`. */
  skip(): number {
    const length = this.#length();
    if (length > 0) this.#offset += length;
    return length;
  }

  /** Back to a place that was read before, to read it differently. */
  seek(offset: number): void {
    assert(offset >= 0 && offset <= this.#end, "A reader stays inside its bytes.");
    this.#offset = offset;
  }

  /** A reader of its own for a range of the same bytes. */
  slice(from: number, to: number): JuteReader {
    return new JuteReader(this.#bytes, from, to);
  }

  /** Number of elements that follow; -1 is the null vector. Never more than the bytes could hold. */
  vectorCount(): number {
    return this.#length();
  }

  /** A length prefix that the remaining bytes can satisfy. */
  #length(): number {
    const length = this.int();
    if (length > this.#end - this.#offset) {
      throw new JuteError("TRUNCATED", `A length of ${length} with ${this.remaining} bytes left`, length);
    }
    if (length < -1) throw new JuteError("BAD_LENGTH", `A length of ${length}`, length);
    return length;
  }

  #long(): number {
    const high = this.int();
    return high * TWO_32 + (this.int() >>> 0);
  }

  #advance(size: number): number {
    const at = this.#offset;
    if (this.#end - at < size) {
      throw new JuteError("TRUNCATED", `${size} bytes wanted, ${this.#end - at} left`, size);
    }
    this.#offset = at + size;
    return at;
  }
}
