/** One story told to two servers at once: the same bytes to both, and both must answer the same. */
import { expect } from "vitest";
import type { SessionId } from "../../spec/vocabulary.ts";
import { OpCode, Xid } from "../../src/protocol/opcodes.ts";
import { sessionPassword } from "../../src/protocol/session-password.ts";
import type { RawRequest } from "../support/raw-requests.ts";
import { frame, request } from "../support/standalone-server.ts";
import { type Described, describeConnectResponse, describeReply, sessionIn, zxidIn } from "./describe.ts";
import type { Peer, PeerConnection } from "./peers.ts";

/** Long enough that no session of the run expires on its own. */
export const SESSION_TIMEOUT_MS = 600_000;

/** What differs on purpose, or what no two servers can agree on. */
export interface Leniency {
  /** Apache spends a zxid on a read that it cannot decode. */
  readonly zxid?: boolean;
  /** The end of a session takes its znodes in no particular order, and their events come in that order. */
  readonly eventOrder?: boolean;
}

export class Dialogue {
  readonly peers: readonly Peer[];
  /** By peer: zxids are compared relative to the first of the story. */
  readonly bases: number[] = [];

  constructor(peers: readonly Peer[]) {
    this.peers = peers;
  }

  /** A connection to each server that has said nothing. */
  async open(): Promise<Pair> {
    return new Pair(this, await Promise.all(this.peers.map((peer) => peer.open())));
  }

  /** A client with a session of its own on each server. */
  async connect(): Promise<Pair> {
    const pair = await this.open();
    await pair.connect();
    return pair;
  }
}

interface Asked {
  readonly xid: number;
  readonly op: number;
}

/** The same client, at both servers. */
export class Pair {
  readonly #dialogue: Dialogue;
  readonly #connections: readonly PeerConnection[];
  readonly sessionIds: bigint[] = [0n, 0n];
  #asked: Asked[] = [];
  #nextXid = 1;

  constructor(dialogue: Dialogue, connections: readonly PeerConnection[]) {
    this.#dialogue = dialogue;
    this.#connections = connections;
  }

