/** Broadcast (PROPOSE, ACK, COMMIT): Zab's phase 3. */

import { BROADCAST, Violated } from "./zab-layout.ts";
import { ackEpochConnected } from "./zab-recovery.ts";
import type { ZabStep } from "./zab-step.ts";
import { counterOfZxid, epochOfZxid, lastZxidOf, MessageType, zxid, zxidToIndex } from "./zab-values.ts";

export function leaderProcessRequest(z: ZabStep, i: number): void {
  const at = z.at;
  const now = z.now;
  if (now[at.nTransaction]! >= z.bounds.txns || now[at.zabState + i] !== BROADCAST) return;
  const next = z.begin();
  const epoch = now[at.currentEpoch + i] as number;
  const last = lastZxidOf(z.history(i));
  const inEpoch = z.rules.nextZxid === "inFirstEpoch" ? 1 : epoch;
  const newZxid = zxid(inEpoch, epochOfZxid(last) === inEpoch ? counterOfZxid(last) + 1 : 1);
  next[at.history + i] = z.values.appendTxn(now[at.history + i] as number, {
    zxid: newZxid,
    value: now[at.nClientRequest] as number,
    ackSid: 1 << i,
    epoch,
  });
  let longest = 0;
  for (let s = 0; s < at.servers; s++)
    longest = Math.max(longest, z.values.histories.get(next[at.history + s] as number).length);
  next[at.nTransaction] = longest;
  next[at.nClientRequest] = now[at.nClientRequest]! + 1;
  z.step("LeaderProcessRequest", i);
}

export function leaderBroadcastPROPOSE(z: ZabStep, i: number): void {
  const at = z.at;
  const now = z.now;
  if (now[at.zabState + i] !== BROADCAST) return;
  const history = z.history(i);
  const last = lastZxidOf(history);
  const epoch = now[at.currentEpoch + i] as number;
  const inEpoch = z.rules.nextZxid === "inFirstEpoch" ? 1 : epoch;
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
  const skips = z.rules.followerLogs !== "inOrder" && zxidToIndex(history, proposed) > history.length;
  if (skips || isNextZxid(lastZxidOf(history), proposed)) {
    const txn = { zxid: proposed, value: data, ackSid: 0, epoch: now[at.currentEpoch + i] as number };
    next[at.history + i] =
      z.rules.followerLogs === "newestFirst"
        ? z.values.histories.intern([...history.slice(0, -1), txn, ...history.slice(-1)])
        : z.values.appendTxn(now[at.history + i] as number, txn);
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
  const hasQuorum = z.rules.commitQuorum === "leaderAlone" || z.isQuorum(acks);
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
