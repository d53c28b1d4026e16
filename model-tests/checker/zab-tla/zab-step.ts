/** The building of one successor: `begin` copies the state, the other methods change the copy, `step` hands it over. */

import type { EmitSuccessor, Words } from "../model.ts";
import {
  CEPOCH_BITS,
  DISCOVERY,
  ELECTION,
  LEADING,
  LOOKING,
  NULL_POINT,
  SYNCHRONIZATION,
  type ZabLayout,
} from "./zab-layout.ts";
import type { ZabRules } from "./zab-rules.ts";
import type { History, ZabValues } from "./zab-values.ts";

export interface ZabBounds {
  readonly servers: number;
  /** MaxTransactionNum: length of the longest history. */
  readonly txns: number;
  /** MaxTimeoutFailures. */
  readonly timeouts: number;
  /** MaxRestarts. */
  readonly restarts: number;
  /** MaxEpoch. */
  readonly epochs: number;
}

export const ACTION_KINDS = [
  "UpdateLeader",
  "FollowLeader",
  "Timeout",
  "Restart",
  "ConnectAndFollowerSendCEPOCH",
  "LeaderProcessCEPOCH",
  "FollowerProcessNEWEPOCH",
  "LeaderProcessACKEPOCH",
  "FollowerProcessNEWLEADER",
  "LeaderProcessACKLD",
  "FollowerProcessCOMMITLD",
  "LeaderProcessRequest",
  "LeaderBroadcastPROPOSE",
  "FollowerProcessPROPOSE",
  "LeaderProcessACK",
  "FollowerProcessCOMMIT",
  "FilterNonexistentMessage",
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

const KIND = Object.fromEntries(ACTION_KINDS.map((kind, index) => [kind, index])) as Record<ActionKind, number>;

/** An action and its servers (as in the recorder's `pc`) in one number; the second server may be none. */
export const NOBODY = 7;
export const actionOf = (kind: number, i: number, j: number): number => (kind * 8 + i) * 8 + j;
export const kindOf = (action: number): number => action >> 6;
export const firstOf = (action: number): number => (action >> 3) & 7;
export const secondOf = (action: number): number => action & 7;
/** `pc` of the initial state. */
export const INIT_PC = actionOf(ACTION_KINDS.length, NOBODY, NOBODY);

export class ZabStep {
  readonly at: ZabLayout;
  readonly values: ZabValues;
  readonly bounds: ZabBounds;
  readonly rules: ZabRules;
  /** The state that is expanded, and the one being built. */
  now: Words = new Int32Array(0);
  readonly next: Words;
  emit: EmitSuccessor = () => {};

  constructor(layout: ZabLayout, values: ZabValues, bounds: ZabBounds, rules: ZabRules) {
    this.at = layout;
    this.values = values;
    this.bounds = bounds;
    this.rules = rules;
    this.next = new Int32Array(layout.width);
  }

  begin(): Words {
    this.next.set(this.now);
    return this.next;
  }

  /** The recorder stays as it was, `pc` included: the specification does so for its one bookkeeping action. */
  stepUnrecorded(kind: ActionKind, i: number, j: number): void {
    this.emit(this.next, actionOf(KIND[kind], i, j));
  }

  step(kind: ActionKind, i: number, j = NOBODY): void {
    const action = actionOf(KIND[kind], i, j);
    this.next[this.at.pc] = action;
    this.emit(this.next, action);
  }

  channel(from: number, to: number): number {
    return this.now[this.at.msgs + from * this.bounds.servers + to] as number;
  }

  isQuorum(mask: number): boolean {
    let members = 0;
    for (let rest = mask; rest !== 0; rest &= rest - 1) members += 1;
    return members * 2 > this.bounds.servers;
  }

  send(from: number, to: number, message: number): void {
    const channel = this.at.msgs + from * this.bounds.servers + to;
    this.next[channel] = this.values.append(this.next[channel] as number, message);
  }

  discard(from: number, to: number): void {
    const channel = this.at.msgs + from * this.bounds.servers + to;
    this.next[channel] = this.values.tail(this.next[channel] as number);
  }

  reply(i: number, j: number, message: number): void {
    this.discard(j, i);
    this.send(i, j, message);
  }

  /** Sends to those of `receivers` that are still learners of i. */
  broadcast(i: number, receivers: number, message: number): void {
    const mask = receivers & (this.next[this.at.learners + i] as number) & ~(1 << i);
    for (let v = 0; v < this.bounds.servers; v++) if ((mask & (1 << v)) !== 0) this.send(i, v, message);
  }

  clean(i: number, j: number): void {
    const { msgs, servers } = this.at;
    this.next[msgs + i * servers + j] = this.values.emptyChannel;
    this.next[msgs + j * servers + i] = this.values.emptyChannel;
  }

  flag(bit: number): void {
    this.next[this.at.violated] = (this.next[this.at.violated] as number) | bit;
  }

  followerShutdown(i: number): void {
    this.next[this.at.state + i] = LOOKING;
    this.next[this.at.zabState + i] = ELECTION;
    this.next[this.at.connectInfo + i] = NULL_POINT;
  }

  leaderShutdown(i: number): void {
    const { learners, msgs, servers } = this.at;
    const members = this.now[learners + i] as number;
    for (let s = 0; s < servers; s++) {
      if ((members & (1 << s)) === 0) continue;
      this.followerShutdown(s);
      for (let from = 0; from < servers; from++) this.next[msgs + from * servers + s] = this.values.emptyChannel;
    }
    this.next[learners + i] = 0;
  }

  switchToLeader(i: number): void {
    const at = this.at;
    const skips = this.rules.newLeaderStartsIn === "synchronization";
    const accepted = this.now[at.acceptedEpoch + i] as number;
    const own = this.now[at.history + i] as number;
    this.next[at.state + i] = LEADING;
    this.next[at.zabState + i] = skips ? SYNCHRONIZATION : DISCOVERY;
    this.next[at.learners + i] = 1 << i;
    this.next[at.cepochRecv + i] = withCepoch(0, i, accepted);
    this.next[at.ackeRecv + i] = this.values.setAckEpoch(
      this.values.noAckEpochs(this.bounds.servers),
      i,
      this.now[at.currentEpoch + i] as number,
      own,
    );
    this.next[at.ackldRecv + i] = 1 << i;
    this.next[at.ackldConnected + i] = 1 << i;
    this.next[at.sendCounter + i] = 0;
  }

  removeLearner(i: number, j: number): void {
    const at = this.at;
    this.next[at.learners + i] = (this.now[at.learners + i] as number) & ~(1 << j);
    this.next[at.cepochRecv + i] = (this.now[at.cepochRecv + i] as number) & ~(2 << (j * CEPOCH_BITS));
    this.next[at.ackeRecv + i] = this.values.cutAckEpoch(this.now[at.ackeRecv + i] as number, j);
    this.next[at.ackldConnected + i] = (this.now[at.ackldConnected + i] as number) & ~(1 << j);
  }

  /** The leader goes on without j if it still has a quorum, and gives up otherwise. */
  leaderLoses(i: number, j: number): void {
    const rest = (this.now[this.at.learners + i] as number) & ~(1 << j);
    if (!this.isQuorum(rest)) return this.leaderShutdown(i);
    this.removeLearner(i, j);
    this.followerShutdown(j);
    this.clean(i, j);
  }

  history(i: number): History {
    return this.values.histories.get(this.now[this.at.history + i] as number);
  }
}

// ---- cepochRecv in one number: per server present, connected, epoch

/** Enters or replaces what `server` said in its CEPOCH. */
export function withCepoch(set: number, server: number, epoch: number): number {
  const shift = server * CEPOCH_BITS;
  return (set & ~(31 << shift)) | ((1 | 2 | (epoch << 2)) << shift);
}

export function cepochSenders(set: number, servers: number): number {
  let mask = 0;
  for (let s = 0; s < servers; s++) if ((set & (1 << (s * CEPOCH_BITS))) !== 0) mask |= 1 << s;
  return mask;
}

export function cepochConnected(set: number, servers: number): number {
  let mask = 0;
  for (let s = 0; s < servers; s++) if ((set & (2 << (s * CEPOCH_BITS))) !== 0) mask |= 1 << s;
  return mask;
}

export function cepochMax(set: number, servers: number): number {
  let max = 0;
  for (let s = 0; s < servers; s++) max = Math.max(max, (set >> (s * CEPOCH_BITS + 2)) & 7);
  return max;
}
