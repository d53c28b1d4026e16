/** Production's ConnectionCore (chart, request stream, watch registry) of one client that knows two servers. */

import { ConnectionCore } from "../../../src/client/connection-core.ts";
import type { ClientSocketId } from "../../../src/client/io.ts";
import { Request } from "../../../src/client/request.ts";
import type { WatchKind } from "../../../src/client/watches.ts";
import { assert } from "../../../src/runtime/assert.ts";
import * as raw from "../../support/raw-requests.ts";
import type { Core } from "./replayed-part.ts";
import { framesOf } from "./server-part.ts";

export const SESSION_TIMEOUT_MS = 4000;

/** What an application may ask for. */
export interface Operation {
  readonly text: string;
  readonly path: string;
  readonly request: raw.RawRequest;
  readonly watch?: WatchKind;
}

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  W: { text: "set /a", path: "/a", request: raw.setData("/a", "x") },
  V: { text: "set /b", path: "/b", request: raw.setData("/b", "x") },
  R: { text: "get /a", path: "/a", request: raw.getData("/a") },
  E: { text: "create -e /e", path: "/e", request: raw.create("/e", { flags: 1 }) },
  F: { text: "create -e /f", path: "/f", request: raw.create("/f", { flags: 1 }) },
  G: { text: "get -w /a", path: "/a", request: raw.getData("/a", true), watch: "data" },
  P: { text: "addWatch /b", path: "/b", request: raw.addWatch("/b", 0), watch: "persistent" },
};

export type ClientEvent =
  | { readonly type: "start" }
  | { readonly type: "connected" }
  | { readonly type: "closed" }
  | { readonly type: "data"; readonly hex: string }
  | { readonly type: "call"; readonly operation: string }
  | { readonly type: "close" };

export type ClientOutput =
  | { readonly type: "connect"; readonly server: number }
  | { readonly type: "write"; readonly hex: string }
  | { readonly type: "drop" }
  | { readonly type: "asked"; readonly xid: number; readonly op: number }
  | { readonly type: "reply"; readonly xid: number; readonly op: number; readonly err: number; readonly zxid: number }
  | { readonly type: "event"; readonly kind: string; readonly path: string; readonly zxid: number }
  | { readonly type: "phase"; readonly phase: string }
  | { readonly type: "session"; readonly id: string };

/** A mutant's hand on what the client sends. */
export type Send = (hex: string) => string;

const KINDS: readonly WatchKind[] = ["data", "exist", "child", "persistent", "recursive"];

export class ClientCore implements Core<ClientEvent, ClientOutput> {
  readonly #core: ConnectionCore;
  #outputs: ClientOutput[] = [];
  #socket: ClientSocketId = 0;
  #waiting: number[] = [];
  #backoff = false;
  #attempts = 0;

  constructor(firstServer: number, send: Send) {
    const servers = [firstServer, 3 - firstServer].map((id) => ({ host: String(id), port: 1 }));
    this.#core = new ConnectionCore({
      servers,
      chroot: "",
      timeoutMs: SESSION_TIMEOUT_MS,
      readOnly: false,
      maxFrameBytes: 1_000_000,
      backoff: { firstMs: 1, longestMs: 1 },
      session: undefined,
      environment: { monotonicMs: () => 0, random: () => 0 },
      perform: (effect) => {
        if (effect.type === "socket.connect") {
          this.#socket = effect.socket;
          this.#attempts++;
          this.#outputs.push({ type: "connect", server: Number(effect.address.host) });
        } else if (effect.type === "socket.write") {
          for (const hex of framesOf(effect.bytes)) this.#outputs.push({ type: "write", hex: send(hex) });
        } else if (effect.type === "socket.destroy") this.#outputs.push({ type: "drop" });
        else if (effect.type === "timer.set" && effect.id === "client:backoff") this.#backoff = true;
        else if (effect.type === "timer.clear" && effect.id === "client:backoff") this.#backoff = false;
      },
      deliver: () => {},
      stateChanged: () => {},
      observer: {
        requested: ({ xid, op }) => {
          this.#waiting.push(xid);
          this.#outputs.push({ type: "asked", xid, op });
        },
        replied: ({ xid, op, err, zxid }) => {
          this.#waiting = this.#waiting.filter((other) => other !== xid);
          this.#outputs.push({ type: "reply", xid, op, err, zxid });
        },
        notified: ({ type, path }, zxid) => {
          this.#outputs.push({ type: "event", kind: type, path: path ?? "", zxid });
        },
        stateChanged: (phase, { sessionId }) => {
          if (phase === "connected") this.#attempts = 0;
          this.#outputs.push({ type: "session", id: sessionId.toString(16) }, { type: "phase", phase });
        },
      },
      report: ({ level, message }) => assert(level !== "error" || !message.includes("not expected"), message),
    });
  }

  step(event: ClientEvent): readonly ClientOutput[] {
    this.#outputs = [];
    const core = this.#core;
    if (event.type === "start") core.start();
    if (event.type === "connected") core.socketConnected(this.#socket);
    if (event.type === "closed") core.socketClosed(this.#socket);
    if (event.type === "data") core.socketData(this.#socket, Buffer.from(event.hex, "hex"));
    if (event.type === "call") this.#call(OPERATIONS[event.operation] as Operation);
    if (event.type === "close") core.close();
    core.turnEnded();
    // The next server is tried at once: how long the client waits changes nothing that the model looks at.
    if (this.#backoff) {
      this.#backoff = false;
      core.timerFired("client:backoff");
    }
    return this.#outputs;
  }

  view(): string {
    const { phase, connection, stream } = this.#core;
    const watches = KINDS.map((kind) => [...stream.watches.paths(kind)]);
    const { sessionId, generation, server } = connection;
    return JSON.stringify([
      phase,
      sessionId.toString(16),
      generation,
      server,
      stream.lastZxid,
      stream.lastXid,
      this.#waiting,
      watches,
      this.#attempts % 2,
      this.#socket % 2,
    ]);
  }

  #call({ request: [op, write], path, watch }: Operation): void {
    const request = new Request(op, path, watch === undefined ? null : () => {}, watch ?? null);
    const writer = this.#core.open(request);
    if (writer === null) return;
    write(writer);
    this.#core.seal(request);
  }
}
