/** Production's ClientService and Database of one server that follows: sockets, commits, and the leader's answers come in. */

import { createHash } from "node:crypto";
import type { ServerId, SessionId } from "../../../spec/vocabulary.ts";
import { ClientService } from "../../../src/pipeline/client-service.ts";
import type { Upstream, WriteRequest } from "../../../src/pipeline/upstream.ts";
import { decodeTxn, type Txn } from "../../../src/protocol/txn.ts";
import { assert } from "../../../src/runtime/assert.ts";
import { ServerCounters } from "../../../src/runtime/counters.ts";
import type { Effects } from "../../../src/server/io.ts";
import type { ApplyResult } from "../../../src/tree/apply-result.ts";
import type { Database } from "../../../src/tree/database.ts";
import { CONFIG, FakeTime } from "../../support/standalone-server.ts";
import type { Core } from "./replayed-part.ts";

export interface PlainRequest {
  readonly session: string;
  readonly cxid: number;
  readonly op: number;
  readonly body: string;
  readonly owner: number;
}

export type ServerEvent =
  | { readonly type: "accept"; readonly socket: number }
  | { readonly type: "data"; readonly socket: number; readonly hex: string }
  | { readonly type: "closed"; readonly socket: number }
  | { readonly type: "commit"; readonly hex: string }
  | { readonly type: "revalidated"; readonly session: string; readonly valid: boolean; readonly timeout: number }
  /** The role ends and begins anew: its leader was lost. */
  | { readonly type: "restart" }
  /** A txn counts as applied that never was. */
  | { readonly type: "skip"; readonly hex: string };

export type ServerOutput =
  | { readonly type: "write"; readonly socket: number; readonly hex: string }
  | { readonly type: "end"; readonly socket: number }
  | { readonly type: "submit"; readonly request: PlainRequest }
  | { readonly type: "revalidate"; readonly session: string; readonly timeout: number }
  | { readonly type: "touch"; readonly session: string; readonly timeout: number };

export interface ServerView {
  readonly zxid: number;
  readonly digest: string;
  readonly ownerless: readonly string[];
  readonly ephemerals: readonly string[];
  readonly sessions: readonly string[];
}

/** What a mutant changes: how a committed txn is handed to the service. */
export type Hand = (service: ClientService, txn: Txn, result: ApplyResult) => void;

export class ServerCore implements Core<ServerEvent, ServerOutput>, Upstream {
  readonly serverId: ServerId;
  readonly mode = "follower";
  readonly #database: Database;
  readonly #service: ClientService;
  readonly #hand: Hand;
  #outputs: ServerOutput[] = [];
  /** By socket: what it was told, and at which zxid. All that the service knows follows from it. */
  readonly #told = new Map<number, string[]>();
  #sessionsMade = 0;
  /** Of all txns that it has applied: other ones may have had the same zxids. */
  #history = "";

  /** `database`: an empty one, of this core alone. */
  constructor(id: number, hand: Hand, database: Database) {
    this.#database = database;
    this.serverId = id as ServerId;
    this.#hand = hand;
    this.#service = new ClientService({
      database: this.#database,
      environment: new FakeTime(),
      report: ({ level, message }) => assert(level !== "error", message),
      config: CONFIG,
      counters: new ServerCounters(0),
      fourLetterWord: () => null,
    });
    this.#service.open(this);
  }

  step(event: ServerEvent): readonly ServerOutput[] {
    this.#outputs = [];
    const effects: Effects = [];
    this.#note(event);
    this.#take(event, effects);
    this.#service.flush(effects);
    for (const effect of effects) {
      if (effect.type === "socket.write") {
        for (const hex of framesOf(effect.bytes)) this.#outputs.push({ type: "write", socket: effect.socket, hex });
      } else if (effect.type === "socket.close" || effect.type === "socket.destroy") {
        this.#outputs.push({ type: "end", socket: effect.socket });
      }
    }
    return this.#outputs;
  }

  view(): string {
    const database = this.#database;
    const ownerless: string[] = [];
    const ephemerals: string[] = [];
    for (const id of database.ephemeralOwners()) {
      ephemerals.push(...database.ephemeralsOf(id).map((path) => `${path} ${id.toString(16)}`));
      if (!database.sessions.has(id)) ownerless.push(...database.ephemeralsOf(id));
    }
    const { hi, lo } = database.digest as { hi: number; lo: number };
    const sessions = [...database.sessions.keys()].map((id) => id.toString(16)).sort();
    const seen: ServerView = {
      zxid: database.lastProcessedZxid,
      digest: `${hi}.${lo} ${sessions}`,
      ownerless,
      ephemerals: ephemerals.sort(),
      sessions,
    };
    return JSON.stringify([seen, this.serverId, this.#history, this.#sessionsMade, [...this.#told]]);
  }

  #take(event: ServerEvent, effects: Effects): void {
    const service = this.#service;
    switch (event.type) {
      case "accept":
        return service.accepted(event.socket, { host: "client", port: event.socket }, effects);
      case "data":
        return service.data(event.socket, Buffer.from(event.hex, "hex"), effects);
      case "closed":
        return service.closed(event.socket, effects);
      case "commit": {
        const txn = decodeTxn(Buffer.from(event.hex, "hex"));
        this.#history = chained(this.#history, event.hex);
        return this.#hand(service, txn, this.#database.apply(txn));
      }
      case "skip":
        this.#database.lastProcessedZxid = decodeTxn(Buffer.from(event.hex, "hex")).zxid;
        return;
      case "revalidated":
        return service.revalidated(sessionOf(event.session), event.valid, event.timeout);
      case "restart":
        service.close(effects);
        service.open(this);
    }
  }

  #note(event: ServerEvent): void {
    const { lastProcessedZxid } = this.#database;
    if (event.type === "restart") this.#told.clear();
    // A connection that ends leaves nothing behind.
    if (event.type === "closed") this.#told.delete(event.socket);
    // What a connection was told before and after the leader's answer makes a difference.
    if (event.type === "revalidated")
      for (const socket of this.#told.keys())
        this.#noteAt(socket, `${event.session} ${event.valid} ${lastProcessedZxid}`);
    if (event.type === "accept") this.#noteAt(event.socket, "accept");
    if (event.type === "data") this.#noteAt(event.socket, `${event.hex} ${lastProcessedZxid}`);
  }

  #noteAt(socket: number, text: string): void {
    const told = this.#told.get(socket);
    if (told === undefined) this.#told.set(socket, [text]);
    else told.push(text);
  }

  // ---- Upstream

  submit({ sessionId, cxid, op, body, owner }: WriteRequest): void {
    if (cxid === 0) this.#sessionsMade++;
    const request = { session: sessionId.toString(16), cxid, op, body: body.toString("hex"), owner };
    this.#outputs.push({ type: "submit", request });
  }

  sync(): void {
    assert(false, "No script of these models syncs.");
  }

  revalidate(sessionId: SessionId, timeout: number): void {
    this.#outputs.push({ type: "revalidate", session: sessionId.toString(16), timeout });
  }

  touch(sessionId: SessionId, timeout: number): void {
    this.#outputs.push({ type: "touch", session: sessionId.toString(16), timeout });
  }
}

export function sessionOf(hex: string): SessionId {
  return BigInt(`0x${hex}`) as SessionId;
}

/** A hash of a list, one element at a time. */
export function chained(before: string, next: string): string {
  return createHash("sha1").update(before).update(next).digest("hex").slice(0, 16);
}

export function framesOf(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at);
    frames.push(bytes.toString("hex", at, end));
    at = end;
  }
  return frames;
}
