import type { SessionId } from "../../spec/vocabulary.ts";
import { ClientConnection } from "../connection/client-connection.ts";
import { awaitsFirstFrame, awaitsSession, isClosed, isDraining, isServed } from "../connection/connection-table.ts";
import { OpCode } from "../protocol/opcodes.ts";
import type { Txn } from "../protocol/txn.ts";
import type { EventType } from "../protocol/watch-events.ts";
import type { ServerCounters } from "../runtime/counters.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { Effects, RemoteAddress, SocketId } from "../server/io.ts";
import type { ApplyResult, Database } from "../tree/database.ts";
import { WatchTable } from "../tree/watch-table.ts";
import { Connections } from "./connections.ts";
import { Openings } from "./openings.ts";
import { Reads } from "./reads.ts";
import { writeWatchEvent } from "./reply.ts";
import { OVERFLOW_BYTES, Requests } from "./requests.ts";
import type { ServingConfig } from "./serving-config.ts";
import type { Upstream } from "./upstream.ts";

export interface ClientServiceDeps {
  readonly database: Database;
  readonly environment: Environment;
  readonly report: Reporter;
  readonly config: ServingConfig;
  readonly counters: ServerCounters;
  /** Answers a four-letter word; null when there is no such word. `rest`: bytes after it. */
  readonly fourLetterWord: (word: string, rest: Buffer) => string | null;
}

/** Catching up on what a client missed has no single txn as its cause. */
const NO_CAUSE = -1;

/**
 * All client connections of one server: bytes in, replies and watch events out (NIOServerCnxn, ZooKeeperServer). The parts:
 * `Connections` (who is there, and the chart's steps), `Openings` (until a session stands), `Requests` (from then on).
 */
export class ClientService {
  /** Who watches what on this server; the database triggers it. */
  readonly watches: WatchTable<ClientConnection>;
  readonly #deps: ClientServiceDeps;
  readonly #connections: Connections;
  readonly #openings: Openings;
  readonly #requests: Requests;
  #upstream: Upstream | null = null;
  #gathersTouches = false;
  #touched: ClientConnection[] = [];
  #overflowed: ClientConnection[] = [];

