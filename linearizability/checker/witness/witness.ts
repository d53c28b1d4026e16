/**
 * Algorithm A: the zxids in the replies are the proof. Sorts everything by zxid and replays it; O(n log n) for a whole history,
 * all znodes together. Rules 1 to 10 of docs/testing.md, each in a file of its own.
 */
import type { History } from "../../histories/history.ts";
import { isRead } from "../../histories/operations.ts";
import { type Doubt, Findings, type Violation } from "../violation.ts";
import { resolveByTraces } from "./black-box.ts";
import { checkDigests } from "./digests.ts";
import { lowerBound, type MergedLog, mergeLogs } from "./merged-log.ts";
import { checkRealTime, checkSync } from "./real-time.ts";
import { replay } from "./replay.ts";
import { resolveByLog } from "./resolve.ts";
import type { ServerLog } from "./server-log.ts";
import { checkSessionOrder } from "./session-order.ts";
import { checkSessions } from "./sessions.ts";
import { Fate, type Timeline } from "./timeline.ts";
import { WatchedChanges } from "./watched-changes.ts";
import { checkWatches } from "./watches.ts";

export interface WitnessOptions {
  /** What the servers left on their disks; null: nothing is known but what clients saw. */
  readonly logs: readonly ServerLog[] | null;
  readonly tickTimeMs: number;
}

export interface WitnessVerdict {
  readonly violations: readonly Violation[];
  /** By anomaly, all of them: lists of violations are cut. */
  readonly counts: ReadonlyMap<string, number>;
  readonly doubts: readonly Doubt[];
  /** The order that was found: for stories and pages. */
  readonly timeline: Timeline;
  readonly log: MergedLog | null;
}

export function checkByWitness(history: History, { logs, tickTimeMs }: WitnessOptions): WitnessVerdict {
  const findings = new Findings();
  const log = logs === null ? null : mergeLogs(logs, answeredIn(history), findings);
  const timeline = log === null ? resolveByTraces(history, findings) : resolveByLog(history, log, findings);
  const observers = byPlace(history, timeline, (op) => timeline.fate[op] === Fate.observed);
  const reads = observers.filter((i) => isRead(history.operations.op[i]!));
  const changes = new WatchedChanges(history, timeline);
  checkRealTime(history, timeline, observers, findings);
  checkSync(history, timeline, findings);
  checkSessionOrder(history, timeline, findings);
  if (replay(history, timeline, reads, changes, findings)) checkWatches(history, timeline, changes, findings);
  checkSessions(history, timeline, tickTimeMs, findings);
  checkDigests(history, log, findings);
  const doubts = (log?.gaps ?? []).map((summary): Doubt => ({ reason: "incomplete logs", summary }));
  return { violations: findings.violations, counts: findings.counts, doubts, timeline, log };
}

/** The largest zxid up to a given one that any client was told. Only asked for where logs are incomplete. */
function answeredIn({ operations }: History): (upTo: number) => number {
  let sorted: Float64Array | null = null;
  return (upTo) => {
    sorted ??= operations.zxid.filter((zxid, i) => i < operations.count && zxid > 0).sort();
    return sorted[lowerBound(sorted, upTo + 1) - 1] ?? -1;
  };
}

function byPlace({ operations }: History, { place }: Timeline, wanted: (i: number) => boolean): Int32Array {
  const chosen: number[] = [];
  for (let i = 0; i < operations.count; i++) if (wanted(i)) chosen.push(i);
  return Int32Array.from(chosen).sort((a, b) => place[a]! - place[b]! || a - b);
}
