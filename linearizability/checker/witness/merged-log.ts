/**
 * Rule 1: all logs are parts of one sequence G. Merges them by zxid, says where they contradict each other, and keeps what
 * the rest of the witness needs: which txn has which zxid, and whose it is.
 *
 * A log covers the stretches it holds without a break; there, what it lacks did not happen for that server. A server that was
 * down at the end may hold a tail that the others never committed: such orphans are no part of G. So may the copy of a log that
 * was taken before the server lost it. Where there is no log at all, or none that reaches back to the beginning, G has a gap:
 * then nothing is said of what follows from it.
 */
import { epochOf, formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import { decodeTxn, type Txn } from "../../../src/protocol/txn.ts";
import type { Findings } from "../violation.ts";
import { Coverage } from "./coverage.ts";
import { entryAt, type ServerLog } from "./server-log.ts";

const RULE = "1 logs";
const MAX_SENTENCES = 20;

/** Txns are missing, or may be: after `certain`, and before `next`. */
export interface LogGap {
  /** What is logged last before the gap; -1: the beginning is missing. */
  readonly before: number;
  /** What was certainly committed; -1: nothing. What is logged between this and `before` is no part of G. */
  readonly certain: number;
  readonly next: number;
}

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
  readonly #gaps: readonly LogGap[];
  /** Sentences about evidence that is missing. */
  readonly gaps: readonly string[];
  /** Up to here G is whole. */
  readonly wholeUntil: number;

  constructor(
    logs: readonly ServerLog[],
    rows: Rows,
    orphans: ReadonlyMap<number, string>,
    gaps: readonly LogGap[],
    unsettled: readonly string[],
  ) {
    this.logs = logs;
    this.count = rows.zxids.length;
    this.zxids = rows.zxids;
    this.#log = rows.log;
    this.#at = rows.at;
    this.orphans = orphans;
    this.#gaps = gaps;
    this.gaps = [...gaps.slice(0, MAX_SENTENCES).map(describeGap), ...unsettled];
    this.wholeUntil = gaps[0]?.certain ?? Number.POSITIVE_INFINITY;
  }

  /** Could G have a txn of this zxid, though no log has it? */
  hides(zxid: number): boolean {
    return this.#gaps.some(({ certain, next }) => zxid > certain && zxid < next);
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

/** `answered`: the largest zxid up to this one that a client was told. */
export function mergeLogs(
  logs: readonly ServerLog[],
  answered: (upTo: number) => number,
  findings: Findings,
): MergedLog {
  for (const log of logs) checkOrder(log, findings);
  const covered = logs.map((log) => new Coverage(log));
  for (const coverage of covered) checkBreaks(coverage, findings);
  const contested = new Map<number, Contest>();
  const merged = unite(covered, contested, findings);
  const { orphans, unsettled } = settle(covered, contested, findings);
  const kept = { zxids: merged.zxids, log: merged.log, at: merged.at };
  const agreed = orphans.size === 0 ? kept : without(kept, (zxid) => orphans.has(zxid));
  const found = gapsOf(covered, agreed.zxids, answered);
  const doubtful = found.filter(({ certain, before }) => certain < before);
  const isDoubtful = (zxid: number): boolean =>
    doubtful.some(({ certain, before }) => zxid > certain && zxid <= before);
  const rows = doubtful.length === 0 ? agreed : without(agreed, isDoubtful);
  return new MergedLog(logs, rows, orphans, found, unsettled);
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

/** Only a snapshot explains a break: what is missing came with it. */
function checkBreaks({ log, holes }: Coverage, findings: Findings): void {
  for (const i of holes) {
    const before = log.zxids[i - 1]!;
    const next = log.zxids[i]!;
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
function unite(covered: readonly Coverage[], contested: Map<number, Contest>, findings: Findings): Rows {
  const logs = covered.map(({ log }) => log);
  const size = logs.reduce((sum, { zxids }) => sum + zxids.length, 0);
  const zxids = new Float64Array(size);
  const owner = new Int32Array(size);
  const place = new Int32Array(size);
  const next = logs.map(() => 0);
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
        lacking ||= covered[i]!.covers(zxid);
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
    if (lacking) contested.set(zxid, contestOf(covered, next, zxid));
    for (let i = 0; i < logs.length; i++) if (logs[i]!.zxids[next[i]!] === zxid) next[i] = next[i]! + 1;
    count++;
  }
  return { zxids: zxids.slice(0, count), log: owner.slice(0, count), at: place.slice(0, count) };
}

function contestOf(covered: readonly Coverage[], next: readonly number[], zxid: number): Contest {
  const contest: Contest = { holders: [], without: [] };
  for (const [i, coverage] of covered.entries()) {
    if (coverage.log.zxids[next[i]!] === zxid) contest.holders.push(i);
    else if (coverage.covers(zxid)) contest.without.push(i);
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
 * back, or came back and were sent a snapshot, which stands for all that their log has before. If a holder goes on with what
 * the others have, then the logs have parted for good.
 */
function settle(
  covered: readonly Coverage[],
  contested: ReadonlyMap<number, Contest>,
  findings: Findings,
): { readonly orphans: Map<number, string>; readonly unsettled: string[] } {
  const orphans = new Map<number, string>();
  const unsettled: string[] = [];
  const logs = covered.map(({ log }) => log);
  const isAgreed = (zxid: number): boolean => !contested.has(zxid);
  for (const [zxid, { holders, without }] of contested) {
    const parted = holders.filter((i) => covered[i]!.lastFrom(zxid, isAgreed) > zxid);
    if (parted.length === 0) {
      orphans.set(zxid, names(logs, holders));
      continue;
    }
    const summary = `${names(logs, parted)} holds ${hex(zxid)} and goes on after it; ${names(logs, without)} goes on without it.`;
    // Copies from before a damage show what was; the server may since have been told to forget it.
    if (!parted.some((i) => logs[i]!.final) || !without.some((i) => logs[i]!.final)) {
      if (unsettled.length < MAX_SENTENCES) unsettled.push(summary);
      continue;
    }
    const fewer = parted.length < without.length;
    if (fewer) orphans.set(zxid, names(logs, holders));
    findings.add({
      property: "Z2 agreement",
      rule: RULE,
      anomaly: "logs part",
      summary,
      ops: [],
      line: -1,
      zxid,
    });
  }
  return { orphans, unsettled };
}

function without({ zxids, log, at }: Rows, isGone: (zxid: number) => boolean): Rows {
  const keep = (_: number, index: number): boolean => !isGone(zxids[index]!);
  return { zxids: zxids.filter(keep), log: log.filter(keep), at: at.filter(keep) };
}

/**
 * Where no log says what happened. At the end of an epoch that no log shows together with the next one, there may be txns that
 * a server logged and nobody ever committed; only what a client was told of, or anything after it, is certain there.
 */
function gapsOf(covered: readonly Coverage[], zxids: Float64Array, answered: (upTo: number) => number): LogGap[] {
  const gaps: LogGap[] = [];
  const isBeginning = ({ log }: Coverage): boolean => log.startsEmpty && log.zxids[0] === zxids[0];
  if (zxids.length > 0 && !covered.some(isBeginning)) gaps.push({ before: -1, certain: -1, next: zxids[0]! });
  for (let i = 1; i < zxids.length; i++) {
    const [before, next] = [zxids[i - 1]!, zxids[i]!];
    if (next === before + 1 || covered.some((coverage) => coverage.joins(before, next))) continue;
    const endOfEpoch = epochOf(before as Zxid) !== epochOf(next as Zxid);
    gaps.push({ before, certain: endOfEpoch ? Math.min(before, answered(before)) : before, next });
  }
  return gaps;
}

function describeGap({ before, certain, next }: LogGap): string {
  if (before < 0) return `No log reaches back to the beginning: the first txn of any is ${hex(next)}.`;
  const unsure = certain < before ? `, nor whether what follows ${hex(certain)} was ever committed` : "";
  return `No log shows what lies between ${hex(before)} and ${hex(next)}${unsure}.`;
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
