/**
 * Servers that elect, somewhere among a state's words: production's election chart in each, and a channel for each ordered pair
 * which keeps only the last message that was sent and not yet taken, and sends the last one again when it comes up anew
 * (src/ensemble/election-channels.ts). What makes servers look, start or die is the model's business that holds the net.
 */

import type { ElectionServer } from "../../../spec/invariants/election.invariants.ts";
import type { QuorumConfig } from "../../../spec/quorum.ts";
import type { Epoch, ServerId, Zxid } from "../../../spec/vocabulary.ts";
import type { InternPool } from "../../checker/intern-pool.ts";
import type { Words } from "../../checker/model.ts";
import { type ElectionChart, Voters } from "./voter.ts";

export interface ElectionNetOptions {
  readonly chart: ElectionChart;
  readonly quorum: QuorumConfig;
  /** Servers, voters first. */
  readonly size: number;
  /** Index of the net's first word. */
  readonly at: number;
}

export class ElectionNet {
  readonly voters: Voters;
  readonly size: number;
  readonly width: number;
  /** Number of the decision that a step since the last `begin` has made, or 0. */
  decision = 0;
  readonly #at: number;
  readonly #latest: number;
  readonly #pending: number;
  readonly #up: number;
  readonly #idle: readonly number[];
  readonly #channelUp: readonly number[];
  readonly #channelDown: readonly number[];

  constructor({ chart, quorum, size, at }: ElectionNetOptions) {
    this.size = size;
    this.voters = new Voters(chart, quorum);
    this.#at = at;
    this.#latest = at + size;
    this.#pending = this.#latest + size * size;
    this.#up = this.#pending + 1;
    this.width = this.#up + 1 - at;
    const ids = Array.from({ length: size }, (_, i) => (i + 1) as ServerId);
    this.#idle = ids.map((id) => this.voters.idle(id));
    this.#channelUp = ids.map((peer) => this.voters.event({ type: "CHANNEL_UP", peer }));
    this.#channelDown = ids.map((peer) => this.voters.event({ type: "CHANNEL_DOWN", peer }));
  }

  /** Of the net's words. */
  get pools(): (InternPool<unknown> | null)[] {
    const { snapshots } = this.voters.chart.parts;
    return Array.from({ length: this.width }, (_, word) => {
      if (word < this.size) return snapshots as InternPool<unknown>;
      return word < this.size + this.size * this.size ? (this.voters.messages as InternPool<unknown>) : null;
    });
  }

  server(words: Words, i: number): ElectionServer {
    return this.voters.view(this.state(words, i));
  }

  /** Id of a server's chart state. */
  state(words: Words, i: number): number {
    return words[this.#at + i] as number;
  }

  isRunning(words: Words, i: number): boolean {
    return this.server(words, i).phase !== "idle";
  }

  /** Number of the message on its way between two servers, or 0. */
  underWay(words: Words, from: number, to: number): number {
    const channel = from * this.size + to;
    return ((words[this.#pending] as number) >> channel) & 1 ? (words[this.#latest + channel] as number) : 0;
  }

  /** Is anything on its way to this server? */
  isAddressed(words: Words, to: number): boolean {
    for (let from = 0; from < this.size; from++) if (from !== to && this.underWay(words, from, to) !== 0) return true;
    return false;
  }

  isUp(words: Words, one: number, other: number): boolean {
    return (((words[this.#up] as number) >> this.#pair(one, other)) & 1) === 1;
  }

  /** A server that runs finds another one out of reach: nobody listens there, or the connection is gone. */
  mayNotice(words: Words, i: number, j: number): boolean {
    return !this.voters.unreachable(this.state(words, i)).includes((j + 1) as ServerId);
  }

  // ---- steps

  /** No server runs, no channel is up. */
  clear(words: Words): void {
    words.fill(0, this.#at, this.#at + this.width);
    for (let i = 0; i < this.size; i++) words[this.#at + i] = this.#idle[i] as number;
  }

  step(words: Words, i: number, event: number): void {
    const { next, sends, decision } = this.voters.step(this.state(words, i), event);
    words[this.#at + i] = next;
    if (decision !== 0) this.decision = decision;
    for (const { to, message } of sends) {
      const channel = i * this.size + to - 1;
      words[this.#latest + channel] = message;
      // Only the last message matters: what nobody has taken yet is replaced.
      if (this.isUp(words, i, to - 1)) words[this.#pending] = (words[this.#pending] as number) | (1 << channel);
    }
  }

  look(words: Words, i: number, zxid: Zxid, currentEpoch: Epoch): void {
    this.step(words, i, this.voters.event({ type: "LOOK", zxid, currentEpoch }));
  }

  /** Late joiners must see votes of the epoch in which the ensemble runs. */
  established(words: Words, i: number, epoch: Epoch): void {
    this.step(words, i, this.voters.event({ type: "EPOCH_ESTABLISHED", epoch }));
  }

  /** A new process. What others took for their channel to the old one is replaced when it connects. */
  disconnect(words: Words, i: number): void {
    for (let j = 0; j < this.size; j++) if (j !== i) this.hangUp(words, i, j);
  }

  crash(words: Words, i: number): void {
    words[this.#at + i] = this.#idle[i] as number;
    for (let j = 0; j < this.size; j++) {
      if (j === i) continue;
      this.#drop(words, j, i);
      // What it sent may still arrive, until the other side sees the end of the connection.
      if (this.underWay(words, i, j) === 0) words[this.#latest + i * this.size + j] = 0;
      if (!this.isRunning(words, j)) this.hangUp(words, i, j);
    }
  }

  connect(words: Words, i: number, j: number): void {
    this.raise(words, i, j);
    this.step(words, i, this.#channelUp[j] as number);
    this.step(words, j, this.#channelUp[i] as number);
    this.resend(words, i, j);
    this.resend(words, j, i);
  }

  /** The channel is up, as if it had always been. */
  raise(words: Words, i: number, j: number): void {
    words[this.#up] = (words[this.#up] as number) | (1 << this.#pair(i, j));
  }

  notice(words: Words, i: number, j: number): void {
    this.hangUp(words, i, j);
    this.step(words, i, this.#channelDown[j] as number);
  }

  deliver(words: Words, to: number, from: number): void {
    const message = this.underWay(words, from, to);
    this.#drop(words, from, to);
    this.step(words, to, this.voters.notification((from + 1) as ServerId, message));
  }

  hangUp(words: Words, i: number, j: number): void {
    words[this.#up] = (words[this.#up] as number) & ~(1 << this.#pair(i, j));
    this.#drop(words, i, j);
    this.#drop(words, j, i);
  }

  resend(words: Words, from: number, to: number): void {
    const channel = from * this.size + to;
    if (words[this.#latest + channel] !== 0) words[this.#pending] = (words[this.#pending] as number) | (1 << channel);
  }

  /** What was delivered is sent again only over a new channel: where none can be needed any more, it is forgotten. */
  forget(words: Words): void {
    const { size } = this;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        if (i === j || !this.isUp(words, i, j) || this.underWay(words, i, j) !== 0) continue;
        if (this.isRunning(words, i) && this.isRunning(words, j)) words[this.#latest + i * size + j] = 0;
      }
    }
  }

  #pair(i: number, j: number): number {
    return i < j ? i * this.size + j : j * this.size + i;
  }

  #drop(words: Words, from: number, to: number): void {
    words[this.#pending] = (words[this.#pending] as number) & ~(1 << (from * this.size + to));
  }
}
