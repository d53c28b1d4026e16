/**
 * Rules 6 and 7. The order of zxids respects real time: a write that was answered before another was asked for comes first, and
 * nobody sees a write before it was asked for. And a read after a sync sees every write that was acknowledged, or read by
 * anybody, before the sync was sent.
 */
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import type { History } from "../../histories/history.ts";
import { isRead, Op, type Operations, Outcome } from "../../histories/operations.ts";
import { describeOp } from "../describe.ts";
import type { Findings } from "../violation.ts";
import { lowerBound } from "./merged-log.ts";
import { Fate, type Timeline } from "./timeline.ts";

const STALE = "stale read after sync";

/** `observers`: all operations but writes that stand at a zxid, by it. */
export function checkRealTime(
  { operations }: History,
  timeline: Timeline,
  observers: Int32Array,
  findings: Findings,
): void {
  const { zxids, count, op, place } = timeline;
  let latest = Number.NEGATIVE_INFINITY;
  let latestOp = -1;
  let next = 0;
  for (let row = 0; row <= count; row++) {
    const zxid = row < count ? zxids[row]! : Number.POSITIVE_INFINITY;
    for (; next < observers.length && place[observers[next]!]! < zxid; next++) {
      const observer = observers[next]!;
      if (operations.completed[observer]! < latest) addFuture(operations, observer, latestOp, timeline, findings);
    }
    const i = row < count ? op[row]! : -1;
    if (i < 0) continue;
    if (operations.completed[i]! < latest) addDisorder(operations, i, latestOp, timeline, findings);
    if (operations.invoked[i]! > latest) {
      latest = operations.invoked[i]!;
      latestOp = i;
    }
  }
}

function addDisorder(operations: Operations, i: number, later: number, { place }: Timeline, findings: Findings): void {
  findings.add({
    property: "C1 linearizable writes",
    rule: "6 real time",
    anomaly: "order against real time",
    summary: `${describeOp(operations, i)} was answered before ${describeOp(operations, later)} was asked for, but is ordered after it (${hex(place[i]!)} after ${hex(place[later]!)}).`,
    ops: [i, later],
    line: operations.completeLine[i]!,
    zxid: place[i]!,
    path: operations.path[i]!,
  });
}

function addFuture(operations: Operations, i: number, later: number, { place }: Timeline, findings: Findings): void {
  findings.add({
    property: "C6 no read of what never was",
    rule: "6 real time",
    anomaly: "answer from the future",
    summary: `${describeOp(operations, i)} was answered at ${hex(place[i]!)}, before ${describeOp(operations, later)}, ordered at ${hex(place[later]!)}, was asked for.`,
    ops: [i, later],
    line: operations.completeLine[i]!,
    zxid: place[i]!,
    path: operations.path[i]!,
  });
}

/**
 * Largest zxid of an answer that had been given by a moment: by completion time, prefix maxima. Reads count, too: what somebody
 * has seen is committed, whether its own client knows yet or not.
 */
export class AnsweredBy {
  readonly #times: Float64Array;
  readonly #ops: Int32Array;

  constructor(operations: Operations, { fate, place }: Timeline) {
    // Completions are written down in the order of their lines, so a place for each line sorts them by time.
    const byLine = new Int32Array(operations.completeLine.reduce((most, line) => Math.max(most, line), 0) + 1).fill(-1);
    for (let i = 0; i < operations.count; i++) {
      if (fate[i] === Fate.ordered || fate[i] === Fate.observed) byLine[operations.completeLine[i]!] = i;
    }
    const order = byLine.filter((i) => i >= 0);
    this.#times = Float64Array.from(order, (i) => operations.completed[i]!);
    this.#ops = order;
    for (let at = 1; at < order.length; at++) {
      if (place[order[at]!]! < place[order[at - 1]!]!) order[at] = order[at - 1]!;
    }
  }

  /** The operation with the largest zxid that was answered before `t`; -1 if there is none. */
  before(t: number): number {
    const at = lowerBound(this.#times, t) - 1;
    return at < 0 ? -1 : this.#ops[at]!;
  }
}

/** Of all that a stale read has missed, what says most: a write to its znode, or some write, or the newest answer. */
function missedBy(
  operations: Operations,
  { fate, place }: Timeline,
  read: number,
  { seen, sync }: { readonly seen: number; readonly sync: number },
): number {
  let best = seen;
  for (let i = 0; i < operations.count; i++) {
    if (fate[i] !== Fate.ordered || place[i]! <= place[read]! || operations.outcome[i] !== Outcome.ok) continue;
    if (operations.completed[i]! >= operations.invoked[sync]!) continue;
    const path = operations.path[read]!;
    if (operations.path[i] === path || operations.extra[i]!.ops?.some(({ args }) => args.path === path)) return i;
    if (fate[best] !== Fate.ordered || place[i]! > place[best]!) best = i;
  }
  return best;
}

/** Program order is the order of invokes, and that is the order of operations. */
export function checkSync({ operations }: History, timeline: Timeline, findings: Findings): void {
  const { place } = timeline;
  let answered: AnsweredBy | null = null;
  /** By client: the answer that its reads must not be behind, and the sync that says so. */
  const floors = new Map<number, { readonly seen: number; readonly sync: number }>();
  for (let i = 0; i < operations.count; i++) {
    const op = operations.op[i]!;
    if (op === Op.sync) {
      if (operations.outcome[i] !== Outcome.ok) continue;
      answered ??= new AnsweredBy(operations, timeline);
      const seen = answered.before(operations.invoked[i]!);
      const client = clientOf(operations, i);
      const floor = floors.get(client);
      if (seen < 0 || (floor !== undefined && place[floor.seen]! >= place[seen]!)) continue;
      floors.set(client, { seen, sync: i });
    } else if (isRead(op) && place[i]! > 0) {
      const floor = floors.size === 0 ? undefined : floors.get(clientOf(operations, i));
      if (floor === undefined || place[i]! >= place[floor.seen]!) continue;
      const missed = findings.isFull(STALE) ? floor.seen : missedBy(operations, timeline, i, floor);
      findings.add({
        property: "C8 sync",
        rule: "7 sync",
        anomaly: STALE,
        summary: `${describeOp(operations, i)} reads at ${hex(place[i]!)}, though ${describeOp(operations, missed)} had been answered at ${hex(place[missed]!)} before the sync ahead of it was sent.`,
        ops: [i, floor.sync, missed],
        line: operations.completeLine[i]!,
        zxid: place[i]!,
        path: operations.path[i]!,
      });
    }
  }
}

/** One client's session: a proc and its session. */
export function clientOf({ proc, session }: Operations, i: number): number {
  return session[i]! * 2 ** 20 + proc[i]!;
}

function hex(zxid: number): string {
  return formatZxid(zxid as Zxid);
}
