/**
 * Renaming the servers. Zab.tla treats them alike (its election is an oracle, no tie is broken by a server's number), so
 * states that differ by a renaming are one; TLC's published counts were made that way.
 */

import type { InternPool } from "../intern-pool.ts";
import type { Symmetry, Words } from "../model.ts";
import { CEPOCH_BITS, epochLeaderShift, type ZabLayout } from "./zab-layout.ts";
import { actionOf, firstOf, kindOf, NOBODY, secondOf, type ZabBounds } from "./zab-step.ts";
import { type AckEpochs, type Channel, type History, type Proposals, united, type ZabValues } from "./zab-values.ts";

export function zabSymmetry(at: ZabLayout, values: ZabValues, bounds: ZabBounds): Symmetry {
  const orders = permutations(bounds.servers);
  const renamings = orders.map((to) => new Renaming(to, at, values, bounds));
  const sorting = new SortingRenamings(orders, at);
  return {
    size: renamings.length,
    permute: (words, permutation, into) => (renamings[permutation] as Renaming).apply(words, into),
    candidates: (words) => sorting.of(words),
  };
}

/** The renamings that sort the servers by a mark: mostly just one, since `pc` alone sets two servers apart. */
class SortingRenamings {
  readonly #at: ZabLayout;
  readonly #marks: number[];
  /** For each outcome of all comparisons (a number in base 3), the renamings that sort by it. */
  readonly #known = new Map<number, readonly number[]>();
  readonly #orders: readonly (readonly number[])[];

  constructor(orders: readonly (readonly number[])[], at: ZabLayout) {
    this.#orders = orders;
    this.#at = at;
    this.#marks = new Array<number>(at.servers).fill(0);
  }

  of(words: Words): readonly number[] {
    const marks = this.#marks;
    const n = marks.length;
    for (let i = 0; i < n; i++) marks[i] = this.#mark(words, i);
    let outcome = 0;
    for (let i = 0; i < n; i++)
      for (let j = i + 1; j < n; j++)
        outcome = outcome * 3 + 1 + Math.sign((marks[i] as number) - (marks[j] as number));
    const known = this.#known.get(outcome);
    if (known !== undefined) return known;
    const sorted = this.#orders.flatMap((to, permutation) => (this.#sorts(to) ? [permutation] : []));
    this.#known.set(outcome, sorted);
    return sorted;
  }

  #sorts(to: readonly number[]): boolean {
    return to.every((a, i) => to.every((b, j) => (this.#marks[i] as number) >= (this.#marks[j] as number) || a < b));
  }

  /** What a server is and did, without a server's name in it. */
  #mark(words: Words, i: number): number {
    const at = this.#at;
    const pc = words[at.pc] as number;
    const role = firstOf(pc) === i ? 1 : secondOf(pc) === i ? 2 : 0;
    const state = (words[at.state + i] as number) * 4 + (words[at.zabState + i] as number);
    const epochs = (words[at.acceptedEpoch + i] as number) * 8 + (words[at.currentEpoch + i] as number);
    const oracle = words[at.leaderOracle] === i + 1 ? 1 : 0;
    return (((role * 16 + state) * 64 + epochs) * 2 + oracle) * 16 + (words[at.committedIndex + i] as number);
  }
}

/** All orders of 0..n-1, the identity first. */
export function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1)
    .flatMap((rest) => Array.from({ length: n }, (_, at) => [...rest.slice(0, at), n - 1, ...rest.slice(at)]))
    .sort((a, b) => (a.join() < b.join() ? -1 : 1));
}

class Renaming {
  readonly #to: readonly number[];
  readonly #at: ZabLayout;
  readonly #bounds: ZabBounds;
  readonly #maskOf: readonly number[];
  readonly #history: (id: number) => number;
  readonly #channel: (id: number) => number;
  readonly #ackEpochs: (id: number) => number;
  readonly #proposals: (id: number) => number;
  readonly #plain: readonly number[];

