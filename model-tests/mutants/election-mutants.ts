/** The known bugs of elections (M40 and its relatives), as variants of the production chart. */

import { assign } from "xstate";
import { type ElectionContext, type ElectionEvent, electionMachine } from "../../spec/election/election.machine.ts";
import { beats, sameSettledVote, sameVote } from "../../spec/election/vote-order.ts";
import { ELECTION_GOALS } from "../../spec/invariants/election.invariants.ts";
import { isQuorum, isVoter } from "../../spec/quorum.ts";
import type { Epoch } from "../../spec/vocabulary.ts";
import type { Mutant } from "../checker/check.ts";
import { CALM, MIXED } from "../models/election/election-checks.ts";
import { electionBoundsText, electionModel } from "../models/election/election-model.ts";
import type { ElectionBounds } from "../models/election/election-world.ts";
import type { ElectionChart } from "../models/election/voter.ts";
import { type ChartNode, changed } from "./chart-variants.ts";

interface ElectionMutant {
  readonly story: string;
  readonly chart: ElectionChart;
  readonly bounds?: Partial<ElectionBounds>;
  readonly killer: string;
  readonly depth: number;
  /** The killer alone is looked at: another property fails on a shorter way. */
  readonly alone?: boolean;
}

const SMALL: ElectionBounds = { ...CALM, histories: MIXED, patient: true };

function mutant(name: string, { chart, bounds, alone, ...known }: ElectionMutant): Mutant {
  const all = { ...SMALL, ...bounds };
  const goals = Object.values(ELECTION_GOALS);
  const load = async () => {
    const only = alone === true ? known.killer : undefined;
    return electionModel({ name, bounds: all, chart, goals: alone === true ? goals : [], only });
  };
  return { name, bounds: electionBoundsText(all), load, ...known };
}

type Step = { readonly context: ElectionContext; readonly event: ElectionEvent };
type Assigner = (step: Step) => Partial<ElectionContext>;
interface Transition {
  readonly guard?: string;
  readonly actions?: unknown;
  readonly [key: string]: unknown;
}

/** Production's chart with other guards. */
function guarded(guards: Readonly<Record<string, (step: Step) => boolean>>): ElectionChart {
  return electionMachine.provide({ guards } as never) as ElectionChart;
}

/** What an `assign` of the chart would do, done otherwise. */
function reassigned(action: unknown, change: (made: Partial<ElectionContext>, step: Step) => Partial<ElectionContext>) {
  const production = (action as { readonly assignment: Assigner }).assignment;
  return assign((args) => {
    const step = args as unknown as Step;
    return change(production(step), step) as never;
  });
}

/** Changes one transition of a node, found by its guard. */
function transitionWith(node: ChartNode, event: string, guard: string, change: (old: Transition) => Transition): void {
  const transitions = node.on?.[event] as Transition[];
  node.on = { ...node.on, [event]: transitions.map((old) => (old.guard === guard ? change(old) : old)) };
}

const heard = ({ event }: Step, ...states: string[]) =>
  event.type === "NOTIFICATION" && states.includes(event.state) ? event : null;

const isForVoter = ({ context, event }: Step) =>
  event.type === "NOTIFICATION" && isVoter(context.quorum, event.vote.leader);

const unanimous = ({ context }: Step): boolean =>
  context.quorum.voters.every((id) => {
    const ballot = context.ballots[id];
    return ballot !== undefined && sameVote(ballot.vote, context.proposal);
  });

