/**
 * One connection per pair of servers for election messages, opened by the larger server id and kept.
 * Source: QuorumCnxManager; reference "Election port". Sends only the latest message: older ones are obsolete.
 */
import type { ServerId } from "../../spec/vocabulary.ts";
import { JuteError } from "../protocol/jute-reader.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import {
  ElectionDecoder,
  type Notification,
  writeInitialMessage,
  writeNotification,
} from "../protocol/notification.ts";
import type { Reporter } from "../runtime/environment.ts";

export interface ElectionMember {
  readonly id: ServerId;
  readonly host: string;
  readonly electionPort: number;
}

export interface ElectionChannelsPorts {
  readonly report: Reporter;
  /** Whoever connects must say by then who it is (QuorumCnxManager.setSockOpts: tickTime * syncLimit). */
  readonly introductionLimitMs: number;
  nowMs(): number;
  connect(host: string, port: number): number;
  write(socket: number, bytes: Buffer): void;
  /** Flush, then end. */
  close(socket: number): void;
  destroy(socket: number): void;
  notified(from: ServerId, notification: Notification): void;
  up(peer: ServerId): void;
  /** Nobody listens there, or the connection broke. */
  down(peer: ServerId): void;
}

type Side =
  /** We opened it: to keep (`peer` is smaller), or only to be noticed (`peer` is larger and connects back). */
  | { readonly kind: "outgoing"; readonly peer: ServerId; readonly keep: boolean; readonly decoder: ElectionDecoder }
  /** Accepted; `peer` is known after its initial message. */
  | { readonly kind: "incoming"; peer: ServerId | null; readonly sinceMs: number; readonly decoder: ElectionDecoder };

export class ElectionChannels {
  readonly #self: ElectionMember;
  readonly #members: ReadonlyMap<ServerId, ElectionMember>;
  readonly #ports: ElectionChannelsPorts;
  readonly #sockets = new Map<number, Side>();
  /** Established channels. */
  readonly #channels = new Map<ServerId, number>();
  readonly #connecting = new Map<ServerId, number>();
  /** What each peer should hear last: sent again whenever a channel to it comes up. */
  readonly #latest = new Map<ServerId, Buffer>();
  readonly #writer = new JuteWriter();

  constructor(self: ElectionMember, members: readonly ElectionMember[], ports: ElectionChannelsPorts) {
    this.#self = self;
    this.#members = new Map(members.map((member) => [member.id, member]));
    this.#ports = ports;
  }

  send(to: ServerId, notification: Notification): void {
    writeNotification(this.#writer, notification);
    const bytes = this.#writer.take();
    this.#latest.set(to, bytes);
    const socket = this.#channels.get(to);
    if (socket !== undefined) this.#ports.write(socket, bytes);
    else this.connect(to);
  }

  connectAll(): void {
    for (const id of this.#members.keys()) this.connect(id);
  }

  connect(to: ServerId): void {
    const member = this.#members.get(to);
    if (member === undefined || to === this.#self.id || this.#channels.has(to) || this.#connecting.has(to)) return;
    const socket = this.#ports.connect(member.host, member.electionPort);
    this.#connecting.set(to, socket);
    this.#sockets.set(socket, {
      kind: "outgoing",
      peer: to,
      keep: this.#self.id > to,
      decoder: new ElectionDecoder("initiator"),
    });
  }

  accepted(socket: number): void {
    const sinceMs = this.#ports.nowMs();
    this.#sockets.set(socket, { kind: "incoming", peer: null, sinceMs, decoder: new ElectionDecoder("acceptor") });
  }

  /** Strangers who say nothing would use up the descriptors. */
  tick(): void {
    const latestMs = this.#ports.nowMs() - this.#ports.introductionLimitMs;
    for (const [socket, side] of this.#sockets)
      if (side.kind === "incoming" && side.peer === null && side.sinceMs < latestMs) this.#drop(socket);
  }

  connected(socket: number): void {
    const side = this.#sockets.get(socket);
    if (side === undefined || side.kind !== "outgoing") return;
    const { host, electionPort, id } = this.#self;
    const address = `${host.includes(":") ? `[${host}]` : host}:${electionPort}`;
    writeInitialMessage(this.#writer, { sid: id, addresses: [address] });
    this.#ports.write(socket, this.#writer.take());
    this.#connecting.delete(side.peer);
    if (side.keep) this.#establish(side.peer, socket);
    else {
      this.#sockets.delete(socket);
      this.#ports.close(socket);
    }
  }

  /** `chunk` is lent until this returns. */
  data(socket: number, chunk: Buffer): void {
    const side = this.#sockets.get(socket);
    if (side === undefined) return;
    side.decoder.push(chunk);
    try {
      for (let message = side.decoder.next(); message !== null; message = side.decoder.next()) {
        if (message.type === "INITIAL_MESSAGE") {
          if (!this.#introduced(socket, side, message.initial.sid)) return;
        } else if (message.type === "MALFORMED") {
          this.#ports.report({
            level: "warn",
            message: "an election message that means nothing was skipped",
            data: { from: side.peer, reason: message.error.message },
          });
        } else if (side.peer !== null) {
          this.#ports.notified(side.peer, message.notification);
        }
      }
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#ports.report({
        level: "warn",
        message: "a peer speaks garbage on the election port; its connection is closed",
        data: { from: side.peer, reason: error.message },
      });
      this.#ports.destroy(socket);
      this.closed(socket);
    } finally {
      side.decoder.keep();
    }
  }

  closed(socket: number): void {
    const side = this.#sockets.get(socket);
    if (side === undefined) return;
    this.#sockets.delete(socket);
    const { peer } = side;
    if (peer === null) return;
    if (this.#connecting.get(peer) === socket) {
      this.#connecting.delete(peer);
      if (!this.#channels.has(peer)) this.#ports.down(peer);
    }
    if (this.#channels.get(peer) === socket) {
      this.#channels.delete(peer);
      this.#ports.down(peer);
    }
  }

  /** @returns whether the connection stays. */
  #introduced(socket: number, side: Side, sid: ServerId): boolean {
    if (side.kind !== "incoming") return true;
    if (!this.#members.has(sid) || sid === this.#self.id) {
      this.#ports.report({
        level: "warn",
        message: "a server that is not in the list (or claims to be this one) was refused on the election port",
        data: { sid },
      });
      this.#drop(socket);
      return false;
    }
    if (sid < this.#self.id) {
      // The larger id owns the connection: the peer only wanted to be noticed.
      this.#drop(socket);
      const old = this.#channels.get(sid);
      if (old !== undefined) {
        // It would not have called if it still had our connection.
        this.#channels.delete(sid);
        this.#drop(old);
      }
      this.connect(sid);
      return false;
    }
    side.peer = sid;
    this.#establish(sid, socket);
    return true;
  }

  #establish(peer: ServerId, socket: number): void {
    const old = this.#channels.get(peer);
    this.#channels.set(peer, socket);
    if (old !== undefined && old !== socket) this.#drop(old);
    this.#ports.up(peer);
    const latest = this.#latest.get(peer);
    if (latest !== undefined) this.#ports.write(socket, latest);
  }

  #drop(socket: number): void {
    this.#sockets.delete(socket);
    this.#ports.destroy(socket);
  }
}
