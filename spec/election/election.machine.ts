/**
 * Fast leader election of one server, from the first notification to the settled vote that it answers late joiners with.
 * Source: FastLeaderElection (lookForLeader, WorkerReceiver); the original is described in "Zab: High-performance broadcast"
 * section VI and in Medeiros, "ZooKeeper's atomic broadcast protocol". Diagram: election.
 *
 * Differs from Apache ZooKeeper: when every voter has either voted for the candidate or is known to be unreachable, no better
 * vote can be on its way, so the server decides without the finalize wait (deviations.md, "finalize wait").
 */
import { assign, setup } from "xstate";
import type { QuorumConfig } from "../quorum.ts";
import { isQuorum, isVoter } from "../quorum.ts";
import type { Epoch, PeerState, ServerId, Vote, Zxid } from "../vocabulary.ts";
import { NO_ZXID } from "../vocabulary.ts";
import { type Ballot, beats, sameSettledVote, sameVote } from "./vote-order.ts";

/** FastLeaderElection.finalizeWait and notification intervals, ms. */
export const FINALIZE_WAIT_MS = 200;
export const MIN_NOTIFICATION_INTERVAL_MS = 200;
export const MAX_NOTIFICATION_INTERVAL_MS = 60_000;

export interface ElectionInput {
  readonly self: ServerId;
  readonly quorum: QuorumConfig;
}

export interface ElectionContext extends ElectionInput {
  /** Logical clock: the round this server is in. Never goes backwards while the process lives. */
  readonly round: number;
  /** The vote for itself that this server entered the election with. */
  readonly initialVote: Vote;
  readonly proposal: Vote;
  /** Votes of this round, by voter. */
  readonly ballots: Readonly<Record<number, Ballot>>;
  /** What settled servers say, whatever their round: how a late joiner finds a running ensemble. */
  readonly outOfElection: Readonly<Record<number, Ballot>>;
  /** Voters whose election channel is known to be down. */
  readonly unreachable: readonly ServerId[];
  readonly intervalMs: number;
}

export type ElectionEvent =
  | { readonly type: "LOOK"; readonly zxid: Zxid; readonly currentEpoch: Epoch }
  | { readonly type: "NOTIFICATION"; readonly from: ServerId; readonly vote: Vote; readonly state: PeerState }
  | { readonly type: "CHANNEL_UP"; readonly peer: ServerId }
  | { readonly type: "CHANNEL_DOWN"; readonly peer: ServerId }
  /** The ensemble runs in a new epoch: late joiners must see votes that match. */
  | { readonly type: "EPOCH_ESTABLISHED"; readonly epoch: Epoch };

export type ElectionEffect =
  /** To every voter, itself excepted (its own vote is in `ballots` from the start). */
  | { readonly type: "notification.broadcast"; readonly vote: Vote }
  | { readonly type: "notification.answer"; readonly to: ServerId; readonly vote: Vote; readonly settled: boolean }
  /** Open channels to voters that have none. */
  | { readonly type: "channels.connect" }
  | { readonly type: "election.decided"; readonly vote: Vote };

const NOBODY: Vote = { leader: -1 as ServerId, zxid: NO_ZXID, electionEpoch: 0, peerEpoch: -1 as Epoch };

type Notification = Extract<ElectionEvent, { type: "NOTIFICATION" }>;

function ownVote(context: ElectionContext, round: number, zxid: Zxid, currentEpoch: Epoch): Vote {
  // A non-voter proposes nothing: it adopts what the voters agree on.
  if (!isVoter(context.quorum, context.self)) return { ...NOBODY, electionEpoch: round };
  return { leader: context.self, zxid, electionEpoch: round, peerEpoch: currentEpoch };
}

const better = (context: ElectionContext, vote: Vote, than: Vote): Vote =>
  beats(context.quorum, vote, than) ? vote : than;

