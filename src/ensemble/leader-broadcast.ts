/**
 * The leader's bookkeeping of Zab's broadcast phase: proposals out, acks in, commits in zxid order without gaps.
 * Source: Leader.propose, processAck, tryToCommit. It exists from `broadcast.open` to `broadcast.close`, for one epoch.
 */
import { commitPoint, isVoter, type QuorumConfig } from "../../spec/quorum.ts";
import {
  counterOf,
  type Epoch,
  epochOf,
  MAX_COUNTER,
  makeZxid,
  NO_ZXID,
  type ServerId,
  type Zxid,
} from "../../spec/vocabulary.ts";
import { PacketType } from "../protocol/quorum-packet.ts";
import type { Txn } from "../protocol/txn.ts";
import { assert } from "../runtime/assert.ts";

export interface Proposal {
  readonly zxid: Zxid;
  readonly txn: Txn;
  readonly entry: Buffer;
  /** Monotonic ms, to find learners that no longer acknowledge. */
  readonly proposedAtMs: number;
}

/** Where live packets for one learner go; registered when its history has been cut (Leader.startForwarding). */
export interface ForwardingLink {
  readonly sid: ServerId;
  readonly kind: "participant" | "observer";
  send(type: number, zxid: Zxid, data: Buffer | null): void;
}

/** The bookkeeping as plain data: a model checker keeps this between steps instead of the object. */
export interface LeaderBroadcastState {
  readonly ackedUpTo: readonly (readonly [ServerId, Zxid])[];
  readonly outstanding: readonly Proposal[];
  readonly lastProposed: Zxid;
  readonly lastCommitted: Zxid;
}

export interface LeaderBroadcastPorts {
  /** Into the leader's own log; `appended` answers. */
  log(zxid: Zxid, entry: Buffer): void;
  /** Committed: apply, remember, answer the client. Called in zxid order. */
  deliver(proposal: Proposal): void;
}

export class LeaderBroadcast {
  readonly #self: ServerId;
  readonly #quorum: QuorumConfig;
  readonly #ports: LeaderBroadcastPorts;
  /** Replaced, never changed: it is gone through for every proposal and every commit. */
  #links: readonly ForwardingLink[] = [];
  /**
   * How far each voter has logged, as far as acks of its current connection say. A connection that broke takes its acks
   * with it: the learner may be told to truncate what it acked and has no quorum yet.
   */
  readonly #ackedUpTo = new Map<ServerId, Zxid>();
  #outstanding: Proposal[] = [];
  /** Index of the oldest outstanding proposal; the array is compacted now and then. */
  #oldest = 0;
  #lastProposed: Zxid;
  #lastCommitted: Zxid;

  /** `lastZxid`: where zxids continue; the start of the epoch for a leader. */
  constructor(self: ServerId, quorum: QuorumConfig, lastZxid: Zxid, ports: LeaderBroadcastPorts) {
    this.#self = self;
    this.#quorum = quorum;
    this.#ports = ports;
    this.#lastProposed = lastZxid;
    this.#lastCommitted = lastZxid;
  }