  constructor(deps: ClientServiceDeps) {
    const { config, counters, database, report } = deps;
    this.#deps = deps;
    this.watches = new WatchTable((watcher, type, path, zxid) => {
      // The path alone would tell somebody who may not read the node that it is there (CVE-2024-23944).
      if (!config.skipAcl && !database.allowsEvent(type, path, watcher.authInfo)) return;
      this.#notify(watcher, type, path, zxid);
      watcher.written();
    });
    database.watches = this.watches;
    const reads = new Reads(database, this.watches, config.skipAcl, counters, (watcher, type, path) => {
      this.#notify(watcher, type, path, NO_CAUSE);
    });
    this.#connections = new Connections(counters, report, (connection) => {
      this.watches.removeWatcher(connection);
      this.#requests.forget(connection);
    });
    this.#openings = new Openings(deps, this.#connections);
    this.#requests = new Requests(deps, this.#connections, reads);
  }

  // ---- sockets

  accepted(socket: SocketId, remote: RemoteAddress, effects: Effects): void {
    const { config, counters, environment } = this.#deps;
    const connections = this.#connections;
    const others = connections.countFrom(remote.host);
    const { outbox } = connections;
    const connection = new ClientConnection(socket, remote, config.juteMaxBuffer, outbox, environment);
    connections.add(connection);
    counters.connectionsAccepted++;
    if (config.maxClientCnxns > 0 && others >= config.maxClientCnxns) {
      counters.connectionsRejected++;
      connections.drop(connection, `more than ${config.maxClientCnxns} from ${remote.host} (maxClientCnxns)`);
    }
    connections.handOver(effects);
  }

  /** `chunk` is lent until this returns. */
  data(socket: SocketId, chunk: Buffer, effects: Effects): void {
    const connection = this.#connections.all.get(socket);
    if (connection === undefined || isDraining[connection.state] || isClosed[connection.state]) return;
    const nowMs = this.#deps.environment.monotonicMs();
    this.#requests.nowMs = nowMs;
    connection.heardMs = nowMs;
    if (connection.greeted) connection.decoder.push(chunk);
    else this.#openings.greet(connection, chunk);
    if (awaitsFirstFrame[connection.state]) this.#openings.takeFirstFrame(connection);
    if (isServed[connection.state]) {
      this.#touch(connection);
      this.#requests.take(connection);
    }
    connection.decoder.keep();
    this.#connections.handOver(effects);
  }

  /** Answers `socket.drain`: what was written before it has left. */
  drained(socket: SocketId, effects: Effects): void {
    const connection = this.#connections.all.get(socket);
    if (connection === undefined) return;
    connection.drained(effects);
    connection.heardMs = this.#deps.environment.monotonicMs();
    // A client that is held back cannot be heard, but it reads: it is alive.
    if (isServed[connection.state]) this.#touch(connection);
  }

  /** The socket's last input. */
  closed(socket: SocketId, effects: Effects): void {
    const connection = this.#connections.all.get(socket);
    if (connection === undefined) return;
    if (!isClosed[connection.state]) this.#connections.step(connection, "LOST");
    connection.discard();
    this.#connections.remove(connection);
    this.#connections.handOver(effects);
  }

  /**
   * At TURN_ENDED, before the upstream hands over what it gathered, because connections that were held back may submit now.
   * Writes the turn's output, one socket.write per connection up to 60 KB and more only beyond, then closes.
   */
  flush(effects: Effects): void {
    this.#closeOverflowed();
    this.#requests.letGo();
    this.#connections.flush(effects);
    this.#connections.sweep(this.#deps.environment.monotonicMs());
    this.#connections.handOver(effects);
  }

  // ---- the ensemble

  /** Serving starts: armed by the peer chart on entering broadcast, or standalone. */
  open(upstream: Upstream): void {
    this.#upstream = upstream;
    this.#gathersTouches = upstream.mode === "follower" || upstream.mode === "observer";
    this.#openings.open(upstream);
    this.#requests.open(upstream);
  }

  /** The role ends: every client connection is dropped, pending requests are forgotten. */
  close(effects: Effects): void {
    this.#connections.flush(effects);
    this.#connections.dropAll();
    this.#upstream = null;
    this.#touched = [];
    this.#openings.close();
    this.#requests.close();
    this.#connections.handOver(effects);
  }

  /** After `Database.apply`, in zxid order; `result` is used before this returns. */
  committed(txn: Txn, result: ApplyResult): void {
    const connection = this.#connections.bySession.get(txn.sessionId);
    if (txn.type === OpCode.createSession) return this.#sessionCreated(connection);
    this.#requests.committed(connection, txn, result);
    if (txn.type === OpCode.closeSession && connection !== undefined) this.#sessionClosed(connection);
  }

  /** The answer to `Upstream.revalidate`. */
  revalidated(sessionId: SessionId, valid: boolean, timeoutMs: number): void {
    const connection = this.#connections.bySession.get(sessionId);
    // The client has gone, or the session was closed, while the leader was asked.
    if (connection === undefined || !awaitsSession[connection.state]) return;
    if (!valid) return this.#openings.refuse(connection);
    connection.timeoutMs = timeoutMs;
    this.#deps.counters.sessionsRevalidated++;
    this.#confirmed(connection);
  }

  /** The oldest pending sync is complete. */
  synced(): void {
    this.#requests.synced();
  }

  /** Sessions heard of since the last call, with their timeouts: a learner's answer to PING. */
  forEachTouched(visit: (id: SessionId, timeoutMs: number) => void): void {
    const touched = this.#touched;
    this.#touched = [];
    for (const connection of touched) {
      connection.touched = false;
      visit(connection.sessionId, connection.timeoutMs);
    }
  }

  // ---- for the operator

  /** Open connections, those without a session too. */
  connections(): IterableIterator<ClientConnection> {
    return this.#connections.all.values();
  }

  get connectionCount(): number {
    return this.#connections.all.size;
  }

  #sessionCreated(connection: ClientConnection | undefined): void {
    if (connection === undefined || !awaitsSession[connection.state]) return;
    this.#deps.counters.sessionsCreated++;
    this.#confirmed(connection);
  }

  #confirmed(connection: ClientConnection): void {
    this.#openings.confirm(connection);
    // A client may have spoken before it was answered.
    this.#requests.nowMs = this.#deps.environment.monotonicMs();
    this.#requests.take(connection);
  }

  /** By its client, whose answer has been written, or by expiry. */
  #sessionClosed(connection: ClientConnection): void {
    if (awaitsSession[connection.state]) this.#openings.refuse(connection);
    else if (isServed[connection.state]) this.#connections.end(connection);
  }

  #touch(connection: ClientConnection): void {
    this.#upstream?.touch(connection.sessionId, connection.timeoutMs);
    if (!this.#gathersTouches || connection.touched) return;
    connection.touched = true;
    this.#touched.push(connection);
  }

  /** Events cannot wait: a client that leaves too much unread is disconnected, and catches up with setWatches. */
  #notify(watcher: ClientConnection, type: EventType, path: string, zxid: number): void {
    const { counters } = this.#deps;
    if (watcher.unsent > OVERFLOW_BYTES) {
      // Not now: the watch table is in the middle of telling its watchers.
      this.#overflowed.push(watcher);
      return;
    }
    writeWatchEvent(watcher.output(), type, path, zxid);
    counters.watchesFired++;
    counters.packetsSent++;
    watcher.counters.sent++;
  }

  #closeOverflowed(): void {
    if (this.#overflowed.length === 0) return;
    const overflowed = this.#overflowed;
    this.#overflowed = [];
    for (const connection of overflowed) {
      if (isServed[connection.state]) this.#connections.step(connection, "OVERFLOWED");
    }
  }
}
