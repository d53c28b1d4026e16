/**
 * The ten invariants of Zab.tla, under its names, and the goals that show that a search met anything worth checking.
 * Histories are compared by (zxid, value). A committed index beyond the end of a history breaks what reads it.
 *
 * LocalPrimaryOrder is stricter than in the specification: there it says that *some* two txns of a primary are ordered,
 * which every two equal ones are; here it says so of all.
 */

import { always, type StateProperty, sometimes } from "../model.ts";
import { BROADCAST, epochLeaderShift, FOLLOWING, LEADING, SYNCHRONIZATION, type ZabState } from "./zab-layout.ts";
import { epochOfZxid, type History } from "./zab-values.ts";

interface Delivered {
  readonly zxid: number;
  readonly value: number;
}

/** "Should not be triggered": no action met a condition that it says cannot be. */
export const shouldNotBeTriggered = always<ZabState>("ShouldNotBeTriggered", (z) => z.violated === 0);

/** At most one established leader per epoch, now. */
export const leadership1 = always<ZabState>("Leadership1", (z) => {
  for (let i = 0; i < z.servers; i++)
    for (let j = i + 1; j < z.servers; j++)
      if (isEstablished(z, i) && isEstablished(z, j) && z.currentEpoch[i] === z.currentEpoch[j]) return false;
  return true;
});

/** At most one established leader per epoch, ever. */
export const leadership2 = always<ZabState>("Leadership2", (z) => {
  const all = (1 << z.servers) - 1;
  for (let epoch = 1; epochLeaderShift(z.servers, epoch) < 31; epoch++) {
    const leaders = (z.epochLeader >> epochLeaderShift(z.servers, epoch)) & all;
    if ((leaders & (leaders - 1)) !== 0) return false;
  }
  return true;
});

/** What two servers have committed is equal, up to the shorter. */
export const prefixConsistency = always<ZabState>("PrefixConsistency", (z) => {
  for (let i = 0; i < z.servers; i++) {
    for (let j = i + 1; j < z.servers; j++) {
      const shorter = Math.min(z.committed[i] as number, z.committed[j] as number);
      for (let at = 0; at < shorter; at++) if (!equal(txn(z, i, at), txn(z, j, at))) return false;
    }
  }
  return true;
});

/** A follower delivers only what some primary has broadcast. */
export const integrity = always<ZabState>("Integrity", (z) => {
  for (let i = 0; i < z.servers; i++) {
    if (z.state[i] !== FOLLOWING) continue;
    for (let at = 0; at < (z.committed[i] as number); at++) {
      const delivered = txn(z, i, at);
      if (!z.proposalMsgsLog.some((p) => p.zxid === delivered?.zxid && p.data === delivered.value)) return false;
    }
  }
  return true;
});

/** Of what two followers deliver, one delivers the other's. */
export const agreement = always<ZabState>("Agreement", (z) => {
  for (let i = 0; i < z.servers; i++) {
    for (let j = i + 1; j < z.servers; j++) {
      if (z.state[i] !== FOLLOWING || z.state[j] !== FOLLOWING) continue;
      const iHasForeign = someUndelivered(z, i, j);
      const jHasForeign = someUndelivered(z, j, i);
      if (iHasForeign && jHasForeign) return false;
    }
  }
  return true;
});

/** Who delivers b delivers everything before it that anyone delivers before b. */
export const totalOrder = always<ZabState>("TotalOrder", (z) => {
  for (let i = 0; i < z.servers; i++) {
    for (let j = 0; j < z.servers; j++) {
      if ((z.committed[i] as number) < 2 || (z.committed[j] as number) < 2) continue;
      if (!keepsOrder(z, i, j)) return false;
    }
  }
  return true;
});

/** Who delivers a txn of a primary delivers all that this primary broadcast before it, and before it. */
export const localPrimaryOrder = always<ZabState>("LocalPrimaryOrder", (z) => {
  const log = z.proposalMsgsLog;
  for (const next of log) {
    if (next.epoch > (z.currentEpoch[next.source] as number)) continue;
    for (const previous of log) {
      if (previous.source !== next.source || previous.epoch !== next.epoch || previous.zxid >= next.zxid) continue;
      for (let j = 0; j < z.servers; j++) {
        const count = z.committed[j] as number;
        if (count < 2) continue;
        const history = z.history[j] as History;
        const at = indexOf(history, count, next.zxid, next.data);
        if (at !== -1 && indexOf(history, at, previous.zxid, previous.data) === -1) return false;
      }
    }
  }
  return true;
});

