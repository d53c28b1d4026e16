/**
 * Who decides: which sets of servers are quorums, and how far a quorum has come. One implementation for the charts, the hot
 * cores and the model checker. Any two quorums of one configuration intersect: all of Zab's safety rests on that.
 * Sources: ZooKeeper's QuorumMaj and QuorumHierarchical (flexible quorums).
 */
import type { ServerId, Zxid } from "./vocabulary.ts";
import { NO_ZXID } from "./vocabulary.ts";

/** JSON-plain, so that charts can carry it in their context. */
export interface QuorumConfig {
  readonly voters: readonly ServerId[];
  /** Hierarchical quorums (`group.N`, `weight.N`); without them every voter weighs the same and a majority decides. */
  readonly groups?: readonly (readonly ServerId[])[];
  readonly weights?: Readonly<Record<number, number>>;
}

export function isVoter(config: QuorumConfig, id: ServerId): boolean {
  return config.voters.includes(id);
}

function weightOf(config: QuorumConfig, id: ServerId): number {
  return config.weights?.[id] ?? 1;
}

/** A candidate of weight 0 never wins an election (FastLeaderElection.totalOrderPredicate). */
export function canLead(config: QuorumConfig, id: ServerId): boolean {
  return isVoter(config, id) && weightOf(config, id) > 0;
}

/** Does `has` hold for a quorum of the voters? Members that are no voters never count. */
export function isQuorum(config: QuorumConfig, has: (id: ServerId) => boolean): boolean {
  if (config.groups === undefined) {
    let count = 0;
    for (const id of config.voters) if (has(id)) count++;
    return count * 2 > config.voters.length;
  }
  let groupsWithWeight = 0;
  let groupsWon = 0;
  for (const group of config.groups) {
    let total = 0;
    let won = 0;
    for (const id of group) {
      const weight = weightOf(config, id);
      total += weight;
      if (has(id)) won += weight;
    }
    if (total === 0) continue;
    groupsWithWeight++;
    if (won * 2 > total) groupsWon++;
  }
  return groupsWon * 2 > groupsWithWeight;
}

export function containsQuorum(config: QuorumConfig, members: readonly ServerId[]): boolean {
  return isQuorum(config, (id) => members.includes(id));
}

/**
 * The highest zxid that a quorum has acknowledged. Channels are FIFO, so an ack for a zxid acknowledges all before it and
 * one number per server says everything. `NO_ZXID` when no quorum has acknowledged anything.
 */
export function commitPoint(config: QuorumConfig, ackedUpTo: (id: ServerId) => Zxid | undefined): Zxid {
  const voters = config.voters;
  if (config.groups === undefined) {
    // The k-th largest of the voters' positions, k = quorum size. Ensembles are small: selection beats sorting.
    const quorum = Math.floor(voters.length / 2) + 1;
    let best: Zxid = NO_ZXID;
    for (const id of voters) {
      const candidate = ackedUpTo(id);
      if (candidate === undefined || candidate <= best) continue;
      let reached = 0;
      for (const other of voters) {
        const theirs = ackedUpTo(other);
        if (theirs !== undefined && theirs >= candidate) reached++;
      }
      if (reached >= quorum) best = candidate;
    }
    return best;
  }
  let best: Zxid = NO_ZXID;
  for (const id of voters) {
    const candidate = ackedUpTo(id);
    if (candidate === undefined || candidate <= best) continue;
    const reaches = (other: ServerId): boolean => (ackedUpTo(other) ?? NO_ZXID) >= candidate;
    if (isQuorum(config, reaches)) best = candidate;
  }
  return best;
}
