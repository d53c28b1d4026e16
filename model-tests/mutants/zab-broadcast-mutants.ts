/** Known bugs of elections' outcome and of broadcast: who leads, what is committed, in which order. */

import { lastZxid, type Txn } from "../../spec/invariants/zab-view.ts";
import { peerMachine } from "../../spec/peer/peer.machine.ts";
import type { QuorumConfig } from "../../spec/quorum.ts";
import { epochOf, type ServerId, type Zxid } from "../../spec/vocabulary.ts";
import {
  type ForwardingLink,
  LeaderBroadcast,
  type LeaderBroadcastPorts,
} from "../../src/ensemble/leader-broadcast.ts";
import { LearnerBroadcast, type LearnerBroadcastPorts } from "../../src/ensemble/learner-broadcast.ts";
import { LearnerLink } from "../models/zab/leader-part.ts";
import { Member } from "../models/zab/member.ts";
import type { DownPacket } from "../models/zab/values.ts";
import { withGuards } from "./chart-variants.ts";
import type { ZabMutant } from "./zab-mutants.ts";

/** M38: acknowledged when it is handed to the log. */
class HastyLearner extends LearnerBroadcast {
  readonly #ports: LearnerBroadcastPorts;

  constructor(ports: LearnerBroadcastPorts) {
    super(ports);
    this.#ports = ports;
  }

  override proposal(zxid: Zxid, entry: Buffer): void {
    super.proposal(zxid, entry);
    this.#ports.ack(zxid);
  }

  override appended(): void {}
}

/** M39: the leader's own ack counts twice, so one of three decides alone, and two of five with one follower. */
class DoubleVote extends LeaderBroadcast {
  readonly #other: ServerId;

  constructor(self: ServerId, quorum: QuorumConfig, lastZxid: Zxid, ports: LeaderBroadcastPorts) {
    super(self, quorum, lastZxid, ports);
    this.#other = quorum.voters.find((id) => id !== self) ?? self;
  }

  override appended(upTo: Zxid): void {
    super.appended(upTo);
    this.ack(this.#other, upTo);
  }
}

/** Of our own: a learner's acks outlive its connection. */
class RememberedAcks extends LeaderBroadcast {
  override forget(link: ForwardingLink): void {
    const { ackedUpTo } = this.state;
    super.forget(link);
    for (const [id, zxid] of ackedUpTo) if (id === link.sid) this.ack(id, zxid);
  }
}

/** M35: of several txns committed at once only the last is named. */
class LastCommitLink extends LearnerLink {
  #commit: DownPacket | null = null;

  override put(packet: DownPacket): void {
    if (packet.type !== "COMMIT") return super.put(packet);
    this.#commit = packet;
  }

  override turnEnded(): void {
    if (this.#commit !== null) super.put(this.#commit);
    this.#commit = null;
  }
}

/** Of our own: what stands before the committed txn is dropped. */
class SkippingLearner extends LearnerBroadcast {
  override commit(zxid: Zxid): void {
    const { proposals } = this.state;
    this.resume({ ...this.state, proposals: proposals.filter((proposal) => proposal.zxid >= zxid) });
    super.commit(zxid);
  }
}

/** Of our own: the entry of another proposal is applied. */
class NewestEntryLearner extends LearnerBroadcast {
  override commit(zxid: Zxid): void {
    const { proposals } = this.state;
    const newest = proposals[proposals.length - 1];
    const first = proposals[0];
    if (first !== undefined && newest !== undefined)
      this.resume({ ...this.state, proposals: [{ ...first, entry: newest.entry }, ...proposals.slice(1)] });
    super.commit(zxid);
  }
}

/** Of our own: applied when it is logged. */
class AnyOrderLearner extends LearnerBroadcast {
  readonly #ports: LearnerBroadcastPorts;

  constructor(ports: LearnerBroadcastPorts) {
    super(ports);
    this.#ports = ports;
  }

