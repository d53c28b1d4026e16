/** A violation in a person's terms: the few operations that show it, how far an order of them goes, and why no further. */

import { formatZxid, type Zxid } from "../../spec/vocabulary.ts";
import { checkHistory } from "../checker/check-history.ts";
import type { Judgement } from "../checker/check-run.ts";
import { describeAnswer, describeOp, describeRequest } from "../checker/describe.ts";
import { bandsOf } from "../checker/quiet.ts";
import type { Violation } from "../checker/violation.ts";
import type { WatchEvent } from "../histories/format.ts";
import type { Noted } from "../histories/history.ts";
import { isWrite } from "../histories/operations.ts";
import { type Minimal, minimise } from "./minimise.ts";
import { moment } from "./svg.ts";

/** Of ten lines; earlier operations are told as "… after N earlier ones". */
const STORY_OPS = 6;
const MAX_REQUEST = 90;

export interface Placed {
  /** Index in the whole history. */
  readonly op: number;
  readonly zxid: number;
  readonly fits: boolean;
}

export interface Explanation {
  readonly violation: Violation;
  readonly minimal: Minimal;
  /** Watch events of the smallest history. */
  readonly events: readonly Noted<WatchEvent>[];
  /** The longest legal order, then (not fitting) the operation that cannot be placed. */
  readonly order: readonly Placed[];
  /** One sentence. */
  readonly why: string;
  /** Ten lines at most. */
  readonly story: readonly string[];
}

export function explain(judgement: Judgement): Explanation | null {
  const { violations, history, witness, manifest } = judgement;
  const violation = violations.find(({ ops }) => ops.length > 0) ?? violations[0];
  if (violation === undefined) return null;
  const minimal = minimise(history, witness?.timeline ?? null, violation, manifest.tickTimeMs);
  const order = orderOf(judgement, minimal, violation);
  const why = whyOf(judgement, violation, order);
  const lines = new Set(history.events.map(({ line }) => line));
  const times = new Set(minimal.history.events.map(({ t, proc, path }) => `${t} ${proc} ${path}`));
  const events = history.events.filter(
    (event) => lines.has(event.line) && times.has(`${event.t} ${event.proc} ${event.path}`),
  );
  const explained = { violation, minimal, order, why, events: nearMinimal(judgement, minimal, events) };
  return { ...explained, story: storyOf(judgement, explained) };
}

/** Events while the few operations went on, and a little after. */
function nearMinimal(
  { history: { operations } }: Judgement,
  { ops }: Minimal,
  events: readonly Noted<WatchEvent>[],
): Noted<WatchEvent>[] {
  const first = Math.min(...ops.map((i) => operations.invokeLine[i]!));
  const last = Math.max(...ops.map((i) => Math.max(operations.completeLine[i]!, operations.invokeLine[i]!)));
  return events.filter(({ line }) => line >= first && line <= last + 200).slice(0, 12);
}

/** By the search over the few operations, where it gets stuck; else by their zxids. */
function orderOf(
  { history, witness, manifest }: Judgement,
  { history: small, ops }: Minimal,
  violation: Violation,
): Placed[] {
  const { operations } = history;
  const culprit = violation.ops[0] ?? -1;
  const placeOf = (i: number): number => (witness === null ? operations.zxid[i]! : witness.timeline.place[i]!);
  const { search } = checkHistory(small, { logs: null, tickTimeMs: manifest.tickTimeMs, only: "search" });
  const stuck = search?.stuck ?? null;
  if (stuck !== null && stuck.op >= 0 && (violation.rule === "search" || ops[stuck.op] === culprit)) {
    const legal = stuck.order.filter((i) => i >= 0).map((i) => ops[i]!);
    // What the search judges apart from the rest (a parent, say) comes first here.
    const apart = ops.filter(
      (i) => !legal.includes(i) && i !== ops[stuck.op] && i < ops[stuck.op]! && !stuck.ops.includes(ops.indexOf(i)),
    );
    const placed = [...apart, ...legal].map((op) => ({ op, zxid: placeOf(op), fits: true }));
    return [...placed, { op: ops[stuck.op]!, zxid: placeOf(ops[stuck.op]!), fits: false }];
  }
  const known = ops.filter((i) => i !== culprit && placeOf(i) > 0);
  const isUpdate = (i: number): number => (isWrite(operations.op[i]!) ? 0 : 1);
  known.sort((a, b) => placeOf(a) - placeOf(b) || isUpdate(a) - isUpdate(b) || a - b);
  const placed: Placed[] = known.map((op) => ({ op, zxid: placeOf(op), fits: true }));
  return culprit < 0 ? placed : [...placed, { op: culprit, zxid: placeOf(culprit), fits: false }];
}

