/**
 * The order in which everything happened: all writes by zxid, with the operation that asked for each, if a recorded client did.
 * White box: rows are the txns of the merged log. Black box: rows are the writes that were answered, and those whose traces
 * were found (black-box.ts).
 */
import type { Txn } from "../../../src/protocol/txn.ts";
import type { Fog } from "./fog.ts";

export const Fate = {
  /** Did not happen, or says nothing. */
  none: 0,
  /** A write with an answer and a place in the order. */
  ordered: 1,
  /** A write whose answer was lost, found in the order. */
  resolved: 2,
  /** Anything else that was answered at some zxid: reads, sync, watches. */
  observed: 3,
  /** A write of which nothing is known: there are no logs, or not all. */
  unknown: 4,
} as const;

export interface Timeline {
  readonly count: number;
  /** Ascending, no two equal. */
  readonly zxids: Float64Array;
  /** The operation, or -1: a session's txn, or somebody who was not recorded. */
  readonly op: Int32Array;
  /** Index into `operations.sessions`. */
  readonly session: Int32Array;
  /** ms since 1970, NaN if unknown. */
  readonly time: Float64Array;
  /** The txn of a row, and its type; null in black-box mode. */
  readonly txn: ((row: number) => Txn) | null;
  readonly type: Int32Array | null;
  /** By operation: a value of Fate. */
  readonly fate: Uint8Array;
  /** By operation: where it stands in the order; -1 if nowhere. Reads stand at the zxid of their reply. */
  readonly place: Float64Array;
  /** Empty where there are logs. */
  readonly fog: Fog;
  /** No row is missing from the first to the last. */
  readonly complete: boolean;
  /** None is up to this zxid; beyond, what a tree should be like is not known. */
  readonly wholeUntil: number;
}

/** Errors that the leader decides, in the order of writes; all others are refusals on the way there. */
const ORDERED_ERRORS: ReadonlySet<string> = new Set([
  "NONODE",
  "NODEEXISTS",
  "BADVERSION",
  "NOTEMPTY",
  "NOCHILDRENFOREPHEMERALS",
  "BADARGUMENTS",
  "RUNTIMEINCONSISTENCY",
  "NOAUTH",
  "INVALIDACL",
  "QUOTAEXCEEDED",
]);

export function isOrderedError(err: string): boolean {
  return ORDERED_ERRORS.has(err);
}