  get state(): LeaderBroadcastState {
    return {
      ackedUpTo: [...this.#ackedUpTo],
      outstanding: this.#outstanding.slice(this.#oldest),
      lastProposed: this.#lastProposed,
      lastCommitted: this.#lastCommitted,
    };
  }

  /** Goes on where `state` was taken, with the learners that were forwarded to then. */
  resume(state: LeaderBroadcastState, links: Iterable<ForwardingLink>): void {
    this.#links = [...links];
    for (const [id, zxid] of state.ackedUpTo) this.#ackedUpTo.set(id, zxid);
    this.#outstanding = [...state.outstanding];
    this.#lastProposed = state.lastProposed;
    this.#lastCommitted = state.lastCommitted;
  }

  get lastProposed(): Zxid {
    return this.#lastProposed;
  }

  get lastCommitted(): Zxid {
    return this.#lastCommitted;
  }

  get outstandingCount(): number {
    return this.#outstanding.length - this.#oldest;
  }

  /** The counter is about to run out: no further proposal may be made in this epoch (ZOOKEEPER-1277). */
  get exhausted(): boolean {
    return counterOf(this.#lastProposed) >= MAX_COUNTER - 1;
  }

  nextZxid(): Zxid {
    assert(!this.exhausted, "The zxid counter never runs into the epoch.");
    return (this.#lastProposed + 1) as Zxid;
  }

  /** A standalone server whose counter is used up goes on in the next epoch. */
  continueInEpoch(epoch: Epoch): void {
    assert(epoch > epochOf(this.#lastProposed), "Epochs only grow.");
    this.#lastProposed = makeZxid(epoch, 0);
  }

  propose(proposal: Proposal): void {
    assert(proposal.zxid === this.#lastProposed + 1, "Proposals follow each other without gaps.");
    this.#lastProposed = proposal.zxid;
    this.#outstanding.push(proposal);
    for (const link of this.#links) {
      if (link.kind === "participant") link.send(PacketType.PROPOSAL, proposal.zxid, proposal.entry);
    }
    this.#ports.log(proposal.zxid, proposal.entry);
  }

  /** The leader's own log is durable up to here: its ack. */
  appended(upTo: Zxid): void {
    this.ack(this.#self, upTo);
  }

  /** Channels are FIFO: acking a zxid acks all before it. Late and duplicate acks raise nothing. */
  ack(from: ServerId, zxid: Zxid): void {
    if (!isVoter(this.#quorum, from) || zxid > this.#lastProposed) return;
    const before = this.#ackedUpTo.get(from) ?? NO_ZXID;
    if (zxid <= before) return;
    this.#ackedUpTo.set(from, zxid);
    this.#commit();
  }

  /** When the oldest proposal that this learner has not acknowledged was made; null when it is up to date. */
  unackedSince(from: ServerId): number | null {
    const acked = this.#ackedUpTo.get(from) ?? NO_ZXID;
    for (let i = this.#oldest; i < this.#outstanding.length; i++) {
      const proposal = this.#outstanding[i] as Proposal;
      if (proposal.zxid > acked) return proposal.proposedAtMs;
    }
    return null;
  }

  /**
   * From now on the learner gets every proposal and commit. It is brought level with what is under way first: nothing may
   * happen between the cut of its history and this call.
   */
  forward(link: ForwardingLink): void {
    if (!this.#links.includes(link)) this.#links = [...this.#links, link];
    if (link.kind === "observer") return;
    for (let i = this.#oldest; i < this.#outstanding.length; i++) {
      const { zxid, entry } = this.#outstanding[i] as Proposal;
      link.send(PacketType.PROPOSAL, zxid, entry);
    }
  }

  /** The learner's connection is gone, and its acks with it. */
  forget(link: ForwardingLink): void {
    if (!this.#links.includes(link)) return;
    this.#links = this.#links.filter((other) => other !== link);
    this.#ackedUpTo.delete(link.sid);
  }

  /** Logged here and not committed, oldest first: the role ends. */
  takeUncommitted(): { zxid: Zxid; entry: Buffer }[] {
    const rest = this.#outstanding.slice(this.#oldest).map(({ zxid, entry }) => ({ zxid, entry }));
    this.#outstanding = [];
    this.#oldest = 0;
    return rest;
  }

  #commit(): void {
    const reached = commitPoint(this.#quorum, (id) => this.#ackedUpTo.get(id));
    while (this.#oldest < this.#outstanding.length) {
      const proposal = this.#outstanding[this.#oldest] as Proposal;
      if (proposal.zxid > reached) break;
      this.#oldest++;
      this.#lastCommitted = proposal.zxid;
      for (const link of this.#links) {
        // A follower holds the proposal already; an observer gets it with its commit.
        if (link.kind === "participant") link.send(PacketType.COMMIT, proposal.zxid, null);
        else link.send(PacketType.INFORM, proposal.zxid, proposal.entry);
      }
      this.#ports.deliver(proposal);
    }
    if (this.#oldest > 1024 && this.#oldest * 2 > this.#outstanding.length) {
      this.#outstanding = this.#outstanding.slice(this.#oldest);
      this.#oldest = 0;
    }
  }
}