  constructor(to: readonly number[], at: ZabLayout, values: ZabValues, bounds: ZabBounds) {
    this.#to = to;
    this.#at = at;
    this.#bounds = bounds;
    const mask = (bits: number) => to.reduce((m, server, i) => ((bits & (1 << i)) === 0 ? m : m | (1 << server)), 0);
    this.#maskOf = Array.from({ length: 1 << to.length }, (_, bits) => mask(bits));
    const history = (h: History) => h.map((txn) => ({ ...txn, ackSid: mask(txn.ackSid) }));
    const channel = (c: Channel) => c.map((m) => ({ ...m, history: history(m.history) }));
    const ackEpochs = (set: AckEpochs) =>
      moved(
        set.map((said) => (said === null ? null : { ...said, peerHistory: history(said.peerHistory) })),
        to,
      );
    const proposals = (set: Proposals) =>
      united(
        set.map((p) => ({ ...p, source: to[p.source] as number })),
        [],
      );
    this.#history = memoised(values.histories, history);
    this.#channel = memoised(values.channels, channel);
    this.#ackEpochs = memoised(values.ackEpochs, ackEpochs);
    this.#proposals = memoised(values.proposals, proposals);
    this.#plain = [
      at.state,
      at.zabState,
      at.acceptedEpoch,
      at.currentEpoch,
      at.committedIndex,
      at.committedZxid,
    ].concat(at.sendCounter);
  }

  apply(words: Words, into: Words): void {
    const at = this.#at;
    const to = this.#to;
    const n = to.length;
    into.set(words);
    for (let i = 0; i < n; i++) {
      const r = to[i] as number;
      for (const offset of this.#plain) into[offset + r] = words[offset + i] as number;
      into[at.history + r] = this.#history(words[at.history + i] as number);
      into[at.ackeRecv + r] = this.#ackEpochs(words[at.ackeRecv + i] as number);
      into[at.learners + r] = this.#maskOf[words[at.learners + i] as number] as number;
      into[at.ackldRecv + r] = this.#maskOf[words[at.ackldRecv + i] as number] as number;
      into[at.ackldConnected + r] = this.#maskOf[words[at.ackldConnected + i] as number] as number;
      into[at.cepochRecv + r] = this.#cepochRecv(words[at.cepochRecv + i] as number);
      into[at.connectInfo + r] = this.#server(words[at.connectInfo + i] as number);
      for (let j = 0; j < n; j++)
        into[at.msgs + r * n + (to[j] as number)] = this.#channel(words[at.msgs + i * n + j] as number);
    }
    into[at.leaderOracle] = this.#server(words[at.leaderOracle] as number);
    into[at.proposalMsgsLog] = this.#proposals(words[at.proposalMsgsLog] as number);
    into[at.epochLeader] = this.#epochLeader(words[at.epochLeader] as number);
    into[at.pc] = this.#action(words[at.pc] as number);
  }

  /** An index + 1, or 0 for none. */
  #server(reference: number): number {
    return reference === 0 ? 0 : (this.#to[reference - 1] as number) + 1;
  }

  #action(pc: number): number {
    const rename = (server: number) => (server === NOBODY ? NOBODY : (this.#to[server] as number));
    return actionOf(kindOf(pc), rename(firstOf(pc)), rename(secondOf(pc)));
  }

  #cepochRecv(set: number): number {
    let renamed = 0;
    for (let i = 0; i < this.#to.length; i++)
      renamed |= ((set >> (i * CEPOCH_BITS)) & 31) << ((this.#to[i] as number) * CEPOCH_BITS);
    return renamed;
  }

  #epochLeader(sets: number): number {
    const servers = this.#to.length;
    const all = (1 << servers) - 1;
    let renamed = 0;
    for (let epoch = 1; epoch <= this.#bounds.epochs; epoch++) {
      const shift = epochLeaderShift(servers, epoch);
      renamed |= (this.#maskOf[(sets >> shift) & all] as number) << shift;
    }
    return renamed;
  }
}

function moved<T>(values: readonly T[], to: readonly number[]): T[] {
  const result = [...values];
  values.forEach((value, i) => {
    result[to[i] as number] = value;
  });
  return result;
}

function memoised<T>(pool: InternPool<T>, rename: (value: T) => T): (id: number) => number {
  const known: number[] = [];
  return (id) => {
    const renamed = known[id];
    if (renamed !== undefined) return renamed;
    const fresh = pool.intern(rename(pool.get(id)));
    known[id] = fresh;
    return fresh;
  };
}
