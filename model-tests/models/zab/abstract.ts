/**
 * Properties see views, not packets or charts' contexts, and there are far fewer combinations of views than states: each is
 * numbered, and every property is asked once for each.
 */

import type { ZabInvariant, ZabStepInvariant } from "../../../spec/invariants/zab.invariants.ts";
import type { GhostView, ServerView, ZabView } from "../../../spec/invariants/zab-view.ts";
import { isQuorum, type QuorumConfig } from "../../../spec/quorum.ts";
import type { ServerId } from "../../../spec/vocabulary.ts";
import { InternPool } from "../../checker/intern-pool.ts";
import { PairMemo } from "../../checker/memo.ts";
import type { Properties, Words } from "../../checker/model.ts";

/** What `decode` gives. `number` stands for the views; `words` is for storyboards. */
export interface ZabState {
  number: number;
  view: ZabView;
  words: Words;
}

export interface ZabProperties {
  readonly always: readonly ZabInvariant[];
  readonly neverStep: readonly ZabStepInvariant[];
  readonly sometimes: readonly ZabInvariant[];
  /** To be reachable from every state that is not at the end of its bounds. */
  readonly reachable?: readonly ZabInvariant[];
}

export class AbstractStates {
  readonly properties: Properties<ZabState>;
  readonly #asked: ZabProperties;
  readonly #quorum: QuorumConfig;
  readonly #ghostView: (ghost: number) => GhostView;
  readonly #serverViews = new InternPool<ServerView>("views", JSON.stringify);
  /** By server: (number of what comes before, view) → number. */
  readonly #levels: PairMemo[];
  readonly #views: ZabView[] = [];
  readonly #failed: number[] = [];
  readonly #met: number[] = [];
  readonly #happened = new PairMemo();

  /** `epochs`: how many there are to be had. */
  constructor(asked: ZabProperties, quorum: QuorumConfig, epochs: number, ghostView: (ghost: number) => GhostView) {
    this.#asked = asked;
    this.#quorum = quorum;
    this.#ghostView = ghostView;
    this.#levels = quorum.voters.map(() => new PairMemo());
    const { always, neverStep, sometimes, reachable = [] } = asked;
    this.properties = {
      always: always.map(({ id, name }, i) => ({
        name: `${id} ${name}`,
        holds: (state) => (this.#failedIn(state) & (1 << i)) === 0,
      })),
      neverStep: neverStep.map(({ id, name }, i) => ({
        name: `${id} ${name}`,
        happens: (before, after) => before.number !== after.number && (this.#happens(before, after) & (1 << i)) !== 0,
      })),
      sometimes: sometimes.map(({ name }, i) => ({ name, holds: (state) => (this.#metIn(state) & (1 << i)) !== 0 })),
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

  /** Fills `state` for the views that `viewOf` names, and a ghost. */
  fill(state: ZabState, ghost: number, viewOf: (server: number) => number): void {
    let number = ghost;
    for (let i = 0; i < this.#levels.length; i++) {
      const level = this.#levels[i] as PairMemo;
      const id = viewOf(i);
      const known = level.get(number, id);
      number = known === -1 ? level.set(number, id, level.size) : known;
    }
    state.number = number;
    state.view = this.#views[number] ?? this.#newView(number, ghost, viewOf);
  }

  #newView(number: number, ghost: number, viewOf: (server: number) => number): ZabView {
    const servers = this.#levels.map((_, i) => this.#serverViews.get(viewOf(i)));
    const quorum = this.#quorum;
    const isMember = (has: (server: ServerView) => boolean) => (id: ServerId) =>
      servers.some((server) => server.self === id && has(server));
    const view = {
      servers,
      ghost: this.#ghostView(ghost),
      isQuorum: (has) => isQuorum(quorum, isMember(has)),
    } as ZabView;
    this.#views[number] = view;
    return view;
  }

  #failedIn({ number, view }: ZabState): number {
    const known = this.#failed[number];
    if (known !== undefined) return known;
    const mask = maskOf(this.#asked.always, (invariant) => !invariant.holds(view));
    this.#failed[number] = mask;
    return mask;
  }

  #metIn({ number, view }: ZabState): number {
    const known = this.#met[number];
    if (known !== undefined) return known;
    const mask = maskOf(this.#asked.sometimes, (goal) => goal.holds(view));
    this.#met[number] = mask;
    return mask;
  }

  #happens(before: ZabState, after: ZabState): number {
    const known = this.#happened.get(before.number, after.number);
    if (known !== -1) return known;
    const mask = maskOf(this.#asked.neverStep, (step) => step.happens(before.view, after.view));
    return this.#happened.set(before.number, after.number, mask);
  }
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
