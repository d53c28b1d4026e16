import type { SessionId } from "../../spec/vocabulary.ts";
import type { ClientConnection } from "../connection/client-connection.ts";
import { judgeConnectRequest, writeConnectResponse, writeSessionRefusal } from "../connection/handshake.ts";
import { JuteError } from "../protocol/jute-reader.ts";
import { OpCode } from "../protocol/opcodes.ts";
import type { ServerCounters } from "../runtime/counters.ts";
import type { Environment } from "../runtime/environment.ts";
import { SessionIds } from "../session/session-ids.ts";
import type { Database } from "../tree/database.ts";
import type { Connections } from "./connections.ts";
import type { ServingConfig } from "./serving-config.ts";
import type { Upstream } from "./upstream.ts";

const TELNET_INTERRUPT = 0xfff4fffd;

export interface OpeningsDeps {
  readonly database: Database;
  readonly environment: Environment;
  readonly config: ServingConfig;
  readonly counters: ServerCounters;
  readonly fourLetterWord: (word: string, rest: Buffer) => string | null;
}

/** A connection's first bytes: a four-letter word, or the request for a session, new or known. */
export class Openings {
  readonly #deps: OpeningsDeps;
  readonly #connections: Connections;
  #upstream: Upstream | null = null;
  #sessionIds: SessionIds | null = null;

  constructor(deps: OpeningsDeps, connections: Connections) {
    this.#deps = deps;
    this.#connections = connections;
  }

  open(upstream: Upstream): void {
    this.#upstream = upstream;
    this.#sessionIds ??= new SessionIds(upstream.serverId, this.#deps.environment);
  }

  close(): void {
    this.#upstream = null;
  }

  /** Four-letter words come before everything else, and are answered even when nothing is served. */
  greet(connection: ClientConnection, chunk: Buffer): void {
    const bytes = connection.opening === null ? chunk : Buffer.concat([connection.opening, chunk]);
    if (bytes.length < 4) {
      // The chunk is only lent.
      connection.opening = Buffer.from(bytes);
      return;
    }
    connection.opening = null;
    connection.greeted = true;
    if (bytes.readUInt32BE(0) === TELNET_INTERRUPT)
      return this.#connections.drop(connection, "telnet was interrupted", "debug");
    const answer = isWord(bytes) ? this.#deps.fourLetterWord(bytes.toString("latin1", 0, 4), bytes.subarray(4)) : null;
    if (answer === null) return connection.decoder.push(bytes);
    this.#deps.counters.packetsReceived++;
    connection.output().raw(Buffer.from(answer));
    this.#connections.step(connection, "WORD_ANSWERED");
  }

  takeFirstFrame(connection: ClientConnection): void {
    const { decoder } = connection;
    try {
      if (!decoder.next()) return;
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      return this.#connections.drop(connection, error.message);
    }
    const { config, counters, database } = this.#deps;
    counters.packetsReceived++;
    connection.counters.received++;
    const upstream = this.#upstream;
    // During an election every client tries every server: not worth the operator's attention.
    if (upstream === null) return this.#connections.drop(connection, "this server is not serving clients", "debug");
    const greeting = judgeConnectRequest(decoder.bytes, decoder.start, decoder.end, database.lastProcessedZxid, config);
    if (greeting.verdict === "drop") return this.#connections.drop(connection, greeting.reason);
    connection.sendsReadOnly = greeting.sendsReadOnly;
    if (greeting.verdict === "refuse") return this.refuse(connection);
    connection.timeoutMs = greeting.timeoutMs;
    if (greeting.verdict === "create") this.#create(connection, upstream);
    else this.#reattach(connection, upstream, greeting.sessionId);
  }

  /** The ensemble knows the session: tell its client. */
  confirm(connection: ClientConnection): void {
    const { sessionId, timeoutMs, sendsReadOnly } = connection;
    writeConnectResponse(connection.output(), sessionId, timeoutMs, sendsReadOnly);
    this.#countSent(connection);
    this.#connections.step(connection, "SESSION_CONFIRMED");
  }

  /** There is no such session, or it is not this client's. */
  refuse(connection: ClientConnection): void {
    writeSessionRefusal(connection.output(), connection.sendsReadOnly);
    this.#countSent(connection);
    this.#connections.step(connection, "SESSION_REFUSED");
  }

  #create(connection: ClientConnection, upstream: Upstream): void {
    const sessionId = this.#sessionIds?.next(this.#deps.database.sessions) as SessionId;
    this.#attach(connection, sessionId);
    const body = Buffer.allocUnsafe(4);
    body.writeInt32BE(connection.timeoutMs);
    upstream.submit({ sessionId, cxid: 0, op: OpCode.createSession, body, authInfo: [], owner: upstream.serverId });
  }

  #reattach(connection: ClientConnection, upstream: Upstream, sessionId: SessionId): void {
    // A session has one connection: the one its client opened last.
    const previous = this.#connections.bySession.get(sessionId);
    if (previous !== undefined) this.#connections.end(previous);
    this.#attach(connection, sessionId);
    upstream.revalidate(sessionId, connection.timeoutMs);
  }

  #attach(connection: ClientConnection, sessionId: SessionId): void {
    connection.sessionId = sessionId;
    this.#connections.bySession.set(sessionId, connection);
    this.#connections.step(connection, "SESSION_REQUESTED");
  }

  #countSent(connection: ClientConnection): void {
    this.#deps.counters.packetsSent++;
    connection.counters.sent++;
  }
}

/** Four lower-case letters: as a frame length they would be far above any limit. */
function isWord(bytes: Buffer): boolean {
  for (let at = 0; at < 4; at++) {
    const letter = bytes[at] as number;
    if (letter < 0x61 || letter > 0x7a) return false;
  }
  return true;
}
