/** A run of a model from an initial state, found again from the choices that led along it. */

import { assert } from "../../src/runtime/assert.ts";
import type { Model, Words } from "./model.ts";

export interface TraceStep {
  /** The action that led here; null for the initial state. */
  readonly action: number | null;
  readonly words: Words;
}

export interface Counterexample {
  readonly property: string;
  readonly kind: "always" | "neverStep" | "reachable";
  /** The choices that lead along the trace: enough to find it again with `traceOf`. */
  readonly ordinals: readonly number[];
  /** The initial state first. A state property fails in the last state, a step property in the last step. */
  readonly trace: readonly TraceStep[];
}

export function counterexampleAt<State>(
  model: Model<State>,
  property: string,
  kind: Counterexample["kind"],
  ordinals: readonly number[],
): Counterexample {
  return { property, kind, ordinals, trace: traceOf(model, ordinals) };
}

/** Runs the model along `ordinals`: which initial state, then which successor each time. */
export function traceOf<State>(model: Model<State>, ordinals: readonly number[]): TraceStep[] {
  const trace: TraceStep[] = [];
  for (const ordinal of ordinals) {
    const last = trace.at(-1);
    let count = 0;
    let step: TraceStep | undefined;
    const emit = (words: Words, action: number | null) => {
      if (count++ === ordinal) step = { action, words: words.slice() };
    };
    if (last === undefined) model.initial((words) => emit(words, null));
    else model.successors(last.words, emit);
    assert(step !== undefined, "A trace follows successors that exist: the model must emit in an order of its own.");
    trace.push(step);
  }
  return trace;
}
