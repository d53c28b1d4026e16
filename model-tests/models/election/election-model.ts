/** MC4: elections alone, by the production chart, with channels that keep only the last message. */

import { electionMachine } from "../../../spec/election/election.machine.ts";
import {
  type Decision,
  ELECTION_INVARIANTS,
  ELECTION_STEP_INVARIANTS,
  type ElectionHistory,
  type ElectionServer,
  type ElectionWorld as ElectionView,
  EVERYONE_SETTLES,
} from "../../../spec/invariants/election.invariants.ts";
import type { QuorumConfig } from "../../../spec/quorum.ts";
import type { ServerId, Vote } from "../../../spec/vocabulary.ts";
import { coverageOf } from "../../checker/chart-coverage.ts";
import type { InternPool } from "../../checker/intern-pool.ts";
import {
  always,
  type ChannelPicture,
  type Model,
  neverStep,
  type StateProperty,
  sometimes,
  type Words,
} from "../../checker/model.ts";
import type { ElectionNet } from "./election-net.ts";
import {
  ACTIONS,
  type Action,
  actionOf,
  type ElectionBounds,
  ElectionWorld,
  epochOfWord,
  FAULTS,
  zxidOfWord,
} from "./election-world.ts";
import type { ElectionChart } from "./voter.ts";

export interface ElectionGoal {
  readonly id: string;
  readonly name: string;
  holds(world: ElectionView): boolean;
}

export interface ElectionModelOptions {
  readonly name: string;
  readonly bounds: ElectionBounds;
  readonly chart?: ElectionChart;
  readonly goals?: readonly ElectionGoal[];
  /** E6 costs memory for every step: the largest runs leave it out. Default true. */
  readonly liveness?: boolean;
  /** Only this property is looked at. */
  readonly only?: string | undefined;
}

/** A state, as the properties read it. */
export class ElectionState implements ElectionView {
  readonly quorum: QuorumConfig;
  readonly servers: ElectionServer[] = [];
  readonly histories: number[] = [];
  readonly words: Words;

  constructor(quorum: QuorumConfig, width: number) {
    this.quorum = quorum;
    this.words = new Int32Array(width);
  }

  historyOf(server: ServerId): ElectionHistory {
    const word = this.histories[server - 1] as number;
    return { currentEpoch: epochOfWord(word), lastZxid: zxidOfWord(word) };
  }
}

export function electionModel(options: ElectionModelOptions): Model<ElectionState> {
  const { name, bounds, chart = electionMachine, goals = [], liveness = true, only } = options;
  const world = new ElectionWorld(bounds, chart);
  const { size, voters } = world;
  const decisionOf = (action: number): Decision | null => voters.decision(actionOf(action).decision);

  const decode = (words: Words, reuse: ElectionState | undefined): ElectionState => {
    const state = reuse ?? new ElectionState(world.quorum, world.width);
    state.words.set(words);
    for (let i = 0; i < size; i++) {
      state.servers[i] = world.server(words, i);
      state.histories[i] = world.history(words, i);
    }
    return state;
  };
  return {
    name,
    width: world.width,
    pools: world.pools as (InternPool<unknown> | null)[],
    initial: (emit) => world.initial(emit),
    successors: (words, emit) => world.successors(words, emit),
    decode,
    properties: {
      ...electionProperties<ElectionState>({ goals, only, decisionOf }),
      reachable: liveness ? [settles(title(EVERYONE_SETTLES), bounds)].filter(({ name }) => isWanted(name, only)) : [],
    },
    actionKinds: ACTIONS,
    kindOf: (action) => action & 15,
    isFault: (action) => FAULTS.includes(actionOf(action).kind),
    coverage: () => coverageOf([voters.chart.coverage]),
    storyboard: {
      lanes: Array.from({ length: size }, (_, i) => `server ${i + 1}`),
      describe: (action) => {
        const what = actionOf(action);
        return { text: textOf(what), lane: what.server };
      },
      facts: factsOf,
      channels: (state) => channelsOf(world.net, state.words),
    },
  };
}

const title = ({ id, name }: { readonly id: string; readonly name: string }): string => `${id} ${name}`;
const isWanted = (name: string, only: string | undefined): boolean => only === undefined || name === only;

