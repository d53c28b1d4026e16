/** The run as a whole, to scale: what the page's script (lanes-script.ts) draws, as plain data. */
import type { Judgement } from "../checker/check-run.ts";
import { describeAnswer, describeRequest } from "../checker/describe.ts";
import { bandsOf } from "../checker/quiet.ts";
import { Outcome } from "../histories/operations.ts";
import { hex } from "./explain.ts";
import { reignsOf } from "./series.ts";

/** More are folded: those farthest from the moment of interest. */
export const MAX_DRAWN = 10_000;
const MAX_EVENTS = 3000;
const MAX_ROWS = 5;
/** What is seen at first, at most, µs. */
const FOCUS_US = 400_000;
const STRIP = 600;

export interface LanesData {
  readonly endUs: number;
  /** The stretch in which operations are drawn, µs. */
  readonly drawn: readonly [from: number, to: number];
  readonly focus: readonly [from: number, to: number];
  /** Names. */
  readonly lanes: readonly string[];
  /** lane, row, invoked, completed (-1: never), outcome, server, is it one of the few, text. */
  readonly ops: readonly (readonly [number, number, number, number, number, number, number, string])[];
  /** lane, t, index into ops of its cause or -1, text. */
  readonly events: readonly (readonly [number, number, number, string])[];
  /** lane, t, server; 0: not connected. */
  readonly hops: readonly (readonly [number, number, number])[];
  readonly bands: readonly (readonly [number, number, string])[];
  readonly reigns: readonly (readonly [number, number, number])[];
  /** Operations per stretch of the run, of all. */
  readonly strip: readonly number[];
  readonly folded: readonly [before: number, after: number];
}

export function lanesOf({ history, witness }: Judgement, few: readonly number[], at: number | null): LanesData {
  const { operations, endedAt } = history;
  const { count, invoked, completed, outcome, proc } = operations;
  const moment = at ?? history.faults.find(({ action }) => action !== "skipped")?.t ?? 0;
  const [first, last] = window(invoked, count, moment);
  const shown = new Set(Array.from({ length: last - first }, (_, index) => first + index));
  for (const i of few) shown.add(i);
  const drawn = [...shown].sort((a, b) => a - b);
  // Those whom it concerns come first.
  const concerned = new Set(few.map((i) => proc[i]!));
  const rank = (one: number): number => (concerned.has(one) ? 0 : 1);
  const procs = [...new Set(proc.subarray(0, count))].sort((a, b) => rank(a) - rank(b) || a - b);
  const laneOf = new Map(procs.map((one, lane) => [one, lane]));
  const ends: number[][] = procs.map(() => []);
  const indexOf = new Map<number, number>();
  const ops = drawn.map((i, index): LanesData["ops"][number] => {
    indexOf.set(i, index);
    const lane = laneOf.get(proc[i]!)!;
    const never = completed[i] === Number.POSITIVE_INFINITY;
    const rows = ends[lane]!;
    const free = rows.findIndex((end) => end <= invoked[i]!);
    const row = free >= 0 ? free : rows.length < MAX_ROWS ? rows.length : MAX_ROWS - 1;
    // What is never answered would take a row for ever: others may be drawn over its end.
    rows[row] = never ? invoked[i]! + 1 : completed[i]!;
    const zxid = operations.zxid[i]! > 0 ? ` @ ${hex(operations.zxid[i]!)}` : "";
    const words = `${describeRequest(operations, i)} ${describeAnswer(operations, i)}${zxid}`;
    const isFew = few.includes(i) ? 1 : 0;
    return [lane, row, invoked[i]!, never ? -1 : completed[i]!, outcome[i]!, operations.server[i]!, isFew, words];
  });
  const from = invoked[first] ?? 0;
  const to = Math.max(from + 1, invoked[Math.max(first, last - 1)] ?? endedAt);
  const within = <T extends { readonly t: number }>(one: T): boolean => one.t >= from - 1e6 && one.t <= to + 1e6;
  const writers = new Map<number, number>();
  for (const i of drawn)
    if (witness !== null && witness.timeline.place[i]! > 0 && operations.op[i]! <= 5)
      writers.set(witness.timeline.place[i]!, indexOf.get(i)!);
  const strip = new Array<number>(STRIP).fill(0);
  for (let i = 0; i < count; i++)
    strip[Math.min(STRIP - 1, Math.floor((invoked[i]! / Math.max(1, endedAt)) * STRIP))]!++;
  const span = focusOf(operations.invoked, completed, few, moment, endedAt);
  return {
    endUs: endedAt,
    drawn: [from, to],
    focus: span,
    lanes: procs.map((one) => `p${one}`),
    ops,
    events: history.events
      .filter(within)
      .slice(0, MAX_EVENTS)
      .map(({ proc: who, t, type, path, zxid }) => [
        laneOf.get(who) ?? 0,
        t,
        writers.get(zxid) ?? -1,
        `${type} ${path}`,
      ]),
    hops: history.connections.flatMap(({ proc: who, t, state, server }) => {
      const lane = laneOf.get(who);
      if (lane === undefined || state === "connecting") return [];
      return [[lane, t, state === "connected" ? server : 0] as const];
    }),
    bands: bandsOf(history).map((band) => [band.from, Math.min(band.to, endedAt), `${band.fault}: ${band.detail}`]),
    reigns: reignsOf(history).map((reign) => [reign.from, reign.to, reign.server]),
    strip,
    folded: [first, count - last],
  };
}

/** The operations nearest to a moment; they are in the order in which they were asked for. */
function window(invoked: Float64Array, count: number, moment: number): readonly [first: number, last: number] {
  if (count <= MAX_DRAWN) return [0, count];
  let middle = 0;
  while (middle < count && invoked[middle]! < moment) middle++;
  const first = Math.max(0, Math.min(count - MAX_DRAWN, middle - MAX_DRAWN / 2));
  return [first, first + MAX_DRAWN];
}

/** What to look at first. */
function focusOf(
  invoked: Float64Array,
  completed: Float64Array,
  few: readonly number[],
  moment: number,
  endedAt: number,
): readonly [number, number] {
  if (few.length === 0) return [Math.max(0, moment - 1e6), Math.min(endedAt, moment + 3e6)];
  const answered = few.filter((i) => completed[i] !== Number.POSITIVE_INFINITY);
  const to = Math.max(...few.map((i) => invoked[i]!), ...answered.map((i) => completed[i]!));
  // The cause may be long ago: what came last tells more.
  const from = Math.max(Math.min(...few.map((i) => invoked[i]!)), to - FOCUS_US);
  const margin = Math.max(2000, (to - from) * 0.15);
  return [Math.max(0, from - margin), to + margin];
}

export const OUTCOMES: readonly string[] = Object.entries(Outcome)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => name);
