/** The Zab specification as a model for the explorer. */

import type { Model, StateProperty } from "../model.ts";
import { initialState, successors } from "./zab-actions.ts";
import { ZAB_GOALS, ZAB_INVARIANTS } from "./zab-invariants.ts";
import { ZabLayout, ZabState } from "./zab-layout.ts";
import { SPECIFIED, type ZabRules } from "./zab-rules.ts";
import { ACTION_KINDS, kindOf, type ZabBounds, ZabStep } from "./zab-step.ts";
import { zabStoryboard } from "./zab-story.ts";
import { zabSymmetry } from "./zab-symmetry.ts";
import { ZabValues } from "./zab-values.ts";

/** MaxEpoch, where nothing else is said. */
export const MAX_EPOCH = 3;

export interface ZabModelOptions {
  readonly bounds: ZabBounds;
  readonly rules?: ZabRules;
  readonly invariants?: readonly StateProperty<ZabState>[];
}

export function boundsText({ servers, txns, timeouts, restarts, epochs }: ZabBounds): string {
  return `${servers} servers, ${txns} txns, ${timeouts} timeouts, ${restarts} restarts, ${epochs} epochs`;
}

export function createModel({
  bounds,
  rules = SPECIFIED,
  invariants = ZAB_INVARIANTS,
}: ZabModelOptions): Model<ZabState> {
  const values = new ZabValues();
  const layout = new ZabLayout(bounds.servers, values);
  const step = new ZabStep(layout, values, bounds, rules);
  return {
    name: "zab-tla",
    width: layout.width,
    pools: layout.pools,
    initial: (emit) => emit(initialState(step)),
    successors: (words, emit) => successors(step, words, emit),
    decode: (words, reuse) => (reuse ?? new ZabState(layout, values)).load(words),
    properties: { always: invariants, neverStep: [], sometimes: ZAB_GOALS, reachable: [] },
    symmetry: zabSymmetry(layout, values, bounds),
    actionKinds: ACTION_KINDS,
    kindOf,
    isFault: (action) => FAULTS.has(kindOf(action)),
    storyboard: zabStoryboard(layout),
  };
}

const FAULTS = new Set([ACTION_KINDS.indexOf("Timeout"), ACTION_KINDS.indexOf("Restart")]);
