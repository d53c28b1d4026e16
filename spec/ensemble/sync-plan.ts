/**
 * How a leader brings one learner up to date: a pure function of what the learner has and what the leader remembers.
 * Source: LearnerHandler.syncFollower (reference table "choose DIFF / TRUNC / SNAP").
 *
 * `p` is the learner's last zxid. The window is the leader's recent committed txns; every txn of it is also in the leader's tree.
 */
import { counterOf, epochOf, type Zxid } from "../vocabulary.ts";

export type SyncPlan =
  /** The learner holds a prefix of our history: send what follows `after`, up to `upTo`. */
  | { readonly kind: "DIFF"; readonly after: Zxid; readonly upTo: Zxid }
  /** Cut the learner's history back to `to`, then send what follows it. */
  | { readonly kind: "TRUNC"; readonly to: Zxid; readonly upTo: Zxid }
  /** Its last zxid is older than the window: look for it in the txn log, fall back to SNAP. */
  | { readonly kind: "LOG"; readonly after: Zxid; readonly upTo: Zxid }
  | { readonly kind: "SNAP"; readonly upTo: Zxid };

export interface SyncHistory {
  /** The last txn in the leader's tree. */
  readonly lastProcessed: Zxid;
  /** Zxids of the window of recent committed txns, ascending; empty when nothing was committed since the data was loaded. */
  readonly committed: readonly Zxid[];
  /** Whether txns older than the window may be read from the txn log. */
  readonly logUsable: boolean;
}

/** A leader that has started an epoch but logged nothing in it reports `epoch << 32`: a position, not a txn. */
const isEpochStart = (zxid: Zxid): boolean => zxid > 0 && counterOf(zxid) === 0;

export function planSync(p: Zxid, history: SyncHistory): SyncPlan {
  const { lastProcessed, committed, logUsable } = history;
  const upTo = lastProcessed;
  if (p === lastProcessed) return { kind: "DIFF", after: p, upTo };
  const min = committed[0] ?? lastProcessed;
  const max = committed[committed.length - 1] ?? lastProcessed;
  if (p > max) {
    // An epoch start holds no txn of its own, but what precedes it is unknown here.
    return isEpochStart(p) ? { kind: "SNAP", upTo } : { kind: "TRUNC", to: max, upTo };
  }
  if (p >= min) return planWithin(p, committed, upTo);
  return logUsable ? { kind: "LOG", after: p, upTo } : { kind: "SNAP", upTo };
}

/** `p` lies between txns that are all at hand: those of the window, or of a stretch of the txn log. */
export function planWithin(p: Zxid, zxids: readonly Zxid[], upTo: Zxid): SyncPlan {
  let previous: Zxid | undefined;
  for (const zxid of zxids) {
    if (zxid === p) return { kind: "DIFF", after: p, upTo };
    if (zxid > p) {
      if (isEpochStart(p) && previous !== undefined) return { kind: "DIFF", after: p, upTo };
      // The learner has a txn that we lack: of the same epoch we know where to cut, of another it is too risky.
      if (previous !== undefined && epochOf(previous) === epochOf(p)) return { kind: "TRUNC", to: previous, upTo };
      return { kind: "SNAP", upTo };
    }
    previous = zxid;
  }
  return { kind: "SNAP", upTo };
}