/** Is the sender a voter and its candidate one too? Everything else is answered but never counted (E4). */
const counts = ({ context, event }: { context: ElectionContext; event: ElectionEvent }): boolean =>
  event.type === "NOTIFICATION" && isVoter(context.quorum, event.from) && isVoter(context.quorum, event.vote.leader);

/**
 * A voter whose disk came back empty may have helped to commit what it no longer has: whom it voted for would count on a
 * memory that is gone. It waits until others have elected somebody, and joins (ZOOKEEPER-261, -2325).
 */
const hasLostHistory = ({ quorum, self, initialVote }: ElectionContext): boolean =>
  isVoter(quorum, self) && initialVote.zxid === NO_ZXID;

/** The round, proposal and ballots after counting a LOOKING server's vote. */
function afterVote(context: ElectionContext, event: Notification): ElectionContext {
  const { vote, from } = event;
  let { round, proposal, ballots } = context;
  if (vote.electionEpoch > round) {
    round = vote.electionEpoch;
    const own = { ...context.initialVote, electionEpoch: round };
    proposal = { ...better(context, vote, own), electionEpoch: round };
    ballots = {};
  } else if (beats(context.quorum, vote, proposal)) {
    proposal = { ...vote, electionEpoch: round };
  }
  ballots = { ...ballots, [from]: { vote, state: "LOOKING" } };
  if (isVoter(context.quorum, context.self))
    ballots = { ...ballots, [context.self]: { vote: proposal, state: "LOOKING" } };
  return { ...context, round, proposal, ballots };
}

/** The ballots after a settled server's word. Same round: it counts with the votes of this round as well. */
function afterWord(context: ElectionContext, event: Notification): ElectionContext {
  const ballot: Ballot = { vote: event.vote, state: event.state };
  const outOfElection = { ...context.outOfElection, [event.from]: ballot };
  if (event.vote.electionEpoch !== context.round) return { ...context, outOfElection };
  return { ...context, outOfElection, ballots: { ...context.ballots, [event.from]: ballot } };
}

const agrees = (
  context: ElectionContext,
  ballots: Readonly<Record<number, Ballot>>,
  same: (vote: Vote) => boolean,
): boolean =>
  isQuorum(context.quorum, (id) => {
    const ballot = ballots[id];
    return ballot !== undefined && same(ballot.vote);
  });

const candidateHasQuorum = (context: ElectionContext): boolean =>
  agrees(context, context.ballots, (vote) => sameVote(vote, context.proposal));

/**
 * A leader must say itself that it leads: followers of a leader that died keep naming it, and a joiner that believed them
 * would follow nobody (checkLeader). Naming me as leader counts only in my own round.
 */
function leaderConfirms(context: ElectionContext, ballots: Readonly<Record<number, Ballot>>, vote: Vote): boolean {
  if (vote.leader === context.self) return vote.electionEpoch === context.round;
  return ballots[vote.leader]?.state === "LEADING";
}

function settledEnsemble(context: ElectionContext, event: Notification): boolean {
  const joined = afterWord(context, event);
  const same = (vote: Vote): boolean => sameSettledVote(vote, event.vote);
  return (
    (event.vote.electionEpoch === context.round &&
      agrees(joined, joined.ballots, same) &&
      leaderConfirms(joined, joined.outOfElection, event.vote)) ||
    (agrees(joined, joined.outOfElection, same) && leaderConfirms(joined, joined.outOfElection, event.vote))
  );
}

/** Nobody is left who could still send a better vote. */
const everyoneSpoke = (context: ElectionContext): boolean =>
  context.quorum.voters.every((id) => {
    if (id === context.self) return true;
    const ballot = context.ballots[id];
    return (ballot !== undefined && sameVote(ballot.vote, context.proposal)) || context.unreachable.includes(id);
  });

const isNotification = (event: ElectionEvent, ...states: PeerState[]): event is Notification =>
  event.type === "NOTIFICATION" && states.includes(event.state);

