/** Discovery (CEPOCH, NEWEPOCH, ACKEPOCH) and synchronization (NEWLEADER, ACKLD, COMMITLD): Zab's phases 1 and 2. */

import {
  BROADCAST,
  DISCOVERY,
  epochLeaderShift,
  FOLLOWING,
  NULL_POINT,
  SYNCHRONIZATION,
  Violated,
} from "./zab-layout.ts";
import { cepochConnected, cepochMax, cepochSenders, withCepoch, type ZabStep } from "./zab-step.ts";
import { type History, lastZxidOf, MessageType, zxidToIndex } from "./zab-values.ts";

export function connectAndFollowerSendCEPOCH(z: ZabStep, i: number, j: number): void {
  const at = z.at;
  const now = z.now;
  if ((now[at.learners + i]! & (1 << j)) !== 0 || now[at.leaderOracle] !== i + 1) return;
  if (now[at.state + j] !== FOLLOWING || now[at.connectInfo + j] !== NULL_POINT) return;
  const next = z.begin();
  next[at.learners + i] = now[at.learners + i]! | (1 << j);
  next[at.connectInfo + j] = i + 1;
  z.send(j, i, z.values.message(MessageType.CEPOCH, now[at.acceptedEpoch + j] as number));
  z.step("ConnectAndFollowerSendCEPOCH", i, j);
}

export function leaderProcessCEPOCH(z: ZabStep, i: number, j: number, epoch: number): void {
  const at = z.at;
  const now = z.now;
  if (now[at.maxEpoch]! >= z.bounds.epochs) return;
  const next = z.begin();
  const before = now[at.cepochRecv + i] as number;
  const after = withCepoch(before, j, epoch);
  next[at.cepochRecv + i] = after;
  if (z.isQuorum(cepochSenders(before, at.servers))) {
    z.reply(i, j, z.values.message(MessageType.NEWEPOCH, now[at.acceptedEpoch + i] as number));
  } else {
    if (now[at.zabState + i] !== DISCOVERY) z.flag(Violated.stateInconsistent);
    z.discard(j, i);
    if (z.isQuorum(cepochSenders(after, at.servers))) {
      const newEpoch = cepochMax(after, at.servers) + 1;
      next[at.acceptedEpoch + i] = newEpoch;
      z.broadcast(i, cepochConnected(after, at.servers), z.values.message(MessageType.NEWEPOCH, newEpoch));
    }
  }
  let maxEpoch = 0;
  for (let s = 0; s < at.servers; s++) maxEpoch = Math.max(maxEpoch, next[at.acceptedEpoch + s] as number);
  next[at.maxEpoch] = maxEpoch;
  z.step("LeaderProcessCEPOCH", i, j);
}

export function followerProcessNEWEPOCH(z: ZabStep, i: number, j: number, epoch: number): void {
  const at = z.at;
  const now = z.now;
  const next = z.begin();
  if (epoch < now[at.acceptedEpoch + i]!) {
    z.followerShutdown(i);
    z.clean(i, j);
    z.removeLearner(j, i);
  } else if (now[at.zabState + i] === DISCOVERY) {
    next[at.acceptedEpoch + i] = epoch;
    next[at.zabState + i] = SYNCHRONIZATION;
    const currentEpoch = now[at.currentEpoch + i] as number;
    z.reply(i, j, z.values.message(MessageType.ACKEPOCH, currentEpoch, 0, now[at.history + i] as number));
  } else {
    z.flag(Violated.stateInconsistent);
    z.discard(j, i);
  }
  z.step("FollowerProcessNEWEPOCH", i, j);
}

export function leaderProcessACKEPOCH(z: ZabStep, i: number, j: number, epoch: number, history: History): void {
  const at = z.at;
  const now = z.now;
  const next = z.begin();
  const before = now[at.ackeRecv + i] as number;
  const peerHistory = z.values.histories.intern(history);
  const after = z.values.setAckEpoch(before, j, epoch, peerHistory);
  const accepted = now[at.acceptedEpoch + i] as number;
  next[at.ackeRecv + i] = after;
  if (z.isQuorum(ackEpochSenders(z, before))) {
    const toSend = now[at.history + i] as number;
    z.reply(i, j, z.values.message(MessageType.NEWLEADER, accepted, 0, toSend));
    recordBroadcast(z, i, accepted, toSend);
  } else {
    if (now[at.zabState + i] !== DISCOVERY) z.flag(Violated.stateInconsistent);
    z.discard(j, i);
    if (z.isQuorum(ackEpochSenders(z, after))) {
      const initial = z.values.ackedOnlyBy(initialHistory(z, after), i);
      next[at.currentEpoch + i] = accepted;
      next[at.epochLeader] = now[at.epochLeader]! | (1 << (epochLeaderShift(at.servers, accepted) + i));
      next[at.history + i] = initial;
      next[at.zabState + i] = SYNCHRONIZATION;
      const newLeader = z.values.message(MessageType.NEWLEADER, accepted, 0, initial);
      z.broadcast(i, ackEpochConnected(z, after), newLeader);
      recordBroadcast(z, i, accepted, initial);
    }
  }
  z.step("LeaderProcessACKEPOCH", i, j);
}