  override proposal(zxid: Zxid, entry: Buffer): void {
    super.proposal(zxid, entry);
    this.#ports.deliver(zxid, entry);
  }

  override commit(): void {}
}

/** Of our own: what commits in a new epoch is put before what was there. */
class UpsideDownMember extends Member {
  override deliver(txn: Txn): void {
    const older = this.tree;
    super.deliver(txn);
    if (epochOf(lastZxid(older)) < epochOf(txn[0])) this.tree = [txn, ...older];
  }
}

/** M37: whoever wins the election leads, even if others know more. */
const anyoneLeads = withGuards(peerMachine, { moreRecent: () => false });

export const BROADCAST_MUTANTS: readonly ZabMutant[] = [
  {
    name: "M35 a commit names only the last of several txns",
    story: "The follower never hears of those before it.",
    parts: { LearnerLink: LastCommitLink },
    bounds: { serving: 2, txns: 3, crashes: 0, epochs: 1 },
    killer: "Z10 NothingUnexpected",
    depth: 16,
  },
  {
    name: "a learner passes over what it was not told to commit",
    story: "M35, and the follower takes the commit of a later txn for one of those before it, too early.",
    parts: { LearnerLink: LastCommitLink, LearnerBroadcast: SkippingLearner },
    bounds: { serving: 2, txns: 3, crashes: 0, epochs: 1 },
    killer: "Z3 TotalOrder",
    depth: 16,
    only: true,
  },
  {
    name: "a commit applies the newest proposal",
    story: "The first txn is applied with the contents of the second.",
    parts: { LearnerBroadcast: NewestEntryLearner },
    bounds: { serving: 2, txns: 2, crashes: 0, epochs: 1 },
    killer: "Z1 Integrity",
    depth: 9,
    only: true,
  },
  {
    name: "a new epoch's txns go before those of the old one",
    story: "All servers agree on an order that no primary has had in mind.",
    parts: { Member: UpsideDownMember },
    bounds: { history: 1, serving: 2, crashes: 0 },
    killer: "Z5 GlobalPrimaryOrder",
    depth: 6,
    only: true,
  },
  {
    name: "M37 the least recent history may lead",
    story: "Discovery does not compare histories: committed txns are truncated.",
    parts: { peer: anyoneLeads },
    bounds: { serving: 2, oracle: "any" },
    killer: "Z6 PrimaryIntegrity",
    depth: 19,
    only: true,
  },
  {
    name: "M38 a proposal is acknowledged before the fsync",
    story: "A restart loses the tail that the leader has counted.",
    parts: { LearnerBroadcast: HastyLearner },
    bounds: { serving: 2, txns: 2 },
    killer: "I2 CommittedLogMonotonicity",
    depth: 22,
    only: true,
  },
  {
    name: "M39 the leader's own ack counts twice, N=3",
    story: "A txn is committed that only the leader has.",
    parts: { LeaderBroadcast: DoubleVote },
    bounds: { serving: 2, txns: 2 },
    killer: "Z2 Agreement",
    depth: 16,
    only: true,
  },
  {
    name: "M39 the leader's own ack counts twice, N=5",
    story: "Two of five commit, and the other three may elect one of themselves.",
    parts: { LeaderBroadcast: DoubleVote },
    bounds: { servers: 5, serving: 3, crashes: 0, epochs: 1 },
    killer: "I4 CommittedLogDurability",
    depth: 6,
  },
  {
    name: "a learner's acks outlive its connection",
    story: "It came back with less than it had acknowledged, and is counted all the same.",
    parts: { LeaderBroadcast: RememberedAcks },
    bounds: { serving: 2 },
    killer: "I4 CommittedLogDurability",
    depth: 13,
  },
  {
    name: "a proposal is applied when it is logged",
    story: "What is read there may never be committed.",
    parts: { LearnerBroadcast: AnyOrderLearner },
    bounds: { serving: 2, txns: 2 },
    killer: "Z7 PrefixConsistency",
    depth: 17,
    only: true,
  },
];
