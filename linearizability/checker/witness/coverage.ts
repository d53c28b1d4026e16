/** Which stretches of the order of txns a server's log speaks of: what it lacks there, did not happen for that server. */
import { counterOf, epochOf, type Zxid } from "../../../spec/vocabulary.ts";
import type { ServerLog } from "./server-log.ts";

/** A part of a log in which it is complete: indices of its first and last txn. */
export interface Stretch {
  readonly first: number;
  readonly last: number;
}

/** An epoch begins with counter 1, and counts by one. Anything else is a break. */
export function follows(before: number, next: number): boolean {
  if (epochOf(before as Zxid) === epochOf(next as Zxid)) return next === before + 1;
  return counterOf(next as Zxid) === 1;
}

/** The stretches of one log, with a place in them that moves on with the zxids it is asked about. */
export class Coverage {
  readonly log: ServerLog;
  readonly stretches: readonly Stretch[];
  /** Indices of txns that the one before does not lead to, and nothing explains why. No evidence is missing there. */
  readonly holes: readonly number[];
  #at = 0;

  constructor(log: ServerLog) {
    const { zxids, torn } = log;
    const stretches: Stretch[] = [];
    const holes: number[] = [];
    for (let first = 0, i = 1; i <= zxids.length && zxids.length > 0; i++) {
      if (i < zxids.length && !torn.has(i) && follows(zxids[i - 1]!, zxids[i]!) && !leapsOver(log, i)) continue;
      if (i < zxids.length && !isExplained(log, i)) {
        holes.push(i);
        continue;
      }
      stretches.push({ first, last: i - 1 });
      first = i;
    }
    this.log = log;
    this.stretches = stretches;
    this.holes = holes;
  }

  /** Does the log have a stretch around this zxid? Ask in ascending order. */
  covers(zxid: number): boolean {
    const { stretches } = this;
    while (this.#at < stretches.length && this.#lastOf(this.#at) < zxid) this.#at++;
    return this.#at < stretches.length && this.#firstOf(this.#at) < zxid;
  }

  /** The last txn, of those that `counts` takes, up to which the log goes on from this one of its own without a break. */
  lastFrom(zxid: number, counts: (zxid: number) => boolean): number {
    const { zxids } = this.log;
    const stretch = this.stretches.find(({ first, last }) => zxids[first]! <= zxid && zxids[last]! >= zxid);
    let at = stretch?.last ?? -1;
    while (at >= 0 && zxids[at]! > zxid && !counts(zxids[at]!)) at--;
    return zxids[at] ?? -1;
  }

  /** Is there nothing between these two but what the log has? */
  joins(before: number, next: number): boolean {
    return this.stretches.some((_, at) => this.#firstOf(at) <= before && this.#lastOf(at) >= next);
  }

  #firstOf(at: number): number {
    return at === 0 && this.log.startsEmpty ? -1 : this.log.zxids[this.stretches[at]!.first]!;
  }

  #lastOf(at: number): number {
    return this.log.zxids[this.stretches[at]!.last]!;
  }
}

/** What a server did not log it may have been sent with a snapshot, or it is in a file that was damaged. */
function isExplained(log: ServerLog, i: number): boolean {
  const { torn, damage, final } = log;
  return torn.has(i) || damage.length > 0 || !final || leapsOver(log, i);
}

/** A new epoch says nothing of epochs between: a snapshot that is not the end of any logged txn came from a leader. */
function leapsOver({ zxids, snapshots }: ServerLog, i: number): boolean {
  return snapshots.some(({ zxid }) => zxid > zxids[i - 1]! && zxid < zxids[i]!);
}
