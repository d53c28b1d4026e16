/** Known bugs of the synchronization phase: what a learner makes durable, applies and acknowledges, and in which order. */

import { learnerHandlerMachine } from "../../spec/ensemble/learner-handler.machine.ts";
import type { Txn } from "../../spec/invariants/zab-view.ts";
import { peerMachine } from "../../spec/peer/peer.machine.ts";
import type { Zxid } from "../../spec/vocabulary.ts";
import { LearnerHistory, type LearnerHistoryPorts } from "../../src/ensemble/learner-history.ts";
import { LeaderPart, LearnerLink } from "../models/zab/leader-part.ts";
import { LearnerPart } from "../models/zab/learner-part.ts";
import { Member } from "../models/zab/member.ts";
import { type DownPacket, txnsOf } from "../models/zab/values.ts";
import { type ChartNode, changed, inSync } from "./chart-variants.ts";
import type { ZabMutant } from "./zab-mutants.ts";

const onNewLeader = (target: string) => ({ guard: "wantedEpoch", target });

const newLeaderAck = {
  type: "effect",
  params: ({ context }: { context: { newEpoch: number } }) => ({
    type: "packet.send",
    packet: "ACK",
    epoch: context.newEpoch,
  }),
};

function retarget(node: ChartNode, event: string, target: string): void {
  node.on = { ...node.on, [event]: { ...(node.on?.[event] as object), target } };
}

/** M01: what came with DIFF waits for UPTODATE. */
const loggedAfterUpToDate = changed(peerMachine, {
  [inSync("receivingHistory")]: (node) => {
    node.on = { ...node.on, NEWLEADER: onNewLeader("persistingCurrentEpoch") };
  },
});

/** M02: the history is handed to the log, and that is taken for done. */
class HastyHistory extends LearnerHistory {
  readonly #ports: LearnerHistoryPorts;

  constructor(ports: LearnerHistoryPorts) {
    super({ ...ports, logged: () => {} });
    this.#ports = ports;
  }

  override logCommitted(): void {
    super.logCommitted();
    this.#ports.logged();
  }
}

/** M03: first currentEpoch, then the history. */
const epochBeforeHistory = changed(peerMachine, {
  [inSync("receivingHistory")]: (node) => {
    node.on = { ...node.on, NEWLEADER: onNewLeader("persistingCurrentEpoch") };
  },
  [inSync("persistingCurrentEpoch")]: (node) => {
    const { CURRENT_EPOCH_WRITTEN, ...live } = node.on ?? {};
    const { guard, actions } = CURRENT_EPOCH_WRITTEN as { guard: string; actions: [unknown, unknown] };
    node.on = { ...live, CURRENT_EPOCH_WRITTEN: { guard, target: "loggingHistory", actions: [actions[0]] } };
  },
  [inSync("loggingHistory")]: (node) => {
    node.on = { ...node.on, HISTORY_LOGGED: { target: "awaitingUpToDate", actions: newLeaderAck } };
  },
  // The other ways to loggingHistory come by currentEpoch too.
  [inSync("truncatingThenLogging")]: (node) => retarget(node, "LOG_TRUNCATED", "persistingCurrentEpoch"),
  [inSync("persistingSnapshotThenLogging")]: (node) => retarget(node, "SNAPSHOT_TAKEN", "persistingCurrentEpoch"),
});

/** M04: logged, acknowledged, and not applied. */
class LoggingHistory extends LearnerHistory {
  constructor(ports: LearnerHistoryPorts) {
    super({ ...ports, deliver: () => {} });
  }
}

/** M05: at NEWLEADER everything leaves the buffer, also what is not committed; its COMMIT then finds nothing. */
class EmptiedHistory extends LearnerHistory {
  readonly #ports: LearnerHistoryPorts;

  constructor(ports: LearnerHistoryPorts) {
    super(ports);
    this.#ports = ports;
  }

  override logCommitted(): void {
    super.logCommitted();
    for (const { zxid, entry } of this.takeRest().entries) this.#ports.log(zxid, entry);
  }

  override commit(zxid: Zxid): void {
    if (this.state.waiting.length === 0) this.#ports.broken("a commit finds no proposal");
    else super.commit(zxid);
  }
}

