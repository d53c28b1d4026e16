/** The client-connection chart inside a real ConnectionCore: sockets, frames and timers in, frames and sockets out. */
import type { AnyMachineSnapshot, EventObject } from "xstate";
import type { ClientConnectionEvent } from "../../../spec/connection/client-connection.machine.ts";
import type { SessionId } from "../../../spec/vocabulary.ts";
import { ConnectionCore } from "../../../src/client/connection-core.ts";
import type { ClientIoEffect } from "../../../src/client/io.ts";
import { Request } from "../../../src/client/request.ts";
import { eventFrame, frame, PASSWORD, replyFrame, SESSION } from "../../../src/client/scripted-world.ts";
import { ErrorCode } from "../../../src/protocol/error-codes.ts";
import { FrameDecoder } from "../../../src/protocol/frame-decoder.ts";
import { OpCode, opName, Xid } from "../../../src/protocol/opcodes.ts";
import { ConnectResponse } from "../../../src/protocol/records.ts";
import { EventType } from "../../../src/protocol/watch-events.ts";
import { ChartRunner } from "../../../src/runtime/chart.ts";
import { listedIn } from "../pair-graph.ts";
import type { ChartEffect, ObservedStep, Reference, Rig } from "../replay.ts";

export interface ClientVariant {
  readonly servers: number;
  /** Credentials are sent as soon as there is a session, and not answered. */
  readonly credentials: boolean;
}

export const CLIENT_TIMEOUT_MS = 30_000;
const GRANTED_MS = 12_000;
const LONG_MS = 100_000;

export const clientAlphabet = (snapshot: AnyMachineSnapshot): readonly EventObject[] =>
  listedIn(snapshot).flatMap((type): EventObject[] =>
    type === "SESSION_ESTABLISHED"
      ? [false, true].map((readOnly) => ({ type, timeoutMs: GRANTED_MS, readOnly }) as EventObject)
      : [{ type }],
  );

const STATES: Readonly<Record<string, string>> = {
  connecting: "Disconnected",
  connected: "SyncConnected",
  readOnly: "ConnectedReadOnly",
  disconnected: "Disconnected",
  closing: "Disconnected",
  closed: "Closed",
  expired: "Expired",
  authFailed: "AuthFailed",
};

export class ClientRig implements Rig {
  readonly timers = "client";
  readonly #variant: ClientVariant;
  readonly #core: ConnectionCore;
  readonly #steps: ObservedStep[] = [];
  readonly #outputs: string[] = [];
  readonly #sockets: number[] = [];
  #decoders = new Map<number, FrameDecoder>();
  readonly #timersSet = new Set<string>();
  #nowMs = 1000;
  /** As the core should keep them: requests that wait for an answer (those sent first), the next server, open sockets. */
  #asked: number[] = [];
  #sent = 0;
  #closeXid = 0;
  #next = 0;
  #hasSocket = false;
  /** How many the chart has asked for, and the one that it has now. */
  #opened = 0;
  #current = 0;
  #probe: number | null = null;
  #probeServer = 0;
  #authSent = false;

