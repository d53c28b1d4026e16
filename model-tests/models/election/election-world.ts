/**
 * Servers that elect, by themselves (election-net.ts). Votes need no more of Zab than that an ensemble gets a new epoch, and
 * that a server looks anew when its leader is gone.
 */

import type { ElectionServer } from "../../../spec/invariants/election.invariants.ts";
import { isQuorum, type QuorumConfig } from "../../../spec/quorum.ts";
import type { Epoch, ServerId, Zxid } from "../../../spec/vocabulary.ts";
import type { EmitSuccessor, Words } from "../../checker/model.ts";
import { ElectionNet } from "./election-net.ts";
import type { ElectionChart, Voters } from "./voter.ts";

export interface ElectionBounds {
  readonly voters: number;
  readonly observers: number;
  /** Per server what its disk may hold at the start, as [currentEpoch, lastZxid]: all combinations are tried. */
  readonly histories: readonly (readonly (readonly [number, number])[])[];
  /** Of the voters, the last ones: they never start. */
  readonly asleep: number;
  /** All at once, with their channels up; or one by one, channels coming up in any order. */
  readonly start: "together" | "apart";
  readonly crashes: number;
  /** Channels that break, in all. */
  readonly breaks: number;
  /** Epochs that leaders establish, in all. */
  readonly epochs: number;
  /** A server looks anew only while that makes no later round than this one. */
  readonly rounds: number;
  /** So many rounds are left to a world that must still come to an end (E6). */
  readonly spareRounds: number;
  /** A server waits no longer than its messages take: a timer goes off only when nothing is on its way to its server. */
  readonly patient: boolean;
}

export const ACTIONS = [
  "Start",
  "Crash",
  "Connect",
  "Break",
  "NoticeDown",
  "Deliver",
  "Repeat",
  "EndWait",
  "LookAnew",
  "Establish",
] as const;
export type ActionKind = (typeof ACTIONS)[number];
const kinds = Object.fromEntries(ACTIONS.map((name, kind) => [name, kind])) as Record<ActionKind, number>;
/** A start helps nobody who waits (E6): only those that run count. */
export const FAULTS: readonly ActionKind[] = ["Start", "Crash", "Break"];

export interface Action {
  readonly kind: ActionKind;
  readonly server: number;
  /** The sender, the channel's other end. */
  readonly other: number;
  readonly decision: number;
}

/** 4 bits for the kind, 3 for each server, the rest for the decision that was taken. */
export function actionOf(action: number): Action {
  return {
    kind: ACTIONS[action & 15] as ActionKind,
    server: (action >> 4) & 7,
    other: (action >> 7) & 7,
    decision: action >> 10,
  };
}

const CRASHES = 1;
const BREAKS = 1 << 4;
const EPOCHS = 1 << 8;

export function historyWord(epoch: number, zxid: number): number {
  return epoch * 64 + zxid;
}
export const epochOfWord = (word: number): Epoch => (word >> 6) as Epoch;
export const zxidOfWord = (word: number): Zxid => (word & 63) as Zxid;

export class ElectionWorld {
  readonly bounds: ElectionBounds;
  readonly quorum: QuorumConfig;
  readonly net: ElectionNet;
  readonly voters: Voters;
  /** Servers, voters first. */
  readonly size: number;
  readonly width: number;
  readonly #disks: number;
  readonly #spent: number;
  /** Which servers are past discovery and synchronization. */
  readonly #established: number;
  readonly #scratch: Int32Array;

  constructor(bounds: ElectionBounds, chart: ElectionChart) {
    this.bounds = bounds;
    this.size = bounds.voters + bounds.observers;
    const { size } = this;
    this.quorum = { voters: Array.from({ length: bounds.voters }, (_, i) => (i + 1) as ServerId) };
    this.net = new ElectionNet({ chart, quorum: this.quorum, size, at: 0 });
    this.voters = this.net.voters;
    this.#disks = this.net.width;
    this.#spent = this.#disks + size;
    this.#established = this.#spent + 1;
    this.width = this.#established + 1;
    this.#scratch = new Int32Array(this.width);
  }