export const electionMachine = setup({
  types: {
    context: {} as ElectionContext,
    events: {} as ElectionEvent,
    input: {} as ElectionInput,
  },
  actions: {
    effect: (_, _effect: ElectionEffect) => {},
  },
  guards: {
    /** A vote of an older round: its sender learns of ours and moves on. */
    fromOlderRound: ({ context, event }) =>
      isNotification(event, "LOOKING") && event.vote.electionEpoch < context.round,
    ignorable: ({ context, event }) =>
      !counts({ context, event }) ||
      (event.type === "NOTIFICATION" && event.vote.zxid === NO_ZXID) ||
      isNotification(event, "OBSERVING") ||
      (isNotification(event, "LOOKING") && hasLostHistory(context)),
    foreignLooking: ({ context, event }) => isNotification(event, "LOOKING") && !counts({ context, event }),
    /** The vote changes what we propose (or our round), so everybody must hear of it. */
    changesProposal: ({ context, event }) =>
      isNotification(event, "LOOKING") &&
      (event.vote.electionEpoch > context.round || beats(context.quorum, event.vote, context.proposal)),
    completesQuorum: ({ context, event }) =>
      isNotification(event, "LOOKING") && candidateHasQuorum(afterVote(context, event)),
    looking: ({ event }) => isNotification(event, "LOOKING"),
    runningEnsemble: ({ context, event }) =>
      isNotification(event, "FOLLOWING", "LEADING") && settledEnsemble(context, event),
    fromSettled: ({ event }) => isNotification(event, "FOLLOWING", "LEADING"),
    everyoneSpoke: ({ context }) => everyoneSpoke(context),
    quorumReached: ({ context }) => candidateHasQuorum(context),
    quorumLost: ({ context }) => !candidateHasQuorum(context),
  },
  delays: {
    interval: ({ context }) => context.intervalMs,
    finalizeWait: FINALIZE_WAIT_MS,
  },
}).createMachine({
  id: "election",
  context: ({ input }) => ({
    ...input,
    round: 0,
    initialVote: NOBODY,
    proposal: NOBODY,
    ballots: {},
    outOfElection: {},
    unreachable: [],
    intervalMs: MIN_NOTIFICATION_INTERVAL_MS,
  }),
  initial: "idle",
  on: {
    CHANNEL_UP: {
      actions: assign({ unreachable: ({ context, event }) => context.unreachable.filter((id) => id !== event.peer) }),
    },
    CHANNEL_DOWN: {
      actions: assign({
        unreachable: ({ context, event }) =>
          context.unreachable.includes(event.peer) ? context.unreachable : [...context.unreachable, event.peer],
      }),
    },
  },
  states: {
    idle: {
      description: "The server is still recovering its data and has no vote yet.",
      on: {
        LOOK: "looking",
        // Nothing to say before the own history is known; the sender repeats itself.
        NOTIFICATION: {},
      },
    },
    looking: {
      description: "Exchanging votes until a quorum agrees on the largest.",
      initial: "collecting",
      entry: [
        assign(({ context, event }) => {
          if (event.type !== "LOOK") return {};
          const round = context.round + 1;
          const vote = ownVote(context, round, event.zxid, event.currentEpoch);
          const ballots: Readonly<Record<number, Ballot>> = isVoter(context.quorum, context.self)
            ? { [context.self]: { vote, state: "LOOKING" } }
            : {};
          return {
            round,
            initialVote: vote,
            proposal: vote,
            ballots,
            outOfElection: {},
            intervalMs: MIN_NOTIFICATION_INTERVAL_MS,
          };
        }),
        { type: "effect", params: { type: "channels.connect" } },
        { type: "effect", params: ({ context }) => ({ type: "notification.broadcast", vote: context.proposal }) },
      ],
      on: {
        NOTIFICATION: [
          {
            guard: "foreignLooking",
            description: "A server outside the vote (an observer) asks.",
            actions: {
              type: "effect",
              params: ({ context, event }) => ({
                type: "notification.answer",
                to: event.from,
                vote: context.proposal,
                settled: false,
              }),
            },
          },
          {
            guard: "ignorable",
            description: "Not a voter, no voter's candidate, or a vote from or to one without history.",
          },
          {
            guard: "fromOlderRound",
            actions: {
              type: "effect",
              params: ({ context, event }) => ({
                type: "notification.answer",
                to: event.from,
                vote: context.proposal,
                settled: false,
              }),
            },
          },
          {
            guard: "runningEnsemble",
            description: "A quorum already follows a leader that says so itself: join it.",
            target: "settled",
            actions: assign(({ context, event }) => ({
              // Never backwards (E5), although Apache ZooKeeper takes the ensemble's round as it is.
              round: Math.max(context.round, event.vote.electionEpoch),
              proposal: event.vote,
              outOfElection: afterWord(context, event).outOfElection,
            })),
          },
          {
            guard: "fromSettled",
            actions: assign(({ context, event }) => {
              const { ballots, outOfElection } = afterWord(context, event);
              return { ballots, outOfElection };
            }),
          },
          {
            guard: "changesProposal",
            target: ".weighing",
            actions: [
              assign(({ context, event }) => {
                const { round, proposal, ballots } = afterVote(context, event);
                return { round, proposal, ballots };
              }),
              { type: "effect", params: ({ context }) => ({ type: "notification.broadcast", vote: context.proposal }) },
            ],
          },
          {
            guard: "completesQuorum",
            target: ".weighing",
            actions: assign(({ context, event }) => ({ ballots: afterVote(context, event).ballots })),
          },
          {
            guard: "looking",
            actions: assign(({ context, event }) => ({ ballots: afterVote(context, event).ballots })),
          },
        ],
      },
      states: {
        collecting: {
          description: "No quorum yet: repeat the proposal, ever less often, and reconnect where nobody listens.",
          always: {
            guard: "quorumReached",
            target: "finalizing",
            description: "The only voter, or votes that were already there.",
          },
          after: {
            interval: {
              target: "collecting",
              reenter: true,
              actions: [
                assign({ intervalMs: ({ context }) => Math.min(context.intervalMs * 2, MAX_NOTIFICATION_INTERVAL_MS) }),
                { type: "effect", params: { type: "channels.connect" } },
                {
                  type: "effect",
                  params: ({ context }) => ({ type: "notification.broadcast", vote: context.proposal }),
                },
              ],
            },
          },
        },
        weighing: {
          description: "The proposal or the ballots changed: is there a quorum for it now?",
          always: [{ guard: "quorumReached", target: "finalizing" }, { target: "collecting" }],
        },
        finalizing: {
          description: "A quorum agrees. Wait a moment for a better vote that may be on its way.",
          always: [
            { guard: "everyoneSpoke", target: "#election.settled" },
            {
              guard: "quorumLost",
              target: "collecting",
              description: "One of them voted otherwise in the meantime, or settled elsewhere.",
            },
          ],
          after: { finalizeWait: "#election.settled" },
        },
      },
    },
    settled: {
      description: "The vote stands. Servers that still look are told who leads.",
      entry: { type: "effect", params: ({ context }) => ({ type: "election.decided", vote: context.proposal }) },
      on: {
        LOOK: "looking",
        NOTIFICATION: [
          {
            guard: "looking",
            actions: {
              type: "effect",
              params: ({ context, event }) => ({
                type: "notification.answer",
                to: event.from,
                vote: context.proposal,
                settled: true,
              }),
            },
          },
          // Settled servers have nothing to tell each other.
          {},
        ],
        EPOCH_ESTABLISHED: {
          actions: assign({ proposal: ({ context, event }) => ({ ...context.proposal, peerEpoch: event.epoch }) }),
        },
      },
    },
  },
});
