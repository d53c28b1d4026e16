/**
 * The nouns of the system, as the ZAB paper and Apache ZooKeeper name them. Plain branded types, no runtime cost:
 * their Schemas (for traces, histories and generators) are in `vocabulary.schema.ts`, which a server never loads.
 */

/** A server's number in the ensemble (`myid`, `server.N`); standalone servers use 0. */
export type ServerId = number & { readonly __brand: "ServerId" };

/** A leader's term. At most 2^21 - 1 so that a zxid stays a safe integer. */
export type Epoch = number & { readonly __brand: "Epoch" };

/** Transaction id: epoch * 2^32 + counter. Plain `<` is the zxid order. Only `src/protocol` knows its wire form. */
export type Zxid = number & { readonly __brand: "Zxid" };

/** 64-bit session id, decoded once per connection. */
export type SessionId = bigint & { readonly __brand: "SessionId" };

const COUNTER_SPAN = 2 ** 32;

/** Largest counter an epoch can hold; a leader that reaches it gives up leadership (ZOOKEEPER-1277). */
export const MAX_COUNTER = COUNTER_SPAN - 1;
export const MAX_EPOCH = 2 ** 21 - 1;

/**
 * In `currentEpoch`: this server has lost its history, and no leader has given it one since that it acknowledged. Apache
 * ZooKeeper writes the same into an empty directory that it must not trust.
 */
export const NO_EPOCH = -1 as Epoch;

/** "Nothing known": an observer's vote, a server that must not be elected (FastLeaderElection ignores zxid -1). */
export const NO_ZXID = -1 as Zxid;
export const ZERO_ZXID = 0 as Zxid;

export function makeZxid(epoch: number, counter: number): Zxid {
  return (epoch * COUNTER_SPAN + counter) as Zxid;
}

export function epochOf(zxid: Zxid): Epoch {
  return Math.floor(zxid / COUNTER_SPAN) as Epoch;
}

export function counterOf(zxid: Zxid): number {
  return zxid < 0 ? zxid : zxid % COUNTER_SPAN;
}

/** `0x100000001`, as ZooKeeper's logs and `srvr` print it. */
export function formatZxid(zxid: Zxid): string {
  return zxid < 0 ? `-0x${(-zxid).toString(16)}` : `0x${zxid.toString(16)}`;
}

/** `0x100001234560000`: the 64 bits as an unsigned hex number. */
export function formatSessionId(id: SessionId): string {
  return `0x${BigInt.asUintN(64, id).toString(16)}`;
}

/** An authenticated identity, or the subject of an ACL entry. */
export interface Id {
  readonly scheme: string;
  readonly id: string;
}

export interface Acl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

/** What a server votes for in fast leader election (FastLeaderElection.Notification without its sender). */
export interface Vote {
  readonly leader: ServerId;
  /** Last logged zxid of the proposed leader. */
  readonly zxid: Zxid;
  /** Round of the election (logical clock). */
  readonly electionEpoch: number;
  /** `currentEpoch` of the proposed leader. */
  readonly peerEpoch: Epoch;
}

export type PeerState = "LOOKING" | "FOLLOWING" | "LEADING" | "OBSERVING";
export type LearnerKind = "participant" | "observer";
