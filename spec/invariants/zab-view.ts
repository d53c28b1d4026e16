/**
 * What the properties of Zab look at: an ensemble at one moment, without the packets under way. Checkers of models and of
 * running ensembles fill it in.
 */

import { counterOf, type Epoch, epochOf, type ServerId, ZERO_ZXID, type Zxid } from "../vocabulary.ts";

/** A txn and what is in it: two txns may claim one zxid, and must not. */
export type Txn = readonly [zxid: Zxid, value: number];
/** Oldest first. */
export type History = readonly Txn[];

export type Phase = "looking" | "discovery" | "synchronization" | "broadcast" | "stopped";

export interface ServerView {
  readonly self: ServerId;
  /** LEADING, FOLLOWING (or OBSERVING), or neither: looking for a leader or settling after one. */
  readonly role: "leading" | "following" | "none";
  readonly phase: Phase;
  /** How it is brought up to date at the moment. */
  readonly bringing: "truncation" | "snapshot" | "history" | null;
  /** Whom it follows, or itself. */
  readonly leader: ServerId | null;
  /** The epoch of its role; 0 before it is known. */
  readonly epoch: Epoch;
  /** On disk. */
  readonly acceptedEpoch: Epoch;
  readonly currentEpoch: Epoch;
  /** What a restart would read from snapshot and log; null when it would refuse to. */
  readonly durable: History | null;
  /** `durable`, and what was handed to the log since. */
  readonly logged: History | null;
  /** What is applied. Null while a leader's snapshot or a truncation replaces it. */
  readonly tree: History | null;
  /** Recent committed txns in memory, from which learners are synchronized. */
  readonly window: History;
  /** It has acknowledged NEWLEADER of its epoch, or is an established leader. */
  readonly synchronized: boolean;
  /** What it tells in elections and to leaders; null while it tells nobody. */
  readonly reported: { readonly epoch: Epoch; readonly zxid: Zxid } | null;
}

/** What no server remembers: the history of the whole run. */
export interface GhostView {
  /** Everything that a leader has committed, in order. Without it a write that all have forgotten is invisible. */
  readonly committed: History;
  /** Everything that a primary has broadcast, in zxid order. */
  readonly broadcast: History;
  /** Who became established leader of which epoch. */
  readonly established: readonly (readonly [epoch: Epoch, leader: ServerId])[];
  /** What must never happen inside a step, as "NAME: what happened". */
  readonly alarms: readonly string[];
}

export interface ZabView {
  readonly servers: readonly ServerView[];
  readonly ghost: GhostView;
  /** Is this a quorum of the ensemble's servers? */
  isQuorum(has: (server: ServerView) => boolean): boolean;
}

export function lastZxid(history: History): Zxid {
  return history[history.length - 1]?.[0] ?? ZERO_ZXID;
}

export const sameTxn = (a: Txn, b: Txn): boolean => a[0] === b[0] && a[1] === b[1];

export const holds = (history: History, txn: Txn): boolean => history.some((other) => sameTxn(other, txn));

export function isPrefix(prefix: History, history: History): boolean {
  return prefix.length <= history.length && prefix.every((txn, i) => sameTxn(txn, history[i] as Txn));
}

export const comparable = (a: History, b: History): boolean => isPrefix(a, b) || isPrefix(b, a);

export const isSuffix = (suffix: History, history: History): boolean =>
  suffix.length <= history.length &&
  suffix.every((txn, i) => sameTxn(txn, history[history.length - suffix.length + i] as Txn));

/** Each zxid is its predecessor's successor, or the first of a later epoch. */
export const isContinuous = (history: History): boolean =>
  history.every(([zxid], i) => {
    const previous = i === 0 ? ZERO_ZXID : (history[i - 1] as Txn)[0];
    return zxid === previous + 1 || (counterOf(zxid) === 1 && epochOf(zxid) > epochOf(previous));
  });
