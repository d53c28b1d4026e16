/** The packets of one quorum link, at either end: which may leave, and what must be true of the disk when they do. */
import type { QuorumConfig } from "../../spec/quorum.ts";
import { counterOf, formatZxid, makeZxid, NO_ZXID, type ServerId, type Zxid } from "../../spec/vocabulary.ts";
import type { AskedEffect, ChartReplay } from "./chart-replay.ts";
import type { Crossing } from "./crossing.ts";
import type { Durable, Refuse } from "./durable.ts";

/** The server that the link belongs to. */
export interface Surroundings {
  readonly self: ServerId;
  readonly quorum: QuorumConfig;
  readonly disk: Durable;
  readonly crossing: Crossing;
  readonly peer: ChartReplay;
  readonly file: string;
  readonly line: number;
  readonly epochAnnounced: number | null;
  committable(): Zxid;
  readonly refuse: Refuse;
}

/** A packet that a chart has asked for. */
interface Asked {
  readonly packet: string;
  readonly zxid: number;
}

/** The packets that charts ask for; one that nobody asked for does not leave. */
abstract class Link {
  protected readonly server: Surroundings;
  #asked: Asked[] = [];

  constructor(server: Surroundings) {
    this.server = server;
  }

  ask(effect: AskedEffect): void {
    const { packet, epoch, zxid } = effect as unknown as { packet: string; epoch?: number; zxid?: number };
    this.#asked.push({ packet, zxid: zxid ?? (epoch === undefined ? -1 : makeZxid(epoch, 0)) });
  }

  /** "ACKEPOCH 0x0", if something that was asked for has not left. */
  get missing(): string | undefined {
    const [next] = this.#asked;
    return next === undefined ? undefined : `${next.packet} ${formatZxid(next.zxid as Zxid)}`;
  }

  protected mustBeAsked(packet: string, zxid: Zxid): void {
    const [next] = this.#asked;
    if (next !== undefined && next.packet === packet && next.zxid === zxid) {
      this.#asked.shift();
      return;
    }
    this.server.refuse(
      "asked-for",
      `${packet} ${formatZxid(zxid)} leaves`,
      this.missing ?? "nothing: no chart asks for it",
    );
  }
}

/** A learner's end. */
export class LeaderLink extends Link {
  readonly leader: ServerId;
  /** Highest zxid that the leader has proposed, and committed, on this link. */
  proposed: Zxid = NO_ZXID;
  committed: Zxid = NO_ZXID;
  #acked: Zxid = NO_ZXID;

  constructor(leader: ServerId, server: Surroundings) {
    super(server);
    this.leader = leader;
  }

  received(packet: string, zxid: Zxid): void {
    const { crossing, self, file, line } = this.server;
    crossing.received(this.leader, self, packet, zxid, file, line);
    if (packet === "PROPOSAL" || packet === "INFORM") this.proposed = zxid;
    if ((packet === "COMMIT" || packet === "INFORM") && zxid > this.committed) this.committed = zxid;
  }

  sent(packet: string, zxid: Zxid): void {
    const { crossing, self, peer, refuse } = this.server;
    crossing.sent(self, this.leader, packet, zxid);
    switch (packet) {
      case "FOLLOWERINFO":
      case "OBSERVERINFO":
        return this.mustBeAsked(packet, zxid);
      case "ACKEPOCH":
        this.#promised("acceptedEpoch", peer.context["newEpoch"] as number);
        return this.mustBeAsked(packet, zxid);
      case "ACK":
        // Txns count from 1: this one acknowledges NEWLEADER, and later UPTODATE.
        return counterOf(zxid) === 0 ? this.#newLeaderAck(zxid) : this.#ack(zxid);
      default:
        // Requests, syncs, revalidations and pings belong to the broadcast phase.
        if (!peer.matches("following.broadcast") && !peer.matches("observing.broadcast")) {
          refuse("admitted", `${packet} leaves while ${peer.state}`, "the broadcast phase");
        }
    }
  }