export interface ElectionPropertyOptions {
  readonly goals: readonly ElectionGoal[];
  readonly only?: string | undefined;
  /** The decision that a step has made. */
  readonly decisionOf: (action: number) => Decision | null;
}

/** What must hold of those who elect, in whatever model they do it. */
export function electionProperties<State extends ElectionView>({ goals, only, decisionOf }: ElectionPropertyOptions) {
  const wanted = ({ name }: { readonly name: string }) => isWanted(name, only);
  return {
    always: ELECTION_INVARIANTS.map((one) => always<State>(title(one), (state) => one.holds(state))).filter(wanted),
    neverStep: ELECTION_STEP_INVARIANTS.map((one) =>
      neverStep<State>(title(one), (before, after, action) =>
        one.happens({ before, after, decision: decisionOf(action) }),
      ),
    ).filter(wanted),
    sometimes: goals.map((one) => sometimes<State>(title(one), (state) => one.holds(state))).filter(wanted),
  };
}

/** Judged where rounds are left: a world that may not look anew any more says nothing. */
function settles(name: string, { rounds, spareRounds }: ElectionBounds): StateProperty<ElectionState> {
  return {
    name,
    holds: (state) => EVERYONE_SETTLES.holds(state),
    applies: (state) =>
      state.servers.every(({ round }) => round <= rounds - spareRounds) && EVERYONE_SETTLES.applies(state),
  };
}

function textOf({ kind, server, other }: Action): string {
  const here = server + 1;
  const there = other + 1;
  switch (kind) {
    case "Deliver":
      return `server ${here} hears server ${there}`;
    case "Connect":
      return `a channel between servers ${here} and ${there} comes up`;
    case "Break":
      return `the channel between servers ${here} and ${there} breaks`;
    case "NoticeDown":
      return `server ${here} finds server ${there} out of reach`;
    case "Repeat":
      return `server ${here} repeats itself`;
    case "EndWait":
      return `server ${here} has waited long enough`;
    case "LookAnew":
      return `server ${here} has nobody to follow and looks anew`;
    case "Establish":
      return `server ${here} is in a new epoch`;
    case "Start":
    case "Crash":
      return `server ${here} ${kind === "Start" ? "starts" : "crashes"}`;
  }
}

export function voteText({ leader, peerEpoch, zxid, electionEpoch }: Vote): string {
  return `${leader} (epoch ${peerEpoch}, zxid ${zxid}) in round ${electionEpoch}`;
}

function factsOf(state: ElectionState): Map<string, string> {
  const facts = new Map<string, string>();
  for (const { self, phase, round, vote } of state.servers) {
    facts.set(`server ${self}`, phase === "idle" ? "down" : `${phase}, round ${round}, votes ${voteText(vote)}`);
    const { currentEpoch, lastZxid } = state.historyOf(self);
    facts.set(`disk ${self}`, `epoch ${currentEpoch}, zxid ${lastZxid}`);
  }
  return facts;
}

/** The votes that are on their way. */
export function channelsOf(net: ElectionNet, words: Words): ChannelPicture[] {
  const pictures: ChannelPicture[] = [];
  for (let from = 0; from < net.size; from++) {
    for (let to = 0; to < net.size; to++) {
      const message = from === to ? null : net.voters.messages.get(net.underWay(words, from, to));
      if (message === null) continue;
      pictures.push({ from, to, packets: [`${message.state} ${voteText(message.vote)}`] });
    }
  }
  return pictures;
}

export function electionBoundsText(bounds: ElectionBounds): string {
  const { voters, observers, asleep, histories, start, crashes, breaks, epochs, rounds, patient } = bounds;
  const worlds = histories.reduce((product, { length }) => product * length, 1);
  const text = [
    `${voters} voters`,
    observers > 0 ? `${observers} observer` : "",
    asleep > 0 ? `${asleep} of them never up` : "",
    worlds === 1 ? "1 history" : `${worlds} histories`,
    start === "apart" ? "starting in any order" : "",
    crashes > 0 ? `${crashes} crash` : "",
    breaks > 0 ? `${breaks} break` : "",
    epochs > 0 ? `${epochs} new epoch` : "",
    `<= ${rounds} rounds`,
    patient ? "timers outlast messages" : "",
  ];
  return text.filter((part) => part !== "").join(", ");
}
