/**
 * Bytes of a stream as the network cut them. `take` gives the next n as one range: inside a chunk without copying,
 * across chunks by copying just those n bytes.
 */
import { assert } from "../runtime/assert.ts";

const NOTHING = Buffer.alloc(0);
const MANY = 16;
const SMALL = 4096;

export class ChunkQueue {
  /** The range of the last successful `take`. */
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;

  #chunk: Buffer = NOTHING;
  #at = 0;
  /** Chunks after `#chunk`, oldest first. */
  #later: Buffer[] = [];
  #length = 0;

  /** Buffers held: few, however the bytes came in. */
  get chunks(): number {
    return this.#length === 0 ? 0 : 1 + this.#later.length;
  }

  /** Bytes not yet taken. */
  get length(): number {
    return this.#length;
  }

  /** The chunk belongs to the queue from here on, or is lent: see `keep`. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#length === 0) {
      this.#chunk = chunk;
      this.#at = 0;
    } else {
      this.#append(chunk);
    }
    this.#length += chunk.length;
  }

  /** Takes the next `size` bytes into `bytes`, `start`, `end`; false if they have not all arrived. */
  take(size: number): boolean {
    if (size > this.#length) return false;
    this.#length -= size;
    if (this.#at === this.#chunk.length && this.#later.length > 0) {
      this.#chunk = this.#later.shift()!;
      this.#at = 0;
    }
    const at = this.#at;
    if (size <= this.#chunk.length - at) {
      this.bytes = this.#chunk;
      this.start = at;
      this.end = at + size;
      this.#at = at + size;
    } else {
      this.#gather(size);
    }
    if (this.#length === 0) {
      // A drained chunk is not kept in memory by an idle connection.
      this.#chunk = NOTHING;
      this.#at = 0;
    }
    return true;
  }

  /** The chunk that was pushed last goes back to whoever lent it: what has not been taken of it is copied. */
  keep(): void {
    this.bytes = NOTHING;
    this.start = 0;
    this.end = 0;
    if (this.#length === 0) return;
    const last = this.#later.pop();
    if (last !== undefined) {
      this.#later.push(Buffer.from(last));
      return;
    }
    this.#chunk = Buffer.from(this.#chunk.subarray(this.#at));
    this.#at = 0;
  }

  /**
   * Makes `bytes` from `start` to `end` what lies there in one piece, without taking it: for a reader who wants to look before
   * he takes, value by value.
   */
  peek(): void {
    this.bytes = this.#chunk;
    this.start = this.#at;
    this.end = this.#chunk.length;
  }

  /** Everything not yet taken, in one piece. */
  takeRest(): Buffer {
    const taken = this.take(this.#length);
    assert(taken, "What is there can be taken.");
    return this.bytes.subarray(this.start, this.end);
  }

  /**
   * A peer that dribbles must not cost an object per byte: once there are many, small chunks are joined like the bits of
   * a counter, each byte a few times at most.
   */
  #append(chunk: Buffer): void {
    const later = this.#later;
    let joined = chunk;
    while (later.length >= MANY && joined.length < SMALL && later.at(-1)!.length <= joined.length) {
      joined = Buffer.concat([later.pop()!, joined]);
    }
    later.push(joined);
  }

  /** Copies the next `size` bytes out of several chunks. */
  #gather(size: number): void {
    const gathered = Buffer.allocUnsafe(size);
    let filled = this.#chunk.copy(gathered, 0, this.#at);
    let used = 0;
    while (filled < size) {
      this.#chunk = this.#later[used++]!;
      this.#at = this.#chunk.copy(gathered, filled, 0, Math.min(this.#chunk.length, size - filled));
      filled += this.#at;
    }
    this.#later.splice(0, used);
    this.bytes = gathered;
    this.start = 0;
    this.end = size;
  }
}
