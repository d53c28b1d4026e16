const SLAB_BYTES = 65_536;
/** Up to here a loop beats the call into native code. */
const SHORT_BYTES = 64;

/** Copies of requests that must wait, one behind the other in slabs: an allocation for each would cost more than the copy. */
export class KeptBytes {
  /** Where the last one lies. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;

  keep(bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    const at = this.#room(size);
    if (size > SHORT_BYTES) bytes.copy(this.bytes, at, start, end);
    else for (let i = 0; i < size; i++) this.bytes[at + i] = bytes[start + i] as number;
    this.start = at;
    this.end = at + size;
  }

  #room(size: number): number {
    if (this.bytes.length - this.end >= size) return this.end;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, size));
    return 0;
  }
}

/** A request that could not be answered at once, in the order of its session. */
export class PendingRequest {
  readonly xid: number;
  /** OpCode. */
  readonly op: number;
  readonly receivedMs: number;
  /** Its record is `bytes` from `start` to `end`; of a write that was submitted nothing is kept. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Bytes that this request holds, or will add to the output: what its connection is charged with until the answer. */
  readonly charge: number;
  /** Given to the ensemble: a write, or a sync. Reads never are. */
  submitted = false;
  /** A sync that the ensemble has answered. */
  completed = false;
  next: PendingRequest | null = null;

  constructor(xid: number, op: number, receivedMs: number, bytes: Buffer, start: number, end: number, charge: number) {
    this.xid = xid;
    this.op = op;
    this.receivedMs = receivedMs;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.charge = charge;
  }
}

/**
 * The requests of one session that wait, first in first out. At its head is always one that the ensemble has to answer:
 * reads run as soon as nothing is before them.
 */
export class RequestQueue {
  head: PendingRequest | null = null;
  #tail: PendingRequest | null = null;
  length = 0;
  /** Sum of the charges. */
  charge = 0;
  /** Syncs in the queue that are not completed. */
  syncs = 0;

  push(request: PendingRequest): void {
    if (this.#tail === null) this.head = request;
    else this.#tail.next = request;
    this.#tail = request;
    this.length++;
    this.charge += request.charge;
  }

  shift(): void {
    const head = this.head;
    if (head === null) return;
    this.head = head.next;
    if (head.next === null) this.#tail = null;
    this.length--;
    this.charge -= head.charge;
  }

  clear(): void {
    this.head = null;
    this.#tail = null;
    this.length = 0;
    this.charge = 0;
    this.syncs = 0;
  }
}
