/** Broadcast (PROPOSE, ACK, COMMIT): Zab's phase 3. */

import { BROADCAST, Violated } from "./zab-layout.ts";
import { ackEpochConnected } from "./zab-recovery.ts";
import type { ZabStep } from "./zab-step.ts";
import { counterOfZxid, epochOfZxid, lastZxidOf, MessageType, type Txn, zxid, zxidToIndex } from "./zab-values.ts";

export function leaderProcessRequest(z: ZabStep, i: number): void {
  const at = z.at;
  const now = z.now;
  if (now[at.nTransaction]! >= z.bounds.txns || now[at.zabState + i] !== BROADCAST) return;
  const next = z.begin();
  const epoch = now[at.currentEpoch + i] as number;
  const last = lastZxidOf(z.history(i));
  const inEpoch = zxidEpoch(z, i);
  const newZxid = zxid(inEpoch, epochOfZxid(last) === inEpoch ? counterOfZxid(last) + 1 : 1);
  const txn = { zxid: newZxid, value: now[at.nClientRequest] as number, ackSid: 1 << i, epoch };
  next[at.history + i] = logged(z, i, txn);
  let longest = 0;
  for (let s = 0; s < at.servers; s++)
    longest = Math.max(longest, z.values.histories.get(next[at.history + s] as number).length);
  next[at.nTransaction] = longest;
  next[at.nClientRequest] = now[at.nClientRequest]! + 1;
  z.step("LeaderProcessRequest", i);
}

function logged(z: ZabStep, i: number, txn: Txn): number {
  const history = z.history(i);
  const allCommitted = (z.now[z.at.committedIndex + i] as number) >= history.length;
  const rule = z.rules.leaderLogs;
  return rule === "atTheEnd" || (rule === "beforeUncommitted" && allCommitted)
    ? z.values.appendTxn(z.now[z.at.history + i] as number, txn)
    : z.values.histories.intern([...history.slice(0, -1), txn, ...history.slice(-1)]);
}

/** The epoch in the zxids of leader i. */
function zxidEpoch(z: ZabStep, i: number): number {
  const epoch = z.now[z.at.currentEpoch + i] as number;
  return z.rules.zxidEpoch === "countsDown" ? z.bounds.epochs + 1 - epoch : epoch;
}

/** The next txn of this epoch that was not proposed yet. */
export function leaderBroadcastPROPOSE(z: ZabStep, i: number): void {
  const at = z.at;
  const now = z.now;
  if (now[at.zabState + i] !== BROADCAST) return;
  const history = z.history(i);
  const last = lastZxidOf(history);
  const epoch = now[at.currentEpoch + i] as number;
  const inEpoch = zxidEpoch(z, i);
  const counter = epochOfZxid(last) === inEpoch ? counterOfZxid(last) : 0;
  const sent = now[at.sendCounter + i] as number;
  if (sent >= counter) return;
  const txn = history[zxidToIndex(history, zxid(inEpoch, sent + 1)) - 1];
  if (txn === undefined) return;
  const next = z.begin();
  next[at.sendCounter + i] = sent + 1;
  const receivers =
    z.rules.proposeTo === "ackldRecv"
      ? (now[at.ackldConnected + i] as number)
      : ackEpochConnected(z, now[at.ackeRecv + i] as number);
  z.broadcast(i, receivers, z.values.message(MessageType.PROPOSE, txn.zxid, txn.value));
  const proposal = { source: i, epoch, zxid: txn.zxid, data: txn.value };
  next[at.proposalMsgsLog] = z.values.addProposal(now[at.proposalMsgsLog] as number, proposal);
  z.step("LeaderBroadcastPROPOSE", i);
}

export function followerProcessPROPOSE(z: ZabStep, i: number, j: number, proposed: number, data: number): void {
  const at = z.at;
  const now = z.now;
  const next = z.begin();
  const history = z.history(i);
  const isNew = z.rules.followerLogs === "everyNew" && zxidToIndex(history, proposed) > history.length;
  if (isNew || isNextZxid(lastZxidOf(history), proposed)) {
    const txn = { zxid: proposed, value: data, ackSid: 0, epoch: now[at.currentEpoch + i] as number };
    next[at.history + i] = z.values.appendTxn(now[at.history + i] as number, txn);
    z.reply(i, j, z.values.message(MessageType.ACK, proposed));
  } else {
    const index = zxidToIndex(history, proposed);
    const exists = index > 0 && index <= history.length;
    if (!exists || z.rules.redundantPropose === "error") z.flag(Violated.proposalInconsistent);
    z.discard(j, i);
  }
  z.step("FollowerProcessPROPOSE", i, j);
}

export function leaderProcessACK(z: ZabStep, i: number, j: number, acked: number): void {
  const at = z.at;
  const now = z.now;
  const next = z.begin();
  const history = z.history(i);
  const index = zxidToIndex(history, acked);
  const lastAck = history.findLastIndex((txn) => (txn.ackSid & (1 << j)) !== 0) + 1;
  const exists = index >= 1 && index <= history.length;
  z.discard(j, i);
  if (!exists || !(lastAck === 0 || lastAck + 1 === index)) {
    z.flag(Violated.ackInconsistent);
    return z.step("LeaderProcessACK", i, j);
  }
  next[at.history + i] = z.values.ackTxn(now[at.history + i] as number, index, j);
  const committed = now[at.committedIndex + i] as number;
  const nothingOutstanding = committed >= history.length;
  const alreadyCommitted = acked <= now[at.committedZxid + i]!;
  if (nothingOutstanding || alreadyCommitted) {
    z.step("LeaderProcessACK", i, j);
    if (nothingOutstanding && alreadyCommitted) z.step("LeaderProcessACK", i, j); // two branches of the action
    return;
  }
  const isFirst = committed >= index - 1;
  const acks = (history[index - 1]?.ackSid ?? 0) | (1 << j);
  const hasQuorum = z.rules.commitNeeds === "leaderAlone" || z.isQuorum(acks);
  if (!isFirst || !hasQuorum) {
    z.step("LeaderProcessACK", i, j);
    if (!isFirst && !hasQuorum) z.step("LeaderProcessACK", i, j); // two branches of LeaderTryToCommit
    return;
  }
  if (committed + 1 !== index) z.flag(Violated.commitInconsistent);
  next[at.committedIndex + i] = index;
  next[at.committedZxid + i] = acked;
  z.broadcast(i, now[at.ackldConnected + i] as number, z.values.message(MessageType.COMMIT, acked));
  z.step("LeaderProcessACK", i, j);
}

export function followerProcessCOMMIT(z: ZabStep, i: number, j: number, zxidToCommit: number): void {
  const at = z.at;
  const now = z.now;
  const next = z.begin();
  const first = z.history(i)[now[at.committedIndex + i] as number];
  if (first !== undefined) {
    if (first.zxid === zxidToCommit) {
      next[at.committedIndex + i] = now[at.committedIndex + i]! + 1;
      next[at.committedZxid + i] = first.zxid;
    } else {
      z.flag(Violated.commitInconsistent);
    }
  }
  z.discard(j, i);
  z.step("FollowerProcessCOMMIT", i, j);
}

function isNextZxid(last: number, next: number): boolean {
  const counter = counterOfZxid(next);
  return counter === 1
    ? epochOfZxid(last) < epochOfZxid(next)
    : epochOfZxid(last) === epochOfZxid(next) && counterOfZxid(last) + 1 === counter;
}
