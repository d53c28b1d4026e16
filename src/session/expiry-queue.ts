import { assert } from "../runtime/assert.ts";

/** What the queue keeps in each of its members. */
export interface Expiring {
  /** When the member expires if it is not touched again: a multiple of the tick. */
  deadlineMs: number;
  /** The bucket the member lies in, and its place there; -1 when it is in none. Only the queue writes these. */
  bucketMs: number;
  slot: number;
}

/**
 * Deadlines in buckets of one tick (ZooKeeper's ExpiryQueue): a touch costs one number. A member is moved only when its old
 * bucket comes up and finds that the deadline has moved on, so once per timeout instead of once per touch.
 */
export class ExpiryQueue<T extends Expiring> {
  readonly #tickMs: number;
  readonly #buckets = new Map<number, T[]>();
  /** The first bucket that has not come up yet. */
  #nextMs = 0;

  constructor(tickMs: number) {
    assert(tickMs > 0, "A tick lasts some time.");
    this.#tickMs = tickMs;
  }

  /** Sets the deadline to the first tick after `nowMs + timeoutMs`, never earlier than the timeout. O(1). */
  touch(member: T, timeoutMs: number, nowMs: number): void {
    const deadline = this.#after(nowMs + timeoutMs);
    member.deadlineMs = deadline;
    // A later deadline is noticed when the bucket comes up; an earlier one (a shorter timeout was negotiated) is not.
    if (member.bucketMs >= 0 && member.bucketMs <= deadline) return;
    this.remove(member);
    if (this.#buckets.size === 0) this.#nextMs = this.#after(nowMs);
    this.#insert(member);
  }

  remove(member: T): void {
    if (member.bucketMs < 0) return;
    const bucket = this.#buckets.get(member.bucketMs);
    const last = bucket?.pop();
    assert(bucket !== undefined && last !== undefined, "A member lies in the bucket it names.");
    if (last !== member) {
      bucket[member.slot] = last;
      last.slot = member.slot;
    }
    member.bucketMs = -1;
  }

  /** Takes out every member whose deadline has been reached. */
  expire(nowMs: number, expired: (member: T) => void): void {
    for (; this.#nextMs <= nowMs && this.#buckets.size > 0; this.#nextMs += this.#tickMs) {
      const bucket = this.#buckets.get(this.#nextMs);
      if (bucket === undefined) continue;
      this.#buckets.delete(this.#nextMs);
      for (const member of bucket) {
        member.bucketMs = -1;
        // After a long pause of the process its new bucket may come up in this very loop.
        if (member.deadlineMs > this.#nextMs) this.#insert(member);
        else expired(member);
      }
    }
  }

  clear(): void {
    this.#buckets.clear();
  }

  #insert(member: T): void {
    const at = member.deadlineMs;
    let bucket = this.#buckets.get(at);
    if (bucket === undefined) {
      bucket = [];
      this.#buckets.set(at, bucket);
    }
    member.bucketMs = at;
    member.slot = bucket.length;
    bucket.push(member);
  }

  #after(timeMs: number): number {
    return Math.floor(timeMs / this.#tickMs) * this.#tickMs + this.#tickMs;
  }
}
