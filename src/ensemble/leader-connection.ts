/**
 * A learner's end of the connection to its leader: packets in, packets out, and the raw stream of a snapshot in between.
 * Source: Learner.java.
 */
import type { PeerEvent } from "../../spec/peer/setup.ts";
import { type Epoch, epochOf, type Id, makeZxid, type ServerId, type Zxid } from "../../spec/vocabulary.ts";
import { JuteError } from "../protocol/jute-reader.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import {
  type ForwardedRequest,
  LEARNER_PROTOCOL_VERSION,
  PacketType,
  packetName,
  type QuorumPacket,
  SNAP_SIGNATURE,
} from "../protocol/quorum-packet.ts";
import { LearnerInfo } from "../protocol/records.ts";
import { OperatingError } from "../runtime/errors.ts";
import type { LinkTrace } from "../runtime/tracer.ts";
import { PacketLink } from "./packet-link.ts";

/** Packets that a role's core handles while the peer chart admits them. */
export type HotPacket = "PROPOSAL" | "COMMIT" | "INFORM" | "PING" | "SYNC" | "REVALIDATE";

export interface LeaderConnectionPorts {
  readonly self: ServerId;
  event(event: PeerEvent): void;
  hot(type: HotPacket, packet: QuorumPacket): void;
  nowMs(): number;
  readonly traced?: LinkTrace | null;
}

/** Takes the raw bytes of a snapshot (src/tree's TreeLoader). */
export interface SnapshotSink {
  push(chunk: Buffer): void;
  readonly done: boolean;
  rest(): Buffer;
}

const HOT: Readonly<Record<number, HotPacket>> = {
  [PacketType.PROPOSAL]: "PROPOSAL",
  [PacketType.COMMIT]: "COMMIT",
  [PacketType.INFORM]: "INFORM",
  [PacketType.PING]: "PING",
  [PacketType.SYNC]: "SYNC",
  [PacketType.REVALIDATE]: "REVALIDATE",
};

export class LeaderConnection {
  readonly link: PacketLink;
  /** The socket is open: what ends it from here on is a loss, not a failed attempt. */
  opened = false;
  readonly #ports: LeaderConnectionPorts;
  #snapshot: { readonly sink: SnapshotSink; readonly zxid: Zxid; trailer: Buffer } | null = null;
  #lost = false;

  constructor(socket: number, ports: LeaderConnectionPorts) {
    this.link = new PacketLink(socket, ports.nowMs(), ports.traced ?? null);
    this.#ports = ports;
  }

  /** `chunk` is lent until this returns. */
  data(chunk: Buffer): void {
    if (this.#lost) return;
    this.link.lastHeardMs = this.#ports.nowMs();
    try {
      if (this.#snapshot !== null) {
        const rest = this.#snapshotBytes(Buffer.from(chunk));
        if (rest === null) return;
        this.link.incoming.push(rest);
      } else {
        this.link.incoming.push(chunk);
      }
      for (;;) {
        const packet = this.link.incoming.next();
        if (packet === null) return this.link.incoming.keep();
        this.#packet(packet);
        if (this.#lost) return;
        if (this.#snapshot !== null) {
          const rest = this.#snapshotBytes(Buffer.from(this.link.incoming.takeRest()));
          if (rest === null) return;
          this.link.incoming.push(rest);
        }
      }
    } catch (error) {
      if (!(error instanceof JuteError) && !(error instanceof OperatingError)) throw error;
      this.lost(`the leader sent what cannot be read: ${error.message}`);
    }
  }

  /** From the next byte on the stream is a snapshot. */
  receiveSnapshot(sink: SnapshotSink, zxid: Zxid): void {
    this.#snapshot = { sink, zxid, trailer: Buffer.alloc(0) };
  }

  lost(reason: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#ports.event({ type: "LEADER_LOST", reason });
  }

  /** The role has ended; whatever still arrives is of the past. */
  detach(): void {
    this.#lost = true;
  }

  introduce(packet: "FOLLOWERINFO" | "OBSERVERINFO", acceptedEpoch: Epoch, configVersion: number): void {
    const writer = new JuteWriter(64);
    LearnerInfo.write(writer, {
      serverid: this.#ports.self,
      protocolVersion: LEARNER_PROTOCOL_VERSION,
      configVersion,
    });
    this.link.send(PacketType[packet], makeZxid(acceptedEpoch, 0), writer.take());
  }

  ackEpoch(currentEpoch: number, lastZxid: Zxid): void {
    const data = Buffer.alloc(4);
    data.writeInt32BE(currentEpoch);
    this.link.send(PacketType.ACKEPOCH, lastZxid, data);
  }

  ack(zxid: Zxid): void {
    this.link.send(PacketType.ACK, zxid);
  }

  request(request: ForwardedRequest, authInfo: readonly Id[] | null): void {
    this.link.sendRequest(request, authInfo);
  }

  #packet(packet: QuorumPacket): void {
    const { traced } = this.link;
    if (traced !== null) traced.received(packetName(packet.type), packet.zxid);
    const hot = HOT[packet.type];
    if (hot !== undefined) return this.#ports.hot(hot, packet);
    switch (packet.type) {
      case PacketType.LEADERINFO:
        return this.#ports.event({ type: "LEADERINFO", epoch: epochOf(packet.zxid) });
      case PacketType.DIFF:
        return this.#ports.event({ type: "DIFF", zxid: packet.zxid });
      case PacketType.TRUNC:
        return this.#ports.event({ type: "TRUNC", zxid: packet.zxid });
      case PacketType.SNAP:
        return this.#ports.event({ type: "SNAP", zxid: packet.zxid });
      case PacketType.NEWLEADER:
        return this.#ports.event({ type: "NEWLEADER", epoch: epochOf(packet.zxid) });
      case PacketType.UPTODATE:
        return this.#ports.event({ type: "UPTODATE" });
      default:
        this.lost(`the leader sent ${packetName(packet.type)}, which this server does not know`);
    }
  }

  /** @returns the bytes after the snapshot and its signature, or null when more must come. */
  #snapshotBytes(chunk: Buffer): Buffer | null {
    const snapshot = this.#snapshot;
    if (snapshot === null) return chunk;
    if (!snapshot.sink.done) {
      snapshot.sink.push(chunk);
      if (!snapshot.sink.done) return null;
      snapshot.trailer = snapshot.sink.rest();
    } else {
      snapshot.trailer = Buffer.concat([snapshot.trailer, chunk]);
    }
    const signed = 4 + SNAP_SIGNATURE.length;
    if (snapshot.trailer.length < signed) return null;
    if (
      snapshot.trailer.readInt32BE(0) !== SNAP_SIGNATURE.length ||
      snapshot.trailer.toString("latin1", 4, signed) !== SNAP_SIGNATURE
    ) {
      this.lost("the leader's snapshot does not end with its signature");
      return null;
    }
    this.#snapshot = null;
    this.#ports.event({ type: "SNAPSHOT_RECEIVED", zxid: snapshot.zxid });
    return snapshot.trailer.subarray(signed);
  }
}
