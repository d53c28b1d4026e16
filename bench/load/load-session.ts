/**
 * One ZooKeeper session of the load generator: sends frames of a ring, and of each reply looks at xid and error code only.
 * Everything here runs per request, millions of times.
 */
import { connect, type Socket } from "node:net";
import type { Histogram } from "./histogram.ts";
import { closeFrame, connectFrame, type RequestRing } from "./requests.ts";

/** What the sessions of a process have measured since the window began. */
export interface Tally {
  readonly reads: Histogram;
  readonly writes: Histogram;
  /** Replies with an error code. */
  errors: number;
  firstError: number;
  /** False: replies are not counted, the load only warms up or ends. */
  open: boolean;
}

const HEADER_BYTES = 20;
const RECEIVE_BYTES = 256 * 1024;
const SESSION_TIMEOUT_MS = 30_000;
const MICROS_PER_MS = 1000;

/** Reads happen one at a time, so all sessions receive into the same memory. */
const received = Buffer.allocUnsafe(RECEIVE_BYTES);

export class LoadSession {
  readonly #socket: Socket;
  readonly #ring: RequestRing;
  readonly #tally: Tally;
  readonly #outstanding: number;
  /** When the requests under way were sent, in ms; a ring. */
  readonly #sentAt: Float64Array;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFill = 0;
  /** Bytes of the current reply that are still to come. */
  #toSkip = 0;
  #connected = false;
  /** Sent and answered in all. */
  #sent = 0;
  #answered = 0;
  readonly #first: number;
  #limit = 0;
  /** An answer lets the next request go. */
  #refills = false;
  #idle: (() => void) | null = null;
  #failed: (error: Error) => void = () => {};

  private constructor(port: number, ring: RequestRing, first: number, outstanding: number, tally: Tally) {
    this.#ring = ring;
    this.#first = first;
    this.#tally = tally;
    this.#outstanding = outstanding;
    this.#sentAt = new Float64Array(outstanding);
    const callback = (bytes: number): boolean => {
      this.#receive(bytes);
      return true;
    };
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true, onread: { buffer: received, callback } });
  }

  /** `first`: where in the ring this session begins. Resolves when the session stands. */
  static async open(options: {
    readonly port: number;
    readonly ring: RequestRing;
    readonly first: number;
    readonly outstanding: number;
    readonly tally: Tally;
  }): Promise<LoadSession> {
    const { port, ring, first, outstanding, tally } = options;
    const session = new LoadSession(port, ring, first, outstanding, tally);
    await session.#stands();
    return session;
  }

  /** A failure from now on ends the run. */
  onFailure(failed: (error: Error) => void): void {
    this.#failed = failed;
  }

  /** Keeps `outstanding` requests under way until `stop`, or until `limit` of them have been sent. */
  start(limit = Number.POSITIVE_INFINITY): void {
    this.#limit = limit;
    this.#refills = true;
    this.#send(Math.min(this.#outstanding, limit), performance.now());
  }

  /**
   * One request that is due at `dueMs`, whatever is still unanswered: latency counts from when it was due. False when
   * `outstanding` requests are under way, which is more than a server that keeps up ever lets come together.
   */
  offer(dueMs: number): boolean {
    if (this.#sent - this.#answered >= this.#outstanding) return false;
    this.#send(1, dueMs);
    return true;
  }

  /** Sends nothing more; resolves when everything is answered. */
  async stop(): Promise<void> {
    this.#limit = 0;
    await this.idle();
  }

  /** Resolves when everything that was sent is answered. */
  idle(): Promise<void> {
    if (this.#answered === this.#sent) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Ends the session and its connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
    this.#failed = () => {};
    this.#socket.end(closeFrame(this.#ring.length));
    await closed;
  }

  #stands(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#failed = reject;
      this.#idle = resolve;
      this.#socket.on("error", (error) => this.#failed(error));
      this.#socket.on("close", () => this.#failed(new Error("The server closed the connection")));
      this.#socket.write(connectFrame(SESSION_TIMEOUT_MS));
    });
  }

  #receive(bytes: number): void {
    if (!this.#connected) return this.#greeted(bytes);
    const before = this.#answered;
    const nowMs = performance.now();
    let at = 0;
    while (at < bytes) {
      if (this.#toSkip > 0) {
        const step = Math.min(this.#toSkip, bytes - at);
        this.#toSkip -= step;
        at += step;
        if (this.#toSkip === 0) this.#completed(nowMs);
      } else if (this.#headerFill === 0 && bytes - at >= HEADER_BYTES) {
        this.#replyBegins(received, at, nowMs);
        at += HEADER_BYTES;
      } else {
        const step = Math.min(HEADER_BYTES - this.#headerFill, bytes - at);
        received.copy(this.#header, this.#headerFill, at, at + step);
        this.#headerFill += step;
        at += step;
        if (this.#headerFill < HEADER_BYTES) break;
        this.#headerFill = 0;
        this.#replyBegins(this.#header, 0, nowMs);
      }
    }
    const done = this.#answered - before;
    if (done > 0 && this.#refills) this.#send(Math.min(done, this.#limit - this.#sent), nowMs);
    if (this.#answered === this.#sent && this.#idle !== null) this.#tellIdle();
  }

  /** The answer to ConnectRequest comes alone, in one piece on every system known. */
  #greeted(bytes: number): void {
    if (bytes < 20 || received.readInt32BE(0) + 4 !== bytes) {
      this.#failed(new Error(`An answer of ${bytes} bytes to the ConnectRequest`));
      return;
    }
    if (received.readInt32BE(8) <= 0) {
      this.#failed(new Error("The server refused the session"));
      return;
    }
    this.#connected = true;
    this.#tellIdle();
  }

  #replyBegins(bytes: Buffer, at: number, nowMs: number): void {
    const length = bytes.readInt32BE(at);
    const xid = bytes.readInt32BE(at + 4);
    const err = bytes.readInt32BE(at + 16);
    const expected = (this.#first + this.#answered) % this.#ring.length;
    if (xid !== expected) {
      this.#failed(new Error(`The reply to request ${xid} where that to ${expected} is next`));
      return;
    }
    if (err !== 0) {
      this.#tally.errors++;
      this.#tally.firstError ||= err;
    }
    this.#toSkip = length + 4 - HEADER_BYTES;
    if (this.#toSkip === 0) this.#completed(nowMs);
  }

  #completed(nowMs: number): void {
    const { open, reads, writes } = this.#tally;
    if (open) {
      const micros = (nowMs - (this.#sentAt[this.#answered % this.#outstanding] as number)) * MICROS_PER_MS;
      const wrote = this.#ring.writes[(this.#first + this.#answered) % this.#ring.length] === 1;
      (wrote ? writes : reads).add(micros);
    }
    this.#answered++;
  }

  #send(count: number, nowMs: number): void {
    if (count <= 0) return;
    const { bytes, offsets, length } = this.#ring;
    for (let i = 0; i < count; i++) this.#sentAt[(this.#sent + i) % this.#outstanding] = nowMs;
    const from = (this.#first + this.#sent) % length;
    const to = from + count;
    this.#sent += count;
    if (to <= length) {
      this.#socket.write(bytes.subarray(offsets[from], offsets[to]));
      return;
    }
    this.#socket.cork();
    this.#socket.write(bytes.subarray(offsets[from]));
    this.#socket.write(bytes.subarray(0, offsets[to - length]));
    this.#socket.uncork();
  }

  #tellIdle(): void {
    const idle = this.#idle;
    this.#idle = null;
    idle?.();
  }
}