/** M06: a proposal that comes while the history is made durable is acknowledged before it … */
class EagerLearner extends LearnerPart {
  override packet(packet: DownPacket): void {
    super.packet(packet);
    const { peer } = this.member;
    const finishing = peer.matches("following.synchronization.persistingCurrentEpoch");
    if (packet.type === "PROPOSAL" && finishing) this.send({ type: "ACK", zxid: packet.txn[0] });
  }
}

/** … and the leader takes that for a breach of the protocol. */
const strictAboutAcks = changed(learnerHandlerMachine, {
  awaitingNewLeaderAck: (node) => {
    const { ACK } = node.on as { ACK: [unknown, unknown, unknown] };
    const [acksNewLeader, , refused] = ACK;
    node.on = { ...node.on, ACK: [acksNewLeader, refused] };
  },
});

/** M07: what was outstanding at the cut is acknowledged when it is handed to the log. */
class TrustingLearner extends LearnerPart {
  override open(): void {
    const outstanding = this.state.history?.waiting ?? [];
    super.open();
    for (const [zxid] of outstanding) this.send({ type: "ACK", zxid });
  }
}

/** M09: what is applied in synchronization does not enter the committed log. */
class ForgetfulMember extends Member {
  override deliver(txn: Txn): void {
    const before = txnsOf(this.committedLog.after(-1 as Zxid));
    super.deliver(txn);
    if (!this.peer.matches("following.synchronization")) return;
    this.committedLog.clear();
    for (const [zxid, value] of before) this.committedLog.add(zxid, Buffer.from([value]));
  }
}

/** M11: the log is cut, the tree in memory is not. */
class AheadOfDisk extends Member {
  protected override truncated(): void {
    const { tree } = this;
    super.truncated();
    this.tree = tree;
  }
}

/** M12: a leader's tree is enough to go on with; nobody writes it down. */
const snapshotInMemory = changed(peerMachine, {
  [inSync("receivingSnapshot")]: (node) => {
    node.on = { SNAPSHOT_RECEIVED: "persistingSnapshot" };
  },
  [inSync("persistingSnapshot")]: (node) => {
    node.entry = (node.entry as unknown[]).slice(0, 1);
    node.on = { ...node.on, NEWLEADER: onNewLeader("loggingHistory") };
  },
});

/** M14: the tree that is sent is older than the SNAP that announces it. */
class StaleSnapshotLeader extends LeaderPart {
  protected override snapshotTree() {
    return this.member.tree.slice(0, -1);
  }
}

/** M33: a learner that has not acknowledged NEWLEADER gets no proposals, only their commits. */
class CommitsOnlyLink extends LearnerLink {
  override put(packet: DownPacket): void {
    const live = this.chart.matches("awaitingStart") || this.chart.matches("streaming");
    const waits = this.chart.matches("awaitingNewLeaderAck");
    if (packet.type === "PROPOSAL" && waits && !live) return;
    super.put(packet);
  }
}

/** M34: a leader of another make may send a proposal with the history and once more. Production's learner takes it … */
export class DoublingLink extends LearnerLink {
  override put(packet: DownPacket): void {
    super.put(packet);
    if (packet.type === "PROPOSAL" && this.chart.matches("sendingHistory")) super.put(packet);
  }
}

/** … and this one does not. */
class SensitiveHistory extends LearnerHistory {
  readonly #ports: LearnerHistoryPorts;

  constructor(ports: LearnerHistoryPorts) {
    super(ports);
    this.#ports = ports;
  }

  override proposal(zxid: Zxid, entry: Buffer): void {
    if (zxid <= this.state.lastReceived) this.#ports.broken("a proposal came twice");
    else super.proposal(zxid, entry);
  }
}

