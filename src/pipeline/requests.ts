import type { SessionId } from "../../spec/vocabulary.ts";
import type { ClientConnection } from "../connection/client-connection.ts";
import { admitsRequest, isHeldBack } from "../connection/connection-table.ts";
import { KeptBytes, PendingRequest } from "../connection/request-queue.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { JuteError, JuteReader } from "../protocol/jute-reader.ts";
import { OpCode, Xid } from "../protocol/opcodes.ts";
import { AuthPacket } from "../protocol/records.ts";
import type { Txn } from "../protocol/txn.ts";
import { assert } from "../runtime/assert.ts";
import type { ServerCounters } from "../runtime/counters.ts";
import type { Environment } from "../runtime/environment.ts";
import { authenticate } from "../tree/acl.ts";
import type { ApplyResult, Database } from "../tree/database.ts";
import type { Connections } from "./connections.ts";
import type { Reads } from "./reads.ts";
import { beginReply, endReply } from "./reply.ts";
import { kindOf, RequestKind } from "./request-kinds.ts";
import type { ServingConfig } from "./serving-config.ts";
import { saysSessionMoved, writeTxnReply } from "./txn-reply.ts";
import type { Upstream, WriteRequest } from "./upstream.ts";

/** Bytes owed to one connection above which nothing more is read from it, and below which reading goes on. */
export const HIGH_WATER_BYTES = 4 * 1024 * 1024;
const LOW_WATER_BYTES = HIGH_WATER_BYTES / 2;
/** What must not wait, watch events above all, may go this far; then the connection is closed. */
export const OVERFLOW_BYTES = 4 * HIGH_WATER_BYTES;

const NO_ZXID_TOLD = 0;
const NOTHING = Buffer.alloc(0);

export interface RequestsDeps {
  readonly database: Database;
  readonly environment: Environment;
  readonly config: ServingConfig;
  readonly counters: ServerCounters;
}

/** A sync that waits for the ensemble. Its connection may be gone by then. */
interface PendingSync {
  readonly connection: ClientConnection;
  readonly request: PendingRequest;
}

/**
 * The requests of established sessions. A read runs at once unless a write or sync of its own session is before it; replies
 * leave in the order of the requests (CommitProcessor, FinalRequestProcessor).
 */
export class Requests {
  /** Monotonic; taken once per chunk or txn: a clock read per request would show. */
  nowMs = 0;
  readonly #deps: RequestsDeps;
  readonly #connections: Connections;
  readonly #reads: Reads;
  /** Writes in flight whose connection is gone: their commits must not be taken for those of the session's next one. */
  readonly #orphans = new Map<SessionId, number[]>();
  readonly #kept = new KeptBytes();
  #upstream: Upstream | null = null;
  #syncs: PendingSync[] = [];
  #heldBack: ClientConnection[] = [];

  constructor(deps: RequestsDeps, connections: Connections, reads: Reads) {
    this.#deps = deps;
    this.#connections = connections;
    this.#reads = reads;
  }

  open(upstream: Upstream): void {
    this.#upstream = upstream;
  }

  close(): void {
    this.#upstream = null;
    this.#orphans.clear();
    this.#syncs = [];
    this.#heldBack = [];
  }

