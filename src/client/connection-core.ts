/**
 * A client's connection without its I/O: bytes, timers and requests go in, effects come out as data. The chart
 * (spec/connection/client-connection.machine.ts) knows the phase; this file does what the phase asks for, and hands
 * requests, replies and events to `RequestStream` where the phase admits them.
 */
import {
  type ClientConnectionEffect,
  clientConnectionMachine,
  type RequestFailure,
} from "../../spec/connection/client-connection.machine.ts";
import type { SessionId } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { FrameDecoder } from "../protocol/frame-decoder.ts";
import { JuteError, JuteReader } from "../protocol/jute-reader.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { OpCode, Xid } from "../protocol/opcodes.ts";
import { ConnectRequest, ConnectResponse } from "../protocol/records.ts";
import { assert, unreachable } from "../runtime/assert.ts";
import { ChartRunner } from "../runtime/chart.ts";
import type { ConnectionCoreOptions } from "./connection-options.ts";
import { CLOSING, errorFor } from "./errors.ts";
import { type ClientSocketId, formatAddress } from "./io.ts";
import { Request } from "./request.ts";
import { type CurrentConnection, RequestStream, StreamError } from "./request-stream.ts";
import type { SessionState } from "./watches.ts";

/** The chart's states as the application sees them. */
export type ClientPhase =
  | "connecting"
  | "connected"
  | "readOnly"
  | "disconnected"
  | "closing"
  | "closed"
  | "expired"
  | "authFailed";

const NO_PASSWORD = Buffer.alloc(16);
const NO_SOCKET: ClientSocketId = 0;
const ISRO = Buffer.from("isro");

const FAILURES: Readonly<Record<RequestFailure, number>> = {
  CONNECTIONLOSS: ErrorCode.CONNECTIONLOSS,
  SESSIONEXPIRED: ErrorCode.SESSIONEXPIRED,
  AUTHFAILED: ErrorCode.AUTHFAILED,
  CLOSING,
};

/** Why a request is refused outright, by the hot handler that the phase names for SEND. */
const REFUSALS: Readonly<Record<string, number>> = {
  "client.refuseClosed": CLOSING,
  "client.refuseExpired": ErrorCode.SESSIONEXPIRED,
  "client.refuseAuthFailed": ErrorCode.AUTHFAILED,
};

const SESSION_STATES: Readonly<Record<ClientPhase, SessionState>> = {
  connecting: "Disconnected",
  connected: "SyncConnected",
  readOnly: "ConnectedReadOnly",
  disconnected: "Disconnected",
  closing: "Disconnected",
  closed: "Closed",
  expired: "Expired",
  authFailed: "AuthFailed",
};

export class ConnectionCore {
  readonly stream: RequestStream;
  readonly #options: ConnectionCoreOptions;
  readonly #runner: ChartRunner<typeof clientConnectionMachine>;
  readonly #connection: CurrentConnection;
  readonly #reader = new JuteReader(Buffer.alloc(0));
  #password: Buffer;
  /** A server with a quorum knows the session; a read-only one only lends an id of its own. */
  #sessionIsReal: boolean;
  #decoder: FrameDecoder;
  #socket: ClientSocketId = NO_SOCKET;
  /** Asks another server whether it takes writes. */
  #probe: { socket: ClientSocketId; server: number } | null = null;
  #nextSocket: ClientSocketId = 1;
  #nextServer = 0;
  #silence: { readonly id: string; readonly delayMs: number } | null = null;
  #lastHeardMs = 0;
  #turnAsked = false;