function recordBroadcast(z: ZabStep, i: number, epoch: number, history: number): void {
  if (!z.rules.newLeaderIsBroadcast) return;
  const log = z.at.proposalMsgsLog;
  z.next[log] = z.values.addProposals(z.now[log] as number, i, epoch, history);
}

function ackEpochSenders(z: ZabStep, ackeRecv: number): number {
  return z.values.ackEpochs.get(ackeRecv).reduce((mask, said, s) => (said === null ? mask : mask | (1 << s)), 0);
}

export function ackEpochConnected(z: ZabStep, ackeRecv: number): number {
  const set = z.values.ackEpochs.get(ackeRecv);
  return set.reduce((mask, said, s) => (said?.connected === true ? mask | (1 << s) : mask), 0);
}

/** The history of the sender with the highest (currentEpoch, last zxid). Equal ones have equal histories. */
function initialHistory(z: ZabStep, ackeRecv: number): number {
  const least = z.rules.initialHistory === "leastRecent";
  let best: { readonly peerLastEpoch: number; readonly peerHistory: History } | null = null;
  for (const said of z.values.ackEpochs.get(ackeRecv)) {
    if (said === null) continue;
    const order =
      best === null
        ? 1
        : said.peerLastEpoch - best.peerLastEpoch || lastZxidOf(said.peerHistory) - lastZxidOf(best.peerHistory);
    if (best === null || (least ? order < 0 : order > 0)) best = said;
  }
  return z.values.histories.intern(best?.peerHistory ?? []);
}

export function followerProcessNEWLEADER(z: ZabStep, i: number, j: number, epoch: number, history: History): void {
  const at = z.at;
  const now = z.now;
  const next = z.begin();
  if (now[at.acceptedEpoch + i] !== epoch) {
    z.followerShutdown(i);
    z.clean(i, j);
    z.removeLearner(j, i);
  } else {
    if (now[at.zabState + i] !== SYNCHRONIZATION) z.flag(Violated.stateInconsistent);
    next[at.currentEpoch + i] = epoch;
    const synced = z.rules.newLeaderHistory === "replaces" ? history : [...z.history(i), ...history];
    next[at.history + i] = z.values.histories.intern(synced);
    z.reply(i, j, z.values.message(MessageType.ACKLD, lastZxidOf(synced)));
  }
  z.step("FollowerProcessNEWLEADER", i, j);
}

export function leaderProcessACKLD(z: ZabStep, i: number, j: number, acked: number): void {
  const at = z.at;
  const now = z.now;
  const next = z.begin();
  const before = now[at.ackldRecv + i] as number;
  const after = before | (1 << j);
  next[at.ackldRecv + i] = after;
  next[at.ackldConnected + i] = now[at.ackldConnected + i]! | (1 << j);
  next[at.history + i] = z.values.ackUpTo(now[at.history + i] as number, acked, j);
  const history = z.history(i);
  if (z.isQuorum(before)) {
    if (now[at.zabState + i] !== BROADCAST) z.flag(Violated.stateInconsistent);
    const late = z.rules.lateCommitLdCarries === "ackedZxid" ? acked : (now[at.committedZxid + i] as number);
    z.reply(i, j, z.values.message(MessageType.COMMITLD, late));
  } else {
    if (now[at.zabState + i] !== SYNCHRONIZATION) z.flag(Violated.stateInconsistent);
    z.discard(j, i);
    if (z.isQuorum(after)) {
      const last = lastZxidOf(history);
      if (z.rules.establishedCommits === "wholeHistory") {
        next[at.committedIndex + i] = history.length;
        next[at.committedZxid + i] = last;
      }
      next[at.zabState + i] = BROADCAST;
      const receivers = next[at.ackldConnected + i] as number;
      z.broadcast(i, receivers, z.values.message(MessageType.COMMITLD, last));
    }
  }
  z.step("LeaderProcessACKLD", i, j);
}

export function followerProcessCOMMITLD(z: ZabStep, i: number, j: number, committed: number): void {
  const at = z.at;
  const next = z.begin();
  const history = z.history(i);
  const index = z.rules.commitLdCommits === "wholeLog" ? history.length : zxidToIndex(history, committed);
  if (index < 0 || index > history.length) z.flag(Violated.proposalInconsistent);
  next[at.committedIndex + i] = index;
  next[at.committedZxid + i] = committed;
  next[at.zabState + i] = BROADCAST;
  z.discard(j, i);
  z.step("FollowerProcessCOMMITLD", i, j);
}