  /** Takes every request that has arrived, as long as the connection may be read. */
  take(connection: ClientConnection): void {
    if (connection.parsing) return;
    connection.parsing = true;
    const { decoder } = connection;
    try {
      for (let foreseen = 0; admitsRequest[connection.state]; foreseen--) {
        if (foreseen === 0) {
          decoder.peek();
          foreseen = this.#reads.foresee(decoder.bytes, decoder.start, decoder.end);
        }
        if (!decoder.next()) break;
        this.#request(connection, decoder.bytes, decoder.start, decoder.end);
        if (this.#exceedsLimits(connection)) this.#holdBack(connection);
      }
    } catch (error) {
      // A frame that cannot be, a header or an auth packet that is cut: nothing that follows could be trusted.
      if (!(error instanceof JuteError)) throw error;
      this.#deps.counters.malformedRequests++;
      this.#connections.drop(connection, error.message);
    } finally {
      connection.parsing = false;
    }
  }

  /** Goes on with the connections that were held back and need not be any more. */
  letGo(): void {
    const heldBack = this.#heldBack;
    if (heldBack.length === 0) return;
    this.#heldBack = [];
    this.nowMs = this.#deps.environment.monotonicMs();
    for (const connection of heldBack) {
      if (!isHeldBack[connection.state]) continue;
      if (!this.#mayGoOn(connection)) {
        this.#heldBack.push(connection);
        continue;
      }
      this.#connections.step(connection, "LET_GO");
      const { stash } = connection;
      connection.stash = null;
      if (stash !== null) this.#submit(connection, stash, stash.bytes, stash.start, stash.end);
      this.take(connection);
    }
  }

  /** The session's write was applied: reply, if it came from here, then run the reads that waited for it. */
  committed(connection: ClientConnection | undefined, txn: Txn, result: ApplyResult): void {
    if (this.#orphans.size > 0 && this.#takeOrphan(txn)) return;
    const head = connection?.queue.head;
    if (connection === undefined || head === undefined || head === null) return;
    // Another server's: the client moved here while its last writes there were in flight.
    if (head.xid !== txn.cxid || head.op === OpCode.sync) return;
    if (txn.type === OpCode.closeSession && head.op !== OpCode.closeSession) return;
    this.nowMs = this.#deps.environment.monotonicMs();
    this.#shift(connection);
    // The client talks to another server now, and must not hear this from here.
    if (saysSessionMoved(txn)) return this.#connections.end(connection);
    const writer = connection.output();
    const size = writeTxnReply(writer, txn, result, this.#deps.database);
    this.#replied(connection, head.op, head.xid, txn.zxid, size, head.receivedMs);
    this.#advance(connection);
  }

  /** The oldest pending sync is complete. */
  synced(): void {
    const sync = this.#syncs.shift();
    if (sync === undefined) return;
    const { connection, request } = sync;
    request.completed = true;
    // Nothing is in the queue of a connection that left meanwhile.
    if (connection.queue.length === 0) return;
    connection.queue.syncs--;
    this.nowMs = this.#deps.environment.monotonicMs();
    this.#advance(connection);
  }

  /** The connection no longer stands for its session: forget its requests, remember those in flight. */
  forget(connection: ClientConnection): void {
    const { queue } = connection;
    for (let request = queue.head; request !== null; request = request.next) {
      if (request.submitted && request.op !== OpCode.sync) this.#addOrphan(connection.sessionId, request.xid);
    }
    this.#deps.counters.outstanding -= queue.length;
    connection.counters.outstanding = 0;
    connection.stash = null;
    queue.clear();
  }

  #request(connection: ClientConnection, bytes: Buffer, start: number, end: number): void {
    this.#deps.counters.packetsReceived++;
    connection.counters.received++;
    if (end - start < 8) throw new JuteError("TRUNCATED", `A request of ${end - start} bytes`, end - start);
    const xid = bytes.readInt32BE(start);
    const op = bytes.readInt32BE(start + 4);
    const kind = kindOf(op);
    if (kind === RequestKind.read && connection.queue.head === null) {
      return this.#answer(connection, xid, op, bytes, start + 8, end, this.nowMs);
    }
    switch (kind) {
      case RequestKind.auth:
        return this.#auth(connection, xid, new JuteReader(bytes, start + 8, end));
      case RequestKind.sasl:
        return this.#sasl(connection, xid);
      case RequestKind.read:
        return this.#enqueue(connection, xid, op, bytes, start + 8, end);
      case RequestKind.sync:
        return this.#sync(connection, xid, bytes, start + 8, end);
      case RequestKind.write:
        return this.#write(connection, xid, op, bytes, start + 8, end);
      default:
        // Answered in its turn, and then the connection is closed: what is this client, and what will it ask next?
        this.#connections.step(connection, "LAST_REQUEST");
        this.#enqueue(connection, xid, op, bytes, start + 8, end);
        return this.#advance(connection);
    }
  }

  // ---- what is answered here

  #answer(
    connection: ClientConnection,
    xid: number,
    op: number,
    bytes: Buffer,
    at: number,
    end: number,
    receivedMs: number,
  ): void {
    const size = this.#reads.answer(connection, op === OpCode.ping ? Xid.ping : xid, op, bytes, at, end);
    this.#deps.counters.reads++;
    this.#replied(connection, op, xid, this.#deps.database.lastProcessedZxid, size, receivedMs);
  }

  #unknown(connection: ClientConnection, request: PendingRequest): void {
    const writer = connection.output();
    const size = endReply(writer, beginReply(writer, request.xid, -1), ErrorCode.UNIMPLEMENTED);
    this.#replied(connection, request.op, request.xid, -1, size, request.receivedMs);
    this.#connections.end(connection);
  }

