/**
 * Rule 1: all logs are parts of one sequence G. Merges them by zxid, says where they contradict each other, and keeps what
 * the rest of the witness needs: which txn has which zxid, and whose it is.
 *
 * A log covers the stretches it holds without a break; there, what it lacks did not happen for that server. A server that was
 * down at the end may hold a tail that the others never committed: such orphans are no part of G.
 */
import { counterOf, epochOf, formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import { decodeTxn, type Txn } from "../../../src/protocol/txn.ts";
import type { Findings } from "../violation.ts";
import { entryAt, type ServerLog } from "./server-log.ts";

const RULE = "1 logs";

export class MergedLog {
  readonly logs: readonly ServerLog[];
  readonly count: number;
  /** Ascending. */
  readonly zxids: Float64Array;
  /** Index of a log that holds the txn, and where. */
  readonly #log: Int32Array;
  readonly #at: Int32Array;
  /** Txns that only servers hold whose history was given up, by zxid: the names of those logs. */
  readonly orphans: ReadonlyMap<number, string>;
  /** Sentences about evidence that is missing. */
  readonly gaps: readonly string[];

  constructor(logs: readonly ServerLog[], rows: Rows, orphans: ReadonlyMap<number, string>, gaps: readonly string[]) {
    this.logs = logs;
    this.count = rows.zxids.length;
    this.zxids = rows.zxids;
    this.#log = rows.log;
    this.#at = rows.at;
    this.orphans = orphans;
    this.gaps = gaps;
  }

  /** -1 if G has no such txn. */
  find(zxid: number): number {
    const at = lowerBound(this.zxids, zxid);
    return this.zxids[at] === zxid ? at : -1;
  }

  txn(index: number): Txn {
    return decodeTxn(this.entry(index));
  }

  entry(index: number): Buffer {
    return entryAt(this.logs[this.#log[index]!]!, this.#at[index]!);
  }

  /** Names of the logs that hold it, for reports. */
  holders(zxid: number): string[] {
    return this.logs.filter(({ zxids }) => zxids[lowerBound(zxids, zxid)] === zxid).map(({ name }) => name);
  }

  get first(): number {
    return this.zxids[0] ?? 0;
  }

  get last(): number {
    return this.zxids[this.count - 1] ?? 0;
  }
}

interface Rows {
  readonly zxids: Float64Array;
  readonly log: Int32Array;
  readonly at: Int32Array;
}

export function mergeLogs(logs: readonly ServerLog[], findings: Findings): MergedLog {
  for (const log of logs) checkOrder(log, findings);
  const stretches = logs.map(stretchesOf);
  for (const [index, log] of logs.entries()) checkBreaks(log, stretches[index]!, findings);
  const contested = new Map<number, Contest>();
  const merged = unite(logs, stretches, contested, findings);
  const orphans = settle(logs, contested, findings);
  const kept = { zxids: merged.zxids, log: merged.log, at: merged.at };
  const rows = orphans.size === 0 ? kept : without(kept, orphans);
  return new MergedLog(logs, rows, orphans, missing(logs, stretches, rows.zxids));
}

function checkOrder(log: ServerLog, findings: Findings): void {
  for (const { zxid, after, file } of log.backwards) {
    findings.add({
      property: "Z3 total order",
      rule: RULE,
      anomaly: "log goes backwards",
      summary: `${log.name} logged ${hex(zxid)} after ${hex(after)} (${file}).`,
      ops: [],
      line: -1,
      zxid,
    });
  }
}

/** A part of a log without breaks: indices of its first and last txn. */
interface Stretch {
  readonly first: number;
  readonly last: number;
}

/** An epoch begins with counter 1, and counts by one. Anything else is a break. */
function follows(before: number, next: number): boolean {
  if (epochOf(before as Zxid) === epochOf(next as Zxid)) return next === before + 1;
  return counterOf(next as Zxid) === 1;
}

function stretchesOf({ zxids }: ServerLog): Stretch[] {
  const stretches: Stretch[] = [];
  for (let first = 0, i = 1; i <= zxids.length && zxids.length > 0; i++) {
    if (i < zxids.length && follows(zxids[i - 1]!, zxids[i]!)) continue;
    stretches.push({ first, last: i - 1 });
    first = i;
  }
  return stretches;
}

/** Only a snapshot explains a break: what is missing came with it. */
function checkBreaks(log: ServerLog, stretches: readonly Stretch[], findings: Findings): void {
  for (let i = 1; i < stretches.length; i++) {
    const before = log.zxids[stretches[i - 1]!.last]!;
    const next = log.zxids[stretches[i]!.first]!;
    if (log.snapshots.some(({ zxid }) => zxid > before && zxid < next)) continue;
    // What a damaged file has lost is no gap of the server's making.
    if (log.damage.length > 0 || !log.final) continue;
    findings.add({
      property: "I8 log continuity",
      rule: RULE,
      anomaly: "gap in a log",
      summary: `${log.name} goes on with ${hex(next)} after ${hex(before)}, and no snapshot holds what lies between.`,
      ops: [],
      line: -1,
      zxid: next,
    });
  }
}

/** Who holds a txn, and who should but does not. */
interface Contest {
  readonly holders: number[];
  readonly without: number[];
}

/** All txns of all logs, each once; and which of them some log lacks where it covers. */
function unite(
  logs: readonly ServerLog[],
  stretches: readonly (readonly Stretch[])[],
  contested: Map<number, Contest>,
  findings: Findings,
): Rows {
  const size = logs.reduce((sum, { zxids }) => sum + zxids.length, 0);
  const zxids = new Float64Array(size);
  const owner = new Int32Array(size);
  const place = new Int32Array(size);
  const next = logs.map(() => 0);
  const stretch = logs.map(() => 0);
  let count = 0;
  for (;;) {
    let zxid = Number.POSITIVE_INFINITY;
    for (let i = 0; i < logs.length; i++) zxid = Math.min(zxid, logs[i]!.zxids[next[i]!] ?? Number.POSITIVE_INFINITY);
    if (zxid === Number.POSITIVE_INFINITY) break;
    let first = -1;
    let lacking = false;
    for (let i = 0; i < logs.length; i++) {
      const log = logs[i]!;
      const at = next[i]!;
      if (log.zxids[at] !== zxid) {
        lacking ||= covers(log, stretches[i]!, stretch, i, zxid);
        continue;
      }
      if (first < 0) {
        first = i;
        zxids[count] = zxid;
        owner[count] = i;
        place[count] = at;
      } else if (!sameEntry(logs[first]!, place[count]!, log, at)) {
        fork(logs[first]!, place[count]!, log, at, zxid, findings);
      }
    }
    if (lacking) contested.set(zxid, contestOf(logs, stretches, stretch, next, zxid));
    for (let i = 0; i < logs.length; i++) if (logs[i]!.zxids[next[i]!] === zxid) next[i] = next[i]! + 1;
    count++;
  }
  return { zxids: zxids.slice(0, count), log: owner.slice(0, count), at: place.slice(0, count) };
}

/** Does the log have a stretch around this zxid, which it does not hold? `stretch[i]` moves on with the zxids. */
function covers(log: ServerLog, own: readonly Stretch[], stretch: number[], i: number, zxid: number): boolean {
  let at = stretch[i]!;
  while (at < own.length && log.zxids[own[at]!.last]! < zxid) at++;
  stretch[i] = at;
  return at < own.length && log.zxids[own[at]!.first]! < zxid;
}

function contestOf(
  logs: readonly ServerLog[],
  stretches: readonly (readonly Stretch[])[],
  stretch: number[],
  next: readonly number[],
  zxid: number,
): Contest {
  const contest: Contest = { holders: [], without: [] };
  for (const [i, log] of logs.entries()) {
    if (log.zxids[next[i]!] === zxid) contest.holders.push(i);
    else if (covers(log, stretches[i]!, stretch, i, zxid)) contest.without.push(i);
  }
  return contest;
}

/** Checksums tell nearly always; where they do not, the bytes do. */
function sameEntry(a: ServerLog, i: number, b: ServerLog, j: number): boolean {
  return a.sums[i] === b.sums[j] && a.to[i]! - a.from[i]! === b.to[j]! - b.from[j]!;
}

function fork(a: ServerLog, i: number, b: ServerLog, j: number, zxid: number, findings: Findings): void {
  const [one, other] = [decodeTxn(entryAt(a, i)), decodeTxn(entryAt(b, j))];
  findings.add({
    property: "Z2 agreement",
    rule: RULE,
    anomaly: "fork",
    summary: `${a.name} and ${b.name} logged different txns as ${hex(zxid)}.`,
    expected: `${a.name}: ${describeTxn(one)}`,
    actual: `${b.name}: ${describeTxn(other)}`,
    ops: [],
    line: -1,
    zxid,
  });
}

/**
 * A contested txn is an orphan if its holders end with it, or with more of the kind: they were cut off with it and never came
 * back. If a holder goes on with what the others have, then the logs have parted for good.
 */
function settle(
  logs: readonly ServerLog[],
  contested: ReadonlyMap<number, Contest>,
  findings: Findings,
): Map<number, string> {
  const orphans = new Map<number, string>();
  const lastAgreed = logs.map(({ zxids }) => {
    let at = zxids.length - 1;
    while (at >= 0 && contested.has(zxids[at]!)) at--;
    return zxids[at] ?? -1;
  });
  for (const [zxid, { holders, without }] of contested) {
    const parted = holders.filter((i) => lastAgreed[i]! > zxid);
    if (parted.length === 0) {
      orphans.set(zxid, names(logs, holders));
      continue;
    }
    // Copies from before a damage show what was; the server may since have been told to forget it.
    if (!parted.some((i) => logs[i]!.final) || !without.some((i) => logs[i]!.final)) continue;
    const fewer = parted.length < without.length;
    if (fewer) orphans.set(zxid, names(logs, holders));
    findings.add({
      property: "Z2 agreement",
      rule: RULE,
      anomaly: "logs part",
      summary: `${names(logs, parted)} holds ${hex(zxid)} and goes on after it; ${names(logs, without)} goes on without it.`,
      ops: [],
      line: -1,
      zxid,
    });
  }
  return orphans;
}

function without({ zxids, log, at }: Rows, orphans: ReadonlyMap<number, string>): Rows {
  const keep = (_: number, index: number): boolean => !orphans.has(zxids[index]!);
  return { zxids: zxids.filter(keep), log: log.filter(keep), at: at.filter(keep) };
}

/** Where no server's log says what happened. */
function missing(
  logs: readonly ServerLog[],
  stretches: readonly (readonly Stretch[])[],
  zxids: Float64Array,
): string[] {
  const gaps: string[] = [];
  const spans = logs.flatMap((log, i) =>
    stretches[i]!.map(({ first, last }) => [log.zxids[first]!, log.zxids[last]!] as const),
  );
  for (let i = 1; i < zxids.length; i++) {
    const [before, next] = [zxids[i - 1]!, zxids[i]!];
    if (follows(before, next) || spans.some(([from, to]) => from <= before && to >= next)) continue;
    gaps.push(`No log holds what lies between ${hex(before)} and ${hex(next)}.`);
  }
  return gaps;
}

function names(logs: readonly ServerLog[], indices: readonly number[]): string {
  return indices.map((i) => logs[i]!.name).join(" and ");
}

/** First index whose value is not below. */
export function lowerBound(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function describeTxn(txn: Txn): string {
  const { sessionId, cxid, body } = txn;
  const session = `0x${BigInt.asUintN(64, sessionId).toString(16)}`;
  return `${JSON.stringify(body, (key, value) => (key === "acl" ? undefined : plain(value)))} of ${session}, cxid ${cxid}`;
}

function plain(value: unknown): unknown {
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown };
  if (type === "Buffer" && Array.isArray(data)) return Buffer.from(data as number[]).toString();
  return typeof value === "bigint" ? String(value) : value;
}

function hex(zxid: number): string {
  return formatZxid(zxid as Zxid);
}
