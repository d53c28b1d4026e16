/**
 * Production's elections for the Zab models: each server's election chart and their channels (election-net.ts) stand where the
 * oracle stands otherwise. The peer chart starts an election, and the election chart's decision is the peer chart's next event,
 * in the same step, as in EnsembleMember (src/server/ensemble-member.ts).
 */

import type { Epoch, Zxid } from "../../../spec/vocabulary.ts";
import type { Words } from "../../checker/model.ts";
import type { ElectionNet } from "../election/election-net.ts";
import type { ElectionSteps, Elections } from "../zab/elections.ts";
import { type ActionKind, actionOf, crashesIn, type ZabLayout } from "../zab/layout.ts";

export interface VoteBounds {
  /** Ids of servers that are started some time after the others. */
  readonly late: readonly number[];
  /** States in which a server is in a later round than this do not belong to the search. */
  readonly rounds: number;
  /** A server that has settled hears at once what is said to it. */
  readonly prompt: boolean;
}

export class VotedElections implements Elections {
  readonly #net: ElectionNet;
  readonly #bounds: VoteBounds;
  readonly #at: ZabLayout;

  constructor(net: ElectionNet, bounds: VoteBounds, at: ZabLayout) {
    this.#net = net;
    this.#bounds = bounds;
    this.#at = at;
  }

  /** Those that are not late look at the same time, with their channels up. `vote`: what a server has to show. */
  start(words: Words, voteOf: (server: number) => { readonly zxid: number; readonly epoch: number }): void {
    const net = this.#net;
    net.clear(words);
    const awake = Array.from({ length: net.size }, (_, i) => i).filter((i) => !this.#bounds.late.includes(i + 1));
    for (const i of awake) for (const j of awake) if (j < i) net.raise(words, i, j);
    for (const i of awake) {
      const { zxid, epoch } = voteOf(i);
      net.look(words, i, zxid as Zxid, epoch as Epoch);
    }
    this.tidy(words);
  }

  successors(words: Words, steps: ElectionSteps): void {
    const net = this.#net;
    for (let i = 0; i < net.size; i++) {
      if (!net.isRunning(words, i)) {
        this.#step(steps, "start", i, 0, (next) => this.#start(next, i, steps.info(i).vote));
        continue;
      }
      for (let j = 0; j < net.size; j++)
        if (i !== j && net.underWay(words, j, i) !== 0)
          this.#step(steps, "hear", i, j, (next) => net.deliver(next, i, j));
      // Where timers outlast messages, a server waits only while nothing is on its way to it.
      if (net.isAddressed(words, i)) continue;
      for (const { id, event } of net.voters.timers(net.state(words, i)))
        this.#step(steps, id.includes("finalizing") ? "wait's end" : "repeat", i, 0, (next) =>
          net.step(next, i, event),
        );
    }
  }

  tidy(words: Words): void {
    const net = this.#net;
    if (this.#bounds.prompt) {
      for (let i = 0; i < net.size; i++) {
        if (net.server(words, i).phase !== "settled") continue;
        for (let j = 0; j < net.size; j++) if (i !== j && net.underWay(words, j, i) !== 0) net.deliver(words, i, j);
      }
    }
    if (crashesIn(words[this.#at.budget] as number) === 0) net.forget(words);
  }

  isQuiet(words: Words): boolean {
    const net = this.#net;
    for (let i = 0; i < net.size; i++) {
      if (net.isAddressed(words, i) && net.isRunning(words, i)) return false;
      if (net.voters.timers(net.state(words, i)).some(({ id }) => id.includes("finalizing"))) return false;
    }
    return true;
  }

  isWithin(words: Words): boolean {
    for (let i = 0; i < this.#net.size; i++) if (this.#net.server(words, i).round > this.#bounds.rounds) return false;
    return true;
  }

  // ---- what servers tell their elections

  looks(words: Words, server: number, zxid: Zxid, currentEpoch: Epoch): void {
    this.#net.look(words, server, zxid, currentEpoch);
  }

  serves(words: Words, server: number, epoch: Epoch): void {
    this.#net.established(words, server, epoch);
  }

  dies(words: Words, server: number): void {
    this.#net.crash(words, server);
  }

  /** Its channels come up with it. */
  #start(words: Words, i: number, { zxid, epoch }: { readonly zxid: number; readonly epoch: number }): void {
    const net = this.#net;
    net.disconnect(words, i);
    net.look(words, i, zxid as Zxid, epoch as Epoch);
    for (let j = 0; j < net.size; j++) if (j !== i && net.isRunning(words, j)) net.connect(words, i, j);
  }

  #step(steps: ElectionSteps, kind: ActionKind, i: number, j: number, change: (next: Words) => void): void {
    const net = this.#net;
    const next = steps.fresh();
    net.decision = 0;
    change(next);
    const { decision } = net;
    if (decision !== 0) steps.elected(next, i, net.server(next, i).vote.leader - 1);
    steps.emit(next, actionOf(kind, i, j, decision));
  }
}
