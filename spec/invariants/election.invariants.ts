/**
 * What must hold while servers elect a leader (E1 to E7 of the project's list of properties), of worlds as the election
 * model shows them. Votes are compared here once more, in this file's own words.
 */

import type { QuorumConfig } from "../quorum.ts";
import { isQuorum, isVoter } from "../quorum.ts";
import type { Epoch, PeerState, ServerId, Vote, Zxid } from "../vocabulary.ts";

/** What a server's disk holds. */
export interface ElectionHistory {
  readonly currentEpoch: Epoch;
  readonly lastZxid: Zxid;
}

export interface ElectionServer {
  readonly self: ServerId;
  /** idle: it is down, or not started yet. */
  readonly phase: "idle" | "looking" | "settled";
  readonly round: number;
  readonly vote: Vote;
  readonly votedFor: readonly Heard[];
  readonly words: readonly Heard[];
}

/** What a server has last told another one of itself. */
export interface Heard {
  readonly from: ServerId;
  readonly state: PeerState;
  readonly vote: Vote;
}

/** What a server had heard in the moment in which it settled. */
export interface Decision {
  readonly self: ServerId;
  readonly round: number;
  readonly vote: Vote;
  /** Votes of this round. */
  readonly ballots: readonly Heard[];
  /** The word of settled servers, whatever their round. */
  readonly words: readonly Heard[];
}

export interface ElectionWorld {
  readonly quorum: QuorumConfig;
  /** A history grows only by an established epoch. */
  readonly servers: readonly ElectionServer[];
  historyOf(server: ServerId): ElectionHistory;
}

export interface ElectionStep {
  readonly before: ElectionWorld;
  readonly after: ElectionWorld;
  /** Of the server that settled in this step, if one did. */
  readonly decision: Decision | null;
}

export interface ElectionInvariant {
  readonly id: string;
  readonly name: string;
  readonly sentence: string;
  holds(world: ElectionWorld): boolean;
}

export interface ElectionStepInvariant {
  readonly id: string;
  readonly name: string;
  readonly sentence: string;
  /** The step that must not happen. */
  happens(step: ElectionStep): boolean;
}

export const ELECTION_INVARIANTS: readonly ElectionInvariant[] = [
  {
    id: "E4",
    name: "OnlyVotersCount",
    sentence: "Servers outside the vote are neither counted nor elected.",
    holds: ({ quorum, servers }) =>
      servers.every(({ phase, vote, votedFor, words }) => {
        const counted = [...votedFor, ...words];
        return (
          counted.every((heard) => isVoter(quorum, heard.from) && isVoter(quorum, heard.vote.leader)) &&
          (phase !== "settled" || isVoter(quorum, vote.leader))
        );
      }),
  },
  {
    id: "E5",
    name: "BallotsOfThisRound",
    sentence: "No vote of another round is counted in this one.",
    holds: ({ servers }) =>
      servers.every(({ round, votedFor }) => votedFor.every(({ vote }) => vote.electionEpoch === round)),
  },
];

export const ELECTION_STEP_INVARIANTS: readonly ElectionStepInvariant[] = [
  {
    id: "E1",
    name: "VoteNeverShrinks",
    sentence: "Within a round a server moves only to a larger vote: by epoch, then zxid, then server id.",
    happens: anyServer(({ quorum }, before, after) => {
      if (before.phase !== "looking" || after.phase !== "looking" || before.round !== after.round) return false;
      return isVoter(quorum, after.self) && compareVotes(after.vote, before.vote) < 0;
    }),
  },
  {
    id: "E2",
    name: "DecidesWithQuorum",
    sentence: "A server leaves LOOKING only when a quorum names the leader.",
    happens: ({ after: { quorum }, decision }) =>
      decision !== null && !hasEqualVotes(quorum, decision) && !isNamedByQuorum(quorum, decision),
  },
  {
    id: "E2",
    name: "JoinsConfirmedLeader",
    sentence: "Whom settled servers name, a server joins only when that one says of itself that it leads.",
    happens: ({ before: { servers, quorum }, decision }) => {
      if (decision === null || hasEqualVotes(quorum, decision) || !isNamedByQuorum(quorum, decision)) return false;
      const { self, vote, words } = decision;
      // Others name it: that was so in this round, or it is news from before it was started.
      if (vote.leader === self) return servers.some((one) => one.self === self && one.round !== vote.electionEpoch);
      return !words.some(({ from, state }) => from === vote.leader && state === "LEADING");
    },
  },
  {
    id: "E2",
    name: "SettledVoteStands",
    sentence: "A settled server changes its vote only by looking anew.",
    happens: anyServer((_, before, after) => {
      if (before.phase !== "settled" || after.phase !== "settled") return false;
      return before.vote.leader !== after.vote.leader || before.round !== after.round;
    }),
  },
  {
    id: "E3",
    name: "ElectedIsMostRecent",
    sentence:
      "Nobody in the quorum that elects a server has more than it: a later epoch, or a larger zxid of that epoch.",
    happens: ({ before, decision }) => {
      if (decision === null) return false;
      // Who has settled may have joined: its word is no vote for its leader.
      const ballots = decision.ballots.filter(({ state }) => state === "LOOKING");
      if (!hasEqualVotes(before.quorum, { ...decision, ballots })) return false;
      const { vote } = decision;
      // Of a server that has moved on since, the history that it had then is not known any more: it may follow another leader.
      const stands = (id: ServerId): boolean => {
        const { phase, round, vote: now } = before.servers.find(({ self }) => self === id) as ElectionServer;
        return phase !== "idle" && round === vote.electionEpoch && now.leader === vote.leader;
      };
      return ballots.some(({ from, vote: theirs }) => {
        if (!isSameVote(theirs, vote) || !stands(from) || !stands(vote.leader)) return false;
        return compareHistories(before.historyOf(from), before.historyOf(vote.leader)) > 0;
      });
    },
  },
  {
    id: "E5",
    name: "ClockNeverGoesBack",
    sentence: "The logical clock of a server that runs never goes back.",
    happens: anyServer((_, before, after) => {
      return before.phase !== "idle" && after.phase !== "idle" && after.round < before.round;
    }),
  },
];

