/** A request that could not be answered at once, in the order of its session. */
export class PendingRequest {
  readonly xid: number;
  /** OpCode. */
  readonly op: number;
  readonly receivedMs: number;
  /** Its record is `bytes` from `start` to `end`. */
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
