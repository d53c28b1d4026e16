/** One real server of an ensemble that a trace moves: what the model's steps are to a server. */
import type { ServerId, Vote, Zxid } from "../../spec/vocabulary.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import {
  NOTIFICATION_VERSION,
  type Notification,
  writeInitialMessage,
  writeNotification,
} from "../../src/protocol/notification.ts";
import { ConnectRequest } from "../../src/protocol/records.ts";
import type { Effect } from "../../src/server/io.ts";
import type { DiskEffect } from "../../src/storage/disk-io.ts";
import { LOG_HEADER_BYTES, RECORD_HEAD_BYTES } from "../../src/storage/log-format.ts";
import { Database } from "../../src/tree/database.ts";
import { type Line, LoneServer } from "../paths/rigs/lone-server.ts";
import type { FakeDisk } from "../simulator/fake-disk.ts";
import { StorageHarness } from "../simulator/storage-harness.ts";

const ELECTION_PORT = 3888;
export const QUORUM_PORT = 2888;
const MOST_ANSWERS = 2000;

export class RealMember {
  readonly id: number;
  readonly #servers: number;
  readonly #config: readonly string[];
  #lone: LoneServer;
  /** Election channels, by the other server's id. */
  readonly #channels = new Map<number, number>();
  /** The connection to a leader that it has asked for. */
  dialled: { readonly socket: number; readonly leader: number } | null = null;
  /** What left it and is not looked at yet. */
  readonly effects: Effect[] = [];
  exited = false;

  constructor(id: number, servers: number, config: readonly string[], disk: FakeDisk) {
    this.id = id;
    this.#servers = servers;
    this.#config = config;
    this.#lone = this.#started(disk);
  }

  get world(): LoneServer {
    return this.#lone;
  }

  get path(): string {
    return this.#lone.server.member.peer.state;
  }

  epochOnDisk(kind: "accepted" | "current"): number {
    const text = this.#lone.disk.files("snap").get(`${kind}Epoch`);
    return text === undefined ? 0 : Number(text);
  }

  /** Zxids of the committed txns that learners can be sent. */
  get window(): readonly Zxid[] {
    return this.#lone.server.replica.committedLog.zxids();
  }

  get sessions(): IterableIterator<bigint> {
    return this.#lone.server.database.sessions.keys();
  }

  get tree(): Extent {
    return extentOf(this.#lone.server.database);
  }

  #durable: { readonly answered: number; readonly extent: Extent | null } = { answered: -1, extent: null };

  /** What it would find on its disk if its machine died now; null: nothing that it could start from. */
  get durable(): Extent | null {
    const { answered, disk } = this.#lone;
    if (this.#durable.answered !== answered) {
      const copy = disk.clone(() => 0);
      copy.crash();
      const recovered = StorageHarness.started(copy, { autoCreate: false, preAllocSizeBytes: 64 });
      const extent = recovered.last("RECOVERED") === undefined ? null : extentOf(recovered.database);
      this.#durable = { answered, extent };
    }
    return this.#durable.extent;
  }

  /** The machine dies; of the txns that were being written the first `kept` are on its disk. @returns how many could be */
  crash(kept: number): number {
    const { disk, underWay } = this.#lone;
    const writing = underWay.find(isLogWrite);
    let written = 0;
    if (kept > 0 && writing !== undefined && writing.type === "disk.write") {
      const { bytes, count } = firstRecords(Buffer.concat(writing.bytes), writing.offset === 0, kept);
      written = count;
      const { size: _, ...rest } = writing;
      disk.perform({ ...rest, bytes: [bytes], sync: true });
      disk.step();
    }
    disk.crash();
    this.#restart(disk);
    return written;
  }

  wipe(empty: FakeDisk): void {
    this.#restart(empty);
  }

  #restart(disk: FakeDisk): void {
    this.#channels.clear();
    this.dialled = null;
    this.effects.length = 0;
    this.#lone = this.#started(disk);
  }

  #started(disk: FakeDisk): LoneServer {
    this.exited = false;
    this.#durable = { answered: -1, extent: null };
    const lone = new LoneServer(this.id, this.#config, disk);
    this.#lone = lone;
    lone.input({ type: "STARTED" });
    this.look();
    for (let other = this.id + 1; other <= this.#servers; other++) this.#callFrom(other);
    this.answerAll();
    return lone;
  }

  /** Gathers what the server asked for; calls to election ports are answered here. */
  look(): void {
    const lone = this.#lone;
    for (;;) {
      const effects = lone.takeEffects();
      if (effects.length === 0) return;
      for (const effect of effects) {
        if (effect.type === "process.exit") this.exited = true;
        else if (effect.type === "socket.connect") {
          const other = Number(effect.host.slice(1));
          if (effect.port === QUORUM_PORT) this.dialled = { socket: effect.socket, leader: other };
          else if (other < this.id) {
            this.#channels.set(other, effect.socket);
            lone.input({ type: "SOCKET_CONNECTED", socket: effect.socket });
          }
        } else if (effect.type === "timer.set" && effect.id.endsWith(":history")) {
          lone.fire(effect.id);
        } else this.effects.push(effect);
      }
    }
  }

  input(input: Parameters<LoneServer["input"]>[0]): void {
    this.#lone.input(input);
    this.look();
  }

  #callFrom(other: number): void {
    const socket = this.#lone.accept("election");
    const hello = new JuteWriter(64);
    writeInitialMessage(hello, { sid: other as ServerId, addresses: [`s${other}:${ELECTION_PORT}`] });
    this.#lone.data(socket, hello.take());
    this.#channels.set(other, socket);
    this.look();
  }

