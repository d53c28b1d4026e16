/** A leader's learners and its broadcast: LeaderRole and LearnerHandler (src/server, src/ensemble) around the same cores. */

import type { LearnerHandlerEffect, learnerHandlerMachine } from "../../../spec/ensemble/learner-handler.machine.ts";
import type { History } from "../../../spec/invariants/zab-view.ts";
import { isQuorum, isVoter } from "../../../spec/quorum.ts";
import { type Epoch, makeZxid, NO_ZXID, type ServerId, type Zxid } from "../../../spec/vocabulary.ts";
import type { HistoryLink } from "../../../src/ensemble/history-sender.ts";
import type {
  ForwardingLink,
  LeaderBroadcast,
  LeaderBroadcastState,
  Proposal,
} from "../../../src/ensemble/leader-broadcast.ts";
import { PacketType } from "../../../src/protocol/quorum-packet.ts";
import type { ChartState } from "../../checker/chart-machine.ts";
import { ChartSlot } from "./chart-slot.ts";
import type { Member } from "./member.ts";
import type { Slot } from "./outputs.ts";
import { type DownPacket, entryOf, txnOf, txnsOf, type UpPacket } from "./values.ts";

export interface LearnerLinkState {
  readonly from: ServerId;
  readonly slot: Slot;
  readonly chart: ChartState;
  readonly forwarded: boolean;
  readonly highestAck: Zxid;
}

export interface LeaderState {
  readonly announced: Epoch | null;
  readonly synchronizing: boolean;
  /** By server and slot. */
  readonly learners: readonly LearnerLinkState[];
  readonly broadcast: (Omit<LeaderBroadcastState, "outstanding"> & { readonly outstanding: History }) | null;
}

export const NEW_LEADER: LeaderState = { announced: null, synchronizing: false, learners: [], broadcast: null };

/** Nothing in the cores looks into a decoded txn, or at a clock. */
const proposalOf = (zxid: Zxid, entry: Buffer): Proposal => ({ zxid, entry, proposedAtMs: 0 }) as unknown as Proposal;

export class LeaderPart {
  readonly member: Member;
  #announced: Epoch | null;
  #synchronizing: boolean;
  readonly #learners: LearnerLink[];
  #broadcast: LeaderBroadcast | null = null;

  constructor(member: Member, state: LeaderState) {
    this.member = member;
    this.#announced = state.announced;
    this.#synchronizing = state.synchronizing;
    this.#learners = state.learners.map((learner) => new member.parts.LearnerLink(this, learner));
    if (state.broadcast !== null) {
      this.#broadcast = this.#newBroadcast(state.broadcast.lastProposed);
      const outstanding = state.broadcast.outstanding.map((txn) => proposalOf(txn[0], entryOf(txn)));
      this.#broadcast.resume({ ...state.broadcast, outstanding }, this.#forwarded());
    }
  }

  get state(): LeaderState {
    const broadcast = this.#broadcast?.state ?? null;
    const learners = this.#learners.map((learner) => learner.state);
    return {
      announced: this.#announced,
      synchronizing: this.#synchronizing,
      learners: learners.sort((a, b) => a.from - b.from || a.slot - b.slot),
      broadcast: broadcast === null ? null : sorted({ ...broadcast, outstanding: txnsOf(broadcast.outstanding) }),
    };
  }

  get broadcast(): LeaderBroadcast | null {
    return this.#broadcast;
  }

  accepted(from: ServerId, slot: Slot): void {
    const { handler } = this.member.charts;
    const { state, outputs } = handler.initial({
      epochAnnounced: this.#announced,
      synchronizing: this.#synchronizing,
      serving: this.#broadcast !== null,
      initLimitMs: 0,
    });
    const chart = handler.state(state);
    const learner = new this.member.parts.LearnerLink(this, {
      from,
      slot,
      chart,
      forwarded: false,
      highestAck: NO_ZXID,
    });
    this.#learners.push(learner);
    for (const output of outputs) if (output.type === "effect") learner.perform(output.effect);
  }

  packet(from: ServerId, slot: Slot, packet: UpPacket): void {
    this.#find(from, slot)?.packet(packet);
  }

  closed(from: ServerId, slot: Slot): void {
    this.#find(from, slot)?.closed("closed");
  }

  /** The older connection of a learner is gone: see links.ts. */
  renumber(from: ServerId): void {
    const learner = this.#find(from, 1);
    if (learner !== undefined) learner.slot = 0;
  }

