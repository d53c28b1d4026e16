/**
 * The decisions of the Zab specification that mutants change. Each field names what the specification does and what a
 * mutant does instead; a mutant is `{ ...SPECIFIED, field: other }`.
 */

export interface ZabRules {
  /**
   * Whether a restart needs what is left of the budget of timeouts too. Apache's Zab.tla says so; the version that the
   * published state counts were made with looks at `MaxRestarts` only. In both, a restart uses up a timeout.
   */
  readonly restartNeedsTimeoutBudget: boolean;
  /** A new leader starts in DISCOVERY, or believes that it is established already. */
  readonly newLeaderStartsIn: "discovery" | "synchronization";
  readonly acceptedEpochSurvivesRestart: boolean;
  /** Which history a leader takes over in discovery. */
  readonly initialHistory: "mostRecent" | "leastRecent";
  /** The history that goes out with NEWLEADER counts as broadcast, or only what goes out with PROPOSE. */
  readonly newLeaderIsBroadcast: boolean;
  /** What a follower makes of NEWLEADER's history. */
  readonly newLeaderHistory: "replaces" | "isAppended";
  /** What a leader holds as committed when a quorum has acknowledged NEWLEADER. */
  readonly establishedCommits: "wholeHistory" | "nothing";
  /** What a COMMITLD carries that answers a late ACKLD: the leader's last committed zxid, or the ACKLD's (issue 3). */
  readonly lateCommitLdCarries: "leaderCommitted" | "ackedZxid";
  /** What a follower commits at COMMITLD. */
  readonly commitLdCommits: "upToItsZxid" | "wholeLog";
  /** The epoch in the zxid of a new txn: the leader's, or one that counts down from epoch to epoch. */
  readonly zxidEpoch: "current" | "countsDown";
  /** Where a leader logs a new txn: after all others, before the last uncommitted one, or before the last one. */
  readonly leaderLogs: "atTheEnd" | "beforeUncommitted" | "beforeTheLast";
  /** Which PROPOSE a follower logs: the next one only, or every one that it does not have. */
  readonly followerLogs: "theNext" | "everyNew";
  /** Who gets PROPOSE: those that were sent NEWLEADER, or only those that acknowledged it (issue 1). */
  readonly proposeTo: "ackeRecv" | "ackldRecv";
  /** A PROPOSE of what the log already holds is dropped, or an error (issue 2). */
  readonly redundantPropose: "dropped" | "error";
  /** Whose acks a leader needs in order to commit. */
  readonly commitNeeds: "majority" | "leaderAlone";
}

export const SPECIFIED: ZabRules = {
  restartNeedsTimeoutBudget: true,
  newLeaderStartsIn: "discovery",
  acceptedEpochSurvivesRestart: true,
  initialHistory: "mostRecent",
  newLeaderIsBroadcast: true,
  newLeaderHistory: "replaces",
  establishedCommits: "wholeHistory",
  lateCommitLdCarries: "leaderCommitted",
  commitLdCommits: "upToItsZxid",
  zxidEpoch: "current",
  leaderLogs: "atTheEnd",
  followerLogs: "theNext",
  proposeTo: "ackeRecv",
  redundantPropose: "dropped",
  commitNeeds: "majority",
};
