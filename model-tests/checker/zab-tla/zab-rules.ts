/**
 * The decisions of the Zab specification that the mutants change. Each field names what the specification does; a mutant
 * is `{ ...SPECIFIED, field: other }`.
 */

export interface ZabRules {
  /**
   * Whether a restart uses up the budget of timeouts too. Apache's Zab.tla asks for both budgets; the version that the
   * published state counts were made with asks for `MaxRestarts` only. In both a restart counts as a timeout afterwards.
   */
  readonly restartNeedsTimeoutBudget: boolean;
  /** Who gets PROPOSE: those that were sent NEWLEADER, or only those that acknowledged it (issue 1). */
  readonly proposeTo: "ackeRecv" | "ackldRecv";
  /** What a late COMMITLD carries: the leader's last committed zxid, or the follower's own last one (issue 3). */
  readonly lateCommitLdCarries: "leaderCommitted" | "ackedZxid";
  /** A redundant PROPOSE (already in NEWLEADER's history) is dropped, or is an error (issue 2). */
  readonly redundantPropose: "dropped" | "error";
  /** acceptedEpoch survives a restart. */
  readonly acceptedEpochDurable: boolean;
  /** currentEpoch survives a restart. */
  readonly currentEpochDurable: boolean;
  /** The history survives a restart, or its last entry is lost. */
  readonly historyDurable: boolean;
  /** Which history a leader takes over in discovery. */
  readonly initialHistory: "mostRecent" | "leastRecent" | "own";
  /** Who must have acknowledged a txn before it commits. */
  readonly commitQuorum: "majority" | "leaderAlone";
  /** Who must have sent CEPOCH before the epoch is chosen. */
  readonly epochQuorum: "majority" | "leaderAndNobody";
  /** A new leader starts in DISCOVERY, or believes that it is established already. */
  readonly newLeaderStartsIn: "discovery" | "synchronization";
  /** What a follower does with NEWLEADER's history. */
  readonly newLeaderHistory: "replaces" | "appends";
  /** The zxid of a leader's new txn. */
  readonly nextZxid: "inCurrentEpoch" | "inFirstEpoch";
  /** The order in which a follower logs what is proposed. */
  readonly followerLogs: "inOrder" | "skippingGaps" | "newestFirst";
  /** Whether a leader keeps a record of what it sends with NEWLEADER; without, that was never broadcast. */
  readonly newLeaderIsBroadcast: boolean;
  /** What a new leader holds as committed when a quorum has acknowledged NEWLEADER. */
  readonly establishedCommits: "wholeHistory" | "nothing";
  /** What a follower commits at COMMITLD. */
  readonly commitLdCommits: "upToItsZxid" | "wholeHistory";
}

export const SPECIFIED: ZabRules = {
  restartNeedsTimeoutBudget: true,
  proposeTo: "ackeRecv",
  lateCommitLdCarries: "leaderCommitted",
  redundantPropose: "dropped",
  acceptedEpochDurable: true,
  currentEpochDurable: true,
  historyDurable: true,
  initialHistory: "mostRecent",
  commitQuorum: "majority",
  epochQuorum: "majority",
  newLeaderStartsIn: "discovery",
  newLeaderHistory: "replaces",
  nextZxid: "inCurrentEpoch",
  followerLogs: "inOrder",
  newLeaderIsBroadcast: true,
  establishedCommits: "wholeHistory",
  commitLdCommits: "upToItsZxid",
};
