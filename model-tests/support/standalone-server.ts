/**
 * A standalone server without I/O, for tests: the real ClientService, Prepare, SessionTracker and Database; the upstream
 * prepares and applies at once, or when told. Clients speak raw bytes.
 */
import { createHash } from "node:crypto";
import { type ServerId, type SessionId, ZERO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import { ClientService } from "../../src/pipeline/client-service.ts";
import { Prepare } from "../../src/pipeline/prepare.ts";
import type { ServingConfig } from "../../src/pipeline/serving-config.ts";
import type { Upstream, WriteRequest } from "../../src/pipeline/upstream.ts";
import { FrameDecoder } from "../../src/protocol/frame-decoder.ts";
import { JuteReader } from "../../src/protocol/jute-reader.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { ConnectRequest, ConnectResponse, type RecordOf } from "../../src/protocol/records.ts";
import { sessionPassword } from "../../src/protocol/session-password.ts";
import { decodeTxn, type Txn } from "../../src/protocol/txn.ts";
import { assert } from "../../src/runtime/assert.ts";
import { ServerCounters } from "../../src/runtime/counters.ts";
import type { Environment, Report } from "../../src/runtime/environment.ts";
import type { Effect, Effects } from "../../src/server/io.ts";
import { SessionTracker } from "../../src/session/session-tracker.ts";
import { Database } from "../../src/tree/database.ts";

export const CONFIG: ServingConfig = {
  maxClientCnxns: 0,
  minSessionTimeoutMs: 4000,
  maxSessionTimeoutMs: 40_000,
  juteMaxBuffer: 0xfffff,
  globalOutstandingLimit: 1000,
  enforceQuota: false,
  extendedTypesEnabled: false,
  digestEnabled: true,
  skipAcl: false,
  superDigest: null,
};

export class FakeTime implements Environment {
  ms = 1_700_000_000_000;
  monotonicMs(): number {
    return this.ms;
  }
  wallMs(): number {
    return this.ms;
  }
  random(): number {
    return 0.5;
  }
  sha1(bytes: Uint8Array): Uint8Array {
    return createHash("sha1").update(bytes).digest();
  }
}

interface Waiting {
  readonly txn: Txn | null;
}

export class StandaloneServer implements Upstream {
  readonly time = new FakeTime();
  readonly database: Database;
  readonly tracker: SessionTracker;
  readonly prepare: Prepare;
  readonly counters = new ServerCounters(0);
  readonly service: ClientService;
  readonly reports: Report[] = [];
  readonly unexpected: string[] = [];
  readonly serverId = 1 as ServerId;
  readonly mode = "standalone";
  /** Apply each txn as soon as it is prepared; otherwise when `commit` is called. */
  immediate = true;
  /** Ask nobody: a test calls `service.revalidated` itself. */
  revalidates = true;
  zxid = ZERO_ZXID;
  /** What a log would hold. */
  readonly entries: Buffer[] = [];
  #waiting: Waiting[] = [];
  #nextSocket = 1;
  readonly #clients = new Map<number, RawClient>();

  constructor(config: Partial<ServingConfig> = {}) {
    const full = { ...CONFIG, ...config };
    this.database = new Database({ digest: full.digestEnabled, extendedTypes: full.extendedTypesEnabled });
    const unexpected = (state: string, event: string): void => void this.unexpected.push(`${event} in ${state}`);
    this.tracker = new SessionTracker({ tickTimeMs: 2000, unexpected });
    this.prepare = new Prepare(this.database, this.tracker, full, this.time);
    this.service = new ClientService({
      database: this.database,
      environment: this.time,
      report: (report) => void this.reports.push(report),
      config: full,
      counters: this.counters,
      fourLetterWord: (word) => (word === "ruok" ? "imok" : null),
    });
    this.service.open(this);
  }

  // ---- Upstream

  submit(request: WriteRequest): void {
    this.zxid = (this.zxid + 1) as Zxid;
    const { entry } = this.prepare.prepare(request, this.zxid, this.time.ms);
    this.entries.push(entry);
    this.#waiting.push({ txn: decodeTxn(entry) });
    if (this.immediate) this.commit();
  }

  sync(_request: WriteRequest): void {
    this.#waiting.push({ txn: null });
    if (this.immediate) this.commit();
  }

  revalidate(sessionId: SessionId, timeoutMs: number): void {
    if (!this.revalidates) return;
    const valid = this.tracker.revalidate(sessionId, timeoutMs, this.serverId, this.time.ms);
    this.service.revalidated(sessionId, valid, timeoutMs);
  }

  touch(sessionId: SessionId, timeoutMs: number): void {
    this.tracker.touch(sessionId, timeoutMs, this.time.ms);
  }

  // ---- the ensemble

  /** Commits what was submitted: all of it, or the oldest `count`. */
  commit(count = Number.POSITIVE_INFINITY): void {
    for (let done = 0; done < count; done++) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (next.txn === null) this.service.synced();
      else this.apply(next.txn);
    }
  }

  apply(txn: Txn): void {
    const result = this.database.apply(txn);
    assert(this.database.agreesWith(txn.digest), `The digest that zxid ${txn.zxid} was prepared with is the tree's.`);
    this.prepare.applied(txn.zxid);
    this.tracker.applied(txn);
    this.service.committed(txn, result);
  }

  /** Time passes; sessions that run out are closed. */
  pass(ms: number): void {
    this.time.ms += ms;
    for (const sessionId of this.tracker.expire(this.time.ms)) {
      this.submit({
        sessionId,
        cxid: 0,
        op: OpCode.closeSession,
        body: Buffer.alloc(0),
        authInfo: [],
        owner: this.serverId,
      });
    }
    this.endTurn();
  }

  /** Serving ends and begins anew: what was submitted is committed all the same, but nobody is told. */
  restartRole(): void {
    const effects: Effects = [];
    this.service.close(effects);
    this.perform(effects);
    for (const { txn } of this.#waiting) if (txn !== null) this.database.apply(txn);
    this.#waiting = [];
    this.prepare.reset();
    this.tracker.restart(this.database.sessions, this.time.ms);
    this.service.open(this);
  }

  // ---- sockets

  /** A new connection that has said nothing. */
  accept(host = "127.0.0.1"): RawClient {
    const socket = this.#nextSocket;
    this.#nextSocket += 2;
    const client = new RawClient(this, socket);
    this.#clients.set(socket, client);
    const effects: Effects = [];
    this.service.accepted(socket, { host, port: 50_000 + socket }, effects);
    this.perform(effects);
    return client;
  }

  /** A client with an established session. */
  connect(timeOut = 10_000): RawClient {
    const client = this.accept();
    client.connect({ timeOut });
    return client;
  }

  endTurn(): void {
    const effects: Effects = [];
    this.service.flush(effects);
    this.perform(effects);
  }

  perform(effects: Effects): void {
    for (const effect of effects) if ("socket" in effect) this.#clients.get(effect.socket)?.perform(effect);
  }
}

export interface Reply {
  readonly xid: number;
  readonly zxid: number;
  readonly err: number;
  readonly body: Buffer;
}

type ConnectFields = Partial<Omit<RecordOf<typeof ConnectRequest>, "sessionId">> & { readonly sessionId?: bigint };

/** A client that speaks bytes: the test is on the other side of a socket. */
export class RawClient {
  readonly server: StandaloneServer;
  readonly socket: number;
  /** Everything the server wrote. */
  received: Buffer[] = [];
  closed = false;
  paused = false;
  /** Never answers `socket.drain`. */
  stalled = false;
  drainAsked = false;
  sessionId = 0n as SessionId;
  readonly #decoder = new FrameDecoder(0x7fffffff);
  #frames: Buffer[] = [];
  /** The first frame of a connection answers `connect`. */
  #greeted = true;
  #nextXid = 1;

  constructor(server: StandaloneServer, socket: number) {
    this.server = server;
    this.socket = socket;
  }

  /** Bytes arrive, the turn ends. They are lent: what is kept of them without copying is spoilt. */
  send(bytes: Buffer): this {
    const effects: Effects = [];
    const lent = Buffer.from(bytes);
    this.server.service.data(this.socket, lent, effects);
    lent.fill(0xa5);
    this.server.perform(effects);
    this.server.endTurn();
    return this;
  }

  /** Asks for a session; the answer, if it comes at once. */
  connect(fields: ConnectFields = {}): RecordOf<typeof ConnectResponse> | null {
    this.#greeted = false;
    this.send(frame((writer) => ConnectRequest.write(writer, connectRequest(fields))));
    return this.greeting();
  }

  /** The answer to `connect`, once it has come. */
  greeting(): RecordOf<typeof ConnectResponse> | null {
    this.#decode();
    const bytes = this.#greeted ? undefined : this.#frames.shift();
    if (bytes === undefined) return null;
    this.#greeted = true;
    const response = ConnectResponse.read(new JuteReader(bytes));
    this.sessionId = response.sessionId;
    return response;
  }

  /** Sends one request and returns all replies and events that came by the end of the turn. */
  ask(type: number, write: (writer: JuteWriter) => void = () => {}, xid = this.#nextXid++): Reply[] {
    this.send(request(xid, type, write));
    return this.replies();
  }

  /** Like `ask`, for a request that is answered by exactly one frame. */
  one(type: number, write: (writer: JuteWriter) => void = () => {}, xid = this.#nextXid++): Reply {
    const replies = this.ask(type, write, xid);
    assert(replies.length === 1, `One reply to ${type}, not ${replies.length}.`);
    return replies[0] as Reply;
  }

  /** Complete frames that came since the last call. */
  frames(): Buffer[] {
    this.#decode();
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  /** Replies and events that came since the last call. */
  replies(): Reply[] {
    this.greeting();
    return this.frames().map((bytes) => {
      const reader = new JuteReader(bytes);
      return { xid: reader.int(), zxid: reader.long(), err: reader.int(), body: reader.rest() };
    });
  }

  #decode(): void {
    const decoder = this.#decoder;
    for (const bytes of this.received) decoder.push(bytes);
    this.received = [];
    while (decoder.next()) this.#frames.push(Buffer.from(decoder.bytes.subarray(decoder.start, decoder.end)));
  }

  /** The client hangs up. */
  hangUp(): void {
    const effects: Effects = [];
    this.closed = true;
    this.server.service.closed(this.socket, effects);
    this.server.perform(effects);
    this.server.endTurn();
  }

  /** What was written has left. */
  drain(): void {
    this.drainAsked = false;
    const effects: Effects = [];
    this.server.service.drained(this.socket, effects);
    this.server.perform(effects);
    this.server.endTurn();
  }

  perform(effect: Effect): void {
    switch (effect.type) {
      case "socket.write":
        assert(!this.closed, "Nothing is written to a closed socket.");
        this.received.push(effect.bytes);
        return;
      case "socket.drain":
        this.drainAsked = true;
        return;
      case "socket.pause":
        this.paused = true;
        return;
      case "socket.resume":
        this.paused = false;
        return;
      case "socket.close":
      case "socket.destroy":
        this.closed = true;
        this.server.service.closed(this.socket, []);
    }
  }
}

export function frame(write: (writer: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  writer.int(0);
  write(writer);
  writer.patchInt(0, writer.offset - 4);
  return writer.take();
}

export function request(xid: number, type: number, write: (writer: JuteWriter) => void = () => {}): Buffer {
  return frame((writer) => {
    writer.int(xid);
    writer.int(type);
    write(writer);
  });
}

/** `passwd`: the right one unless given. */
function connectRequest(fields: ConnectFields): RecordOf<typeof ConnectRequest> {
  const sessionId = (fields.sessionId ?? 0n) as SessionId;
  const passwd = sessionId === 0n ? Buffer.alloc(16) : sessionPassword(sessionId);
  return {
    protocolVersion: 0,
    lastZxidSeen: ZERO_ZXID,
    timeOut: 10_000,
    passwd,
    readOnly: false,
    ...fields,
    sessionId,
  };
}