  /** Index of the server at the other end of an election channel. */
  peerOf(socket: number): number | null {
    for (const [other, channel] of this.#channels) if (channel === socket) return other - 1;
    return null;
  }

  /** Another server was started again, and there is a new channel between the two. */
  calledAnew(other: number): void {
    this.#callFrom(other);
  }

  hear(from: number, notification: Notification): void {
    const socket = this.#channels.get(from);
    if (socket === undefined) return;
    const writer = new JuteWriter(256);
    writeNotification(writer, notification);
    this.#lone.data(socket, writer.take());
    this.look();
  }

  /** How its election stands. */
  get ballot(): { readonly phase: string; readonly round: number; readonly vote: Vote } {
    const chart = this.#lone.server.member.election?.chart;
    if (chart === undefined) throw new Error("A server of an ensemble has an election.");
    const { round, proposal } = chart.context;
    return { phase: chart.state.split(".")[0] as string, round, vote: proposal };
  }

  /** The votes that make it decide for this leader. */
  elect(leader: number): void {
    const chart = this.#lone.server.member.election?.chart;
    if (chart === undefined) return;
    const { initialVote, round } = chart.context;
    const settled = { leader, zxid: Math.max(initialVote.zxid, 1), electionEpoch: round, peerEpoch: 1 } as Vote;
    for (let from = 1; from <= this.#servers; from++) {
      if (from === this.id) continue;
      const socket = this.#channels.get(from);
      if (socket === undefined) continue;
      const state = leader === this.id ? "LOOKING" : from === leader ? "LEADING" : "FOLLOWING";
      const writer = new JuteWriter(256);
      const vote = leader === this.id ? initialVote : settled;
      writeNotification(writer, { state, vote, version: NOTIFICATION_VERSION, config: "" });
      this.#lone.data(socket, writer.take());
      this.look();
    }
  }

  /** A client asks for a session: one txn. @returns the session's id */
  propose(): bigint {
    const socket = this.#lone.accept("client");
    const writer = new JuteWriter(64);
    writer.int(0);
    ConnectRequest.write(writer, {
      protocolVersion: 0,
      lastZxidSeen: 0 as Zxid,
      timeOut: 30_000,
      sessionId: 0n as never,
      passwd: Buffer.alloc(16),
      readOnly: false,
    });
    writer.patchInt(0, writer.offset - 4);
    this.#lone.data(socket, writer.take());
    this.look();
    const own = [...this.#lone.server.service.connections()].find((connection) => connection.socket === socket);
    return own?.sessionId ?? 0n;
  }

  fire(prefix: string): boolean {
    const id = [...this.#lone.timers.keys()].find((timer) => timer.startsWith(prefix));
    const fired = id !== undefined && this.#lone.fire(id);
    this.look();
    return fired;
  }

  /** Answers operations of the disk that `which` chooses until `done`, or none is left. */
  answer(which: (effect: DiskEffect) => boolean, done: (lines: readonly Line[]) => boolean = () => false): void {
    this.#lone.takeLines();
    for (let i = 0; i < MOST_ANSWERS && !done(this.#lone.lines); i++) {
      if (!this.#lone.answer(which)) break;
      this.look();
    }
    this.#lone.takeLines();
  }

  answerAll(): void {
    this.answer(() => true);
  }

  get logUnderWay(): boolean {
    return this.#lone.underWay.some(isLogWrite);
  }
}

export const isLogWrite = (effect: DiskEffect): boolean => effect.type === "disk.write" && effect.area === "log";
export const isLogCut = (effect: DiskEffect): boolean =>
  effect.area === "log" && (effect.type === "disk.truncate" || effect.type === "disk.remove");

/** The bytes of a group up to the end of its first `most` records. */
function firstRecords(bytes: Buffer, withHeader: boolean, most: number): { bytes: Buffer; count: number } {
  let at = withHeader ? LOG_HEADER_BYTES : 0;
  let count = 0;
  while (count < most && at + RECORD_HEAD_BYTES <= bytes.length) {
    const length = bytes.readInt32BE(at + 8);
    if (length <= 0) break;
    at += RECORD_HEAD_BYTES + length + 1;
    count++;
  }
  return { bytes: bytes.subarray(0, at), count };
}

/** How much a tree holds, and up to where: each txn of a replayed trace makes a session, or a znode before it began. */
export interface Extent {
  readonly last: Zxid;
  readonly txns: number;
}

const EMPTY_TREE_NODES = new Database().nodeCount;

export function extentOf(database: Database): Extent {
  const txns = database.sessions.size + database.nodeCount - EMPTY_TREE_NODES;
  return { last: database.lastProcessedZxid, txns };
}