  /** Answered at once, ahead of what waits; the requests that follow carry the new ids. */
  #auth(connection: ClientConnection, xid: number, reader: JuteReader): void {
    const { config, counters, environment } = this.#deps;
    const { scheme, auth } = AuthPacket.read(reader);
    const ids = authenticate(scheme, auth ?? Buffer.alloc(0), {
      sha1: (bytes) => environment.sha1(bytes),
      superDigest: config.superDigest,
      remoteHost: connection.remote.host,
    });
    this.#replyAtOnce(connection, OpCode.auth, xid, ids === null ? ErrorCode.AUTHFAILED : ErrorCode.OK);
    if (ids === null) {
      counters.authFailed++;
      return this.#connections.end(connection);
    }
    const known = connection.authInfo;
    const added = ids.filter(({ scheme, id }) => !known.some((old) => old.scheme === scheme && old.id === id));
    if (added.length > 0) connection.authInfo = [...known, ...added];
  }

  /** No SASL login is configured: success without a token, as Apache answers then. */
  #sasl(connection: ClientConnection, xid: number): void {
    const writer = connection.output();
    const start = beginReply(writer, xid, NO_ZXID_TOLD);
    writer.buffer(null);
    this.#replied(connection, OpCode.sasl, xid, NO_ZXID_TOLD, endReply(writer, start, ErrorCode.OK), this.nowMs);
  }

  #replyAtOnce(connection: ClientConnection, op: number, xid: number, err: number): void {
    const writer = connection.output();
    const size = endReply(writer, beginReply(writer, xid, NO_ZXID_TOLD), err);
    this.#replied(connection, op, xid, NO_ZXID_TOLD, size, this.nowMs);
  }

  #replied(
    connection: ClientConnection,
    op: number,
    xid: number,
    zxid: number,
    size: number,
    receivedMs: number,
  ): void {
    const { counters } = this.#deps;
    const { nowMs } = this;
    const latencyMs = nowMs - receivedMs;
    counters.packetsSent++;
    counters.latency.add(latencyMs);
    counters.responseSize.add(size);
    connection.counters.sent++;
    connection.counters.answered(op, xid, zxid, nowMs, latencyMs);
    connection.written();
  }

  // ---- what waits

  #write(connection: ClientConnection, xid: number, op: number, bytes: Buffer, start: number, end: number): void {
    if (connection.queue.syncs > 0) {
      // Its commit could overtake the sync, and a read between the two would see what was written after it.
      connection.stash = this.#keeping(xid, op, bytes, start, end, end - start);
      return this.#holdBack(connection);
    }
    const request = new PendingRequest(xid, op, this.nowMs, NOTHING, 0, 0, end - start);
    this.#submit(connection, request, bytes, start, end);
  }

  /** `bytes` from `start` to `end`: the request's record. */
  #submit(connection: ClientConnection, request: PendingRequest, bytes: Buffer, start: number, end: number): void {
    this.#deps.counters.writes++;
    if (request.op === OpCode.closeSession) this.#connections.step(connection, "LAST_REQUEST");
    this.#push(connection, request);
    this.#serving().submit(this.#handedUp(connection, request, bytes, start, end));
  }

  #sync(connection: ClientConnection, xid: number, bytes: Buffer, start: number, end: number): void {
    const request = this.#keeping(xid, OpCode.sync, bytes, start, end, end - start);
    this.#push(connection, request);
    connection.queue.syncs++;
    this.#syncs.push({ connection, request });
    this.#serving().sync(this.#handedUp(connection, request, bytes, start, end));
  }

  #enqueue(connection: ClientConnection, xid: number, op: number, bytes: Buffer, start: number, end: number): void {
    const charge = end - start + this.#reads.estimate(op, bytes, start, end);
    this.#push(connection, this.#keeping(xid, op, bytes, start, end, charge));
  }

  /** A request that waits with its record: the chunk it came in is only lent. */
  #keeping(xid: number, op: number, bytes: Buffer, start: number, end: number, charge: number): PendingRequest {
    const kept = this.#kept;
    kept.keep(bytes, start, end);
    return new PendingRequest(xid, op, this.nowMs, kept.bytes, kept.start, kept.end, charge);
  }

  /** Answers what stands at the head of the queue, up to the next request that the ensemble has to answer. */
  #advance(connection: ClientConnection): void {
    const { queue } = connection;
    for (let head = queue.head; head !== null; head = queue.head) {
      if (head.submitted && !head.completed) return;
      this.#shift(connection);
      if (kindOf(head.op) === RequestKind.unknown) return this.#unknown(connection, head);
      this.#answer(connection, head.xid, head.op, head.bytes, head.start, head.end, head.receivedMs);
      if (connection.unsent > OVERFLOW_BYTES) return this.#connections.step(connection, "OVERFLOWED");
    }
  }

  #push(connection: ClientConnection, request: PendingRequest): void {
    this.#deps.counters.outstanding++;
    connection.counters.outstanding++;
    connection.queue.push(request);
  }

  #shift(connection: ClientConnection): void {
    this.#deps.counters.outstanding--;
    connection.counters.outstanding--;
    connection.queue.shift();
  }

  #handedUp(
    connection: ClientConnection,
    request: PendingRequest,
    bytes: Buffer,
    start: number,
    end: number,
  ): WriteRequest {
    const { sessionId, authInfo } = connection;
    const { xid, op } = request;
    request.submitted = true;
    return { sessionId, cxid: xid, op, body: bytes.subarray(start, end), authInfo, owner: this.#serving().serverId };
  }

  #serving(): Upstream {
    assert(this.#upstream !== null, "Only a serving server has established sessions.");
    return this.#upstream;
  }

  #addOrphan(sessionId: SessionId, cxid: number): void {
    const orphans = this.#orphans.get(sessionId);
    if (orphans === undefined) this.#orphans.set(sessionId, [cxid]);
    else orphans.push(cxid);
  }

  /** Is this the commit of a write whose connection is gone? They come in the order of their submission. */
  #takeOrphan(txn: Txn): boolean {
    const orphans = this.#orphans.get(txn.sessionId);
    if (orphans === undefined || orphans[0] !== txn.cxid) return false;
    orphans.shift();
    if (orphans.length === 0) this.#orphans.delete(txn.sessionId);
    return true;
  }

  // ---- limits

  #exceedsLimits(connection: ClientConnection): boolean {
    const { config, counters } = this.#deps;
    if (connection.owed > HIGH_WATER_BYTES) return true;
    return counters.outstanding > config.globalOutstandingLimit && connection.queue.length > 0;
  }

  #mayGoOn(connection: ClientConnection): boolean {
    const { config, counters } = this.#deps;
    if (connection.owed > LOW_WATER_BYTES || (connection.stash !== null && connection.queue.syncs > 0)) return false;
    return counters.outstanding <= config.globalOutstandingLimit || connection.queue.length === 0;
  }

  #holdBack(connection: ClientConnection): void {
    if (!admitsRequest[connection.state]) return;
    this.#connections.step(connection, "HELD_BACK");
    this.#heldBack.push(connection);
  }
}