export const ELECTION_MUTANTS: readonly Mutant[] = [
  mutant("M40 a smaller vote is adopted", {
    story: "Whoever speaks last is voted for: servers may move to a vote that is smaller than their own.",
    chart: changed(
      electionMachine.provide({
        guards: {
          changesProposal: ({ context, event }) => {
            const it = heard({ context, event }, "LOOKING");
            return it !== null && it.vote.leader !== context.proposal.leader;
          },
        },
      }) as ElectionChart,
      {
        looking: (node) =>
          transitionWith(node, "NOTIFICATION", "changesProposal", (old) => {
            const [assigned, ...rest] = old.actions as unknown[];
            const adopting = reassigned(assigned, (made, { event }) =>
              event.type === "NOTIFICATION" ? { ...made, proposal: event.vote } : made,
            );
            return { ...old, actions: [adopting, ...rest] };
          }),
      },
    ),
    killer: "E1 VoteNeverShrinks",
    depth: 2,
  }),
  mutant("M40 a server settles with its own vote", {
    story: "It does not wait for a quorum before it stops looking.",
    chart: guarded({ quorumReached: () => true, quorumLost: () => false }),
    killer: "E2 DecidesWithQuorum",
    depth: 4,
  }),
  mutant("M40 the wait outlasts the quorum", {
    story:
      "Ours, found by this model: a voter moved on while the server waited, which settled on its vote nevertheless.",
    chart: guarded({ quorumLost: () => false }),
    bounds: { patient: false },
    killer: "E2 DecidesWithQuorum",
    depth: 7,
  }),
  mutant("M40 the word of followers is enough", {
    story: "A server joins a leader that has not said itself that it leads: it may be dead, or be this server.",
    chart: guarded({
      runningEnsemble: ({ context, event }) => {
        const it = heard({ context, event }, "FOLLOWING", "LEADING");
        if (it === null) return false;
        const words = { ...context.outOfElection, [it.from]: { vote: it.vote, state: it.state } };
        return isQuorum(context.quorum, (id) => {
          const word = words[id];
          return word !== undefined && sameSettledVote(word.vote, it.vote);
        });
      },
    }),
    bounds: { crashes: 1 },
    killer: "E2 JoinsConfirmedLeader",
    depth: 12,
  }),
  mutant("M40 a vote changes while it is acted upon", {
    story: "A settled server hears a better vote and takes it over, while its peer is on the way to the old leader.",
    chart: changed(electionMachine, {
      settled: (node) => {
        const better = {
          guard: ({ context, event }: Step) => {
            const it = heard({ context, event }, "LOOKING");
            return it !== null && beats(context.quorum, it.vote, context.proposal);
          },
          actions: assign(({ event }) => (event.type === "NOTIFICATION" ? { proposal: event.vote } : {}) as never),
        };
        node.on = { ...node.on, NOTIFICATION: [better, ...((node.on?.["NOTIFICATION"] ?? []) as unknown[])] };
      },
    }),
    killer: "E2 SettledVoteStands",
    depth: 9,
  }),
  mutant("M40 the epoch of the election for the peer's", {
    story: "The two epochs of a vote are mixed up: a server votes with its round where its history's epoch belongs.",
    chart: changed(electionMachine, {
      looking: (node) => {
        const [assigned, ...rest] = node.entry as unknown[];
        const mixed = reassigned(assigned, (made, { context }) => {
          if (made.proposal === undefined) return made;
          const vote = { ...made.proposal, peerEpoch: made.proposal.electionEpoch as Epoch };
          const ballots = { [context.self]: { vote, state: "LOOKING" as const } };
          return { ...made, initialVote: vote, proposal: vote, ballots };
        });
        node.entry = [mixed, ...rest];
      },
    }),
    killer: "E3 ElectedIsMostRecent",
    depth: 4,
  }),
  mutant("M40 observers are counted", {
    story: "Whoever sends a vote is counted, voter or not.",
    chart: guarded({
      foreignLooking: (step) => heard(step, "LOOKING") !== null && !isForVoter(step),
      ignorable: (step) => !isForVoter(step),
    }),
    bounds: { voters: 2, observers: 1 },
    killer: "E4 OnlyVotersCount",
    depth: 4,
  }),
  mutant("M40 the logical clock goes back", {
    story: "As Apache ZooKeeper does: who joins a running ensemble takes over its round, though its own is later.",
    chart: changed(electionMachine, {
      looking: (node) =>
        transitionWith(node, "NOTIFICATION", "runningEnsemble", (old) => ({
          ...old,
          actions: reassigned(old.actions, (made, { event }) =>
            event.type === "NOTIFICATION" ? { ...made, round: event.vote.electionEpoch } : made,
          ),
        })),
    }),
    killer: "E5 ClockNeverGoesBack",
    depth: 12,
  }),
  mutant("M40 a vote of an earlier round counts", {
    story: "A vote that was under way since the last election overwrites the one of this round.",
    chart: guarded({ fromOlderRound: () => false }),
    killer: "E5 BallotsOfThisRound",
    depth: 7,
  }),
  mutant("M40 a settled server answers nobody", {
    story: "ZOOKEEPER-569, 1419: a server that looks alone never learns that there is an ensemble.",
    chart: changed(electionMachine, {
      settled: (node) => {
        node.on = { ...node.on, NOTIFICATION: {} };
      },
    }),
    bounds: { start: "apart" },
    killer: "E6 EveryoneSettles",
    depth: 9,
  }),
  mutant("M40 followers do not tell of the new epoch", {
    story:
      "ZOOKEEPER-1732: their votes keep the epoch of the election, the leader's does not: a newcomer finds no quorum.",
    chart: changed(electionMachine, {
      settled: (node) => {
        const established = node.on?.["EPOCH_ESTABLISHED"] as Transition;
        const leads = ({ context }: Step) => context.proposal.leader === context.self;
        node.on = { ...node.on, EPOCH_ESTABLISHED: [{ ...established, guard: leads }, {}] };
      },
    }),
    bounds: { start: "apart", epochs: 1 },
    killer: "E6 EveryoneSettles",
    depth: 10,
  }),
  mutant("all voters must agree", {
    story: "A quorum is taken to be everybody: one server that is down and nobody is elected.",
    chart: guarded({ quorumReached: unanimous, quorumLost: (step) => !unanimous(step) }),
    bounds: { start: "apart" },
    killer: "E7 QuorumWithoutOne",
    depth: 34,
    alone: true,
  }),
];
