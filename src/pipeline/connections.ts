import type { ServerConnectionEffect } from "../../spec/connection/server-connection.machine.ts";
import type { SessionId } from "../../spec/vocabulary.ts";
import type { ClientConnection } from "../connection/client-connection.ts";
import {
  awaitsSession,
  type ConnectionEventType,
  connectionEvents,
  connectionTable,
  isClosed,
  isDraining,
  isServed,
} from "../connection/connection-table.ts";
import { Outbox } from "../connection/outbox.ts";
import { UNEXPECTED } from "../runtime/compiled-table.ts";
import type { ServerCounters } from "../runtime/counters.ts";
import type { Report, Reporter } from "../runtime/environment.ts";
import type { Effects, SocketId } from "../server/io.ts";

/** A connection without a session lives this long (zookeeper.nio.sessionlessCnxnTimeout), also one that we closed. */
const SESSIONLESS_TIMEOUT_MS = 10_000;
const SWEEP_INTERVAL_MS = 1000;
/** A session must have had its chance to expire first, which ends the connection with the reason. */
const SILENCE_GRACE_MS = 5000;

/** The connections of one server: who they are, and their steps through the server-connection chart. */
export class Connections {
  readonly all = new Map<SocketId, ClientConnection>();
  /** The connection of each session that is served, or asked for, here. */
  readonly bySession = new Map<SessionId, ClientConnection>();
  readonly outbox = new Outbox();
  readonly #perHost = new Map<string, number>();
  readonly #counters: ServerCounters;
  readonly #report: Reporter;
  readonly #left: (connection: ClientConnection) => void;
  #nextSweepMs = 0;
  /** Effects of steps that were taken without an array of the caller's. */
  #effects: Effects = [];

  /** `left`: a connection no longer stands for its session. */
  constructor(counters: ServerCounters, report: Reporter, left: (connection: ClientConnection) => void) {
    this.#counters = counters;
    this.#report = report;
    this.#left = left;
  }

  add(connection: ClientConnection): void {
    const { host } = connection.remote;
    this.all.set(connection.socket, connection);
    this.#perHost.set(host, this.countFrom(host) + 1);
  }

  remove(connection: ClientConnection): void {
    const { host } = connection.remote;
    const others = this.countFrom(host) - 1;
    this.all.delete(connection.socket);
    if (others === 0) this.#perHost.delete(host);
    else this.#perHost.set(host, others);
  }

  /** Open connections from one address. */
  countFrom(host: string): number {
    return this.#perHost.get(host) ?? 0;
  }

  step(connection: ClientConnection, type: ConnectionEventType): void {
    const from = connection.state;
    const next = connectionTable.next(from, connectionEvents[type]);
    if (next === UNEXPECTED) {
      this.#counters.unexpectedEvents++;
      const state = connectionTable.states[from];
      this.#report({
        level: "error",
        message: "An event that a client's connection does not expect",
        data: { state, type },
      });
      return;
    }
    connection.state = next;
    for (const effect of connectionTable.effects(from, connectionEvents[type])) this.#perform(connection, effect);
    if (standsForSession(from) && !standsForSession(next)) this.#leave(connection);
  }

  /** Closes without a word to the client. */
  drop(connection: ClientConnection, reason: string, level: Report["level"] = "warn"): void {
    const { remote, socket } = connection;
    this.#report({ level, message: `A client's connection is dropped: ${reason}`, data: { remote, socket } });
    this.step(connection, "BAD_BYTES");
  }

  /** Closes as soon as what was written is handed over. */
  end(connection: ClientConnection): void {
    this.step(connection, "ENDED");
    // The end of the turn looks only at connections with output.
    connection.output();
  }

  /** Hands the turn's output to the sockets, then closes those that were only waiting for that. */
  flush(effects: Effects): void {
    for (const connection of this.outbox.takeDirty()) {
      connection.flush(effects);
      if (isDraining[connection.state]) this.step(connection, "FLUSHED");
    }
  }

  /**
   * Closes connections whose client has gone without a word: a peer behind a cut cable sends no end. Sessions are not
   * touched; whether one expires is the leader's business.
   */
  sweep(nowMs: number): void {
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + SWEEP_INTERVAL_MS;
    for (const connection of this.all.values()) {
      const { state, timeoutMs, socket } = connection;
      const patienceMs = standsForSession(state) ? timeoutMs + SILENCE_GRACE_MS : SESSIONLESS_TIMEOUT_MS;
      if (nowMs - connection.heardMs <= patienceMs) continue;
      if (isClosed[state]) this.#effects.push({ type: "socket.destroy", socket });
      else this.step(connection, "SILENT");
    }
  }

  /** The role ends. */
  dropAll(): void {
    for (const connection of this.all.values()) {
      if (!isClosed[connection.state]) this.step(connection, "ROLE_ENDED");
    }
  }

  /** Appends what the steps since the last call asked for. */
  handOver(effects: Effects): void {
    if (this.#effects.length === 0) return;
    for (const effect of this.#effects) effects.push(effect);
    this.#effects = [];
  }

  #leave(connection: ClientConnection): void {
    if (this.bySession.get(connection.sessionId) === connection) this.bySession.delete(connection.sessionId);
    this.#left(connection);
  }

  #perform(connection: ClientConnection, effect: ServerConnectionEffect): void {
    const { socket } = connection;
    switch (effect.type) {
      case "connection.pause":
        this.#effects.push({ type: "socket.pause", socket });
        return;
      case "connection.resume":
        this.#effects.push({ type: "socket.resume", socket });
        return;
      case "connection.close":
        this.#effects.push({ type: "socket.close", socket });
        return;
      case "connection.destroy":
        this.#counters.connectionsDropped++;
        connection.discard();
        this.#effects.push({ type: "socket.destroy", socket });
    }
  }
}

function standsForSession(state: number): boolean {
  return (isServed[state] || awaitsSession[state]) as boolean;
}
