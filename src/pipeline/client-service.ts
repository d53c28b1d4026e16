import type { SessionId } from "../../spec/vocabulary.ts";
import type { Txn } from "../protocol/txn.ts";
import type { ServerCounters } from "../runtime/counters.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { Effects, RemoteAddress, SocketId } from "../server/io.ts";
import type { ApplyResult, Database } from "../tree/database.ts";
import type { ServingConfig } from "./serving-config.ts";
import type { Upstream } from "./upstream.ts";

/** All client connections of one server: bytes in, replies and watch events out. */
export class ClientService {
  constructor(deps: {
    readonly database: Database;
    readonly environment: Environment;
    readonly report: Reporter;
    readonly config: ServingConfig;
    readonly counters: ServerCounters;
    /** Answers a four-letter word; null when there is no such word. `rest`: bytes after it. */
    readonly fourLetterWord: (word: string, rest: Buffer) => string | null;
  }) {
    void deps;
  }

  accepted(socket: SocketId, remote: RemoteAddress, effects: Effects): void {
    void [socket, remote, effects];
  }

  data(socket: SocketId, chunk: Buffer, effects: Effects): void {
    void [socket, chunk, effects];
  }

  drained(socket: SocketId, effects: Effects): void {
    void [socket, effects];
  }

  closed(socket: SocketId, effects: Effects): void {
    void [socket, effects];
  }

  /** Serving starts: armed by the peer chart on entering broadcast, or standalone. */
  open(upstream: Upstream): void {
    void upstream;
  }

  /** The role ends: every client connection is dropped, pending requests are forgotten. */
  close(effects: Effects): void {
    void effects;
  }

  /** After `Database.apply`, in zxid order; `result` is used before this returns. */
  committed(txn: Txn, result: ApplyResult): void {
    void [txn, result];
  }

  /** The answer to `Upstream.revalidate`. */
  revalidated(sessionId: SessionId, valid: boolean, timeoutMs: number): void {
    void [sessionId, valid, timeoutMs];
  }

  /** The oldest pending sync is complete. */
  synced(): void {}

  /** Sessions heard of since the last call, with their timeouts: a learner's answer to PING. */
  forEachTouched(visit: (id: SessionId, timeoutMs: number) => void): void {
    void visit;
  }

  /**
   * At TURN_ENDED, before the upstream hands over what it gathered (connections that were held back may submit): at most
   * one socket.write per connection, then closes.
   */
  flush(effects: Effects): void {
    void effects;
  }
}
