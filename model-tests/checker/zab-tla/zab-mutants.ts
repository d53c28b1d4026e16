/**
 * Wrong variants of the Zab specification, each with the invariant that notices it first. Together they show that no
 * invariant is vacuous. The numbers M33–M37 are those of known bugs of the protocol or its description.
 */

import type { Mutant } from "../check.ts";
import { ZAB_INVARIANTS } from "./zab-invariants.ts";
import { boundsText, createModel, MAX_EPOCH } from "./zab-model.ts";
import { SPECIFIED, type ZabRules } from "./zab-rules.ts";
import type { ZabBounds } from "./zab-step.ts";

export interface ZabMutant extends Mutant {
  readonly zabBounds: ZabBounds;
  readonly rules: ZabRules;
}

const mutant = (
  name: string,
  [servers, txns, timeouts, restarts]: readonly [number, number, number, number],
  change: Partial<ZabRules>,
  { story, killer, depth, only = false }: { story: string; killer: string; depth: number; only?: boolean },
): ZabMutant => {
  const zabBounds = { servers, txns, timeouts, restarts, epochs: MAX_EPOCH };
  const rules = { ...SPECIFIED, ...change };
  const invariants = only ? ZAB_INVARIANTS.filter((invariant) => invariant.name === killer) : ZAB_INVARIANTS;
  const load = async () => createModel({ bounds: zabBounds, rules, invariants });
  return { name, story, killer, depth, zabBounds, rules, load, bounds: boundsText(zabBounds), symmetry: true };
};

export const ZAB_MUTANTS: readonly ZabMutant[] = [
  mutant(
    "M33 PROPOSE to synced followers only",
    [3, 2, 1, 0],
    { proposeTo: "ackldRecv" },
    {
      story: "A follower that is between NEWLEADER and its ack misses a proposal, and is told later to commit it.",
      killer: "ShouldNotBeTriggered",
      depth: 22,
    },
  ),
  mutant(
    "M34 a redundant PROPOSE is fatal",
    [3, 2, 1, 0],
    { redundantPropose: "error" },
    {
      story: "A txn that went out with NEWLEADER's history is proposed again to the same follower.",
      killer: "ShouldNotBeTriggered",
      depth: 18,
    },
  ),
  mutant(
    "M35 COMMITLD carries the ack's zxid",
    [3, 2, 1, 0],
    { lateCommitLdCarries: "ackedZxid" },
    {
      story: "What was committed while a follower synced is not in its COMMITLD, and the next COMMIT finds a gap.",
      killer: "ShouldNotBeTriggered",
      depth: 26,
    },
  ),
  mutant(
    "a new leader skips discovery",
    [2, 1, 1, 0],
    { newLeaderStartsIn: "synchronization" },
    {
      story: "Two servers that the oracle names one after the other both count as established in epoch 0.",
      killer: "Leadership1",
      depth: 3,
    },
  ),
  mutant(
    "M36 acceptedEpoch is not persisted",
    [3, 1, 2, 2],
    { acceptedEpochSurvivesRestart: false },
    {
      story: "A server forgets the epoch that it promised, and helps a second leader to establish the same one.",
      killer: "Leadership2",
      depth: 14,
    },
  ),
  mutant(
    "a leader logs before what is committed",
    [2, 2, 1, 0],
    { leaderLogs: "beforeTheLast" },
    {
      story: "The new txn takes the place of a committed one in the leader's log.",
      killer: "PrefixConsistency",
      depth: 16,
    },
  ),
  mutant(
    "M37 discovery picks the least recent history",
    [3, 2, 1, 0],
    { initialHistory: "leastRecent" },
    {
      story: "A committed txn is missing from the history that the new leader imposes.",
      killer: "Integrity",
      depth: 22,
    },
  ),
  mutant(
    "NEWLEADER's history is no broadcast",
    [2, 2, 2, 0],
    { newLeaderIsBroadcast: false },
    {
      story: "A txn that only ever travelled inside NEWLEADER is delivered without having been broadcast.",
      killer: "Integrity",
      depth: 20,
    },
  ),
  mutant(
    "M37, watched by Agreement alone",
    [3, 2, 1, 0],
    { initialHistory: "leastRecent" },
    {
      story: "Agreement follows from PrefixConsistency, which fails earlier; alone, it notices too.",
      killer: "Agreement",
      depth: 24,
      only: true,
    },
  ),
  mutant(
    "a follower appends NEWLEADER's history",
    [2, 2, 2, 0],
    { newLeaderHistory: "isAppended", commitLdCommits: "wholeLog" },
    {
      story: "The follower delivers a b a b: b before a, which the leader does not.",
      killer: "TotalOrder",
      depth: 20,
    },
  ),
  mutant(
    "a leader logs before what is uncommitted",
    [2, 2, 2, 0],
    { leaderLogs: "beforeUncommitted" },
    {
      story: "All servers agree, on the wrong order of one primary's txns.",
      killer: "LocalPrimaryOrder",
      depth: 20,
    },
  ),
  mutant(
    "epochs of zxids count down",
    [2, 2, 2, 0],
    { zxidEpoch: "countsDown", followerLogs: "everyNew" },
    {
      story: "The later leader's txns have the smaller epoch: all servers agree, and deliver in the wrong order.",
      killer: "GlobalPrimaryOrder",
      depth: 32,
    },
  ),
  mutant(
    "an established leader has committed nothing",
    [2, 2, 2, 0],
    { establishedCommits: "nothing" },
    {
      story: "The leader serves before it has delivered what its follower delivers of the epoch before.",
      killer: "PrimaryIntegrity",
      depth: 20,
    },
  ),
];
