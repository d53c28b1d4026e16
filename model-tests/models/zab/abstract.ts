/**
 * Properties see views, not packets or charts' contexts, and there are far fewer combinations of views than states: each is
 * numbered, and every property is asked once for each.
 */

import type { ZabInvariant, ZabStepInvariant } from "../../../spec/invariants/zab.invariants.ts";
import type { GhostView, ServerView, ZabView } from "../../../spec/invariants/zab-view.ts";
import { isQuorum, type QuorumConfig } from "../../../spec/quorum.ts";
import type { ServerId } from "../../../spec/vocabulary.ts";
import { assert } from "../../../src/runtime/assert.ts";
import { InternPool } from "../../checker/intern-pool.ts";
import { PairMemo } from "../../checker/memo.ts";
import type { Properties, Words } from "../../checker/model.ts";

/** What `decode` gives. */
export class ZabState {
  /** Stands for the servers' views and the ghost. */
  number = 0;
  ghost = 0;
  words: Words = new Int32Array(0);
  /** The number of each server's view. */
  readonly views: Int32Array;
  readonly #states: AbstractStates;

  constructor(states: AbstractStates, servers: number) {
    this.#states = states;
    this.views = new Int32Array(servers);
  }

  /** Made anew each time: properties are asked about few of the states. */
  get view(): ZabView {
    return this.#states.viewOf(this);
  }
}

export interface ZabProperties {
  readonly always: readonly ZabInvariant[];
  readonly neverStep: readonly ZabStepInvariant[];
  readonly sometimes: readonly ZabInvariant[];
  /** To be reachable from every state that is not at the end of its bounds. */
  readonly reachable?: readonly ZabInvariant[];
}

const UNKNOWN = -1;

export class AbstractStates {
  readonly properties: Properties<ZabState>;
  readonly #asked: ZabProperties;
  readonly #quorum: QuorumConfig;
  readonly #ghostView: (ghost: number) => GhostView;
  readonly #serverViews = new InternPool<ServerView>("views", JSON.stringify);
  /** By server: (number of what comes before, view) → number. */
  readonly #levels: PairMemo[];
  /** By number: a bit for each of `always` that fails, then one for each of `sometimes` that holds. */
  #judged = new Int32Array(1024).fill(UNKNOWN);
  readonly #steps = new PairMemo();
  readonly #happened = new PairMemo();

  /** `epochs`: how many there are to be had. */
  constructor(asked: ZabProperties, quorum: QuorumConfig, epochs: number, ghostView: (ghost: number) => GhostView) {
    this.#asked = asked;
    this.#quorum = quorum;
    this.#ghostView = ghostView;
    this.#levels = quorum.voters.map(() => new PairMemo());
    const { always, neverStep, sometimes, reachable = [] } = asked;
    assert(always.length + sometimes.length < 31, "A bit for each property.");
    this.properties = {
      always: always.map(({ id, name }, i) => ({
        name: `${id} ${name}`,
        holds: (state) => (this.#judgement(state) & (1 << i)) === 0,
      })),
      neverStep: neverStep.map(({ id, name }, i) => ({
        name: `${id} ${name}`,
        happens: (before, after) => before.number !== after.number && (this.#happens(before, after) & (1 << i)) !== 0,
      })),
      sometimes: sometimes.map(({ name }, i) => ({
        name,
        holds: (state) => (this.#judgement(state) & (1 << (always.length + i))) !== 0,
      })),
      reachable: reachable.map(({ id, name, holds }) => ({
        name: `${id} ${name}`,
        holds: ({ view }) => holds(view),
        applies: ({ view }) => newestEpoch(view) < epochs,
      })),
    };
  }

  /** The number of a server's view, to be kept beside its local state. */
  serverView(view: ServerView): number {
    return this.#serverViews.intern(view);
  }

  /** Numbers the state for its `views` and `ghost`. */
  number(state: ZabState): void {
    let number = state.ghost;
    for (let i = 0; i < this.#levels.length; i++) {
      const level = this.#levels[i] as PairMemo;
      const id = state.views[i] as number;
      const known = level.get(number, id);
      number = known === -1 ? level.set(number, id, level.size) : known;
    }
    state.number = number;
  }

  viewOf({ ghost, views }: ZabState): ZabView {
    const servers = Array.from(views, (id) => this.#serverViews.get(id));
    const isMember = (has: (server: ServerView) => boolean) => (id: ServerId) =>
      servers.some((server) => server.self === id && has(server));
    return { servers, ghost: this.#ghostView(ghost), isQuorum: (has) => isQuorum(this.#quorum, isMember(has)) };
  }

  #judgement(state: ZabState): number {
    const { number } = state;
    if (number >= this.#judged.length) this.#judged = doubled(this.#judged, number);
    const known = this.#judged[number] as number;
    if (known !== UNKNOWN) return known;
    const { view } = state;
    const { always, sometimes } = this.#asked;
    const failed = maskOf(always, (invariant) => !invariant.holds(view));
    const met = maskOf(sometimes, (goal) => goal.holds(view));
    const judgement = failed | (met << always.length);
    this.#judged[number] = judgement;
    return judgement;
  }

  /** What a step does to a server is asked once for each change of its view. */
  #happens(before: ZabState, after: ZabState): number {
    let mask = 0;
    for (let i = 0; i < before.views.length; i++) {
      const from = before.views[i] as number;
      const to = after.views[i] as number;
      if (from !== to) mask |= this.#happensTo(from, to, before.ghost);
    }
    return mask;
  }

  #happensTo(from: number, to: number, ghost: number): number {
    const seen = this.#steps.get(from, to);
    const step = seen === -1 ? this.#steps.set(from, to, this.#steps.size) : seen;
    const known = this.#happened.get(step, ghost);
    if (known !== -1) return known;
    const before = this.#serverViews.get(from);
    const after = this.#serverViews.get(to);
    const mask = maskOf(this.#asked.neverStep, ({ happens }) => happens(before, after, this.#ghostView(ghost)));
    return this.#happened.set(step, ghost, mask);
  }
}

function doubled(judged: Int32Array, upTo: number): Int32Array<ArrayBuffer> {
  let length = judged.length;
  while (length <= upTo) length *= 2;
  const larger = new Int32Array(length).fill(UNKNOWN);
  larger.set(judged);
  return larger;
}

const newestEpoch = ({ servers }: ZabView): number =>
  Math.max(...servers.map(({ acceptedEpoch, epoch }) => Math.max(acceptedEpoch, epoch)));

function maskOf<T>(items: readonly T[], test: (item: T) => boolean): number {
  let mask = 0;
  items.forEach((item, i) => {
    if (test(item)) mask |= 1 << i;
  });
  return mask;
}