/** Txns of an earlier epoch are delivered before those of a later one. */
export const globalPrimaryOrder = always<ZabState>("GlobalPrimaryOrder", (z) => {
  for (let i = 0; i < z.servers; i++) {
    for (let at = 1; at < (z.committed[i] as number); at++) {
      const before = txn(z, i, at - 1);
      const after = txn(z, i, at);
      if (before === undefined || after === undefined || epochOfZxid(before.zxid) > epochOfZxid(after.zxid))
        return false;
    }
  }
  return true;
});

/** A serving primary has delivered every txn of earlier epochs that its serving followers have delivered. */
export const primaryIntegrity = always<ZabState>("PrimaryIntegrity", (z) => {
  for (let i = 0; i < z.servers; i++) {
    if (z.state[i] !== LEADING || z.zabState[i] !== BROADCAST) continue;
    for (let j = 0; j < z.servers; j++) {
      if (z.state[j] !== FOLLOWING || z.zabState[j] !== BROADCAST || z.connectInfo[j] !== i + 1) continue;
      if (((z.learners[i] as number) & (1 << j)) === 0) continue;
      for (let at = 0; at < (z.committed[j] as number); at++) {
        const delivered = txn(z, j, at);
        if (delivered === undefined) return false;
        if (epochOfZxid(delivered.zxid) >= (z.currentEpoch[i] as number)) continue;
        const history = z.history[i] as History;
        if (indexOf(history, z.committed[i] as number, delivered.zxid, delivered.value) === -1) return false;
      }
    }
  }
  return true;
});

export const ZAB_INVARIANTS: readonly StateProperty<ZabState>[] = [
  shouldNotBeTriggered,
  leadership1,
  leadership2,
  prefixConsistency,
  integrity,
  agreement,
  totalOrder,
  localPrimaryOrder,
  globalPrimaryOrder,
  primaryIntegrity,
];

export const ZAB_GOALS: readonly StateProperty<ZabState>[] = [
  sometimes("a leader serves", (z) => isServing(z)),
  sometimes("a txn is committed by a leader and a follower", (z) => z.committed.filter((c) => c > 0).length >= 2),
  sometimes("the longest history is committed everywhere", (z) => z.committed.every((c) => c >= 2)),
  sometimes("a second epoch serves", (z) =>
    z.state.some((s, i) => s === LEADING && serves(z, i) && z.currentEpoch[i]! > 1),
  ),
  sometimes("a committed history spans two epochs", (z) =>
    z.history.some(
      (h, i) => z.committed[i]! > 1 && epochOfZxid(h[0]?.zxid ?? 0) < epochOfZxid(h[z.committed[i]! - 1]?.zxid ?? 0),
    ),
  ),
  sometimes("a server holds a txn that a later leader does not", (z) =>
    z.state.some((s, i) => s === LEADING && serves(z, i) && z.history.some((h) => h.length > z.history[i]!.length)),
  ),
];

function isEstablished(z: ZabState, i: number): boolean {
  return z.state[i] === LEADING && (z.zabState[i] === SYNCHRONIZATION || z.zabState[i] === BROADCAST);
}

function isServing(z: ZabState): boolean {
  return z.state.some((state, i) => state === LEADING && serves(z, i));
}

function serves(z: ZabState, i: number): boolean {
  return z.zabState[i] === BROADCAST;
}

function txn(z: ZabState, server: number, at: number): Delivered | undefined {
  return (z.history[server] as History)[at];
}

function equal(a: Delivered | undefined, b: Delivered | undefined): boolean {
  return a !== undefined && b !== undefined && a.zxid === b.zxid && a.value === b.value;
}

/** Index among the first `count` txns of a history, or -1. */
function indexOf(history: History, count: number, zxid: number, value: number): number {
  for (let at = 0; at < Math.min(count, history.length); at++) {
    const txn = history[at];
    if (txn?.zxid === zxid && txn.value === value) return at;
  }
  return -1;
}

/** Whether i delivers something that j does not. */
function someUndelivered(z: ZabState, i: number, j: number): boolean {
  for (let at = 0; at < (z.committed[i] as number); at++) {
    const mine = txn(z, i, at);
    if (mine === undefined) return true;
    if (indexOf(z.history[j] as History, z.committed[j] as number, mine.zxid, mine.value) === -1) return true;
  }
  return false;
}

function keepsOrder(z: ZabState, i: number, j: number): boolean {
  const theirs = z.history[j] as History;
  for (let second = 1; second < (z.committed[i] as number); second++) {
    const b = txn(z, i, second);
    if (b === undefined) return false;
    const at = indexOf(theirs, z.committed[j] as number, b.zxid, b.value);
    if (at === -1) continue;
    for (let first = 0; first < second; first++) {
      const a = txn(z, i, first);
      if (a === undefined || indexOf(theirs, at, a.zxid, a.value) === -1) return false;
    }
  }
  return true;
}
