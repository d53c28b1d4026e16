/**
 * The total order of votes: peerEpoch, then zxid, then server id (FastLeaderElection.totalOrderPredicate). Identical on
 * every server, which is why an election converges: everybody moves to the largest vote seen.
 */
import type { QuorumConfig } from "../quorum.ts";
import { canLead } from "../quorum.ts";
import type { PeerState, Vote } from "../vocabulary.ts";

export function beats(config: QuorumConfig, challenger: Vote, incumbent: Vote): boolean {
  if (!canLead(config, challenger.leader)) return false;
  if (challenger.peerEpoch !== incumbent.peerEpoch) return challenger.peerEpoch > incumbent.peerEpoch;
  if (challenger.zxid !== incumbent.zxid) return challenger.zxid > incumbent.zxid;
  return challenger.leader > incumbent.leader;
}

/** Votes of servers still looking: all four fields. */
export function sameVote(a: Vote, b: Vote): boolean {
  return (
    a.leader === b.leader && a.zxid === b.zxid && a.electionEpoch === b.electionEpoch && a.peerEpoch === b.peerEpoch
  );
}

/**
 * Votes of servers that have settled: zxid and electionEpoch differ legitimately between members of one ensemble, because
 * they may have joined in different rounds (Vote.equals, ZOOKEEPER-1732, -1805).
 */
export function sameSettledVote(a: Vote, b: Vote): boolean {
  return a.leader === b.leader && a.peerEpoch === b.peerEpoch;
}

/** What a server last told us of itself. */
export interface Ballot {
  readonly vote: Vote;
  readonly state: PeerState;
}