  constructor(variant: ClientVariant) {
    this.#variant = variant;
    const names = ["a", "b", "c"].slice(0, variant.servers);
    this.#core = new ConnectionCore({
      servers: names.map((host) => ({ host, port: 1 })),
      chroot: "",
      timeoutMs: CLIENT_TIMEOUT_MS,
      readOnly: true,
      maxFrameBytes: 1_000_000,
      backoff: { firstMs: 100, longestMs: 1000 },
      session: undefined,
      environment: { monotonicMs: () => this.#nowMs, random: () => 0.5 },
      perform: (effect) => this.#performed(effect),
      deliver: () => {},
      stateChanged: (state) => void this.#outputs.push(`state ${state}`),
      observer: undefined,
      report: ({ message }) => {
        if (message.includes("is not expected")) this.#outputs.push(`unexpected ${message}`);
      },
    });
    this.#core.start();
  }

  takeSteps(): ObservedStep[] {
    return this.#steps.splice(0);
  }

  takeOutputs(): string[] {
    return this.#outputs.splice(0);
  }

  /** What an answer to the handshake means is told in the same breath. */
  mayFollow({ type }: EventObject): boolean {
    return type === "SESSION_ESTABLISHED";
  }

  payloadIsOpen(): boolean {
    return false;
  }

  mood(): string {
    return `${this.#asked.length > 0 ? "asked" : ""} ${this.#probe === null ? "" : "probing"}`;
  }

  cause(event: EventObject): string | null {
    const send = ChartRunner.prototype.send;
    const seen: EventObject[] = [];
    let runner: ChartRunner<never> | undefined;
    // The core keeps its chart to itself: look over its shoulder.
    ChartRunner.prototype.send = function (this: ChartRunner<never>, told: never): void {
      seen.push(told);
      runner = this;
      send.call(this, told);
    };
    try {
      const reason = this.#cause(event as ClientConnectionEvent);
      this.#core.turnEnded();
      for (const told of seen) this.#steps.push({ event: told, to: "" });
      const last = this.#steps.at(-1);
      if (last !== undefined) this.#steps[this.#steps.length - 1] = { ...last, to: runner?.state ?? "" };
      return reason;
    } finally {
      ChartRunner.prototype.send = send;
    }
  }

  get #socket(): number {
    return this.#sockets.at(-1) as number;
  }

  #cause(event: ClientConnectionEvent): string | null {
    const core = this.#core;
    if ((event.type as string).startsWith("xstate.after")) {
      const id = `client:${event.type}`;
      if (!this.#timersSet.delete(id)) return "that timer does not run";
      this.#nowMs += LONG_MS;
      core.timerFired(id);
      return null;
    }
    switch (event.type) {
      case "SOCKET_CONNECTED":
        core.socketConnected(this.#socket);
        return null;
      case "SOCKET_CLOSED":
        if (!this.#hasSocket) return "there is no socket";
        core.socketClosed(this.#socket, "reset");
        return null;
      case "CONNECT_RESPONSE":
        core.socketData(this.#socket, connectResponse(GRANTED_MS, false));
        return this.#begin();
      case "SESSION_ESTABLISHED":
        core.socketData(this.#socket, connectResponse(event.timeoutMs, event.readOnly));
        return this.#begin();
      case "SESSION_REFUSED":
        core.socketData(this.#socket, connectResponse(0, false));
        return null;
      case "SEND":
        return this.#send();
      case "REPLY": {
        const xid = this.#asked[0];
        if (xid === undefined || this.#sent === 0) return "nothing was asked of this server";
        this.#asked.shift();
        this.#sent--;
        core.socketData(this.#socket, replyFrame(xid, { err: ErrorCode.NONODE }));
        return null;
      }
      case "WATCH_EVENT":
        core.socketData(this.#socket, eventFrame(EventType.created, "/x"));
        return null;
      case "AUTH_REFUSED":
        if (!this.#authSent) return "no credentials wait for an answer";
        this.#authSent = false;
        core.socketData(this.#socket, replyFrame(Xid.auth, { err: ErrorCode.AUTHFAILED }));
        return null;
      case "PROTOCOL_VIOLATED":
        core.socketData(this.#socket, Buffer.from("ffffffff", "hex"));
        return null;
      case "BACKOFF_PASSED":
        core.timerFired("client:backoff");
        return null;
      case "WRITABLE_SERVER_FOUND": {
        const probe = this.#probe;
        if (probe === null) return "no other server is being asked";
        this.#probe = null;
        this.#next = this.#probeServer;
        core.socketConnected(probe);
        core.socketData(probe, Buffer.from("rw"));
        return null;
      }
      case "CLOSE_REQUESTED":
        core.close();
        return null;
      case "SESSION_CLOSED": {
        for (const xid of this.#asked) core.socketData(this.#socket, replyFrame(xid, { err: ErrorCode.NONODE }));
        core.socketData(this.#socket, replyFrame(this.#closeXid));
        return null;
      }
    }
  }

  #begin(): null {
    if (!this.#variant.credentials) return null;
    if (!this.#authSent) this.#core.addAuth("digest", Buffer.from("ann:x"), new Request(OpCode.auth, null));
    this.#authSent = true;
    return null;
  }

  #send(): null {
    const request = new Request(OpCode.exists, "/x");
    request.resolve = () => void this.#outputs.push("answer ");
    request.reject = () => void this.#outputs.push("answer ");
    const writer = this.#core.open(request);
    if (writer === null) return null;
    writer.ustring("/x");
    writer.bool(false);
    this.#core.seal(request);
    this.#asked.push(request.xid);
    return null;
  }

  // --- what left the core

  #performed(effect: ClientIoEffect): void {
    switch (effect.type) {
      case "socket.connect":
        this.#outputs.push(`socket connect ${effect.address.host}`);
        if (this.#opensProbe) this.#probe = effect.socket;
        else this.#sockets.push(effect.socket);
        this.#opensProbe = false;
        return;
      case "socket.destroy":
        this.#outputs.push(`socket destroy ${effect.socket}`);
        return;
      case "socket.write":
        if (this.#sockets.includes(effect.socket)) this.#wrote(effect.socket, effect.bytes);
        return;
      case "timer.set":
        this.#timersSet.add(effect.id);
        this.#outputs.push(effect.id === "client:backoff" ? "backoff on" : `timer ${effect.id} ${effect.delayMs}`);
        return;
      case "timer.clear":
        this.#timersSet.delete(effect.id);
        this.#outputs.push(effect.id === "client:backoff" ? "backoff off" : `timer ${effect.id} off`);
        return;
      case "turn.end":
    }
  }

  /** The core opens its probe right after the ping of a beat. */
  #opensProbe = false;

  #wrote(socket: number, bytes: Buffer): void {
    let decoder = this.#decoders.get(socket);
    const isFirst = decoder === undefined;
    if (decoder === undefined) {
      decoder = new FrameDecoder(1_000_000);
      this.#decoders.set(socket, decoder);
    }
    decoder.push(Buffer.from(bytes));
    for (let first = isFirst; decoder.next(); first = false) {
      const at = decoder.start;
      if (first) {
        this.#outputs.push("frame connect");
        continue;
      }
      const xid = decoder.bytes.readInt32BE(at);
      const op = decoder.bytes.readInt32BE(at + 4);
      if (op === OpCode.closeSession) this.#closeXid = xid;
      // Credentials go with every connection, before all else: the rig's own business.
      if (op === OpCode.auth) this.#authSent = true;
      else this.#outputs.push(`frame ${opName(op)}`);
      // Read-only servers are left: the beat's ping comes before the question to another.
      this.#opensProbe = op === OpCode.ping && this.#core.phase === "readOnly";
    }
  }

  // --- what must leave it

  expected(effect: ChartEffect, chart: Reference): readonly string[] {
    switch (effect.type) {
      case "socket.open":
        this.#hasSocket = true;
        this.#current = this.#sockets[this.#opened++] as number;
        return [`socket connect ${this.#nextServer()}`];
      case "socket.drop":
        return this.#dropped();
      case "handshake.send":
        return ["frame connect"];
      case "session.resume": {
        const waiting = this.#asked.length - this.#sent;
        this.#sent = this.#asked.length;
        return Array.from({ length: waiting }, () => "frame exists");
      }
      case "ping.send":
        return ["frame ping"];
      case "writable.search": {
        // The one that has not answered since the last beat is given up.
        const before = this.#asking;
        this.#asking = this.#probe;
        this.#probeServer = this.#next;
        return [...(before === null ? [] : [`socket destroy ${before}`]), `socket connect ${this.#nextServer()}`];
      }
      case "closeSession.send":
        return ["frame closeSession"];
      case "requests.fail": {
        const count = this.#asked.length;
        this.#asked = [];
        this.#sent = 0;
        return Array.from({ length: count }, () => "answer ");
      }
      case "backoff.start":
        return ["backoff on"];
      case "backoff.stop":
        return ["backoff off"];
      case "state.announce":
        return [`state ${STATES[chart.state.split(".")[0] as string]}`];
      default:
        return [];
    }
  }

  /** The server that is asked whether it takes writes, as far as the chart knows. */
  #asking: number | null = null;

  #nextServer(): string {
    const name = ["a", "b", "c"][this.#next] as string;
    this.#next = (this.#next + 1) % this.#variant.servers;
    return name;
  }

  #dropped(): string[] {
    const probe = this.#asking;
    this.#asking = null;
    this.#probe = null;
    const dropped = probe === null ? [] : [`socket destroy ${probe}`];
    if (this.#hasSocket) dropped.push(`socket destroy ${this.#current}`);
    this.#hasSocket = false;
    return dropped;
  }

  expectedOf({ type }: EventObject): readonly string[] {
    if (type === "SOCKET_CLOSED") this.#hasSocket = false;
    if (type === "WRITABLE_SERVER_FOUND") {
      // It has answered: that socket is done with, whatever the chart makes of it.
      const probe = this.#asking;
      this.#asking = null;
      return [`socket destroy ${probe}`];
    }
    if (type === "SESSION_CLOSED") {
      const count = this.#asked.length;
      this.#asked = [];
      this.#sent = 0;
      return Array.from({ length: count }, () => "answer ");
    }
    return [];
  }

  expectedHot(handler: string): readonly string[] {
    switch (handler) {
      case "client.send":
        this.#sent = this.#asked.length;
        return ["frame exists"];
      case "client.reply":
      case "client.refuseClosed":
      case "client.refuseExpired":
      case "client.refuseAuthFailed":
        return ["answer "];
      default:
        return [];
    }
  }
}

function connectResponse(timeOut: number, readOnly: boolean): Buffer {
  return frame((writer) =>
    ConnectResponse.write(writer, {
      protocolVersion: 0,
      timeOut,
      sessionId: timeOut === 0 ? (0n as SessionId) : SESSION,
      passwd: PASSWORD,
      readOnly,
    }),
  );
}
