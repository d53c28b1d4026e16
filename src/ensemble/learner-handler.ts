/**
 * The leader's end of one learner connection: packets in, the learner-handler chart, packets out.
 * Source: LearnerHandler.java.
 */
import { type LearnerHandlerEffect, learnerHandlerMachine } from "../../spec/ensemble/learner-handler.machine.ts";
import { type Epoch, epochOf, makeZxid, NO_ZXID, type ServerId, type Zxid } from "../../spec/vocabulary.ts";
import { JuteError, JuteReader } from "../protocol/jute-reader.ts";
import { LEARNER_PROTOCOL_VERSION, PacketType, packetName, type QuorumPacket } from "../protocol/quorum-packet.ts";
import { LearnerInfo } from "../protocol/records.ts";
import { ChartRunner } from "../runtime/chart.ts";
import type { Tracer } from "../runtime/tracer.ts";
import type { ForwardingLink } from "./leader-broadcast.ts";
import type { PingedLink } from "./leadership-proof.ts";
import { PacketLink } from "./packet-link.ts";

export interface LearnerHandlerPorts {
  /** What the handler must know when the learner comes late. */
  readonly epochAnnounced: Epoch | null;
  readonly synchronizing: boolean;
  readonly serving: boolean;
  readonly initLimitMs: number;
  /** Text of the ensemble's configuration, sent with NEWLEADER. */
  readonly configText: string;
  /** Version of the configuration in force. */
  readonly configVersion: number;

  joined(handler: LearnerHandler, acceptedEpoch: Epoch): void;
  epochAcked(handler: LearnerHandler, currentEpoch: number, lastZxid: Zxid): void;
  newLeaderAcked(handler: LearnerHandler): void;
  caughtUp(handler: LearnerHandler): void;
  left(handler: LearnerHandler, reason: string): void;
  /** Send what the learner lacks and register it for live packets; `historySent` answers. */
  sendHistory(handler: LearnerHandler, learnerZxid: Zxid): void;

  ack(handler: LearnerHandler, zxid: Zxid): void;
  request(handler: LearnerHandler, packet: QuorumPacket): void;
  touched(handler: LearnerHandler, touches: Buffer | null): void;
  revalidate(handler: LearnerHandler, packet: QuorumPacket): void;

  destroy(socket: number): void;
  timer(id: string, delayMs: number | null): void;
  unexpected(chart: string, state: string, event: string): void;
  nowMs(): number;
  readonly tracer: Tracer | null;
  /** Every step of the handler's chart. */
  stepped(chart: string, from: string, event: { readonly type: string }, to: string): void;
}

const LEADERINFO_DATA = Buffer.alloc(4);
LEADERINFO_DATA.writeInt32BE(LEARNER_PROTOCOL_VERSION);

export class LearnerHandler implements ForwardingLink, PingedLink {
  readonly link: PacketLink;
  readonly chart: ChartRunner<typeof learnerHandlerMachine, LearnerHandlerEffect>;
  pingsSent = 0;
  pingsAnswered = 0;
  /**
   * The last zxid this learner has acknowledged on this connection, whatever the state: an Apache 3.8 follower may ack a
   * proposal before NEWLEADER (ZOOKEEPER-4685), and would not repeat it.
   */
  highestAck: Zxid = NO_ZXID;
  /** Of the acks in the bytes at hand: the highest that the chart admits and nobody has been told of. */
  #acked: Zxid = NO_ZXID;
  readonly #ports: LearnerHandlerPorts;

  constructor(socket: number, ports: LearnerHandlerPorts) {
    this.#ports = ports;
    const name = `learner.${socket}`;
    this.link = new PacketLink(socket, ports.nowMs(), ports.tracer?.link(name) ?? null);
    this.chart = new ChartRunner<typeof learnerHandlerMachine, LearnerHandlerEffect>(learnerHandlerMachine, {
      name,
      input: {
        epochAnnounced: ports.epochAnnounced,
        synchronizing: ports.synchronizing,
        serving: ports.serving,
        initLimitMs: ports.initLimitMs,
      },
      perform: (effect) => this.#perform(effect),
      timer: (id, delayMs) => ports.timer(id, delayMs),
      unexpected: (state, event) => ports.unexpected(name, state, event),
    });
    this.chart.onTransition = (from, event, to) => ports.stepped(name, from, event, to);
  }

  get sid(): ServerId {
    return this.chart.context.sid ?? (-1 as ServerId);
  }

  get kind(): "participant" | "observer" {
    return this.chart.context.kind;
  }

  get streaming(): boolean {
    return this.chart.matches("streaming");
  }

  send(type: number, zxid: Zxid, data: Buffer | null): void {
    this.link.send(type, zxid, data);
  }

  ping(lastProposed: Zxid): void {
    this.pingsSent++;
    this.link.send(PacketType.PING, lastProposed);
  }

