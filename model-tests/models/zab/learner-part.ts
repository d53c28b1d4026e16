/** A follower's work with one leader: LearnerRole (src/server/learner-role.ts) around the same cores. */

import type { History, Txn } from "../../../spec/invariants/zab-view.ts";
import type { PeerEvent } from "../../../spec/peer/setup.ts";
import { type Epoch, makeZxid, type ServerId, type Zxid } from "../../../spec/vocabulary.ts";
import type { LearnerBroadcast, LearnerBroadcastState } from "../../../src/ensemble/learner-broadcast.ts";
import type { LearnerHistory, LearnerHistoryState } from "../../../src/ensemble/learner-history.ts";
import type { Member } from "./member.ts";
import { type DownPacket, entriesOf, entryOf, txnOf, txnsOf, type UpPacket } from "./values.ts";

/** The cores' states with txns for entries. */
export interface LearnerState {
  readonly leader: ServerId;
  readonly lost: boolean;
  readonly history: (Omit<LearnerHistoryState, "waiting"> & { readonly waiting: History }) | null;
  readonly broadcast: (Omit<LearnerBroadcastState, "proposals"> & { readonly proposals: History }) | null;
}

export class LearnerPart {
  readonly leader: ServerId;
  protected readonly member: Member;
  #lost: boolean;
  #history: LearnerHistory | null = null;
  #broadcast: LearnerBroadcast | null = null;
  #uncommitted: History = [];

  constructor(member: Member, state: LearnerState) {
    this.member = member;
    this.leader = state.leader;
    this.#lost = state.lost;
    if (state.history !== null) {
      this.#history = this.#newHistory(state.history.lastReceived);
      this.#history.resume({ ...state.history, waiting: entriesOf(state.history.waiting) });
    }
    if (state.broadcast !== null) {
      this.#broadcast = this.#newBroadcast();
      this.#broadcast.resume({ ...state.broadcast, proposals: entriesOf(state.broadcast.proposals) });
    }
  }

  get state(): LearnerState {
    const history = this.#history?.state ?? null;
    const broadcast = this.#broadcast?.state ?? null;
    return {
      leader: this.leader,
      lost: this.#lost,
      history: history === null ? null : { ...history, waiting: txnsOf(history.waiting) },
      broadcast: broadcast === null ? null : { ...broadcast, proposals: txnsOf(broadcast.proposals) },
    };
  }

  /** Logged here and not committed when the role ended. */
  get uncommitted(): History {
    return this.#uncommitted;
  }

  openHistory(after: Zxid): void {
    this.#history = this.#newHistory(after);
  }

  logHistory(): void {
    this.#history?.logCommitted();
  }

  open(): void {
    const broadcast = this.#newBroadcast();
    const rest = this.#history?.takeRest();
    this.#history = null;
    this.#broadcast = broadcast;
    if (rest === undefined) return;
    for (const { zxid, entry } of rest.entries) broadcast.proposal(zxid, entry);
    for (const { zxid } of rest.entries.slice(0, rest.committed)) broadcast.commit(zxid);
  }

  close(): void {
    this.#uncommitted = txnsOf(this.#broadcast?.takeUncommitted() ?? []);
    this.#broadcast = null;
  }

  appended(upTo: Zxid, handler: string): void {
    if (handler === "learner.appended") this.#broadcast?.appended(upTo);
    else this.#history?.appended(upTo);
  }

  lost(reason: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.member.peer.send({ type: "LEADER_LOST", reason });
  }

  /** The role has ended; whatever still arrives is of the past. */
  detach(): void {
    this.#lost = true;
  }

  acknowledgeNewLeader(epoch: Epoch): void {
    this.send({ type: "ACK", zxid: makeZxid(epoch, 0) });
  }

  send(packet: UpPacket): void {
    this.member.checkPromise(packet);
    this.member.out({ type: "up", leader: this.leader, packet });
  }

  packet(packet: DownPacket): void {
    const { peer } = this.member;
    switch (packet.type) {
      case "PROPOSAL":
        return this.#hot("PROPOSAL", packet.txn);
      case "COMMIT":
        return this.#hot("COMMIT", [packet.zxid, 0]);
      case "SNAPSHOT":
        this.member.received(packet.tree);
        return peer.send({ type: "SNAPSHOT_RECEIVED", zxid: this.member.lastProcessed });
      default:
        return peer.send(packet as PeerEvent);
    }
  }

  #hot(type: "PROPOSAL" | "COMMIT", [zxid, value]: Txn): void {
    const { peer } = this.member;
    switch (peer.admitted({ type })) {
      case "history.proposal":
        return this.#history?.proposal(zxid, entryOf([zxid, value]));
      case "history.commit":
        return this.#history?.commit(zxid);
      case "learner.proposal":
        return this.#broadcast?.proposal(zxid, entryOf([zxid, value]));
      case "learner.commit":
        return this.#broadcast?.commit(zxid);
      default:
        return peer.send({ type });
    }
  }

  #newHistory(lastLogged: Zxid): LearnerHistory {
    const member = this.member;
    return new member.parts.LearnerHistory({
      lastLogged,
      log: (zxid, entry) => member.log(zxid, entry),
      deliver: (zxid, entry) => member.deliver(txnOf(zxid, entry)),
      logged: () => member.peer.send({ type: "HISTORY_LOGGED" }),
      broken: (reason) => this.#broken(reason),
    });
  }

  #newBroadcast(): LearnerBroadcast {
    const member = this.member;
    return new member.parts.LearnerBroadcast({
      log: (zxid, entry) => member.log(zxid, entry),
      deliver: (zxid, entry) => member.deliver(txnOf(zxid, entry)),
      ack: (zxid) => this.send({ type: "ACK", zxid }),
      broken: (reason) => this.#broken(reason),
    });
  }

  /** Between servers that keep to the protocol a history that does not fit must not happen. */
  #broken(reason: string): void {
    this.member.alarm("Z10", reason);
    this.lost(reason);
  }
}
