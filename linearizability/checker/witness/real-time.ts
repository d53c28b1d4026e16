/**
 * Rules 6 and 7. The order of zxids respects real time: a write that was answered before another was asked for comes first, and
 * nobody sees a write before it was asked for. And a read after a sync sees every write acknowledged before the sync was sent.
 */
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import type { History } from "../../histories/history.ts";
import { isRead, isWrite, Op, type Operations, Outcome } from "../../histories/operations.ts";
import { describeOp } from "../describe.ts";
import type { Findings } from "../violation.ts";
import { lowerBound } from "./merged-log.ts";
import { Fate, type Timeline } from "./timeline.ts";

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

/** Largest zxid of a write that was acknowledged by a moment: by completion time, prefix maxima. */
export class AcknowledgedBy {
  readonly #times: Float64Array;
  readonly #writes: Int32Array;

  constructor(operations: Operations, { fate, place }: Timeline) {
    const acknowledged: number[] = [];
    for (let i = 0; i < operations.count; i++) {
      if (fate[i] === Fate.ordered && isWrite(operations.op[i]!)) acknowledged.push(i);
    }
    const order = Int32Array.from(acknowledged);
    // Completions are written down in the order of their lines, so sorting by line is sorting by time, and cheaper.
    order.sort((a, b) => operations.completeLine[a]! - operations.completeLine[b]!);
    this.#times = Float64Array.from(order, (i) => operations.completed[i]!);
    this.#writes = order;
    for (let at = 1; at < order.length; at++) {
      if (place[order[at]!]! < place[order[at - 1]!]!) order[at] = order[at - 1]!;
    }
  }

  /** The write with the largest zxid that was answered before `t`; -1 if there is none. */
  before(t: number): number {
    const at = lowerBound(this.#times, t) - 1;
    return at < 0 ? -1 : this.#writes[at]!;
  }
}

/** Program order is the order of invokes, and that is the order of operations. */
export function checkSync({ operations }: History, timeline: Timeline, findings: Findings): void {
  const { place } = timeline;
  let acknowledged: AcknowledgedBy | null = null;
  /** By client: the write that its reads must have seen, and the sync that says so. */
  const floors = new Map<number, { readonly write: number; readonly sync: number }>();
  for (let i = 0; i < operations.count; i++) {
    const op = operations.op[i]!;
    if (op === Op.sync) {
      if (operations.outcome[i] !== Outcome.ok) continue;
      acknowledged ??= new AcknowledgedBy(operations, timeline);
      const write = acknowledged.before(operations.invoked[i]!);
      const client = clientOf(operations, i);
      const floor = floors.get(client);
      if (write < 0 || (floor !== undefined && place[floor.write]! >= place[write]!)) continue;
      floors.set(client, { write, sync: i });
    } else if (isRead(op) && place[i]! > 0) {
      const floor = floors.size === 0 ? undefined : floors.get(clientOf(operations, i));
      if (floor === undefined || place[i]! >= place[floor.write]!) continue;
      findings.add({
        property: "C8 sync",
        rule: "7 sync",
        anomaly: "stale read after sync",
        summary: `${describeOp(operations, i)} reads at ${hex(place[i]!)}, though ${describeOp(operations, floor.write)} was acknowledged with ${hex(place[floor.write]!)} before the sync ahead of it was sent.`,
        ops: [i, floor.sync, floor.write],
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
