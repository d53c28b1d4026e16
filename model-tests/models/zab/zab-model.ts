/** The ensemble as a model: servers, the links between them, faults within bounds, and an oracle in place of elections. */

import { ZAB_GOALS, ZAB_INVARIANTS, ZAB_STEP_INVARIANTS } from "../../../spec/invariants/zab.invariants.ts";
import { coverageOf } from "../../checker/chart-coverage.ts";
import type { EmitInitial, EmitSuccessor, Model, Words } from "../../checker/model.ts";
import { type ZabProperties, ZabState } from "./abstract.ts";
import { Ensemble } from "./ensemble.ts";
import { isFault, kindOfAction, ORACLE_KINDS, type ZabBounds } from "./layout.ts";
import { Oracle } from "./oracle.ts";
import { PRODUCTION, type ZabParts } from "./parts.ts";
import { zabStoryboard } from "./story.ts";
import { zabSymmetry } from "./symmetry.ts";

export interface ZabModelOptions {
  readonly bounds: ZabBounds;
  readonly parts?: ZabParts;
  readonly properties?: ZabProperties;
  /** Make every take of a packet a step of its own, also those that nobody can notice (quiet-takes.ts). Default false. */
  readonly everyTake?: boolean;
}

export const ALL_PROPERTIES: ZabProperties = {
  always: ZAB_INVARIANTS,
  neverStep: ZAB_STEP_INVARIANTS,
  sometimes: ZAB_GOALS,
};

export function zabModel({
  bounds,
  parts = PRODUCTION,
  properties = ALL_PROPERTIES,
  everyTake = false,
}: ZabModelOptions): Model<ZabState> {
  const ensemble = new Ensemble({ bounds, parts, properties, everyTake, elections: new Oracle(bounds) });
  const { at, world, states, actions } = ensemble;
  const scratch = new Int32Array(at.width);

  return {
    name: "zab",
    width: at.width,
    pools: ensemble.pools,
    initial: (emit: EmitInitial): void => {
      ensemble.start(scratch);
      ensemble.bringUp(scratch);
      emit(scratch);
    },
    successors: (words: Words, emit: EmitSuccessor) => actions.successors(words, emit),
    decode: (words, reuse) => ensemble.read(words, reuse ?? new ZabState(states, at.servers)),
    properties: states.properties,
    symmetry: zabSymmetry(world, at),
    actionKinds: ORACLE_KINDS,
    kindOf: kindOfAction,
    isFault,
    coverage: () => coverageOf([world.charts.peer.coverage, world.charts.handler.coverage]),
    storyboard: zabStoryboard(world, at),
  };
}

export function boundsText(bounds: ZabBounds): string {
  const { servers, txns, crashes, breaks, wipes, epochs, history, serving, committedLog, oracle } = bounds;
  const extra = [
    ...(wipes === 0 ? [] : [`${wipes} empty disks`]),
    ...(history === 0 ? [] : [`${history} txns before`]),
    ...(serving === 0 ? [] : [`${serving} serve`]),
    ...(committedLog === 500 ? [] : [`commitLog ${committedLog}`]),
    ...(oracle === "best" ? [] : ["any leader"]),
  ];
  return [`N=${servers}`, `${txns} txns`, `${crashes} crashes`, `${breaks} breaks`, `${epochs} epochs`, ...extra].join(
    ", ",
  );
}