  constructor(options: ConnectionCoreOptions) {
    assert(options.servers.length > 0, "A client knows at least one server.");
    this.#options = options;
    this.#connection = { sessionId: options.session?.id ?? (0n as SessionId), generation: 0, server: "" };
    this.#password = options.session?.password ?? NO_PASSWORD;
    this.#sessionIsReal = options.session !== undefined;
    this.#decoder = new FrameDecoder(options.maxFrameBytes);
    this.stream = new RequestStream({ ...options, connection: this.#connection });
    this.#runner = new ChartRunner(clientConnectionMachine, {
      name: "client",
      input: { timeoutMs: options.timeoutMs, servers: options.servers.length },
      perform: (effect) => this.#perform(effect),
      timer: (id, delayMs) => this.#timer(id, delayMs),
      unexpected: (state, event) =>
        options.report({ level: "error", message: `Event ${event} is not expected in state ${state}` }),
    });
    let known: ClientPhase | "" = "";
    this.#runner.onTransition = () => {
      const { phase } = this;
      if (phase !== known) options.observer?.stateChanged?.(phase, { ...this.#connection });
      known = phase;
    };
  }

  start(): void {
    this.#runner.start();
  }

  get phase(): ClientPhase {
    const { state } = this.#runner;
    const dot = state.indexOf(".");
    return (dot < 0 ? state : state.slice(0, dot)) as ClientPhase;
  }

  get connection(): Readonly<CurrentConnection> {
    return this.#connection;
  }

  get password(): Buffer {
    return this.#password;
  }

  /** T: what was asked for, once there was a session what the server granted. */
  get sessionTimeoutMs(): number {
    return this.#runner.context.timeoutMs;
  }

  // ---- what the application asks for

  /** Admits a request and returns where its record goes (then call `seal`), or rejects it and returns null. */
  open(request: Request): ReturnType<RequestStream["open"]> | null {
    const code = this.#refusal();
    if (code === undefined) return this.stream.open(request);
    request.reject(errorFor(code, request.path));
    return null;
  }

  seal(request: Request): void {
    this.stream.seal(request);
    this.#flushLater();
  }

  addAuth(scheme: string, auth: Buffer | null, request: Request): void {
    const code = this.#refusal();
    if (code !== undefined) {
      request.reject(errorFor(code, null));
      return;
    }
    this.stream.addAuth(scheme, auth, request, this.#serves());
    this.#flushLater();
  }

  close(): void {
    this.#runner.send({ type: "CLOSE_REQUESTED" });
  }

  // ---- what the world reports

  socketConnected(socket: ClientSocketId): void {
    if (socket === this.#socket) this.#runner.send({ type: "SOCKET_CONNECTED" });
    else if (socket === this.#probe?.socket) this.#options.perform({ type: "socket.write", socket, bytes: ISRO });
  }

  /** The chunk belongs to the core from here on. */
  socketData(socket: ClientSocketId, chunk: Buffer): void {
    if (socket === this.#socket) this.#received(socket, chunk);
    else if (socket === this.#probe?.socket) this.#probeAnswered(chunk);
  }

  socketClosed(socket: ClientSocketId, error?: string): void {
    if (socket === this.#probe?.socket) this.#probe = null;
    if (socket !== this.#socket) return;
    const { server } = this.#connection;
    this.#options.report({ level: "info", message: `Connection to ${server} closed`, data: { error: error ?? null } });
    this.#socket = NO_SOCKET;
    this.#runner.send({ type: "SOCKET_CLOSED" });
  }

  timerFired(id: string): void {
    if (id === BACKOFF_TIMER) {
      this.#runner.send({ type: "BACKOFF_PASSED" });
      return;
    }
    const silence = this.#silence;
    if (id === silence?.id) {
      const leftMs = this.#lastHeardMs + silence.delayMs - this.#options.environment.monotonicMs();
      if (leftMs > 0) {
        this.#options.perform({ type: "timer.set", id, delayMs: Math.ceil(leftMs) });
        return;
      }
      this.#options.report({ level: "warn", message: `${this.#connection.server} is silent, trying another server` });
    }
    this.#runner.fire(id);
  }

  turnEnded(): void {
    this.#turnAsked = false;
    if (this.#serves()) this.#flush();
  }

  // ---- incoming

  #received(socket: ClientSocketId, chunk: Buffer): void {
    this.#lastHeardMs = this.#options.environment.monotonicMs();
    const decoder = this.#decoder;
    const reader = this.#reader;
    try {
      decoder.push(chunk);
      // A frame may end the connection; the rest of the chunk then belongs to nobody.
      while (socket === this.#socket && decoder.next()) {
        reader.reset(decoder.bytes, decoder.start, decoder.end);
        const { admitted } = this.#runner;
        if (admitted["REPLY"] !== undefined) this.#incoming(reader);
        else if (admitted["CONNECT_RESPONSE"] !== undefined) this.#handshake(reader);
      }
    } catch (error) {
      if (!(error instanceof JuteError || error instanceof StreamError)) throw error;
      const data = { server: this.#connection.server, reason: error.message };
      this.#options.report({ level: "error", message: "The server broke the protocol", data });
      this.#runner.send({ type: "PROTOCOL_VIOLATED" });
    }
  }

  #incoming(reader: JuteReader): void {
    const xid = reader.int();
    if (xid === Xid.notification) {
      this.stream.watchEvent(reader);
      return;
    }
    const fact = this.stream.reply(xid, reader);
    if (fact !== null) this.#runner.send({ type: fact });
  }

  #handshake(reader: JuteReader): void {
    const { timeOut: timeoutMs, sessionId, passwd, readOnly } = ConnectResponse.read(reader);
    if (timeoutMs <= 0) {
      this.#runner.send({ type: "SESSION_REFUSED" });
      return;
    }
    this.#connection.sessionId = sessionId;
    this.#connection.generation++;
    this.#password = passwd === null ? NO_PASSWORD : Buffer.from(passwd);
    const isReadOnly = readOnly === true;
    if (!isReadOnly) this.#sessionIsReal = true;
    this.#runner.send({ type: "SESSION_ESTABLISHED", timeoutMs, readOnly: isReadOnly });
  }

  // ---- outgoing

  #serves(): boolean {
    return this.#runner.admitted["REPLY"] !== undefined;
  }

  #refusal(): number | undefined {
    return REFUSALS[this.#runner.admitted["SEND"] ?? ""];
  }

  #flushLater(): void {
    if (this.#turnAsked) return;
    this.#turnAsked = true;
    this.#options.perform({ type: "turn.end" });
  }

  #flush(): void {
    const bytes = this.stream.take();
    if (bytes.length > 0) this.#write(bytes);
  }

  #write(bytes: Buffer): void {
    this.#options.perform({ type: "socket.write", socket: this.#socket, bytes });
  }

  // ---- what the chart asks for

  #perform(effect: ClientConnectionEffect): void {
    switch (effect.type) {
      case "socket.open":
        this.#open();
        break;
      case "socket.drop":
        this.#drop();
        break;
      case "handshake.send":
        this.#sendConnectRequest();
        break;
      case "session.resume":
        for (const bytes of this.stream.resume()) this.#write(bytes);
        break;
      case "ping.send":
        this.stream.ping();
        this.#flush();
        break;
      case "writable.search":
        this.#searchWritable();
        break;
      case "closeSession.send":
        this.#sendCloseSession();
        break;
      case "requests.fail":
        this.stream.fail(FAILURES[effect.failure]);
        break;
      case "backoff.start":
        this.#options.perform({ type: "timer.set", id: BACKOFF_TIMER, delayMs: this.#backoffMs(effect.attempts) });
        break;
      case "backoff.stop":
        this.#options.perform({ type: "timer.clear", id: BACKOFF_TIMER });
        break;
      case "state.announce":
        this.#announce();
        break;
      default:
        unreachable(effect, "The chart asks for something unknown");
    }
  }

  #open(): void {
    const address = this.#options.servers[this.#nextServer]!;
    this.#nextServer = (this.#nextServer + 1) % this.#options.servers.length;
    this.#socket = this.#nextSocket++;
    this.#connection.server = formatAddress(address);
    this.#decoder = new FrameDecoder(this.#options.maxFrameBytes);
    this.#options.perform({ type: "socket.connect", socket: this.#socket, address });
  }

  #drop(): void {
    this.#dropProbe();
    this.#connection.server = "";
    if (this.#socket === NO_SOCKET) return;
    const socket = this.#socket;
    this.#socket = NO_SOCKET;
    this.#options.perform({ type: "socket.destroy", socket });
  }

  #sendConnectRequest(): void {
    const writer = new JuteWriter(64);
    writer.int(0);
    ConnectRequest.write(writer, {
      protocolVersion: 0,
      lastZxidSeen: this.stream.lastZxid,
      timeOut: this.#options.timeoutMs,
      sessionId: this.#sessionIsReal ? this.#connection.sessionId : (0n as SessionId),
      passwd: this.#sessionIsReal ? this.#password : NO_PASSWORD,
      readOnly: this.#options.readOnly,
    });
    writer.patchInt(0, writer.offset - 4);
    this.#write(writer.take());
  }

  #sendCloseSession(): void {
    const request = new Request(OpCode.closeSession, null);
    this.stream.open(request);
    this.stream.seal(request);
    this.#flush();
  }

