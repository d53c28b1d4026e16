/**
 * Where each variable of the Zab specification stands in a state's words, and a readable view of them. One word per
 * variable and server, in the specification's names; `msgs[i][j]` is the channel from i to j.
 */

import type { InternPool } from "../intern-pool.ts";
import type { Words } from "../model.ts";
import type { AckEpochs, Channel, History, Proposals, ZabValues } from "./zab-values.ts";

export const LOOKING = 0;
export const FOLLOWING = 1;
export const LEADING = 2;
export const STATE_NAMES = ["LOOKING", "FOLLOWING", "LEADING"];

export const ELECTION = 0;
export const DISCOVERY = 1;
export const SYNCHRONIZATION = 2;
export const BROADCAST = 3;
export const ZAB_STATE_NAMES = ["ELECTION", "DISCOVERY", "SYNCHRONIZATION", "BROADCAST"];

/** Bits of `violated`: conditions that the specification's actions say cannot happen. */
export const Violated = {
  stateInconsistent: 1,
  proposalInconsistent: 2,
  commitInconsistent: 4,
  ackInconsistent: 8,
  messageIllegal: 16,
} as const;

/** No server: `connectInfo` and `leaderOracle` hold a server's index + 1. */
export const NULL_POINT = 0;

/** cepochRecv gives each server 5 bits: present, connected, epoch. */
export const CEPOCH_BITS = 5;
/** epochLeader gives each epoch a mask of servers. */
export const epochLeaderShift = (servers: number, epoch: number): number => (epoch - 1) * servers;

export class ZabLayout {
  readonly servers: number;
  readonly width: number;
  readonly pools: readonly (InternPool<unknown> | null)[];

  // Offsets; a variable of server i is at offset + i, msgs[i][j] at msgs + i * servers + j.
  readonly state: number;
  readonly zabState: number;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly history: number;
  readonly committedIndex: number;
  readonly committedZxid: number;
  readonly learners: number;
  readonly cepochRecv: number;
  readonly ackeRecv: number;
  readonly ackldRecv: number;
  readonly ackldConnected: number;
  readonly sendCounter: number;
  readonly connectInfo: number;
  readonly msgs: number;
  readonly leaderOracle: number;
  readonly epochLeader: number;
  readonly proposalMsgsLog: number;
  readonly violated: number;
  // The specification's `recorder`, which is part of the state.
  readonly nTimeout: number;
  readonly nRestart: number;
  readonly nTransaction: number;
  readonly nClientRequest: number;
  readonly maxEpoch: number;
  readonly pc: number;

  constructor(servers: number, values: ZabValues) {
    this.servers = servers;
    const pools: (InternPool<unknown> | null)[] = [];
    const words = (count: number, pool: InternPool<unknown> | null = null) => {
      const offset = pools.length;
      for (let i = 0; i < count; i++) pools.push(pool);
      return offset;
    };
    this.state = words(servers);
    this.zabState = words(servers);
    this.acceptedEpoch = words(servers);
    this.currentEpoch = words(servers);
    this.history = words(servers, values.histories as InternPool<unknown>);
    this.committedIndex = words(servers);
    this.committedZxid = words(servers);
    this.learners = words(servers);
    this.cepochRecv = words(servers);
    this.ackeRecv = words(servers, values.ackEpochs as InternPool<unknown>);
    this.ackldRecv = words(servers);
    this.ackldConnected = words(servers);
    this.sendCounter = words(servers);
    this.connectInfo = words(servers);
    this.msgs = words(servers * servers, values.channels as InternPool<unknown>);
    this.leaderOracle = words(1);
    this.epochLeader = words(1);
    this.proposalMsgsLog = words(1, values.proposals as InternPool<unknown>);
    this.violated = words(1);
    this.nTimeout = words(1);
    this.nRestart = words(1);
    this.nTransaction = words(1);
    this.nClientRequest = words(1);
    this.maxEpoch = words(1);
    this.pc = words(1);
    this.pools = pools;
    this.width = pools.length;
  }
}

/** A state as the properties read it. Filled anew for each state: keep nothing of it. */
export class ZabState {
  readonly servers: number;
  readonly state: number[] = [];
  readonly zabState: number[] = [];
  readonly acceptedEpoch: number[] = [];
  readonly currentEpoch: number[] = [];
  readonly history: History[] = [];
  readonly committed: number[] = [];
  readonly committedZxid: number[] = [];
  readonly learners: number[] = [];
  readonly connectInfo: number[] = [];
  epochLeader = 0;
  proposalMsgsLog: Proposals = [];
  violated = 0;
  #words: Words = new Int32Array(0);
  readonly #layout: ZabLayout;
  readonly #values: ZabValues;

  constructor(layout: ZabLayout, values: ZabValues) {
    this.servers = layout.servers;
    this.#layout = layout;
    this.#values = values;
  }

  load(words: Words): this {
    const at = this.#layout;
    this.#words = words;
    for (let i = 0; i < this.servers; i++) {
      this.state[i] = words[at.state + i] as number;
      this.zabState[i] = words[at.zabState + i] as number;
      this.acceptedEpoch[i] = words[at.acceptedEpoch + i] as number;
      this.currentEpoch[i] = words[at.currentEpoch + i] as number;
      this.history[i] = this.#values.histories.get(words[at.history + i] as number);
      this.committed[i] = words[at.committedIndex + i] as number;
      this.committedZxid[i] = words[at.committedZxid + i] as number;
      this.learners[i] = words[at.learners + i] as number;
      this.connectInfo[i] = words[at.connectInfo + i] as number;
    }
    this.epochLeader = words[at.epochLeader] as number;
    this.proposalMsgsLog = this.#values.proposals.get(words[at.proposalMsgsLog] as number);
    this.violated = words[at.violated] as number;
    return this;
  }

  /** The rest is read only for a trace, so it is not copied for every state. */
  word(offset: number): number {
    return this.#words[offset] as number;
  }

  channel(from: number, to: number): Channel {
    return this.#values.channels.get(this.word(this.#layout.msgs + from * this.servers + to));
  }

  ackEpochs(server: number): AckEpochs {
    return this.#values.ackEpochs.get(this.word(this.#layout.ackeRecv + server));
  }
}
