/**
 * QuorumPacket: what leader and learners exchange (org.apache.zookeeper.server.quorum.QuorumPacket). It has no outer
 * length, so the decoder works field by field and keeps its place when the stream stops in the middle of one.
 */
import type { Id, SessionId, Zxid } from "../../spec/vocabulary.ts";
import { assert } from "../runtime/assert.ts";
import { ChunkQueue } from "./chunk-queue.ts";
import { IdListMemo, intAt, NO_IDS } from "./id-list-memo.ts";
import { JuteError, JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";
import { TextMemo } from "./text-memo.ts";

/** Leader.java's packet types; L leader, F follower, O observer. */
export const PacketType = {
  /** F→L: long sessionId, int cxid, int type, request record; authinfo = the client's ids. */
  REQUEST: 1,
  /** L→F: a txn entry. */
  PROPOSAL: 2,
  ACK: 3,
  COMMIT: 4,
  /** F→L: repeated {long sessionId, int timeout}. */
  PING: 5,
  /** F→L: long sessionId, int timeout. L→F: long sessionId, bool valid. */
  REVALIDATE: 6,
  SYNC: 7,
  /** L→O: a txn entry, already committed. */
  INFORM: 8,
  /** L→F: long designated leader. */
  COMMITANDACTIVATE: 9,
  /** L→F: config text. */
  NEWLEADER: 10,
  /** F→L: LearnerInfo. */
  FOLLOWERINFO: 11,
  UPTODATE: 12,
  DIFF: 13,
  TRUNC: 14,
  /** A raw stream follows: see QuorumPacketDecoder.takeRest. */
  SNAP: 15,
  /** O→L: LearnerInfo. */
  OBSERVERINFO: 16,
  /** L→F: int 0x10000. */
  LEADERINFO: 17,
  /** F→L: int currentEpoch or -1. */
  ACKEPOCH: 18,
  /** L→O: long designated leader, txn entry. */
  INFORMANDACTIVATE: 19,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** LEADERINFO's data, and the protocolVersion of LearnerInfo. */
export const LEARNER_PROTOCOL_VERSION = 0x10000;

/** What a leader appends to the SNAP stream, as a ustring. */
export const SNAP_SIGNATURE = "BenWasHere";

export interface QuorumPacket {
  /** A PacketType; unknown numbers pass through. */
  readonly type: number;
  /** -1 where the type has no use for it. */
  readonly zxid: Zxid;
  readonly data: Buffer | null;
  readonly authinfo: readonly Id[] | null;
}

const packetNames = new Map<number, string>(Object.entries(PacketType).map(([name, type]) => [type, name]));

export function packetName(type: number): string {
  return packetNames.get(type) ?? `UNKNOWN(${type})`;
}

export function writeQuorumPacket(
  writer: JuteWriter,
  type: number,
  zxid: number,
  data: Buffer | null = null,
  authinfo: readonly Id[] | null = null,
): void {
  writer.int(type);
  writer.long(zxid);
  writer.buffer(data);
  writeIds(writer, authinfo);
}

/** What a learner forwards of a client's request. `body`: its record. */
export interface ForwardedRequest {
  readonly sessionId: SessionId;
  readonly cxid: number;
  readonly op: number;
  readonly body: Buffer;
}

const FORWARDED_HEAD_BYTES = 16;

/** REQUEST, without its data being put together first. */
export function writeRequestPacket(
  writer: JuteWriter,
  { sessionId, cxid, op, body }: ForwardedRequest,
  authinfo: readonly Id[] | null,
): void {
  writer.int(PacketType.REQUEST);
  writer.long(-1);
  writer.int(FORWARDED_HEAD_BYTES + body.length);
  writer.int64(sessionId);
  writer.int(cxid);
  writer.int(op);
  writer.raw(body);
  writeIds(writer, authinfo);
}

function writeIds(writer: JuteWriter, authinfo: readonly Id[] | null): void {
  if (authinfo === null) {
    writer.vectorCount(-1);
    return;
  }
  writer.vectorCount(authinfo.length);
  for (let i = 0; i < authinfo.length; i++) {
    writer.ustring(authinfo[i]!.scheme);
    writer.ustring(authinfo[i]!.id);
  }
}

/** More ids than any client has; a larger count is garbage, and must not make the decoder wait for it. */
const MAX_IDS = 4096;
/** Type, zxid, a null as data and a null as ids. */
const SHORTEST_BYTES = 20;
const TWO_32 = 2 ** 32;
/** Upper half of the first number that is no safe integer. */
const MAX_HIGH = 2 ** 21;

/**
 * Packets out of a learner connection, however it was cut. `data` is a view of the chunk where possible.
 * After SNAP the stream is raw: call `takeRest` then, and `push` what remains of it once the snapshot has ended.
 */
export class QuorumPacketDecoder {
  readonly #limit: number;
  readonly #queue = new ChunkQueue();
  readonly #reader = new JuteReader(Buffer.alloc(0));

  // The packet in the making, and what of it comes next.
  #stage: "head" | "data" | "count" | "length" | "text" = "head";
  #type = 0;
  #zxid = -1;
  #wanted = 0;
  #data: Buffer | null = null;
  #idsLeft = 0;
  #ids: Id[] | null = null;
  #scheme: string | null = null;
  /** A learner's requests come with the ids of the same few clients. */
  readonly #texts = new TextMemo();
  readonly #idLists = new IdListMemo();
  #refused: JuteError | null = null;

  /** `limit`: the largest data or id accepted (jute.maxbuffer plus its extra). */
  constructor(limit = 2 * 0xfffff) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk);
  }

  /** The chunk that was pushed last goes back to whoever lent it; the data of packets is no longer valid. */
  keep(): void {
    // Of a packet whose ids have not come yet.
    if (this.#data !== null) this.#data = Buffer.from(this.#data);
    this.#queue.keep();
  }

  /** The next packet, or null until more bytes arrive. Throws JuteError, again on every later call. */
  next(): QuorumPacket | null {
    if (this.#refused !== null) throw this.#refused;
    try {
      return this.#next();
    } catch (error) {
      if (error instanceof JuteError) this.#refused = error;
      throw error;
    }
  }

  /** The bytes after the last packet, which the decoder forgets. Only between packets. */
  takeRest(): Buffer {
    assert(this.#stage === "head", "A raw stream starts after a whole packet.");
    return this.#queue.takeRest();
  }

  #next(): QuorumPacket | null {
    if (this.#stage === "head") {
      const packet = this.#whole();
      if (packet !== null) return packet;
    }
    for (;;) {
      switch (this.#stage) {
        case "head": {
          const reader = this.#take(16);
          if (reader === null) return null;
          this.#type = reader.int();
          this.#zxid = reader.long();
          this.#wanted = this.#checked(reader.int());
          this.#stage = "data";
          break;
        }
        case "data": {
          if (this.#wanted < 0) {
            this.#data = null;
          } else {
            const reader = this.#take(this.#wanted);
            if (reader === null) return null;
            this.#data = reader.rest();
          }
          this.#stage = "count";
          break;
        }
        case "count": {
          const reader = this.#take(4);
          if (reader === null) return null;
          const count = reader.int();
          if (count < -1 || count > MAX_IDS) throw new JuteError("BAD_LENGTH", `${count} ids in a packet`, count);
          this.#ids = count < 0 ? null : [];
          this.#idsLeft = count;
          if (count <= 0) return this.#finish();
          this.#stage = "length";
          break;
        }
        case "length": {
          const reader = this.#take(4);
          if (reader === null) return null;
          this.#wanted = this.#checked(reader.int());
          this.#stage = "text";
          break;
        }
        case "text": {
          const queue = this.#queue;
          if (!queue.take(Math.max(this.#wanted, 0))) return null;
          this.#addText(this.#texts.text(queue.bytes, queue.start, queue.end));
          if (this.#idsLeft === 0) return this.#finish();
          this.#stage = "length";
          break;
        }
      }
    }
  }

  /**
   * The next packet if it lies in one piece: nearly every one does, and field by field it would cost several times as much.
   * Anything else, and whatever is wrong with it, is left to the stages, which take it as it comes.
   */
  #whole(): QuorumPacket | null {
    const queue = this.#queue;
    queue.peek();
    const { bytes, start, end } = queue;
    if (end - start < SHORTEST_BYTES) return null;
    const high = intAt(bytes, start + 4);
    const length = intAt(bytes, start + 12);
    const from = start + 16;
    const to = from + Math.max(length, 0);
    if (high <= -MAX_HIGH || high >= MAX_HIGH || length < -1 || length > this.#limit || to + 4 > end) return null;
    const ids = intAt(bytes, to) === -1 ? NO_IDS : this.#idLists.find(bytes, to, end);
    if (ids === undefined) return null;
    const type = intAt(bytes, start);
    const zxid = (high * TWO_32 + (intAt(bytes, start + 8) >>> 0)) as Zxid;
    queue.take(to + ids.bytes - start);
    return { type, zxid, data: length < 0 ? null : bytes.subarray(from, to), authinfo: ids.list };
  }

  /** Ids arrive as scheme, id, scheme, id. */
  #addText(text: string): void {
    if (this.#scheme === null) {
      this.#scheme = text;
      return;
    }
    this.#ids!.push({ scheme: this.#scheme, id: text });
    this.#scheme = null;
    this.#idsLeft--;
  }

  #finish(): QuorumPacket {
    const packet = { type: this.#type, zxid: this.#zxid as Zxid, data: this.#data, authinfo: this.#ids };
    this.#stage = "head";
    this.#data = null;
    this.#ids = null;
    return packet;
  }

  #take(size: number): JuteReader | null {
    const queue = this.#queue;
    if (!queue.take(size)) return null;
    this.#reader.reset(queue.bytes, queue.start, queue.end);
    return this.#reader;
  }

  #checked(length: number): number {
    if (length < -1 || length > this.#limit) {
      throw new JuteError("BAD_LENGTH", `A length of ${length}, limit ${this.#limit}`, length);
    }
    return length;
  }
}
