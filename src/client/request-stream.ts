/**
 * Requests out, replies and watch events in: the hot half of a client, which knows no phase. Replies answer requests in
 * the order they were made; the chart decides when anything is sent at all (connection-core.ts).
 */
import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import type { JuteReader } from "../protocol/jute-reader.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import type { MultiResult as WireMultiResult } from "../protocol/multi.ts";
import { OpCode, opName, Xid } from "../protocol/opcodes.ts";
import { AuthPacket } from "../protocol/records.ts";
import { assert } from "../runtime/assert.ts";
import { errorFor } from "./errors.ts";
import type { ClientObserver, ConnectionInfo } from "./observer.ts";
import { failedResults, multiResults, readReply, withChroot, withoutChroot } from "./replies.ts";
import { Request, RequestQueue } from "./request.ts";
import { writeSetWatches } from "./set-watches.ts";
import { type WatchedEvent, type Watcher, type WatchKind, WatchRegistry, watchedEventType } from "./watches.ts";

/** Replies are gathered into slabs of this size, so that a turn's requests are one write. */
const SLAB_BYTES = 64 * 1024;
const MAX_XID = 2 ** 31 - 1;

/** What a reply means to the lifecycle. */
export type ReplyFact = "AUTH_REFUSED" | "SESSION_CLOSED" | null;

/** The server broke the rules of the stream: a reply out of order, or to nothing. */
export class StreamError extends Error {
  override readonly name = "StreamError";
}

/** Who serves us now; `ConnectionCore` keeps it up to date. */
export interface CurrentConnection {
  sessionId: SessionId;
  generation: number;
  server: string;
}

interface Credentials {
  readonly scheme: string;
  readonly auth: Buffer | null;
  /** Who waits for the server's word, until it has come. */
  request: Request | null;
}

export interface RequestStreamOptions {
  readonly chroot: string;
  readonly connection: CurrentConnection;
  readonly observer: ClientObserver | undefined;
  /** Hands an event to watchers, after the promises of earlier replies and before those of later ones. */
  readonly deliver: (watchers: ReadonlySet<Watcher>, event: WatchedEvent) => void;
}

export class RequestStream {
  readonly watches = new WatchRegistry();
  readonly chroot: string;
  /** Largest zxid of a reply. A server that has seen less must not serve this client. */
  lastZxid = 0 as Zxid;
  /** Xid of the request made last: right after an operation was called, that operation's. */
  lastXid = 0;

  readonly #connection: CurrentConnection;
  readonly #observer: ClientObserver | undefined;
  readonly #deliver: RequestStreamOptions["deliver"];
  readonly #writer = new JuteWriter(SLAB_BYTES);
  readonly #queue = new RequestQueue();
  readonly #credentials: Credentials[] = [];
  /** Credentials that the current server has been sent and has not answered yet. */
  #unanswered: Credentials[] = [];
  #frameStart = -1;

  constructor(options: RequestStreamOptions) {
    this.chroot = options.chroot;
    this.#connection = options.connection;
    this.#observer = options.observer;
    this.#deliver = options.deliver;
  }

  /** Requests without a reply so far, sent or not. */
  get outstanding(): number {
    return this.#queue.length;
  }

  // ---- out

  /** Starts a request's frame. Write its record, then `seal`. */
  open(request: Request): JuteWriter {
    const writer = this.#writer;
    // An earlier record that could not be written (an argument of the wrong type) leaves no half frame behind.
    if (this.#frameStart >= 0) writer.truncate(this.#frameStart);
    this.#frameStart = writer.offset;
    this.lastXid = this.lastXid === MAX_XID ? 1 : this.lastXid + 1;
    request.xid = this.lastXid;
    writer.int(0);
    writer.int(request.xid);
    writer.int(request.op);
    return writer;
  }

  seal(request: Request): void {
    const start = this.#frameStart;
    assert(start >= 0, "A frame is sealed once, after it was opened.");
    this.#frameStart = -1;
    this.#writer.patchInt(start, this.#writer.offset - start - 4);
    this.#queue.push(request);
    this.#observeRequest(request);
  }

  ping(): void {
    const writer = this.#writer;
    writer.int(8);
    writer.int(Xid.ping);
    writer.int(OpCode.ping);
  }

  /** Keeps credentials for this and every later connection. `now`: there is a connection to send them on. */
  addAuth(scheme: string, auth: Buffer | null, request: Request, now: boolean): void {
    const credentials: Credentials = { scheme, auth, request };
    this.#credentials.push(credentials);
    if (now) this.#writeAuth(credentials);
  }

  #writeAuth(credentials: Credentials): void {
    const writer = this.#writer;
    const start = writer.offset;
    writer.int(0);
    writer.int(Xid.auth);
    writer.int(OpCode.auth);
    AuthPacket.write(writer, { type: 0, scheme: credentials.scheme, auth: credentials.auth });
    writer.patchInt(start, writer.offset - start - 4);
    this.#unanswered.push(credentials);
  }

