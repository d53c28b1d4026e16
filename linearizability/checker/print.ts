/** A judgement as lines of text: one for each check, with counts and times; violations with their operations; the verdict. */
import { isRead, isWrite, Op } from "../histories/operations.ts";
import type { Judgement } from "./check-run.ts";
import { describeOp } from "./describe.ts";
import type { Violation } from "./violation.ts";
import { Fate } from "./witness/timeline.ts";

const SHOWN = 10;
const SHOWN_OPS = 6;

export function linesOf(judgement: Judgement): string[] {
  const { verdict, violations, doubts, remarks } = judgement;
  return [
    ...checks(judgement).map(([name, what, ms]) => {
      const took = ms === null ? "" : `  (${(ms / 1000).toFixed(1)} s)`;
      return `  ${name.padEnd(16)}${what}${took}`;
    }),
    ...remarks.map((remark) => `  remark          ${remark}`),
    ...violations.slice(0, SHOWN).flatMap((violation) => describe(judgement, violation)),
    ...(violations.length > SHOWN ? [`… and ${violations.length - SHOWN} more`] : []),
    ...doubts.map(({ reason, summary }) => `DOUBT ${reason}: ${summary}`),
    `verdict: ${verdict}${verdict === "unknown" ? `, ${doubts[0]!.reason}` : ""}`,
  ];
}

type Check = readonly [name: string, what: string, ms: number | null];

function checks(judgement: Judgement): Check[] {
  const { history, figures, witness, search, logs, traces, took, manifest } = judgement;
  const { operations } = history;
  const lines: Check[] = [];
  const ended = `${n(figures.ok)} ok, ${n(figures.failed)} failed, ${n(figures.unknown)} unknown`;
  lines.push(["history", `${n(figures.operations)} operations: ${ended}; ${n(history.lines)} lines`, took.read]);
  const share = `${(figures.determinateShare * 100).toFixed(1)} % determinate outside faults`;
  const changes = `${figures.faults} faults, ${figures.leaderChanges} leader changes`;
  lines.push(["floors", `${changes}, ${figures.offeredPerSecond.toFixed(0)} operations/s offered, ${share}`, null]);
  if (witness !== null) {
    const found = count(witness.counts);
    const log = witness.log;
    lines.push([
      "A witness",
      `${logs === null ? "black box" : `white box, ${n(log!.count)} txns in ${logs.length} logs`}: ${found}`,
      took.witness,
    ]);
    const { fate } = witness.timeline;
    let [writes, resolved, reads, syncs] = [0, 0, 0, 0];
    for (let i = 0; i < operations.count; i++) {
      const op = operations.op[i]!;
      if (isWrite(op) && fate[i] === Fate.ordered) writes++;
      if (fate[i] === Fate.resolved) resolved++;
      if (isRead(op) && fate[i] === Fate.observed) reads++;
      if (op === Op.sync && fate[i] === Fate.observed) syncs++;
    }
    const sessions = new Set(history.connections.map(({ session }) => session)).size;
    lines.push([
      "  rules 1-10",
      `${n(writes)} writes and ${n(resolved)} without an answer in order, ${n(reads)} reads, ${n(syncs)} syncs, ` +
        `${n(history.events.length)} watch events, ${n(sessions)} sessions`,
      null,
    ]);
    const servers = new Set(history.digests.map(({ server }) => server)).size;
    const said = `${n(history.digests.length)} told by ${servers} of ${manifest.servers.length} servers`;
    const digests = `${said}${log === null ? "" : "; the log's own replayed"}`;
    lines.push(["  digests", `${digests}: ${count(witness.counts, /digest|different trees|another tree/)}`, null]);
  }
  if (search !== null) {
    const size = `${n(search.partitions)} partitions, ${n(search.operations)} operations`;
    lines.push(["B search", `${size}: ${search.result}`, took.search]);
  }
  if (witness !== null && search !== null) {
    const disagree = judgement.doubts.some(({ reason }) => reason === "disagreement");
    const both = disagree ? "NO" : "yes";
    lines.push(["A and B agree", both, null]);
  }
  if (traces !== null) lines.push(["traces", `${traces.result}: ${traces.summary}`, traces.took]);
  return lines;
}

function describe({ history }: Judgement, violation: Violation): string[] {
  const { property, rule, anomaly, summary, ops, expected, actual } = violation;
  const { operations } = history;
  const at = (i: number): string => {
    const lines = [operations.invokeLine[i]!, operations.completeLine[i]!].filter((line) => line >= 0);
    return lines.map((line) => line + 1).join(", ");
  };
  return [
    `VIOLATION ${property}: ${anomaly} (rule ${rule})`,
    `  ${summary}`,
    ...(expected === undefined ? [] : [`  expected ${expected}`]),
    ...(actual === undefined ? [] : [`  found    ${actual}`]),
    ...ops.slice(0, SHOWN_OPS).map((i) => `  history lines ${at(i)}: ${describeOp(operations, i)}`),
  ];
}

function count(counts: ReadonlyMap<string, number>, wanted = /./): string {
  const found = [...counts].filter(([anomaly]) => wanted.test(anomaly));
  return found.length === 0 ? "valid" : found.map(([anomaly, times]) => `${n(times)} × ${anomaly}`).join(", ");
}

function n(value: number): string {
  return value.toLocaleString("en");
}
