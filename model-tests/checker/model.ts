/**
 * What the explorer needs to know of a model. A state is a fixed tuple of 32-bit words: plain numbers, or ids of values
 * in an intern pool. The tuple is all that is copied, hashed and queued; `decode` gives properties something to read.
 *
 * Two duties of a model, on which traces and partitioned runs rest: `initial` and `successors` emit in an order that
 * depends on the state's content alone (never on an intern id), and pooled values are plain data without foreign ids.
 */

import type { InternPool } from "./intern-pool.ts";

export type Words = Int32Array;

/** Takes a copy of `words`, so a model may reuse one scratch tuple for everything that it emits. */
export type EmitInitial = (words: Words) => void;
export type EmitSuccessor = (words: Words, action: number) => void;

export interface Model<State> {
  readonly name: string;
  /** Words of a state. */
  readonly width: number;
  /** Per word: the pool whose id it holds, or null for a plain number. */
  readonly pools: readonly (InternPool<unknown> | null)[];
  initial(emit: EmitInitial): void;
  /**
   * Every step that is enabled in the state, once per way it can be taken: the same successor by two ways is emitted
   * twice, which is how TLC counts generated states.
   */
  successors(words: Words, emit: EmitSuccessor): void;
  /** Reads a tuple. `reuse` was returned earlier by this function and may be filled anew instead of allocating. */
  decode(words: Words, reuse: State | undefined): State;
  readonly properties: Properties<State>;
  readonly symmetry?: Symmetry;

  /** Names of the kinds of step (`FollowerProcessPROPOSE`); the report counts how often each was taken. */
  readonly actionKinds: readonly string[];
  /** Index into `actionKinds`. */
  kindOf(action: number): number;
  /** Crashes, breaks, timeouts: what liveness must do without. */
  isFault?(action: number): boolean;
  /** Transitions of the production charts that were run so far, for the report's share of fired ones. */
  coverage?(): Coverage;
  readonly storyboard: Storyboard<State>;
}

export interface Coverage {
  readonly fired: number;
  readonly total: number;
  readonly missing: readonly string[];
  readonly counts: FiredCounts;
}

/** Chart → transition ("path EVENT#index") → how often it was run; memoised steps count once. */
export type FiredCounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Renamings of look-alike parts (servers) under which the model is unchanged. Number 0 is the identity. */
export interface Symmetry {
  readonly size: number;
  permute(words: Words, permutation: number, into: Words): void;
  /**
   * A shortcut: the renamings worth trying for this state, at least one. They must lead to the same set of states from
   * every state of a class: as those do that sort the parts by something that a renaming does not change.
   */
  candidates?(words: Words): readonly number[];
}

export interface Properties<State> {
  /** True of every reachable state. */
  readonly always: readonly StateProperty<State>[];
  /** True of no step. */
  readonly neverStep: readonly StepProperty<State>[];
  /** True of some reachable state: what guards `always` against vacuous success. */
  readonly sometimes: readonly StateProperty<State>[];
  /** From every reachable state a goal can be reached by steps that are no faults. */
  readonly reachable: readonly StateProperty<State>[];
}

// Methods, not function-typed fields, so that a Model<S> can stand in a list of Model<unknown>.

export interface StateProperty<State> {
  readonly name: string;
  holds(state: State): boolean;
  /** Of `reachable` properties: must the goal be reachable from this state? Default: from every one. */
  applies?(state: State): boolean;
}

export interface StepProperty<State> {
  readonly name: string;
  happens(before: State, after: State, action: number): boolean;
}

export function always<State>(name: string, holds: (state: State) => boolean): StateProperty<State> {
  return { name, holds };
}

export function sometimes<State>(name: string, holds: (state: State) => boolean): StateProperty<State> {
  return { name, holds };
}

export function reachable<State>(name: string, holds: (state: State) => boolean): StateProperty<State> {
  return { name, holds };
}

export function neverStep<State>(
  name: string,
  happens: (before: State, after: State, action: number) => boolean,
): StepProperty<State> {
  return { name, happens };
}

/** How a trace is shown to a person. Slow is fine: it is called for the states of one trace. */
export interface Storyboard<State> {
  /** Names of the parts that act, in the order in which they are drawn. */
  readonly lanes: readonly string[];
  describe(action: number): ActionStory;
  /** Named values; a step's line shows those that it changed. */
  facts(state: State): ReadonlyMap<string, string>;
  /** Packets under way, oldest first; a step's arrows are what it put in or took out. */
  channels(state: State): readonly ChannelPicture[];
}

export interface ActionStory {
  readonly text: string;
  /** Index of the lane that acts, or null when the world does. */
  readonly lane: number | null;
}

export interface ChannelPicture {
  readonly from: number;
  readonly to: number;
  readonly packets: readonly string[];
}