  announceEpoch(epoch: Epoch): void {
    this.#announced = epoch;
    this.member.checkPromise({ type: "LEADERINFO", epoch });
    for (const { chart } of this.#all()) chart.send({ type: "EPOCH_ANNOUNCED", epoch });
  }

  synchronize(): void {
    this.#synchronizing = true;
    for (const { chart } of this.#all()) chart.send({ type: "SYNCHRONIZE" });
  }

  open(epoch: Epoch): void {
    const { member } = this;
    this.#broadcast = this.#newBroadcast(makeZxid(epoch, 0));
    member.out({ type: "established", epoch, leader: member.self });
    // What a quorum holds durably as the epoch's initial history is committed.
    member.out({ type: "committed", history: member.tree });
    for (const learner of this.#all()) if (learner.forwarded) this.#broadcast.forward(learner);
    for (const { chart } of this.#all()) chart.send({ type: "SERVING" });
  }

  close(): History {
    const uncommitted = txnsOf(this.#broadcast?.takeUncommitted() ?? []);
    this.#broadcast = null;
    return uncommitted;
  }

  closeLearners(): void {
    for (const learner of this.#all()) learner.closed("the leader steps down");
    this.#learners.length = 0;
  }

  propose(value: number): void {
    const broadcast = this.#broadcast;
    if (broadcast === null) return;
    if (broadcast.exhausted) return this.member.peer.send({ type: "COUNTER_EXHAUSTED" });
    const zxid = broadcast.nextZxid();
    this.member.out({ type: "broadcast", txn: [zxid, value] });
    broadcast.propose(proposalOf(zxid, entryOf([zxid, value])));
  }

  turnEnded(): void {
    for (const learner of this.#learners) learner.turnEnded();
  }

  get hasQuorum(): boolean {
    const synced = new Set<ServerId>([this.member.self]);
    for (const learner of this.#learners) if (learner.chart.matches("streaming")) synced.add(learner.sid);
    return isQuorum(this.member.quorum, (id) => synced.has(id));
  }

  // --- what the learners' charts tell

  voter(learner: LearnerLink): boolean {
    return isVoter(this.member.quorum, learner.sid);
  }

  joined(learner: LearnerLink, acceptedEpoch: Epoch): void {
    this.replaceOlder(learner);
    const { sid } = learner;
    this.member.peer.send({ type: "LEARNER_JOINED", from: sid, voter: this.voter(learner), acceptedEpoch });
  }

  caughtUp(learner: LearnerLink): void {
    if (this.member.peer.admitted({ type: "LEARNER_CAUGHT_UP" }) !== null)
      this.#broadcast?.ack(learner.sid, learner.highestAck);
  }

  acked(learner: LearnerLink, zxid: Zxid): void {
    if (this.member.peer.admitted({ type: "ACK" }) !== null) this.#broadcast?.ack(learner.sid, zxid);
  }

  left(learner: LearnerLink): void {
    const at = this.#learners.indexOf(learner);
    if (at !== -1) this.#learners.splice(at, 1);
    this.#broadcast?.forget(learner);
    this.member.peer.send({ type: "LEARNER_LEFT", from: learner.sid });
  }

  sendHistory(learner: LearnerLink, learnerZxid: Zxid): void {
    const { member } = this;
    const link: HistoryLink = {
      congested: false,
      hold: () => learner.hold(),
      sendBulk: (type, zxid, data = null) => learner.put(packetOf(type, zxid as Zxid, data)),
      sendRaw: () => {},
    };
    let again = false;
    const sender = new member.parts.HistorySender(link, {
      committedLog: member.committedLog,
      lastProcessed: () => member.lastProcessed,
      readLog: (from, to, visitor) => {
        const { txns, complete } = member.disk.stretch(from, to);
        const whole = txns.every((txn) => visitor.entry(txn[0], entryOf(txn)));
        if (whole) visitor.end(complete);
        return { resume: () => {}, cancel: () => {} };
      },
      openSnapshot: () => {
        learner.put({ type: "SNAPSHOT", tree: this.snapshotTree() });
        return { next: () => null, close: () => {} };
      },
      forward: () => {
        learner.forwarded = true;
        this.#broadcast?.forward(learner);
      },
      sent: () => learner.chart.send({ type: "HISTORY_SENT" }),
      broken: (reason) => learner.closed(reason),
      later: () => {
        again = true;
      },
      told: () => {},
    });
    sender.start(learnerZxid);
    // The stream's slices are one here: what happens between them is the business of the replay models.
    while (again) {
      again = false;
      sender.more();
    }
  }

  protected snapshotTree(): History {
    return this.member.tree;
  }

  /** A server that comes back has given up its older connection, even where we have not noticed yet. */
  protected replaceOlder(learner: LearnerLink): void {
    for (const other of this.#all()) {
      if (other !== learner && other.sid === learner.sid) other.closed("replaced by a newer connection");
    }
  }

  #newBroadcast(lastZxid: Zxid): LeaderBroadcast {
    const { member } = this;
    return new member.parts.LeaderBroadcast(member.self, member.quorum, lastZxid, {
      log: (zxid, entry) => member.log(zxid, entry),
      deliver: ({ zxid, entry }) => {
        member.deliver(txnOf(zxid, entry));
        member.out({ type: "committed", history: member.tree });
      },
    });
  }

  #forwarded(): LearnerLink[] {
    return this.#learners.filter((learner) => learner.forwarded);
  }

  #find(from: ServerId, slot: Slot): LearnerLink | undefined {
    return this.#learners.find((learner) => learner.from === from && learner.slot === slot);
  }

  /** A copy: learners may go away while they are told something. */
  #all(): LearnerLink[] {
    return [...this.#learners];
  }
}

/** LearnerHandler: one connection, with its chart. */
export class LearnerLink implements ForwardingLink {
  readonly from: ServerId;
  slot: Slot;
  readonly kind = "participant";
  readonly chart: ChartSlot<typeof learnerHandlerMachine, LearnerHandlerEffect>;
  forwarded: boolean;
  highestAck: Zxid;
  readonly #leader: LeaderPart;
  #held: DownPacket[] | null = null;

  constructor(leader: LeaderPart, state: LearnerLinkState) {
    this.#leader = leader;
    this.from = state.from;
    this.slot = state.slot;
    this.forwarded = state.forwarded;
    this.highestAck = state.highestAck;
    const { handler } = leader.member.charts;
    this.chart = new ChartSlot(handler, handler.parts.snapshots.intern(state.chart), {
      perform: (effect) => this.perform(effect),
      unexpected: (at, event) => leader.member.alarm("Z10", `learner-handler ${at} does not expect ${event}`),
    });
  }

  get state(): LearnerLinkState {
    const { from, slot, forwarded, highestAck } = this;
    return { from, slot, chart: this.chart.state, forwarded, highestAck };
  }

  get sid(): ServerId {
    return (this.chart.state.context as { sid: ServerId | null }).sid ?? (-1 as ServerId);
  }

  send(type: number, zxid: Zxid, data: Buffer | null): void {
    const packet = packetOf(type, zxid, data);
    if (this.#held === null) this.put(packet);
    else this.#held.push(packet);
  }

  put(packet: DownPacket): void {
    this.#leader.member.out({ type: "down", learner: this.from, slot: this.slot, packet });
  }

  hold(): void {
    this.#held ??= [];
  }

  closed(reason: string): void {
    if (!this.chart.matches("closed")) this.chart.send({ type: "LINK_CLOSED", reason });
  }

  packet(packet: UpPacket): void {
    switch (packet.type) {
      case "FOLLOWERINFO":
        return this.chart.send({ ...packet, sid: this.from });
      case "ACKEPOCH":
        return this.chart.send(packet);
      case "ACK":
        if (packet.zxid > this.highestAck) this.highestAck = packet.zxid;
        if (this.chart.admitted(packet) !== null) this.#leader.acked(this, packet.zxid);
        else this.chart.send(packet);
    }
  }

  perform(effect: LearnerHandlerEffect): void {
    const leader = this.#leader;
    const { peer } = leader.member;
    const voter = leader.voter(this);
    switch (effect.type) {
      case "joined.tell":
        return leader.joined(this, effect.acceptedEpoch);
      case "epochAcked.tell": {
        const { currentEpoch, lastZxid } = effect;
        return peer.send({ type: "EPOCH_ACKED", from: this.sid, voter, currentEpoch, lastZxid });
      }
      case "newLeaderAcked.tell":
        return peer.send({ type: "NEWLEADER_ACKED", from: this.sid, voter });
      case "caughtUp.tell":
        return leader.caughtUp(this);
      case "left.tell":
        return leader.left(this);
      case "history.send":
        return leader.sendHistory(this, effect.learnerZxid);
      case "packet.send":
        if (effect.packet === "UPTODATE") return this.put({ type: "UPTODATE" });
        this.put({ type: effect.packet, epoch: effect.epoch });
        if (effect.packet === "NEWLEADER") this.#release();
        return;
      case "link.close":
        if (effect.reason === "ACK") leader.member.alarm("Z10", "a leader drops a learner that keeps to the protocol");
        return leader.member.out({ type: "leaderCloses", learner: this.from, slot: this.slot });
    }
  }

  /** Packets of a turn leave together. */
  turnEnded(): void {}

  #release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const packet of held) this.put(packet);
  }
}

function packetOf(type: number, zxid: Zxid, data: Buffer | null): DownPacket {
  switch (type) {
    case PacketType.PROPOSAL:
      return { type: "PROPOSAL", txn: txnOf(zxid, data as Buffer) };
    case PacketType.COMMIT:
      return { type: "COMMIT", zxid };
    case PacketType.DIFF:
      return { type: "DIFF", zxid };
    case PacketType.TRUNC:
      return { type: "TRUNC", zxid };
    default:
      return { type: "SNAP", zxid };
  }
}

/** The order of first acks means nothing. */
function sorted<T extends { readonly ackedUpTo: LeaderBroadcastState["ackedUpTo"] }>(state: T): T {
  return { ...state, ackedUpTo: [...state.ackedUpTo].sort(([a], [b]) => a - b) };
}
