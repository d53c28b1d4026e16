/** What every model of the ensemble is made of: the servers' world, what can happen in it, and what properties see of it. */

import { type Epoch, makeZxid, type ServerId } from "../../../spec/vocabulary.ts";
import type { InternPool } from "../../checker/intern-pool.ts";
import type { Words } from "../../checker/model.ts";
import { AbstractStates, type ZabProperties, type ZabState } from "./abstract.ts";
import { ZabActions } from "./actions.ts";
import { broughtUp } from "./brought-up.ts";
import type { Elections } from "./elections.ts";
import { ghostWith } from "./ghost.ts";
import { budgetOf, type ZabBounds, ZabLayout } from "./layout.ts";
import { NO_LINKS } from "./links.ts";
import { diskWith } from "./model-disk.ts";
import type { ZabParts } from "./parts.ts";
import { QuietTakes } from "./quiet-takes.ts";
import { ZabWorld } from "./world.ts";

export interface EnsembleOptions {
  readonly bounds: ZabBounds;
  readonly parts: ZabParts;
  readonly properties: ZabProperties;
  readonly everyTake: boolean;
  readonly elections: Elections;
  /** Words of a state, of which the ensemble's are the first. Default: there are no others. */
  readonly width?: number;
}

export class Ensemble {
  readonly at: ZabLayout;
  readonly world: ZabWorld;
  readonly states: AbstractStates;
  readonly actions: ZabActions;
  readonly #bounds: ZabBounds;

  constructor({ bounds, parts, properties, everyTake, elections, width }: EnsembleOptions) {
    this.#bounds = bounds;
    this.at = new ZabLayout(bounds.servers);
    this.world = new ZabWorld(bounds, parts, this.at, elections, width);
    const { ghosts, quorum } = this.world;
    this.states = new AbstractStates(properties, quorum, bounds.epochs, (ghost) => ghosts.snapshots.get(ghost));
    const quiet = everyTake ? null : new QuietTakes(this.world, this.states);
    this.actions = new ZabActions(this.world, bounds, quiet, elections);
  }

  /** Of the ensemble's words. */
  get pools(): (InternPool<unknown> | null)[] {
    const { servers, links, ghosts } = this.world;
    return [
      ...Array.from({ length: this.at.servers }, () => servers.machine.snapshots as InternPool<unknown>),
      ...Array.from({ length: this.at.pairs }, () => links.snapshots as InternPool<unknown>),
      ghosts.snapshots as InternPool<unknown>,
      null,
    ];
  }

  /** All servers have started, and look. */
  start(words: Words): void {
    const { at, world } = this;
    const { history: txns } = this.#bounds;
    const history = Array.from({ length: txns }, (_, i) => [makeZxid(1, i + 1), 100 + i] as const);
    const disk = diskWith(history, (txns === 0 ? 0 : 1) as Epoch);
    for (let server = 0; server < at.servers; server++)
      words[server] = world.servers.started((server + 1) as ServerId, disk);
    for (let pair = 0; pair < at.pairs; pair++) words[at.servers + pair] = world.links.snapshots.intern(NO_LINKS);
    words[at.ghost] = world.ghosts.snapshots.intern(ghostWith(history));
    words[at.budget] = budgetOf(this.#bounds);
  }

  /** Some of them serve, if the bounds say so. `taken` is told the steps to there. */
  bringUp(words: Words, taken: (words: Words, action: number) => void = () => {}): void {
    if (this.#bounds.serving === 0) return;
    broughtUp(words, this.#bounds, (state, emit) => this.actions.successors(state, emit), taken);
  }

  read<State extends ZabState>(words: Words, state: State): State {
    const { at, world, states } = this;
    for (let i = 0; i < at.servers; i++) state.views[i] = world.viewNumber(words[i] as number, states);
    state.ghost = words[at.ghost] as number;
    state.words = words;
    states.number(state);
    return state;
  }
}