  /**
   * What a new connection is told first: who we are, what we watch, then the requests that waited. In this order: without
   * the credentials the requests would be refused, and a watch must be back before a reply that reflects its change.
   */
  resume(): readonly Buffer[] {
    const waiting = this.take();
    for (const credentials of this.#credentials) this.#writeAuth(credentials);
    const ops = writeSetWatches(this.#writer, this.watches, this.lastZxid);
    this.#queue.prepend(ops.map((op) => this.#setWatches(op)));
    return [this.take(), waiting].filter((bytes) => bytes.length > 0);
  }

  #setWatches(op: number): Request {
    const request = new Request(op, null);
    request.xid = Xid.setWatches;
    this.#observeRequest(request);
    return request;
  }

  /** Everything written since the last call. */
  take(): Buffer {
    if (this.#frameStart >= 0) {
      this.#writer.truncate(this.#frameStart);
      this.#frameStart = -1;
    }
    return this.#writer.take();
  }

  // ---- in

  /** Handles one reply whose xid has been read. Throws JuteError or StreamError if it is not what it should be. */
  reply(xid: number, reader: JuteReader): ReplyFact {
    const zxid = reader.long() as Zxid;
    const err = reader.int();
    if (xid === Xid.ping) return null;
    if (xid === Xid.auth) return this.#authReply(err);
    const request = this.#queue.first();
    if (request === undefined) throw new StreamError(`A reply with xid ${xid} to no request`);
    if (request.xid !== xid) {
      throw new StreamError(`A reply with xid ${xid}, expected ${request.xid} (${opName(request.op)})`);
    }
    // Read before the request leaves the queue: if this fails, it is lost with all others, in order.
    const value = err === ErrorCode.OK ? readReply(request.op, reader, this.chroot) : undefined;
    this.#queue.shift();
    if (zxid > 0) this.lastZxid = zxid;
    if (request.watcher !== null) this.#watch(request, err);
    this.#observe(request, err, zxid);
    this.#settle(request, err, value);
    return request.op === OpCode.closeSession ? "SESSION_CLOSED" : null;
  }

  #settle(request: Request, err: number, value: unknown): void {
    if (err !== ErrorCode.OK) {
      if (err === ErrorCode.NONODE && request.op === OpCode.exists) request.resolve(null);
      else request.reject(errorFor(err, request.path));
      return;
    }
    if (request.op !== OpCode.multi) {
      request.resolve(value);
      return;
    }
    const results = value as readonly WireMultiResult[];
    const codes = failedResults(results);
    if (codes === null) {
      request.resolve(multiResults(results, this.chroot));
      return;
    }
    const culprit = codes.find((code) => code !== ErrorCode.OK && code !== ErrorCode.RUNTIMEINCONSISTENCY);
    request.reject(errorFor(culprit ?? ErrorCode.RUNTIMEINCONSISTENCY, request.path, codes));
  }

  /** A watch exists from its reply on: the server sends nothing of it before. */
  #watch(request: Request, err: number): void {
    let kind: WatchKind | null = err === ErrorCode.OK ? request.watchKind : null;
    if (err === ErrorCode.NONODE && request.op === OpCode.exists) kind = "exist";
    if (kind === null || request.watcher === null || request.path === null) return;
    this.watches.add(kind, withChroot(request.path, this.chroot), request.watcher);
  }

  #authReply(err: number): ReplyFact {
    const credentials = this.#unanswered.shift();
    if (credentials === undefined) throw new StreamError("An answer to credentials that were not sent");
    const { request } = credentials;
    credentials.request = null;
    if (err === ErrorCode.OK) request?.resolve(undefined);
    else request?.reject(errorFor(err, null));
    return err === ErrorCode.OK ? null : "AUTH_REFUSED";
  }

  /** Handles one watch event, after its xid. */
  watchEvent(reader: JuteReader): void {
    // The header's zxid does not raise lastZxid: events of one txn come one by one, and a watch set again with the zxid of
    // a txn whose second event was lost on the way would never fire.
    const zxid = reader.long();
    reader.int();
    const type = reader.int();
    reader.int();
    const serverPath = reader.ustring() ?? "";
    const name = watchedEventType(type);
    if (name === undefined) throw new StreamError(`A watch event of type ${type}`);
    const path = withoutChroot(serverPath, this.chroot);
    const event: WatchedEvent = { type: name, state: "SyncConnected", path };
    this.#observer?.notified?.(event, zxid, this.#info());
    const watchers = this.watches.triggered(type, serverPath);
    if (watchers.size > 0) this.#deliver(watchers, event);
  }

  // ---- the end of a connection

  /** Everything that waits ends with this code, in the order it was asked for; nothing of it is sent any more. */
  fail(code: number): void {
    for (const request of this.#queue.takeAll()) {
      this.#observe(request, code, -1);
      request.reject(errorFor(code, request.path));
    }
    this.#unanswered = [];
    for (const credentials of this.#credentials) {
      credentials.request?.reject(errorFor(code, null));
      credentials.request = null;
    }
    this.#frameStart = -1;
    this.#writer.reset();
  }

  #observeRequest({ xid, op, path }: Request): void {
    if (this.#observer?.requested !== undefined) this.#observer.requested({ ...this.#info(), xid, op, path });
  }

  #observe({ xid, op, path }: Request, err: number, zxid: number): void {
    if (this.#observer?.replied !== undefined) this.#observer.replied({ ...this.#info(), xid, op, path, err, zxid });
  }

  #info(): ConnectionInfo {
    const { sessionId, generation, server } = this.#connection;
    return { sessionId, generation, server };
  }
}
