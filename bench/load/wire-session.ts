/**
 * A session for scenarios that are about events and not about throughput: connects (or comes back for a session), sends single
 * requests, gets watch events. Small, because there may be 20,000 of them in a process.
 */
import { connect, type Socket } from "node:net";
import type { SessionId } from "../../spec/vocabulary.ts";
import { connectFrame, type SessionTicket } from "./requests.ts";

const NOTIFICATION_XID = -1;
const PING_FRAME = Buffer.from([0, 0, 0, 8, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]);
const REPLY_HEADER_BYTES = 20;
const GREETING_BYTES = 36;

export interface WireSessionOptions {
  readonly port: number;
  readonly timeoutMs: number;
  /** How long the greeting may take; for ever if not given. */
  readonly patienceMs?: number;
  /** To come back for a session. */
  readonly ticket?: SessionTicket;
  /** Loopback has 16 million addresses with 28,000 ports each. */
  readonly localAddress?: string;
}

export class WireSession {
  /** A watch fired. */
  onNotification: () => void = () => {};
  /** A reply that is neither a ping's nor a watch event. */
  onReply: (xid: number, err: number) => void = () => {};
  /** The connection is gone; not called after `close` or `drop`. */
  onLost: () => void = () => {};
  readonly #socket: Socket;
  #ticket: SessionTicket | null = null;
  #rest: Buffer | null = null;
  #settle: { resolve(): void; reject(error: Error): void } | null = null;

  private constructor({ port, timeoutMs, ticket, localAddress }: WireSessionOptions) {
    const from = localAddress === undefined ? {} : { localAddress };
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true, ...from });
    this.#socket.write(connectFrame(timeoutMs, ticket));
    this.#socket.on("data", (chunk) => this.#receive(chunk));
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => this.#lost());
  }

  /** @throws Error: no connection, or the server did not greet */
  static async open(options: WireSessionOptions): Promise<WireSession> {
    const session = new WireSession(options);
    const { patienceMs } = options;
    const timer = patienceMs === undefined ? undefined : setTimeout(() => session.#socket.destroy(), patienceMs);
    await new Promise<void>((resolve, reject) => {
      session.#settle = { resolve, reject };
    }).finally(() => clearTimeout(timer));
    return session;
  }

  /** To come back for the session with. */
  get ticket(): SessionTicket {
    if (this.#ticket === null) throw new Error("The session does not stand");
    return this.#ticket;
  }

  send(frames: Buffer): void {
    this.#socket.write(frames);
  }

  ping(): void {
    this.#socket.write(PING_FRAME);
  }

  /** Ends the session on the server too. */
  async close(): Promise<void> {
    this.onLost = () => {};
    const closed = new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
    // closeSession
    this.#socket.end(Buffer.from([0, 0, 0, 8, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xf5]));
    await closed;
  }

  /** Only the connection. */
  drop(): void {
    this.onLost = () => {};
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    let bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 4) {
      const end = 4 + bytes.readInt32BE(0);
      if (bytes.length < end) break;
      this.#message(bytes, end);
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes.length === 0 ? null : bytes;
  }

  #message(bytes: Buffer, length: number): void {
    if (this.#ticket === null) {
      this.#greeted(bytes, length);
      return;
    }
    if (length < REPLY_HEADER_BYTES) return;
    const xid = bytes.readInt32BE(4);
    if (xid === NOTIFICATION_XID) this.onNotification();
    else if (xid >= 0) this.onReply(xid, bytes.readInt32BE(16));
  }

  #greeted(bytes: Buffer, length: number): void {
    if (length < GREETING_BYTES + 4 || bytes.readInt32BE(8) <= 0) {
      this.#settle?.reject(new Error("The server does not know the session"));
      this.#settle = null;
      this.drop();
      return;
    }
    const sessionId = bytes.readBigInt64BE(12) as SessionId;
    // A copy: a view would keep the whole chunk.
    this.#ticket = { sessionId, passwd: Buffer.from(bytes.subarray(24, 40)) };
    this.#settle?.resolve();
    this.#settle = null;
  }

  #lost(): void {
    if (this.#settle === null) {
      this.onLost();
      return;
    }
    this.#settle.reject(new Error("The server closed the connection"));
    this.#settle = null;
  }
}