export const SYNC_MUTANTS: readonly ZabMutant[] = [
  {
    name: "M01 history is logged after UPTODATE",
    story: "ZOOKEEPER-3911: NEWLEADER is acknowledged with the history in memory; the leader counts on it.",
    parts: { peer: loggedAfterUpToDate },
    bounds: { serving: 2, history: 1, epochs: 3 },
    killer: "I4 CommittedLogDurability",
    depth: 13,
  },
  {
    name: "M02 NEWLEADER is acknowledged before the fsync",
    story: "ZOOKEEPER-4646: the history was handed to the log thread, and a crash finds it there.",
    parts: { LearnerHistory: HastyHistory },
    bounds: { serving: 2, history: 1, epochs: 3 },
    killer: "I6 DurableBeforeAck",
    depth: 12,
  },
  {
    name: "M03 currentEpoch is written before the history",
    story: "ZOOKEEPER-4643: a crash in between leaves a new epoch on a short log, which wins the next election.",
    parts: { peer: epochBeforeHistory },
    bounds: { serving: 3, history: 1, epochs: 4, breaks: 1 },
    killer: "I3 LeaderLogCompleteness",
    depth: 26,
    only: true,
  },
  {
    name: "M04 history is acknowledged and not applied",
    story: "ZOOKEEPER-3023: the follower counts as synchronized and serves from an old tree.",
    parts: { LearnerHistory: LoggingHistory },
    bounds: { serving: 2, history: 1, epochs: 3 },
    killer: "I1 ProcessConsistency",
    depth: 13,
  },
  {
    name: "M05 uncommitted proposals leave the buffer at NEWLEADER",
    story: "ZOOKEEPER-4394: the commit that comes next finds no proposal.",
    parts: { LearnerHistory: EmptiedHistory },
    bounds: { serving: 2 },
    killer: "Z10 NothingUnexpected",
    depth: 13,
    only: true,
  },
  {
    name: "M06 a proposal's ack overtakes the ack of NEWLEADER",
    story: "ZOOKEEPER-4685: the leader gets an ack that it does not expect and drops the follower.",
    parts: { LearnerPart: EagerLearner, handler: strictAboutAcks },
    bounds: { serving: 2 },
    killer: "Z10 NothingUnexpected",
    depth: 10,
    only: true,
  },
  {
    name: "M07 outstanding proposals are acknowledged before the fsync",
    story: "ZOOKEEPER-4785: they are committed by an ack, and gone after a crash.",
    parts: { LearnerPart: TrustingLearner },
    bounds: { serving: 2 },
    killer: "I4 CommittedLogDurability",
    depth: 14,
    only: true,
  },
  {
    name: "M09 synchronization leaves a hole in the committed log",
    story: "ZOOKEEPER-4925: once it leads, this server sends others a history with that hole.",
    parts: { Member: ForgetfulMember },
    bounds: { serving: 2, history: 1, epochs: 3 },
    killer: "I8 LogContinuity",
    depth: 11,
  },
  {
    name: "M11 TRUNC leaves the tree ahead of the disk",
    story: "ZOOKEEPER-5094: the leader is lost before NEWLEADER, and the server votes with what its disk has not.",
    parts: { Member: AheadOfDisk },
    bounds: { serving: 2 },
    killer: "I7 MemoryLeDisk",
    depth: 12,
    only: true,
  },
  {
    name: "M12 a received snapshot stays in memory",
    story: "ZOOKEEPER-3642: all that is built upon it is lost with the next restart.",
    parts: { peer: snapshotInMemory },
    bounds: { serving: 2 },
    killer: "I4 CommittedLogDurability",
    depth: 15,
    only: true,
  },
  {
    name: "M14 the tree is cut before the SNAP that announces it",
    story: "ZOOKEEPER-3104, -3589: a txn committed in between is neither in the tree nor sent.",
    parts: { LeaderPart: StaleSnapshotLeader },
    bounds: { serving: 2, txns: 2, crashes: 0, epochs: 1 },
    killer: "Z4 LocalPrimaryOrder",
    depth: 25,
    only: true,
  },
  {
    name: "M33 no proposals before NEWLEADER is acknowledged",
    story: "A follower that is about to acknowledge misses a proposal and hears of its commit.",
    parts: { LearnerLink: CommitsOnlyLink },
    bounds: { serving: 2, txns: 2, crashes: 0, epochs: 1 },
    killer: "I10 DigestAgreement",
    depth: 19,
    only: true,
  },
  {
    name: "M34 a proposal that comes twice is fatal",
    story: "What is under way at the cut may come with the history and as a live proposal.",
    parts: { LearnerLink: DoublingLink, LearnerHistory: SensitiveHistory },
    bounds: { serving: 2 },
    killer: "Z10 NothingUnexpected",
    depth: 8,
  },
];
