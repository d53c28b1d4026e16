/** Election, which the specification leaves to an oracle, and the two faults. */

import { DISCOVERY, FOLLOWING, LEADING, NULL_POINT } from "./zab-layout.ts";
import type { ZabStep } from "./zab-step.ts";

export function updateLeader(z: ZabStep, i: number): void {
  if (z.now[z.at.leaderOracle] === i + 1) return;
  const next = z.begin();
  next[z.at.leaderOracle] = i + 1;
  z.switchToLeader(i);
  z.step("UpdateLeader", i);
}

export function followLeader(z: ZabStep, i: number): void {
  const oracle = z.now[z.at.leaderOracle] as number;
  if (oracle === NULL_POINT) return;
  const next = z.begin();
  if (oracle === i + 1) {
    z.switchToLeader(i);
  } else {
    next[z.at.state + i] = FOLLOWING;
    next[z.at.zabState + i] = DISCOVERY;
  }
  z.step("FollowLeader", i);
}

// ---- Faults

export function timeout(z: ZabStep, i: number, j: number): void {
  const at = z.at;
  const now = z.now;
  if (now[at.nTimeout]! >= z.bounds.timeouts || (now[at.learners + i]! & (1 << j)) === 0) return;
  if (now[at.state + j] !== FOLLOWING || now[at.connectInfo + j] !== i + 1) return;
  const next = z.begin();
  z.leaderLoses(i, j);
  next[at.nTimeout] = now[at.nTimeout]! + 1;
  z.step("Timeout", i, j);
}

export function restart(z: ZabStep, i: number): void {
  const at = z.at;
  const now = z.now;
  if (now[at.nRestart]! >= z.bounds.restarts) return;
  if (z.rules.restartNeedsTimeoutBudget && now[at.nTimeout]! >= z.bounds.timeouts) return;
  const next = z.begin();
  if (now[at.state + i] === LEADING) {
    z.leaderShutdown(i);
  } else if (now[at.state + i] === FOLLOWING) {
    const leader = now[at.connectInfo + i]! - 1;
    if (leader >= 0) {
      z.leaderLoses(leader, i);
    } else {
      z.followerShutdown(i);
      for (let from = 0; from < at.servers; from++) next[at.msgs + from * at.servers + i] = z.values.emptyChannel;
    }
  }
  next[at.committedIndex + i] = 0;
  next[at.committedZxid + i] = 0;
  if (!z.rules.acceptedEpochSurvivesRestart) next[at.acceptedEpoch + i] = 0;
  next[at.nTimeout] = now[at.nTimeout]! + 1;
  next[at.nRestart] = now[at.nRestart]! + 1;
  z.step("Restart", i);
}