  /** Sends the same bytes to both, or what `bytesFor` makes of each one's session. */
  say(bytesFor: (sessionId: bigint) => Buffer): void {
    for (const [at, connection] of this.#connections.entries())
      connection.send(bytesFor(this.sessionIds[at] as bigint));
  }

  async connect(fields: ConnectFields = {}): Promise<void> {
    const sessionIds = fields.of?.sessionIds ?? [0n, 0n];
    for (const [at, connection] of this.#connections.entries()) {
      connection.send(connectFrame(sessionIds[at] as bigint, fields));
    }
    const answers = await this.#frames();
    expect(answers.map((frames) => frames.map(describeConnectResponse))[1]).toEqual(
      answers.map((frames) => frames.map(describeConnectResponse))[0],
    );
    for (const [at, frames] of answers.entries()) {
      if (frames[0] === undefined) continue;
      this.sessionIds[at] = sessionIn(frames[0]);
    }
    await this.closes();
    if (this.#dialogue.bases.length === 0 && this.sessionIds[0] !== 0n) await this.#findBases();
  }

  /** One request; both must answer with the same frames, and agree on whether the connection stays open. */
  async ask([type, write]: RawRequest, leniency: Leniency = {}, xid = this.#nextXid++): Promise<Described[]> {
    return this.askAll([[type, write]], leniency, xid);
  }

  /** A request with a zxid in it: both get their own idea of where the story began. */
  async askEach(make: (base: number) => RawRequest): Promise<Described[]> {
    const xid = this.#nextXid++;
    for (const [at, connection] of this.#connections.entries()) {
      const [type, write] = make(this.#dialogue.bases[at] as number);
      if (at === 0) this.#asked.push({ xid, op: type });
      connection.send(request(xid, type, write));
    }
    return this.hear({ eventOrder: true });
  }

  /** Closes both connections without a word. */
  drop(): void {
    for (const connection of this.#connections) connection.drop();
  }

  /** Ends the session at both, whatever is said to that. */
  async leave(): Promise<void> {
    if (await this.closes()) return;
    this.say(() => request(this.#nextXid++, OpCode.closeSession));
    await this.#frames();
    this.drop();
  }

  /** Several requests in one write. */
  async askAll(
    requests: readonly RawRequest[],
    leniency: Leniency = {},
    firstXid = this.#nextXid,
  ): Promise<Described[]> {
    this.#nextXid = Math.max(this.#nextXid, firstXid + requests.length);
    const frames = requests.map(([type, write], at) => {
      const xid = firstXid + at;
      this.#asked.push({ xid: type === OpCode.ping ? Xid.ping : xid, op: type });
      return request(xid, type, write);
    });
    this.say(() => Buffer.concat(frames));
    return this.hear(leniency);
  }

  /** What came from both since the last time. */
  async hear(leniency: Leniency = {}): Promise<Described[]> {
    const answers = await this.#frames();
    const asked = this.#asked;
    const [ours, theirs] = answers.map((frames, at) => {
      const open = [...asked];
      return frames.map((bytes) => {
        const xid = bytes.readInt32BE(0);
        const index = xid === Xid.notification ? -1 : open.findIndex((one) => one.xid === xid);
        const [one] = index < 0 ? [] : open.splice(index, 1);
        const base = this.#dialogue.bases[at] as number;
        const told = describeReply(bytes, one?.op, this.sessionIds[at] as bigint, base);
        return leniency.zxid === true ? { ...told, zxid: "any" } : told;
      });
    });
    this.#asked = [];
    if (leniency.eventOrder === true) for (const told of [ours, theirs]) sortEvents(told as Described[]);
    expect(ours, "ours, compared with Apache's").toEqual(theirs);
    await this.closes();
    if (leniency.zxid === true) await this.#findBases();
    return ours as Described[];
  }

  /** Both are closed, or both are open. */
  async closes(): Promise<boolean> {
    const [own, apache] = this.#connections as [PeerConnection, PeerConnection];
    const expected = await own.closes(false);
    expect(expected ? "closed" : "open").toBe((await apache.closes(expected)) ? "closed" : "open");
    return expected;
  }

  async #frames(): Promise<readonly Buffer[][]> {
    const [own, apache] = this.#connections as [PeerConnection, PeerConnection];
    const ours = await own.frames(0);
    return [ours, await apache.frames(ours.length)];
  }

  /** Where both stand now. */
  async #findBases(): Promise<void> {
    if (await (this.#connections[0] as PeerConnection).closes(false)) return;
    this.say(() => request(Xid.ping, OpCode.ping));
    const answers = await this.#frames();
    for (const [at, frames] of answers.entries()) this.#dialogue.bases[at] = zxidIn(frames[0] as Buffer);
  }
}

export interface ConnectFields {
  /** Whose session to come back to. */
  readonly of?: Pair;
  readonly timeOut?: number;
  readonly lastZxidSeen?: bigint;
  /** undefined: the right one. */
  readonly passwd?: Buffer | null;
  /** undefined: not sent, as by clients before 3.4. */
  readonly readOnly?: boolean | null;
}

function connectFrame(sessionId: bigint, fields: ConnectFields): Buffer {
  const right = sessionId === 0n ? Buffer.alloc(16) : sessionPassword(sessionId as SessionId);
  return frame((w) => {
    w.int(0);
    w.int64(fields.lastZxidSeen ?? 0n);
    w.int(fields.timeOut ?? SESSION_TIMEOUT_MS);
    w.int64(sessionId);
    w.buffer(fields.passwd === undefined ? right : fields.passwd);
    if (fields.readOnly !== null) w.bool(fields.readOnly ?? false);
  });
}

/** Each run of events by itself: before which replies they come is kept. */
function sortEvents(told: Described[]): void {
  const text = (one: Described): string => JSON.stringify(one);
  for (let start = 0; start < told.length; start++) {
    let end = start;
    while (told[end]?.xid === Xid.notification) end++;
    const run = told.slice(start, end).sort((a, b) => (text(a) < text(b) ? -1 : 1));
    told.splice(start, run.length, ...run);
    start = end;
  }
}
