/**
 * A learner's side of Zab's broadcast phase: log and acknowledge proposals, apply commits in order.
 * Source: FollowerZooKeeperServer, ObserverZooKeeperServer, SendAckRequestProcessor. Exists from `learner.open` to
 * `learner.close`.
 */
import type { Zxid } from "../../spec/vocabulary.ts";

/** The bookkeeping as plain data: a model checker keeps this between steps instead of the object. */
export interface LearnerBroadcastState {
  /** Proposals without their commit, oldest first. */
  readonly proposals: readonly { readonly zxid: Zxid; readonly entry: Buffer }[];
  readonly unacked: readonly Zxid[];
  /** The last proposal that was taken, acknowledged or not. */
  readonly lastProposal: Zxid | null;
}

export interface LearnerBroadcastPorts {
  log(zxid: Zxid, entry: Buffer): void;
  deliver(zxid: Zxid, entry: Buffer): void;
  /** Observers do not acknowledge. */
  ack(zxid: Zxid): void;
  broken(reason: string): void;
}

export class LearnerBroadcast {
  readonly #ports: LearnerBroadcastPorts;
  /** Proposals without their commit, oldest first from `#oldest` on. */
  #zxids: Zxid[] = [];
  #entries: Buffer[] = [];
  #oldest = 0;
  /** Index (over all proposals ever) of the first one that is not acknowledged. */
  #unacked: Zxid[] = [];
  #unackedStart = 0;

  constructor(ports: LearnerBroadcastPorts) {
    this.#ports = ports;
  }

  get state(): LearnerBroadcastState {
    const proposals = this.#zxids.map((zxid, i) => ({ zxid, entry: this.#entries[i] as Buffer })).slice(this.#oldest);
    return {
      proposals,
      unacked: this.#unacked.slice(this.#unackedStart),
      lastProposal: this.#unacked[this.#unacked.length - 1] ?? null,
    };
  }

  /** Goes on where `state` was taken. */
  resume({ proposals, unacked, lastProposal }: LearnerBroadcastState): void {
    this.#zxids = proposals.map(({ zxid }) => zxid);
    this.#entries = proposals.map(({ entry }) => entry);
    const allAcked = unacked.length === 0 && lastProposal !== null;
    this.#unacked = allAcked ? [lastProposal] : [...unacked];
    this.#unackedStart = allAcked ? 1 : 0;
  }

  proposal(zxid: Zxid, entry: Buffer): void {
    const last = this.#unacked[this.#unacked.length - 1];
    if (last !== undefined && zxid <= last) return; // came with the history already
    if (last !== undefined && zxid !== last + 1) {
      this.#ports.broken(`proposal 0x${zxid.toString(16)} does not follow 0x${last.toString(16)}`);
      return;
    }
    this.#zxids.push(zxid);
    this.#entries.push(entry);
    this.#unacked.push(zxid);
    this.#ports.log(zxid, entry);
  }

  /**
   * A quorum holds the txn, so it may be applied before the own fsync: what is read here can no longer be lost.
   * Commits come in the order of the proposals; anything else means that leader and learner disagree on history.
   */
  commit(zxid: Zxid): void {
    const head = this.#zxids[this.#oldest];
    if (head === undefined || zxid < head) return; // of a txn that came with the history
    if (head !== zxid) {
      this.#ports.broken(`commit of 0x${zxid.toString(16)} where 0x${head.toString(16)} is next`);
      return;
    }
    const entry = this.#entries[this.#oldest] as Buffer;
    this.#oldest++;
    if (this.#oldest > 1024 && this.#oldest * 2 > this.#zxids.length) this.#compact();
    this.#ports.deliver(zxid, entry);
  }

  inform(zxid: Zxid, entry: Buffer): void {
    this.#ports.log(zxid, entry);
    this.#ports.deliver(zxid, entry);
  }

  /** The leader counts acks by zxid, so each proposal gets its own; they leave in one write. */
  appended(upTo: Zxid): void {
    while (this.#unackedStart < this.#unacked.length) {
      const zxid = this.#unacked[this.#unackedStart] as Zxid;
      if (zxid > upTo) break;
      this.#unackedStart++;
      this.#ports.ack(zxid);
    }
    if (this.#unackedStart > 1024 && this.#unackedStart * 2 > this.#unacked.length) {
      this.#unacked = this.#unacked.slice(this.#unackedStart);
      this.#unackedStart = 0;
    }
  }

  /** Logged and not committed: becomes part of the tree when the role ends, as a replay of the log would have it. */
  takeUncommitted(): { zxid: Zxid; entry: Buffer }[] {
    const rest: { zxid: Zxid; entry: Buffer }[] = [];
    for (let i = this.#oldest; i < this.#zxids.length; i++) {
      rest.push({ zxid: this.#zxids[i] as Zxid, entry: this.#entries[i] as Buffer });
    }
    this.#zxids = [];
    this.#entries = [];
    this.#oldest = 0;
    return rest;
  }

  #compact(): void {
    this.#zxids = this.#zxids.slice(this.#oldest);
    this.#entries = this.#entries.slice(this.#oldest);
    this.#oldest = 0;
  }
}
