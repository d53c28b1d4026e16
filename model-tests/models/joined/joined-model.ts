/** MC5: elections and Zab joined. The ensemble of models/zab, with the production elections of models/election for its oracle. */

import { electionMachine } from "../../../spec/election/election.machine.ts";
import {
  type Decision,
  ELECTION_GOALS,
  type ElectionHistory,
  type ElectionServer,
  type ElectionWorld as ElectionView,
} from "../../../spec/invariants/election.invariants.ts";
import {
  ZAB_GOALS,
  ZAB_INVARIANTS,
  ZAB_LIVENESS,
  ZAB_STEP_INVARIANTS,
} from "../../../spec/invariants/zab.invariants.ts";
import type { QuorumConfig } from "../../../spec/quorum.ts";
import type { Epoch, ServerId, Zxid } from "../../../spec/vocabulary.ts";
import { coverageOf } from "../../checker/chart-coverage.ts";
import type { Model, StateProperty, Words } from "../../checker/model.ts";
import type { TraceStep } from "../../checker/trace.ts";
import { channelsOf, type ElectionGoal, electionProperties, voteText } from "../election/election-model.ts";
import { ElectionNet } from "../election/election-net.ts";
import type { ElectionChart } from "../election/voter.ts";
import { ZabState } from "../zab/abstract.ts";
import { Ensemble } from "../zab/ensemble.ts";
import { ACTION_KINDS, isFault, kindOfAction, parameterOfAction, type ZabBounds, ZabLayout } from "../zab/layout.ts";
import { PRODUCTION, type ZabParts } from "../zab/parts.ts";
import { zabStoryboard } from "../zab/story.ts";
import { boundsText } from "../zab/zab-model.ts";
import { type VoteBounds, VotedElections } from "./voted-elections.ts";

export interface JoinedBounds extends ZabBounds, VoteBounds {
  /** So many rounds are left to a state from which all must still come into step (L1). */
  readonly spareRounds: number;
}

export interface JoinedModelOptions {
  readonly bounds: JoinedBounds;
  readonly parts?: ZabParts;
  readonly chart?: ElectionChart;
  /** Names of goals, of Zab's and of elections. */
  readonly goals?: readonly string[];
  /** L1 costs memory for every step: the largest runs leave it out. Default true. */
  readonly liveness?: boolean;
  /** Only this property is looked at. */
  readonly only?: string | undefined;
}

/** A state, as the properties of Zab and those of elections read it. */
class JoinedState extends ZabState implements ElectionView {
  quorum: QuorumConfig = { voters: [] };
  readonly servers: ElectionServer[] = [];
  readonly histories: ElectionHistory[] = [];

  historyOf(server: ServerId): ElectionHistory {
    return this.histories[server - 1] as ElectionHistory;
  }
}

export type { JoinedState };

/** A model that can be replayed from the start of its servers. */
export interface JoinedModel extends Model<JoinedState> {
  readonly joined: JoinedBounds;
  /** All that happens before the search begins, as a trace to its first state. */
  prelude(): readonly TraceStep[];
}

export function joinedModel(options: JoinedModelOptions): JoinedModel {
  const { bounds, parts = PRODUCTION, chart = electionMachine, goals = [], liveness = true, only } = options;
  const at = new ZabLayout(bounds.servers);
  const quorum: QuorumConfig = { voters: Array.from({ length: bounds.servers }, (_, i) => (i + 1) as ServerId) };
  const net = new ElectionNet({ chart, quorum, size: bounds.servers, at: at.width });
  const elections = new VotedElections(net, bounds, at);
  const width = at.width + net.width;
  const isWanted = ({ id, name }: { readonly id: string; readonly name: string }) =>
    only === undefined || `${id} ${name}` === only;
  const properties = {
    always: ZAB_INVARIANTS.filter(isWanted),
    neverStep: ZAB_STEP_INVARIANTS.filter(isWanted),
    sometimes: ZAB_GOALS.filter(({ name }) => goals.includes(name)),
  };
  const ensemble = new Ensemble({ bounds, parts, properties, everyTake: false, elections, width });
  const { world, states, actions } = ensemble;
  const zab = states.properties;
  const votes = electionProperties<JoinedState>({
    goals: ELECTION_VIEW_GOALS.filter(({ name }) => goals.includes(name)),
    only,
    decisionOf: (action): Decision | null =>
      IS_VOTE[kindOfAction(action)] ? net.voters.decision(parameterOfAction(action)) : null,
  });
  const scratch = new Int32Array(width);
  const board = zabStoryboard(world, at);
  const begin = (taken: (words: Words, action: number | null) => void): void => {
    ensemble.start(scratch);
    elections.start(scratch, (server) => world.serverInfo(scratch[server] as number).vote);
    taken(scratch, null);
    ensemble.bringUp(scratch, taken);
  };
  return {
    joined: bounds,
    prelude: () => {
      const trace: TraceStep[] = [];
      begin((words, action) => trace.push({ words: words.slice(), action }));
      return trace;
    },
    name: "joined",
    width,
    pools: [...ensemble.pools, ...net.pools],
    initial: (emit) => {
      begin(() => {});
      emit(scratch);
    },
    successors: (words, emit) => actions.successors(words, emit),
    decode: (words, reuse) => {
      const state = ensemble.read(words, reuse ?? new JoinedState(states, at.servers));
      state.quorum = quorum;
      for (let i = 0; i < at.servers; i++) {
        const { vote } = world.serverInfo(words[i] as number);
        state.servers[i] = net.server(words, i);
        state.histories[i] = { currentEpoch: vote.epoch as Epoch, lastZxid: vote.zxid as Zxid };
      }
      return state;
    },
    properties: {
      always: [...zab.always, ...votes.always],
      neverStep: [...zab.neverStep, ...votes.neverStep],
      sometimes: [...zab.sometimes, ...votes.sometimes],
      reachable: liveness ? ZAB_LIVENESS.filter(isWanted).map((goal) => inStep(goal, bounds)) : [],
    },
    actionKinds: ACTION_KINDS,
    kindOf: kindOfAction,
    isFault,
    coverage: () => coverageOf([world.charts.peer.coverage, world.charts.handler.coverage, net.voters.chart.coverage]),
    storyboard: {
      ...board,
      facts: (state) => {
        const facts = new Map(board.facts(state));
        for (const { self, phase, round, vote } of state.servers)
          facts.set(`s${self}.vote`, phase === "idle" ? "down" : `${phase}, round ${round}, for ${voteText(vote)}`);
        return facts;
      },
      channels: (state) => [...board.channels(state), ...channelsOf(net, state.words)],
    },
  };
}

const ELECTION_VIEW_GOALS: readonly ElectionGoal[] = Object.values(ELECTION_GOALS);
const IS_VOTE = ACTION_KINDS.map((_, kind) => kind >= ACTION_KINDS.indexOf("start"));

/** Judged where rounds are left. */
function inStep(
  { id, name, holds }: (typeof ZAB_LIVENESS)[number],
  { rounds, spareRounds }: JoinedBounds,
): StateProperty<JoinedState> {
  return {
    name: `${id} ${name}`,
    holds: ({ view }) => holds(view),
    applies: ({ servers }) => servers.every(({ round }) => round <= rounds - spareRounds),
  };
}

export function joinedBoundsText(bounds: JoinedBounds): string {
  const { late, rounds, prompt } = bounds;
  const more = [
    ...late.map((id) => `server ${id} starts later`),
    `<= ${rounds} rounds`,
    ...(prompt ? ["settled servers hear at once"] : []),
  ];
  return [boundsText(bounds), ...more].join(", ");
}
