/**
 * A client in a world made of data, for tests: its servers do what the test says, its clock moves when the test says so.
 *
 * ```ts
 * const world = new ScriptedWorld("a:1,b:1");
 * world.serve();                              // accept the socket, answer the handshake
 * const read = world.zk.getData("/x");
 * world.reply(world.sent()[0], { body: ... });
 * ```
 */
import type { SessionId } from "../../spec/vocabulary.ts";
import { FrameDecoder } from "../protocol/frame-decoder.ts";
import { JuteReader } from "../protocol/jute-reader.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { OpCode, Xid } from "../protocol/opcodes.ts";
import { ConnectRequest, ConnectResponse, GetDataResponse, type RecordOf } from "../protocol/records.ts";
import { assert } from "../runtime/assert.ts";
import type { Report } from "../runtime/environment.ts";
import type { ClientOptions } from "./connect.ts";
import { parseConnectString } from "./connect-string.ts";
import { ConnectionCore } from "./connection-core.ts";
import { type ClientIoEffect, type ClientSocketId, formatAddress } from "./io.ts";
import type { Stat } from "./replies.ts";
import type { SessionState } from "./watches.ts";
import { ZooKeeper } from "./zookeeper.ts";

/** One frame that the client wrote after the handshake. */
export interface SentRequest {
  readonly xid: number;
  readonly op: number;
  /** At the record, behind the header. */
  readonly record: JuteReader;
}

export interface ScriptedReply {
  readonly zxid?: number;
  readonly err?: number;
  readonly body?: (writer: JuteWriter) => void;
}

interface ScriptedSocket {
  readonly id: ClientSocketId;
  readonly server: string;
  state: "connecting" | "open" | "destroyed" | "closed";
  readonly received: FrameDecoder;
  writes: number;
}

export const SESSION = 0x100001234560000n as SessionId;
export const PASSWORD = Buffer.from("0123456789abcdef");

export const STAT: Stat = {
  czxid: 3 as Stat["czxid"],
  mzxid: 4 as Stat["mzxid"],
  ctime: 1_700_000_000_000,
  mtime: 1_700_000_000_001,
  version: 1,
  cversion: 2,
  aversion: 0,
  ephemeralOwner: 0n as SessionId,
  dataLength: 5,
  numChildren: 0,
  pzxid: 3 as Stat["pzxid"],
};

export class ScriptedWorld {
  readonly zk: ZooKeeper;
  readonly sockets: ScriptedSocket[] = [];
  readonly reports: Report[] = [];
  readonly states: SessionState[] = [];
  nowMs = 1000;
  /** What the next draw of a random number gives. */
  random = 0.5;
  core!: ConnectionCore;
  readonly #timers = new Map<string, number>();
  #turnAsked = false;

  constructor(connectString: string, options: ClientOptions = {}) {
    const { servers, chroot } = parseConnectString(connectString);
    this.zk = new ZooKeeper((hooks) => {
      this.core = new ConnectionCore({
        servers,
        chroot,
        timeoutMs: options.timeoutMs ?? 30_000,
        readOnly: options.readOnly ?? false,
        maxFrameBytes: options.maxFrameBytes ?? 1_000_000,
        backoff: options.backoff ?? { firstMs: 100, longestMs: 1000 },
        session: options.session,
        environment: { monotonicMs: () => this.nowMs, random: () => this.random },
        perform: (effect) => this.#perform(effect),
        observer: options.observer,
        report: (report) => {
          assert(!report.message.includes("is not expected"), report.message);
          this.reports.push(report);
        },
        ...hooks,
        stateChanged: (state) => {
          this.states.push(state);
          hooks.stateChanged(state);
        },
      });
      return this.core;
    });
  }

  // ---- the servers' side

  /** The socket that the client opened last. */
  get socket(): ScriptedSocket {
    const socket = this.sockets.at(-1);
    assert(socket !== undefined, "The client has opened a socket.");
    return socket;
  }

  accept(): void {
    this.socket.state = "open";
    this.core.socketConnected(this.socket.id);
  }

  refuse(): void {
    this.disconnect("ECONNREFUSED");
  }

  disconnect(error?: string): void {
    this.socket.state = "closed";
    this.core.socketClosed(this.socket.id, error);
  }

  /** The ConnectRequest that the client has sent. */
  connectRequest(): RecordOf<typeof ConnectRequest> {
    const { received } = this.socket;
    assert(received.next(), "The client has sent a ConnectRequest.");
    return ConnectRequest.read(new JuteReader(received.bytes, received.start, received.end));
  }

  /** Accepts, reads the ConnectRequest and opens (or takes up) the session. */
  serve(answer: Partial<RecordOf<typeof ConnectResponse>> = {}): RecordOf<typeof ConnectRequest> {
    this.accept();
    const request = this.connectRequest();
    this.answerConnect(answer);
    return request;
  }