function whyOf({ history: { operations } }: Judgement, violation: Violation, order: readonly Placed[]): string {
  const last = order.at(-1);
  if (violation.rule !== "search" || last === undefined || last.fits) return violation.summary;
  const before = order.length - 1;
  return `After these ${before} operations, in this order or any other that the clocks and the sessions allow, ${describeOp(operations, last.op)} cannot be what a correct service answers.`;
}

function storyOf(judgement: Judgement, { violation, minimal, events }: Omit<Explanation, "story">): string[] {
  const { history, manifest } = judgement;
  const { operations } = history;
  const happened: { readonly t: number; readonly text: string }[] = [];
  for (const i of minimal.ops) {
    const place = operations.zxid[i]! > 0 ? ` (zxid ${hex(operations.zxid[i]!)}, server ${operations.server[i]})` : "";
    const mark = i === violation.ops[0] ? `  ← ${verdictOf(violation)}` : "";
    const took = operations.completed[i]! - operations.invoked[i]!;
    const end = took === Number.POSITIVE_INFINITY ? "never answered" : `answered ${(took / 1000).toFixed(1)} ms later`;
    happened.push({
      t: operations.invoked[i]!,
      text: `${at(operations.invoked[i]!)}  p${operations.proc[i]}  ${shortened(describeRequest(operations, i))} ${describeAnswer(operations, i)}, ${end}${place}${mark}`,
    });
  }
  for (const { t, proc, type, path, line } of events.slice(-2)) {
    const mark = line === violation.line ? "  ← this one cannot be" : "";
    happened.push({ t, text: `${at(t)}  p${proc}  event ${type} ${path}${mark}` });
  }
  happened.sort((a, b) => a.t - b.t);
  const shown = happened.length <= STORY_OPS ? happened : happened.slice(1 - STORY_OPS);
  const more = happened.length - shown.length;
  const end = happened.at(-1)?.t ?? 0;
  const during = bandsOf(history).filter(({ from, to }) => from <= end && end <= to + 10_000_000);
  return [
    `${violation.property}: ${violation.anomaly}.`,
    violation.summary,
    ...(more > 0 ? [`… after ${more} earlier ones:`] : []),
    ...shown.map(({ text }) => text),
    happened.length === 0
      ? "It shows in nothing that a client did: the servers' logs, digests, traces or ends tell."
      : during.length === 0
        ? "No fault was going on, nor had one been healed in the ten seconds before."
        : `Meanwhile, or just before: ${during
            .slice(-3)
            .map(({ fault, detail }) => (detail === "" ? fault : `${fault} (${detail.replace(/^over: /, "")})`))
            .join("; ")}.`,
    manifest.command === "" ? "There is no command that repeats the run." : `Repeat the schedule: ${manifest.command}`,
  ].slice(0, 10);
}

/** What is the matter with the operation that a violation is about. */
function verdictOf({ rule, property }: Violation): string {
  if (rule === "1 logs" || rule === "2 unknown writes") return "the logs say otherwise";
  if (property === "W4 no lost event" || property === "W1 event before reply")
    return "an event was due before this answer";
  return "this one cannot be";
}

function shortened(request: string): string {
  return request.length <= MAX_REQUEST ? request : `${request.slice(0, MAX_REQUEST - 1)}…`;
}

function at(us: number): string {
  return moment(us).padStart(10);
}

export function hex(zxid: number): string {
  return zxid > 0 ? formatZxid(zxid as Zxid) : "–";
}