  get pools() {
    return [...this.net.pools, ...Array.from({ length: this.width - this.net.width }, () => null)];
  }

  server(words: Words, i: number): ElectionServer {
    return this.net.server(words, i);
  }

  history(words: Words, i: number): number {
    return words[this.#disks + i] as number;
  }

  initial(emit: (words: Words) => void): void {
    const { net } = this;
    const words = this.#scratch;
    const seen = new Set<string>();
    for (const histories of combinations(this.bounds.histories)) {
      const order = orderOf(histories);
      if (this.bounds.epochs === 0 && seen.has(order)) continue;
      seen.add(order);
      words.fill(0);
      this.net.clear(words);
      histories.forEach(([epoch, zxid], i) => {
        words[this.#disks + i] = historyWord(epoch, zxid);
      });
      if (this.bounds.start === "together") {
        const awake = Array.from({ length: this.size }, (_, i) => i).filter((i) => !this.#isAsleep(i));
        for (const i of awake) this.#look(words, i);
        for (const i of awake) {
          for (const j of awake) {
            if (i === j) continue;
            net.raise(words, i, j);
            net.resend(words, i, j);
          }
        }
      }
      emit(words);
    }
  }

  successors(before: Words, emit: EmitSuccessor): void {
    const { size, bounds, net } = this;
    const spent = before[this.#spent] as number;
    for (let i = 0; i < size; i++) {
      const view = this.server(before, i);
      if (view.phase === "idle") {
        if (!this.#isAsleep(i)) this.#emit(before, emit, "Start", i, 0, this.#start);
        continue;
      }
      let awaited = false;
      for (let j = 0; j < size; j++) {
        if (j === i) continue;
        if (net.underWay(before, j, i) !== 0) {
          awaited = true;
          this.#emit(before, emit, "Deliver", i, j, this.#deliver);
        }
        const up = net.isUp(before, i, j);
        const otherRuns = net.isRunning(before, j);
        if (up ? !otherRuns : net.mayNotice(before, i, j)) this.#emit(before, emit, "NoticeDown", i, j, this.#notice);
        if (i < j && otherRuns && !up) this.#emit(before, emit, "Connect", i, j, this.#connect);
        if (i < j && otherRuns && up && ((spent >> 4) & 15) < bounds.breaks)
          this.#emit(before, emit, "Break", i, j, this.#break);
      }
      if (!awaited || !bounds.patient) {
        for (const { id, event } of this.voters.timers(net.state(before, i))) {
          const kind = id.includes("finalizing") ? "EndWait" : "Repeat";
          this.#emit(before, emit, kind, i, 0, (words) => net.step(words, i, event));
        }
      }
      if (view.phase === "settled") {
        if (view.round < bounds.rounds && !this.#hasEnsemble(before, i))
          this.#emit(before, emit, "LookAnew", i, 0, this.#look);
        if (this.#mayEstablish(before, i)) this.#emit(before, emit, "Establish", i, 0, this.#establish);
      }
      if ((spent & 15) < bounds.crashes) this.#emit(before, emit, "Crash", i, 0, this.#crash);
    }
  }

  #emit(
    before: Words,
    emit: EmitSuccessor,
    kind: ActionKind,
    i: number,
    j: number,
    change: (words: Words, i: number, j: number) => void,
  ): void {
    const words = this.#scratch;
    words.set(before);
    this.net.decision = 0;
    change(words, i, j);
    this.#forget(words);
    emit(words, kinds[kind] | (i << 4) | (j << 7) | (this.net.decision << 10));
  }

  // ---- steps

  readonly #look = (words: Words, i: number): void => {
    this.#leave(words, i);
    const word = this.history(words, i);
    this.net.look(words, i, zxidOfWord(word), epochOfWord(word));
  };

  #leave(words: Words, i: number): void {
    words[this.#established] = (words[this.#established] as number) & ~(1 << i);
  }

  readonly #start = (words: Words, i: number): void => {
    this.net.disconnect(words, i);
    this.#look(words, i);
  };

  readonly #crash = (words: Words, i: number): void => {
    this.#leave(words, i);
    words[this.#spent] = (words[this.#spent] as number) + CRASHES;
    this.net.crash(words, i);
  };

  readonly #connect = (words: Words, i: number, j: number): void => this.net.connect(words, i, j);

  readonly #break = (words: Words, i: number, j: number): void => {
    this.net.hangUp(words, i, j);
    words[this.#spent] = (words[this.#spent] as number) + BREAKS;
  };

  readonly #notice = (words: Words, i: number, j: number): void => this.net.notice(words, i, j);

  readonly #deliver = (words: Words, i: number, j: number): void => this.net.deliver(words, i, j);

  /** Discovery and synchronization, as far as votes tell: a new epoch, and the leader's history. */
  readonly #establish = (words: Words, i: number): void => {
    const leader = this.server(words, i).vote.leader - 1;
    let word = this.history(words, leader);
    if (leader === i) {
      let epoch = 0;
      for (let j = 0; j < this.size; j++) {
        if (this.#follows(words, j, i)) epoch = Math.max(epoch, epochOfWord(this.history(words, j)));
      }
      word = historyWord(epoch + 1, zxidOfWord(word));
      words[this.#spent] = (words[this.#spent] as number) + EPOCHS;
    }
    words[this.#disks + i] = word;
    words[this.#established] = (words[this.#established] as number) | (1 << i);
    this.net.established(words, i, epochOfWord(word));
  };

  // ---- what may happen

  #isAsleep(i: number): boolean {
    const { voters, asleep } = this.bounds;
    return i < voters && i >= voters - asleep;
  }

  #follows(words: Words, i: number, leader: number): boolean {
    const { phase, vote } = this.server(words, i);
    return phase === "settled" && vote.leader === leader + 1;
  }

  /** Else it gives up: a leader without a quorum, a follower of somebody who does not lead. */
  #hasEnsemble(words: Words, i: number): boolean {
    const leader = this.server(words, i).vote.leader - 1;
    if (leader !== i) return this.#follows(words, leader, leader);
    return isQuorum(this.quorum, (id) => this.#follows(words, id - 1, i));
  }

  #mayEstablish(words: Words, i: number): boolean {
    if (this.#isEstablished(words, i)) return false;
    const leader = this.server(words, i).vote.leader - 1;
    // A follower takes over what its leader has established.
    if (leader !== i) return this.#follows(words, leader, leader) && this.#isEstablished(words, leader);
    const left = (((words[this.#spent] as number) >> 8) & 15) < this.bounds.epochs;
    return left && isQuorum(this.quorum, (id) => this.#follows(words, id - 1, i));
  }

  #isEstablished(words: Words, i: number): boolean {
    return (((words[this.#established] as number) >> i) & 1) === 1;
  }

  #forget(words: Words): void {
    const spent = words[this.#spent] as number;
    const { crashes, breaks } = this.bounds;
    if ((spent & 15) >= crashes && ((spent >> 4) & 15) >= breaks) this.net.forget(words);
  }
}

/**
 * Who has more than whom; between equals the server id decides. A vote names a server, and while no new epoch comes up, its
 * other fields follow from that: histories in one order make the same graph (tested in election-model.test.ts).
 */
export function orderOf(histories: readonly (readonly [number, number])[]): string {
  const words = histories.map(([epoch, zxid]) => historyWord(epoch, zxid));
  return [...words.keys()].sort((a, b) => (words[a] as number) - (words[b] as number) || a - b).join();
}

function* combinations<T>(choices: readonly (readonly T[])[]): Generator<T[]> {
  const [first, ...rest] = choices;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const choice of first) for (const others of combinations(rest)) yield [choice, ...others];
}