  /** Full jitter: clients that lost a server together do not come back together. */
  #backoffMs(attempts: number): number {
    const { firstMs, longestMs } = this.#options.backoff;
    return Math.floor(this.#options.environment.random() * Math.min(longestMs, firstMs * 2 ** attempts));
  }

  #announce(): void {
    const state = SESSION_STATES[this.phase];
    this.#options.stateChanged(state);
    if (state !== "Closed" && state !== "Expired" && state !== "AuthFailed") return;
    const watchers = this.stream.watches.drain();
    if (watchers.size > 0) this.#options.deliver(watchers, { type: "None", state, path: null });
  }

  #timer(id: string, delayMs: number | null): void {
    const counted = id.includes(SILENCE);
    if (delayMs === null) {
      if (counted) this.#silence = null;
      this.#options.perform({ type: "timer.clear", id });
      return;
    }
    if (counted) this.#silence = { id, delayMs };
    this.#options.perform({ type: "timer.set", id, delayMs });
  }

  // ---- the search for a server that takes writes

  #searchWritable(): void {
    this.#dropProbe();
    const server = this.#nextServer;
    const socket = this.#nextSocket++;
    this.#nextServer = (server + 1) % this.#options.servers.length;
    this.#probe = { socket, server };
    this.#options.perform({ type: "socket.connect", socket, address: this.#options.servers[server]! });
  }

  #probeAnswered(answer: Buffer): void {
    const server = this.#probe?.server;
    this.#dropProbe();
    if (server === undefined || answer.toString("latin1") !== "rw") return;
    this.#nextServer = server;
    this.#runner.send({ type: "WRITABLE_SERVER_FOUND" });
  }

  #dropProbe(): void {
    if (this.#probe === null) return;
    this.#options.perform({ type: "socket.destroy", socket: this.#probe.socket });
    this.#probe = null;
  }
}

const BACKOFF_TIMER = "client:backoff";
/** Part of the id that xstate gives to the timer of the chart's `silence` delay. */
const SILENCE = ".silence.";
