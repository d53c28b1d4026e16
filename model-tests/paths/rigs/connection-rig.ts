/** The server-connection chart inside a real ClientService, where it is an integer: a client's bytes in, its answers out. */
import type { AnyMachineSnapshot, EventObject } from "xstate";
import type { ServerConnectionEvent } from "../../../spec/connection/server-connection.machine.ts";
import type { SessionId } from "../../../spec/vocabulary.ts";
import { connectionTable } from "../../../src/connection/connection-table.ts";
import { Connections } from "../../../src/pipeline/connections.ts";
import * as op from "../../support/raw-requests.ts";
import { type RawClient, request, StandaloneServer } from "../../support/standalone-server.ts";
import { listedIn } from "../pair-graph.ts";
import type { ChartEffect, ObservedStep, Reference, Rig } from "../replay.ts";

/** Nothing is sent by itself: the end of a turn is an event of its own. */
class QuietServer extends StandaloneServer {
  turns = false;
  override endTurn(): void {
    if (this.turns) super.endTurn();
  }
}

export const connectionAlphabet = (snapshot: AnyMachineSnapshot): readonly EventObject[] =>
  listedIn(snapshot).map((type) => ({ type }));

const FLOOD_BYTES = 900_000;
const SILENCE_MS = 100_000;
const GARBAGE = Buffer.from("ffffffff", "hex");

export class ConnectionRig implements Rig {
  readonly timers = null;
  readonly #server = new QuietServer();
  readonly #client: RawClient;
  readonly #socket: number;
  readonly #steps: ObservedStep[] = [];
  readonly #outputs: string[] = [];
  /** Comes back to a session of its own, instead of asking for a new one. */
  readonly #returns: boolean;
  #session = 0n as SessionId;
  #closing = false;

  constructor(returns: boolean) {
    const server = this.#server;
    this.#returns = returns;
    server.turns = true;
    const other = server.connect();
    other.one(...op.create("/big", { data: Buffer.alloc(FLOOD_BYTES) }));
    if (returns) {
      this.#session = other.sessionId;
      other.hangUp();
    }
    server.immediate = false;
    server.revalidates = false;
    server.turns = false;
    this.#client = server.accept();
    this.#socket = this.#client.socket;
  }

  takeSteps(): ObservedStep[] {
    return this.#steps.splice(0);
  }

  takeOutputs(): string[] {
    return this.#outputs.splice(0);
  }

  /** What is owed beyond a bound is noticed in the same breath, and so is what goes on once it is not. */
  mayFollow({ type }: EventObject): boolean {
    return type === "HELD_BACK" || type === "FLUSHED" || type === "LET_GO";
  }

  payloadIsOpen(): boolean {
    return false;
  }

  cause(event: EventObject, chart: Reference): string | null {
    if (chart.state === "draining" && (event.type === "SILENT" || event.type === "ROLE_ENDED")) {
      return "its last words are handed over first, and it is closed";
    }
    if (chart.state === "established.heldBack" && (event.type === "BAD_BYTES" || event.type === "LAST_REQUEST")) {
      return "nothing is read from a client that is held back";
    }
    const step = Connections.prototype.step;
    const perform = this.#client.perform;
    const { socket } = this.#client;
    const steps = this.#steps;
    Connections.prototype.step = function (this: Connections, connection, type): void {
      step.call(this, connection, type);
      if (connection.socket !== socket) return;
      steps.push({ event: { type }, to: connectionTable.states[connection.state] as string });
    };
    this.#client.perform = (effect) => {
      const name = /^socket\.(pause|resume|close|destroy)$/.exec(effect.type)?.[1];
      if (name !== undefined) this.#outputs.push(`effect connection.${name}`);
      perform.call(this.#client, effect);
    };
    try {
      return this.#cause(event as ServerConnectionEvent);
    } finally {
      Connections.prototype.step = step;
      this.#client.perform = perform;
    }
  }

  #cause({ type }: ServerConnectionEvent): string | null {
    const server = this.#server;
    const client = this.#client;
    switch (type) {
      case "WORD_ANSWERED":
        client.send(Buffer.from("ruok"));
        return null;
      case "SESSION_REQUESTED":
        client.connect(this.#returns ? { sessionId: this.#session } : {});
        return null;
      case "SESSION_CONFIRMED":
        if (this.#returns) server.service.revalidated(this.#session, true, 10_000);
        else server.commit();
        this.#perform();
        return null;
      case "SESSION_REFUSED":
        return this.#refuse();
      case "BAD_BYTES":
        client.send(GARBAGE);
        return null;
      case "REQUEST":
        client.send(request(1, ...op.getData("/nothing")));
        return null;
      case "HELD_BACK":
        for (let i = 0; i < 6 && this.#steps.length === 0; i++) client.send(request(2, ...op.getData("/big")));
        return null;
      case "LET_GO":
        this.#turn();
        client.drain();
        this.#turn();
        return null;
      case "LAST_REQUEST":
        this.#closing = true;
        client.send(request(3, ...op.closeSession));
        return null;
      case "ENDED":
        return this.#end();
      case "FLUSHED":
        this.#turn();
        return null;
      case "OVERFLOWED":
        return "asked for by 16 MiB of events that nobody reads: src/pipeline/limits.test.ts";
      case "SILENT":
        server.time.ms += SILENCE_MS;
        this.#turn();
        return null;
      case "ROLE_ENDED":
        server.service.close(this.#effects);
        server.perform(this.#effects.splice(0));
        return null;
      case "LOST":
        client.hangUp();
        return null;
    }
  }

  readonly #effects: Parameters<StandaloneServer["perform"]>[0] = [];

  /** Effects of steps that the ensemble caused are handed over with the next input, whosever it is. */
  #perform(): void {
    this.#server.accept();
    this.#server.perform(this.#effects.splice(0));
  }

  #turn(): void {
    this.#server.turns = true;
    this.#server.endTurn();
    this.#server.turns = false;
  }

  get #connection() {
    return [...this.#server.service.connections()].find(({ socket }) => socket === this.#socket);
  }

  #refuse(): string | null {
    const client = this.#client;
    const connection = this.#connection;
    if (connection === undefined) return "it is gone";
    if (connectionTable.states[connection.state] === "handshaking") {
      client.connect({ sessionId: 0x77n, passwd: Buffer.alloc(16, 1) });
      return null;
    }
    if (!this.#returns) return "a session that is being created is not refused";
    this.#server.service.revalidated(this.#session, false, 0);
    this.#perform();
    return null;
  }

  /** Its closeSession is applied, or its session is taken up through another connection. */
  #end(): string | null {
    const server = this.#server;
    if (this.#closing) {
      this.#closing = false;
      server.commit();
      this.#perform();
      return null;
    }
    const connection = this.#connection;
    if (connection === undefined || connection.sessionId === 0n) return "nobody knows it by a session";
    const own = connection.sessionId;
    const thief = server.accept();
    thief.connect({ sessionId: own });
    return this.#steps.length > 0 ? null : "nobody knows it by its session any more";
  }

  expected(effect: ChartEffect): readonly string[] {
    return [`effect ${effect.type}`];
  }
}