  /** ACK of NEWLEADER: the epoch is written, and the history in front of it. */
  #newLeaderAck(zxid: Zxid): void {
    const { disk, refuse, peer } = this.server;
    this.#promised("currentEpoch", peer.context["newEpoch"] as number);
    if (!disk.quiet) {
      const logged = `LOG_APPENDED up to ${formatZxid(disk.lastLogged)}, not ${formatZxid(disk.durable)}`;
      refuse("durable-before-ack", "the ack of NEWLEADER leaves", logged);
    }
    this.mustBeAsked("ACK", zxid);
  }

  #promised(kind: "acceptedEpoch" | "currentEpoch", epoch: number): void {
    const { disk, refuse } = this.server;
    if (disk[kind] >= epoch) return;
    const packet = kind === "acceptedEpoch" ? "ACKEPOCH" : "the ack of NEWLEADER";
    refuse("epoch-before-ack", `${packet} leaves with ${kind} ${disk[kind]} on disk`, `${kind} ${epoch} on disk`);
  }

  #ack(zxid: Zxid): void {
    const { disk, peer, refuse } = this.server;
    const what = `ACK ${formatZxid(zxid)} leaves`;
    if (!peer.matches("following.broadcast")) refuse("admitted", `${what} while ${peer.state}`, "following.broadcast");
    if (zxid > disk.durable)
      refuse("durable-before-ack", what, `LOG_APPENDED, which reached ${formatZxid(disk.durable)}`);
    if (zxid <= this.#acked) refuse("zxid-order", `${what} after ${formatZxid(this.#acked)}`, "a later one");
    if (zxid > this.proposed) refuse("caused", what, `a proposal; the last was ${formatZxid(this.proposed)}`);
    this.#acked = zxid;
  }
}

const HISTORY: ReadonlySet<string> = new Set(["DIFF", "TRUNC", "SNAP"]);

/** The leader's end. */
export class LearnerLink extends Link {
  readonly name: string;
  acked: Zxid = NO_ZXID;
  historySent = false;
  readonly #chart: ChartReplay;
  #proposed: Zxid = NO_ZXID;
  #committed: Zxid = NO_ZXID;
  #closed = false;

  constructor(name: string, chart: ChartReplay, server: Surroundings) {
    super(server);
    this.name = name;
    this.#chart = chart;
  }

  /** null until it has introduced itself. */
  get sid(): ServerId | null {
    return this.#chart.context["sid"] as ServerId | null;
  }

  /** Its acks count. */
  get counts(): boolean {
    return !this.#closed && this.#chart.matches("streaming") && this.#chart.context["kind"] === "participant";
  }

  close(): void {
    this.#closed = true;
  }

  received(packet: string, zxid: Zxid): void {
    const { crossing, self, file, line } = this.server;
    if (this.sid !== null) crossing.received(this.sid, self, packet, zxid, file, line);
    if (packet === "ACK" && zxid > this.acked) this.acked = zxid;
  }

  sent(packet: string, zxid: Zxid): void {
    const { crossing, self, disk, refuse, epochAnnounced } = this.server;
    const { sid } = this;
    if (sid !== null) crossing.sent(self, sid, packet, zxid);
    const what = `${packet} ${formatZxid(zxid)} leaves`;
    switch (packet) {
      case "LEADERINFO":
        this.mustBeAsked(packet, zxid);
        if (disk.acceptedEpoch < (epochAnnounced ?? 0)) {
          refuse("epoch-before-ack", `${what} with acceptedEpoch ${disk.acceptedEpoch} on disk`, `${epochAnnounced}`);
        }
        return;
      case "NEWLEADER":
        this.mustBeAsked(packet, zxid);
        if (disk.currentEpoch < (epochAnnounced ?? 0)) {
          refuse("epoch-before-ack", `${what} with currentEpoch ${disk.currentEpoch} on disk`, `${epochAnnounced}`);
        }
        return;
      case "UPTODATE":
        return this.mustBeAsked(packet, zxid);
      case "PROPOSAL":
        if (zxid <= this.#proposed) refuse("zxid-order", `${what} after ${formatZxid(this.#proposed)}`, "a later one");
        this.#proposed = zxid;
        return;
      case "COMMIT":
      case "INFORM":
        return this.#commit(packet, zxid);
      default:
        if (!HISTORY.has(packet)) return;
        if (!this.#chart.matches("sendingHistory") || this.historySent) {
          refuse("admitted", `${what} while ${this.#chart.state}`, "sendingHistory, once");
        }
        this.historySent = true;
    }
  }

  #commit(packet: string, zxid: Zxid): void {
    const { disk, refuse } = this.server;
    const what = `${packet} ${formatZxid(zxid)} leaves`;
    if (zxid <= this.#committed) refuse("zxid-order", `${what} after ${formatZxid(this.#committed)}`, "a later one");
    if (packet === "COMMIT" && zxid > this.#proposed) {
      refuse("zxid-order", what, `a proposal on this link first; the last was ${formatZxid(this.#proposed)}`);
    }
    // Committed earlier: history. Otherwise a quorum has just acknowledged it.
    if (zxid > disk.lastApplied) {
      const upTo = this.server.committable();
      if (zxid > upTo) refuse("quorum", what, `acks of a quorum, which reach ${formatZxid(upTo)}`);
    }
    this.#committed = zxid;
  }
}