  /** `chunk` is lent until this returns. */
  data(chunk: Buffer): void {
    this.link.lastHeardMs = this.#ports.nowMs();
    this.link.incoming.push(chunk);
    try {
      for (let packet = this.link.incoming.next(); packet !== null; packet = this.link.incoming.next()) {
        this.#packet(packet);
        if (this.chart.done) return;
      }
      this.#tellAcked();
      this.link.incoming.keep();
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#tellAcked();
      this.chart.send({ type: "BAD_PACKET", reason: `unreadable packet: ${error.message}` });
    }
  }

  closed(reason: string): void {
    if (!this.chart.done) this.chart.send({ type: "LINK_CLOSED", reason });
  }

  #packet(packet: QuorumPacket): void {
    const { traced } = this.link;
    if (traced !== null) traced.received(packetName(packet.type), packet.zxid);
    const { admitted } = this.chart;
    if (packet.type === PacketType.ACK) {
      if (packet.zxid > this.highestAck) this.highestAck = packet.zxid;
      if (admitted["ACK"] === undefined) this.chart.send({ type: "ACK", zxid: packet.zxid });
      else if (packet.zxid > this.#acked) this.#acked = packet.zxid;
      return;
    }
    this.#tellAcked();
    switch (packet.type) {
      case PacketType.REQUEST:
        if (admitted["REQUEST"] !== undefined) this.#ports.request(this, packet);
        else this.chart.send({ type: "REQUEST" });
        return;
      case PacketType.PING:
        this.pingsAnswered++;
        if (admitted["PING"] !== undefined) this.#ports.touched(this, packet.data);
        else this.chart.send({ type: "PING" });
        return;
      case PacketType.REVALIDATE:
        if (admitted["REVALIDATE"] !== undefined) this.#ports.revalidate(this, packet);
        else this.chart.send({ type: "REVALIDATE" });
        return;
      case PacketType.FOLLOWERINFO:
      case PacketType.OBSERVERINFO:
        this.#introduction(packet);
        return;
      case PacketType.ACKEPOCH:
        this.chart.send({
          type: "ACKEPOCH",
          currentEpoch: packet.data === null ? -1 : new JuteReader(packet.data).int(),
          lastZxid: packet.zxid,
        });
        return;
      default:
        this.chart.send({ type: "BAD_PACKET", reason: `a learner sent ${packetName(packet.type)}` });
    }
  }

  /** An ack counts for all before it, so of those that arrive together only the last must be counted. */
  #tellAcked(): void {
    const zxid = this.#acked;
    if (zxid === NO_ZXID) return;
    this.#acked = NO_ZXID;
    this.#ports.ack(this, zxid);
  }

  #introduction(packet: QuorumPacket): void {
    if (packet.data === null || packet.data.length < LEARNER_INFO_BYTES) {
      this.chart.send({ type: "BAD_PACKET", reason: "the learner speaks a protocol from before ZooKeeper 3.4" });
      return;
    }
    const info = LearnerInfo.read(new JuteReader(packet.data));
    if ((info.configVersion ?? 0) > this.#ports.configVersion) {
      this.chart.send({ type: "BAD_PACKET", reason: "the learner has a newer configuration than its leader" });
      return;
    }
    this.chart.send({
      type: packet.type === PacketType.FOLLOWERINFO ? "FOLLOWERINFO" : "OBSERVERINFO",
      sid: info.serverid as ServerId,
      acceptedEpoch: epochOf(packet.zxid),
    });
  }

  #perform(effect: LearnerHandlerEffect): void {
    const ports = this.#ports;
    switch (effect.type) {
      case "joined.tell":
        return ports.joined(this, effect.acceptedEpoch);
      case "epochAcked.tell":
        return ports.epochAcked(this, effect.currentEpoch, effect.lastZxid);
      case "newLeaderAcked.tell":
        return ports.newLeaderAcked(this);
      case "caughtUp.tell":
        return ports.caughtUp(this);
      case "left.tell":
        return ports.left(this, effect.reason);
      case "history.send":
        return ports.sendHistory(this, effect.learnerZxid);
      case "packet.send":
        switch (effect.packet) {
          case "LEADERINFO":
            return this.link.send(PacketType.LEADERINFO, makeZxid(effect.epoch, 0), LEADERINFO_DATA);
          case "NEWLEADER": {
            const config = Buffer.from(ports.configText, "utf8");
            this.link.sendBulk(PacketType.NEWLEADER, makeZxid(effect.epoch, 0), config);
            // What was held back behind a snapshot is live from here on.
            return this.link.release();
          }
          case "UPTODATE":
            // A learner answers no ping before this one: answers are counted from here.
            this.pingsSent = 0;
            this.pingsAnswered = 0;
            return this.link.send(PacketType.UPTODATE, -1);
        }
        return;
      case "link.close":
        return ports.destroy(this.link.socket);
    }
  }
}

/** sid, protocol version, configuration version. */
const LEARNER_INFO_BYTES = 20;
