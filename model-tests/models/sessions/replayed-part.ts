/**
 * A production object as a part of a model. Such objects cannot be copied, but they are deterministic: a local state is the
 * events that led to it, and a step runs a new object along them. Results are remembered by (view, event), so production's
 * code runs only on pairs that were never seen.
 *
 * Two histories with the same view are one state: a view must tell everything that later steps can depend on.
 */

import { hashOf } from "../../checker/fingerprint.ts";

export interface PartState<Event> {
  readonly view: string;
  /** Of the view, which may be long: for keys. */
  readonly hash: string;
  readonly past: readonly Event[];
}

export interface PartStep<Event, Output> {
  readonly next: PartState<Event>;
  readonly outputs: readonly Output[];
}

export interface Core<Event, Output> {
  step(event: Event): readonly Output[];
  view(): string;
}

export class ReplayedPart<Event, Output> {
  readonly initial: PartState<Event>;
  readonly #create: () => Core<Event, Output>;
  readonly #known = new Map<string, PartStep<Event, Output>>();
  /** The object that stepped last, and the history it stands at: the next step often goes on from there. */
  #live: { readonly core: Core<Event, Output>; readonly past: readonly Event[] } | null = null;

  constructor(create: () => Core<Event, Output>) {
    this.#create = create;
    const view = create().view();
    this.initial = { view, hash: hashOf(view), past: [] };
  }

  step(state: PartState<Event>, event: Event): PartStep<Event, Output> {
    const key = `${state.hash} ${JSON.stringify(event)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const core = this.#at(state);
    const outputs = core.step(event);
    const view = core.view();
    const next = { view, hash: hashOf(view), past: [...state.past, event] };
    this.#live = { core, past: next.past };
    const made = { next, outputs };
    this.#known.set(key, made);
    return made;
  }

  #at(state: PartState<Event>): Core<Event, Output> {
    const live = this.#live;
    this.#live = null;
    if (live !== null && live.past === state.past) return live.core;
    const core = this.#create();
    for (const event of state.past) core.step(event);
    return core;
  }
}