  answerConnect(answer: Partial<RecordOf<typeof ConnectResponse>> = {}): void {
    this.receive(
      frame((writer) =>
        ConnectResponse.write(writer, {
          protocolVersion: 0,
          timeOut: 30_000,
          sessionId: SESSION,
          passwd: PASSWORD,
          readOnly: false,
          ...answer,
        }),
      ),
    );
  }

  /** Says that the session is gone. */
  expire(): void {
    this.answerConnect({ timeOut: 0, sessionId: 0n as SessionId, passwd: Buffer.alloc(16) });
  }

  /** Requests since the last call, pings left out. Ends the turn first. */
  sent(): SentRequest[] {
    return this.frames().filter(({ op }) => op !== OpCode.ping);
  }

  frames(): SentRequest[] {
    this.endTurn();
    const { received } = this.socket;
    const requests: SentRequest[] = [];
    while (received.next()) {
      // A copy: the reader must outlive the chunk it lies in.
      const record = new JuteReader(Buffer.from(received.bytes.subarray(received.start, received.end)));
      requests.push({ xid: record.int(), op: record.int(), record });
    }
    return requests;
  }

  reply(to: Pick<SentRequest, "xid"> | undefined, reply: ScriptedReply = {}): void {
    assert(to !== undefined, "The request was sent.");
    this.receive(replyFrame(to.xid, reply));
  }

  event(type: number, path: string, zxid = -1): void {
    this.receive(eventFrame(type, path, zxid));
  }

  /** Loses the connection; the client turns to the next server. */
  moveOn(): void {
    this.disconnect("ECONNRESET");
    this.advance(1000);
  }

  receive(bytes: Buffer): void {
    this.core.socketData(this.socket.id, bytes);
  }

  // ---- time

  /** All timers that are due by then go off, in their order. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      let next: string | undefined;
      for (const [id, at] of this.#timers) {
        if (at <= endMs && (next === undefined || at < this.#timers.get(next)!)) next = id;
      }
      if (next === undefined) break;
      this.nowMs = Math.max(this.nowMs, this.#timers.get(next)!);
      this.#timers.delete(next);
      this.core.timerFired(next);
    }
    this.nowMs = endMs;
  }

  endTurn(): void {
    if (!this.#turnAsked) return;
    this.#turnAsked = false;
    this.core.turnEnded();
  }

  get armedTimers(): number {
    return this.#timers.size;
  }

  #perform(effect: ClientIoEffect): void {
    switch (effect.type) {
      case "socket.connect": {
        const { socket: id, address } = effect;
        const received = new FrameDecoder(100_000_000);
        this.sockets.push({ id, server: formatAddress(address), state: "connecting", received, writes: 0 });
        break;
      }
      case "socket.write": {
        const socket = this.#find(effect.socket);
        assert(socket.state === "open", "Only an open socket is written to.");
        socket.received.push(effect.bytes);
        socket.writes++;
        break;
      }
      case "socket.destroy":
        this.#find(effect.socket).state = "destroyed";
        break;
      case "timer.set":
        this.#timers.set(effect.id, this.nowMs + effect.delayMs);
        break;
      case "timer.clear":
        this.#timers.delete(effect.id);
        break;
      case "turn.end":
        this.#turnAsked = true;
    }
  }

  #find(id: ClientSocketId): ScriptedSocket {
    const socket = this.sockets.find((candidate) => candidate.id === id);
    assert(socket !== undefined, "The socket was opened before.");
    return socket;
  }
}

/** Gathers how promises end, in the order in which they do: "0 ok", "1 ConnectionLoss". */
export function outcomes(...promises: readonly Promise<unknown>[]): string[] {
  const list: string[] = [];
  promises.forEach((promise, i) => {
    promise.then(
      (value) => list.push(`${i} ${typeof value === "string" ? value : "ok"}`),
      (error: Error) => list.push(`${i} ${error.name}`),
    );
  });
  return list;
}

/** A world with a connection that serves. */
export function connected(connectString = "a:1,b:2,c:3", options: ClientOptions = {}): ScriptedWorld {
  const world = new ScriptedWorld(connectString, options);
  world.serve();
  return world;
}

/** The body of a GetDataResponse. */
export function data(text: string): (writer: JuteWriter) => void {
  return (writer) => GetDataResponse.write(writer, { data: Buffer.from(text), stat: STAT });
}

export function frame(write: (writer: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  writer.int(0);
  write(writer);
  writer.patchInt(0, writer.offset - 4);
  return writer.take();
}

export function replyFrame(xid: number, { zxid = 7, err = 0, body }: ScriptedReply = {}): Buffer {
  return frame((writer) => {
    writer.int(xid);
    writer.long(zxid);
    writer.int(err);
    body?.(writer);
  });
}

export function eventFrame(type: number, path: string, zxid = -1): Buffer {
  return frame((writer) => {
    writer.int(Xid.notification);
    writer.long(zxid);
    writer.int(0);
    writer.int(type);
    writer.int(3);
    writer.ustring(path);
  });
}