/** E6: from every world in which a quorum runs, and without a further fault, this is reached. */
export const EVERYONE_SETTLES = {
  id: "E6",
  name: "EveryoneSettles",
  sentence: "While a quorum is up, all servers that are up come to follow one leader, which is up too.",
  applies: ({ quorum, servers }: ElectionWorld): boolean => isQuorum(quorum, (id) => isRunning(servers, id)),
  holds: ({ quorum, servers }: ElectionWorld): boolean => {
    const running = servers.filter(({ phase }) => phase !== "idle");
    const leader = running[0]?.vote.leader;
    return (
      isQuorum(quorum, (id) => isRunning(servers, id)) &&
      running.every(({ phase, vote }) => phase === "settled" && vote.leader === leader) &&
      running.some(({ self }) => self === leader)
    );
  },
} as const;

/** E7: what must happen in some run, or the bounds prove nothing. */
export const ELECTION_GOALS = {
  quorum: {
    id: "E7",
    name: "QuorumFollows",
    sentence: "A quorum follows one leader.",
    holds: ({ quorum, servers }: ElectionWorld) => isEnsemble(quorum, servers, () => true),
  },
  withoutOne: {
    id: "E7",
    name: "QuorumWithoutOne",
    sentence: "A quorum follows one leader while a server is down.",
    holds: ({ quorum, servers }: ElectionWorld) =>
      servers.some(({ phase }) => phase === "idle") && isEnsemble(quorum, servers, () => true),
  },
  again: {
    id: "E7",
    name: "ElectedAgain",
    sentence: "A quorum follows a leader of a later round.",
    holds: ({ quorum, servers }: ElectionWorld) => isEnsemble(quorum, servers, ({ vote }) => vote.electionEpoch > 1),
  },
  late: {
    id: "E7",
    name: "JoinsLate",
    sentence: "A server joins an ensemble that was elected in an earlier round.",
    holds: ({ servers }: ElectionWorld) =>
      servers.some(({ phase, round, vote }) => phase === "settled" && vote.electionEpoch < round),
  },
  laterEpoch: {
    id: "E7",
    name: "ElectedInLaterEpoch",
    sentence: "A quorum elects a leader for an epoch that an earlier leader established.",
    holds: ({ quorum, servers }: ElectionWorld) =>
      isEnsemble(quorum, servers, ({ vote }) => vote.electionEpoch > 1 && vote.peerEpoch > LAST_START_EPOCH),
  },
} as const;

/** Servers start with epochs up to this one. */
export const LAST_START_EPOCH = 1;

function isEnsemble(
  quorum: QuorumConfig,
  servers: readonly ElectionServer[],
  leads: (leader: ElectionServer) => boolean,
): boolean {
  return servers.some((leader) => {
    if (leader.phase !== "settled" || leader.vote.leader !== leader.self || !leads(leader)) return false;
    return isQuorum(quorum, (id) =>
      servers.some(({ self, phase, vote }) => self === id && phase === "settled" && vote.leader === leader.self),
    );
  });
}

function isRunning(servers: readonly ElectionServer[], id: ServerId): boolean {
  return servers.some(({ self, phase }) => self === id && phase !== "idle");
}

/** A step of one server, of those that changed in it. */
function anyServer(happens: (world: ElectionWorld, before: ElectionServer, after: ElectionServer) => boolean) {
  return ({ before, after }: ElectionStep): boolean =>
    before.servers.some((server, i) => {
      const next = after.servers[i] as ElectionServer;
      return next !== server && happens(before, server, next);
    });
}

/** A quorum cast the very vote, in the round in which it is counted. */
function hasEqualVotes(quorum: QuorumConfig, { ballots, vote, round }: Decision): boolean {
  if (vote.electionEpoch !== round) return false;
  return isQuorum(quorum, (id) => ballots.some((one) => one.from === id && isSameVote(one.vote, vote)));
}

/** Servers that have settled, together with the voters of this round or in whatever round they did. */
function isNamedByQuorum(quorum: QuorumConfig, decision: Decision): boolean {
  const named = (heard: readonly Heard[]) =>
    isQuorum(quorum, (id) => heard.some((one) => one.from === id && isSameLeader(one.vote, decision.vote)));
  return named(inRound(decision)) || named(decision.words);
}

/** The word of a server that settled in this very round is its vote in it. */
function inRound({ ballots, words, round }: Decision): readonly Heard[] {
  return [...ballots, ...words.filter(({ vote }) => vote.electionEpoch === round)];
}

/** Settled servers may have settled in different rounds. */
function isSameLeader(a: Vote, b: Vote): boolean {
  return a.leader === b.leader && a.peerEpoch === b.peerEpoch;
}

function isSameVote(a: Vote, b: Vote): boolean {
  return isSameLeader(a, b) && a.zxid === b.zxid && a.electionEpoch === b.electionEpoch;
}

/** The order of votes, and of what they promise. */
export function compareVotes(a: Vote, b: Vote): number {
  return a.peerEpoch - b.peerEpoch || a.zxid - b.zxid || a.leader - b.leader;
}

function compareHistories(a: ElectionHistory, b: ElectionHistory): number {
  return a.currentEpoch - b.currentEpoch || a.lastZxid - b.lastZxid;
}
