/**
 * One end of a learner connection: quorum packets in and out of a byte stream. Packets gather during a turn of the event
 * loop and leave in one write.
 */
import type { Id } from "../../spec/vocabulary.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import {
  type ForwardedRequest,
  PacketType,
  packetName,
  QuorumPacketDecoder,
  writeQuorumPacket,
  writeRequestPacket,
} from "../protocol/quorum-packet.ts";
import { type Slab, SlabPool } from "../protocol/slab.ts";
import type { LinkTrace } from "../runtime/tracer.ts";

/** Above this many unsent bytes a bulk sender (a snapshot, a stretch of the txn log) waits for the peer. */
const BULK_HIGH_WATER = 4 * 1024 * 1024;

const DRAIN_ASKED_BYTES = 256 * 1024;
const SLAB_BYTES = 64 * 1024;
/** 2 MB for each learner. */
const SLABS_KEPT = 32;
/** Type, zxid, a length and the count of ids; ids themselves seldom take more. */
const HEAD_BYTES = 256;

type Effects = {
  push(
    effect:
      | { readonly type: "socket.write"; readonly socket: number; readonly bytes: Buffer; readonly slab: Slab | null }
      | { readonly type: "socket.drain"; readonly socket: number },
  ): unknown;
};

export class PacketLink {
  readonly socket: number;
  readonly incoming = new QuorumPacketDecoder();
  /** Monotonic ms of the last byte from the other side. */
  lastHeardMs: number;
  /** Both ends' owners report received packets, the link those that are sent. null: nobody asked. */
  readonly traced: LinkTrace | null;
  readonly #out = new JuteWriter(new SlabPool(SLAB_BYTES, SLABS_KEPT));
  /** What is in front of `#out` in this turn, in pieces of about a slab. */
  #pieces: Buffer[] = [];
  #pieceSlabs: (Slab | null)[] = [];
  #pieceBytes = 0;
  /** Live packets that must stay behind a bulk transfer. */
  #held: JuteWriter | null = null;
  /** Handed to the socket, and not known to have left. */
  #unsent = 0;
  /** What the answer to the last `socket.drain` will cover; 0: not asked. */
  #drainCovers = 0;

  constructor(socket: number, nowMs: number, traced: LinkTrace | null = null) {
    this.socket = socket;
    this.lastHeardMs = nowMs;
    this.traced = traced;
  }

  /** A packet of the live stream: in order with all others of its kind. */
  send(type: number, zxid: number, data: Buffer | null = null, authinfo: readonly Id[] | null = null): void {
    if (this.traced !== null) this.traced.sent(packetName(type), zxid);
    if (this.#held !== null) return writeQuorumPacket(this.#held, type, zxid, data, authinfo);
    this.#makeRoom(data);
    writeQuorumPacket(this.#out, type, zxid, data, authinfo);
  }

  /** A client's write or sync, on its way to the leader. */
  sendRequest(request: ForwardedRequest, authinfo: readonly Id[] | null): void {
    if (this.traced !== null) this.traced.sent(packetName(PacketType.REQUEST), -1);
    if (this.#held === null) this.#makeRoom(request.body);
    writeRequestPacket(this.#held ?? this.#out, request, authinfo);
  }

  /** A packet or bytes of the bulk transfer, in front of everything held. */
  sendBulk(type: number, zxid: number, data: Buffer | null = null): void {
    if (this.traced !== null) this.traced.sent(packetName(type), zxid);
    this.#makeRoom(data);
    writeQuorumPacket(this.#out, type, zxid, data, null);
  }

  sendRaw(bytes: Buffer): void {
    this.#makeRoom(bytes);
    this.#out.raw(bytes);
  }

  /** From here on live packets wait until `release`. */
  hold(): void {
    this.#held ??= new JuteWriter(SLAB_BYTES);
  }

  release(): void {
    const held = this.#held;
    this.#held = null;
    if (held === null || held.offset === 0) return;
    this.#setAside();
    this.#addPiece(held.take(), null);
  }

  get congested(): boolean {
    return this.#unsent + this.#pieceBytes + this.#out.offset > BULK_HIGH_WATER;
  }

  /** Hands over the packets of this turn, and now and then asks to be told when they have left the process. */
  flush(effects: Effects): void {
    const { socket } = this;
    this.#setAside();
    if (this.#pieceBytes === 0) return;
    for (let i = 0; i < this.#pieces.length; i++) {
      const slab = this.#pieceSlabs[i] as Slab | null;
      effects.push({ type: "socket.write", socket, bytes: this.#pieces[i] as Buffer, slab });
    }
    this.#pieces = [];
    this.#pieceSlabs = [];
    this.#unsent += this.#pieceBytes;
    this.#pieceBytes = 0;
    if (this.#drainCovers > 0 || this.#unsent < DRAIN_ASKED_BYTES) return;
    effects.push({ type: "socket.drain", socket });
    this.#drainCovers = this.#unsent;
  }

  /** The answer: everything before the question has left. */
  drained(effects: Effects): void {
    this.#unsent -= this.#drainCovers;
    this.#drainCovers = 0;
    if (this.#unsent < DRAIN_ASKED_BYTES) return;
    effects.push({ type: "socket.drain", socket: this.socket });
    this.#drainCovers = this.#unsent;
  }

  /** A packet that does not fit into what is left of the slab would make the writer grow, and copy. */
  #makeRoom(data: Buffer | null): void {
    const size = HEAD_BYTES + (data === null ? 0 : data.length);
    if (this.#out.offset > 0 && this.#out.offset + size > SLAB_BYTES) this.#setAside();
  }

  #setAside(): void {
    if (this.#out.offset > 0) this.#addPiece(this.#out.take(), this.#out.takenSlab);
  }

  #addPiece(bytes: Buffer, slab: Slab | null): void {
    this.#pieces.push(bytes);
    this.#pieceSlabs.push(slab);
    this.#pieceBytes += bytes.length;
  }
}
