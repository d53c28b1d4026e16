/** The ensemble as a model: servers, the links between them, faults within bounds, and an oracle in place of elections. */

import { ZAB_GOALS, ZAB_INVARIANTS, ZAB_STEP_INVARIANTS } from "../../../spec/invariants/zab.invariants.ts";
import { type Epoch, makeZxid, type ServerId } from "../../../spec/vocabulary.ts";
import { coverageOf } from "../../checker/chart-coverage.ts";
import type { InternPool } from "../../checker/intern-pool.ts";
import type { EmitInitial, EmitSuccessor, Model, Words } from "../../checker/model.ts";
import { AbstractStates, type ZabProperties, ZabState } from "./abstract.ts";
import { ZabActions } from "./actions.ts";
import { broughtUp } from "./brought-up.ts";
import { ghostWith } from "./ghost.ts";
import { ACTION_KINDS, budgetOf, isFault, kindOfAction, type ZabBounds, ZabLayout } from "./layout.ts";
import { NO_LINKS } from "./links.ts";
import { diskWith } from "./model-disk.ts";
import { PRODUCTION, type ZabParts } from "./parts.ts";
import { QuietTakes } from "./quiet-takes.ts";
import { zabStoryboard } from "./story.ts";
import { zabSymmetry } from "./symmetry.ts";
import { ZabWorld } from "./world.ts";

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
  const at = new ZabLayout(bounds.servers);
  const world = new ZabWorld(bounds, parts, at);
  const { servers, links, ghosts } = world;
  const states = new AbstractStates(properties, world.quorum, bounds.epochs, (ghost) => ghosts.snapshots.get(ghost));
  const actions = new ZabActions(world, bounds, everyTake ? null : new QuietTakes(world, states));
  const scratch = new Int32Array(at.width);

  const initial = (emit: EmitInitial): void => {
    const history = Array.from({ length: bounds.history }, (_, i) => [makeZxid(1, i + 1), 100 + i] as const);
    const disk = diskWith(history, (bounds.history === 0 ? 0 : 1) as Epoch);
    for (let server = 0; server < at.servers; server++)
      scratch[server] = servers.started((server + 1) as ServerId, disk);
    for (let pair = 0; pair < at.pairs; pair++) scratch[at.servers + pair] = links.snapshots.intern(NO_LINKS);
    scratch[at.ghost] = ghosts.snapshots.intern(ghostWith(history));
    scratch[at.budget] = budgetOf(bounds);
    if (bounds.serving > 0) broughtUp(scratch, bounds, (words, each) => actions.successors(words, each));
    emit(scratch);
  };

  const serverPool = servers.machine.snapshots as InternPool<unknown>;
  const linkPool = links.snapshots as InternPool<unknown>;
  return {
    name: "zab",
    width: at.width,
    pools: [
      ...Array.from({ length: at.servers }, () => serverPool),
      ...Array.from({ length: at.pairs }, () => linkPool),
      ghosts.snapshots as InternPool<unknown>,
      null,
    ],
    initial,
    successors: (words: Words, emit: EmitSuccessor) => actions.successors(words, emit),
    decode: (words, reuse) => {
      const state = reuse ?? new ZabState(states, at.servers);
      for (let i = 0; i < at.servers; i++) state.views[i] = world.viewNumber(words[i] as number, states);
      state.ghost = words[at.ghost] as number;
      state.words = words;
      states.number(state);
      return state;
    },
    properties: states.properties,
    symmetry: zabSymmetry(world, at),
    actionKinds: ACTION_KINDS,
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
