/**
 * The few operations that show a violation, a lane per client: what was asked when and answered when, in the order of the
 * clock but not to its scale, so that everything can be read. The numbers are the places in the longest legal order.
 */
import type { Judgement } from "../checker/check-run.ts";
import { describeAnswer, describeOp, describeRequest } from "../checker/describe.ts";
import { Outcome } from "../histories/operations.ts";
import { type Explanation, hex } from "./explain.ts";
import { escaped, line, moment, n, rect, text } from "./svg.ts";

const LEFT = 118;
const GAP = 34;
/** Average widths, px: requests are bold. */
const BOLD = 7.5;
const PLAIN = 6.6;
/** Wider ones are scrolled, not shrunk. */
const SHRINKABLE = 2000;
const MAX_LABEL = 44;
const ROW = 66;
const BAR = 40;
const OUTCOME_CLASS = { [Outcome.ok]: "ok", [Outcome.fail]: "fail", [Outcome.info]: "info" } as const;

interface Bar {
  readonly op: number;
  readonly lane: number;
  row: number;
  readonly from: number;
  /** Column; the last one and a bit where nothing was answered. */
  readonly to: number;
  readonly labels: readonly [string, string];
}

export function smallDiagram({ history }: Judgement, { minimal, order, events, violation }: Explanation): string {
  const { operations } = history;
  if (minimal.ops.length === 0) return "<p>It shows in no operation: the servers' logs and digests tell (above).</p>";
  const procs = [...new Set(minimal.ops.map((i) => operations.proc[i]!))].sort((a, b) => a - b);
  const lines = minimal.ops.flatMap((i) => [operations.invokeLine[i]!, operations.completeLine[i]!]);
  const told = events.filter(({ proc }) => procs.includes(proc));
  const columns = [...new Set([...lines, ...told.map((event) => event.line)])].filter((at) => at >= 0);
  columns.sort((a, b) => a - b);
  const columnOf = new Map(columns.map((at, index) => [at, index]));
  const bars = minimal.ops.map((op): Bar => {
    const answered = operations.outcome[op] !== Outcome.info;
    const zxid = answered && operations.zxid[op]! > 0 ? `  @ ${hex(operations.zxid[op]!)}` : "";
    return {
      op,
      lane: procs.indexOf(operations.proc[op]!),
      row: 0,
      from: columnOf.get(operations.invokeLine[op]!)!,
      to: answered ? columnOf.get(operations.completeLine[op]!)! : columns.length,
      labels: [shortened(describeRequest(operations, op)), `${shortened(describeAnswer(operations, op))}${zxid}`],
    };
  });
  const heights = stack(bars, procs.length);
  const x = spread(bars, columns.length);
  const tops = heights.map((_, lane) => 26 + heights.slice(0, lane).reduce((sum, rows) => sum + rows * ROW + 14, 0));
  const bottom = tops.at(-1)! + heights.at(-1)! * ROW + 14;
  const width = x.at(-1)! + 40;
  const yOf = (bar: Bar): number => tops[bar.lane]! + bar.row * ROW + 8;
  const parts: string[] = [];
  for (const [lane, proc] of procs.entries()) {
    const y = tops[lane]! - 4;
    parts.push(rect([0, y, width, heights[lane]! * ROW + 10], lane % 2 === 0 ? "lane" : "lane odd"));
    parts.push(text(12, y + 26, "client", `client p${proc}`));
    const sessions = [
      ...new Set(minimal.ops.filter((i) => operations.proc[i] === proc).map((i) => operations.session[i]!)),
    ];
    const names = sessions.map((index) => operations.sessions.text(operations.sessions.ids[index]!));
    parts.push(text(12, y + 42, "small", names.length === 1 ? names[0]!.slice(-8) : `${names.length} sessions`));
  }
  const places = new Map(order.map(({ op, fits }, at) => [op, fits ? String(at + 1) : "✗"]));
  for (const bar of bars) {
    const { op, from, to, labels } = bar;
    const y = yOf(bar);
    const isCulprit = op === violation.ops[0];
    const kind = OUTCOME_CLASS[operations.outcome[op] as 0];
    const end = x[to]!;
    parts.push(
      rect(
        [x[from]!, y, end - x[from]!, BAR],
        `bar ${kind}${isCulprit ? " culprit" : ""}`,
        describeOp(operations, op),
        `rx="4"`,
      ),
    );
    parts.push(text(x[from]! + 10, y + 17, "request", labels[0]), text(x[from]! + 10, y + 32, "answer", labels[1]));
    const server = operations.server[op] === 0 ? "" : `server ${operations.server[op]} · `;
    parts.push(text(x[from]! + 2, y + BAR + 13, "small", `${server}${moment(operations.invoked[op]!)}`));
    const place = places.get(op);
    if (place === undefined) continue;
    parts.push(`<circle class="place${place === "✗" ? " culprit" : ""}" cx="${n(x[from]!)}" cy="${n(y)}" r="10"/>`);
    parts.push(`<text class="placenumber" x="${n(x[from]!)}" y="${n(y + 4)}">${place}</text>`);
  }
  for (const event of told) {
    const lane = procs.indexOf(event.proc);
    const [ex, ey] = [x[columnOf.get(event.line)!]!, tops[lane]! + 4];
    const writer = bars.find(({ op }) => operations.zxid[op] === event.zxid && operations.proc[op] !== event.proc);
    if (writer !== undefined) {
      const from = yOf(writer) < ey ? yOf(writer) + BAR : yOf(writer);
      parts.push(line([x[writer.from]! + 24, from, ex, ey], "arrow", `marker-end="url(#tip)"`));
    }
    parts.push(
      `<circle class="event" cx="${n(ex)}" cy="${n(ey)}" r="5"><title>${escaped(`${event.type} ${event.path}`)}</title></circle>`,
    );
    parts.push(text(ex + 8, ey + 2, "eventname", `${event.type} ${event.path}`));
  }
  return `<div class="scroll"><svg class="small-diagram"${width <= SHRINKABLE ? ` style="max-width: 100%"` : ""} width="${n(width)}" height="${n(bottom)}" viewBox="0 0 ${n(width)} ${n(bottom)}">
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
${text(LEFT, 14, "small", "time →  (in the order of the clock, not to its scale)")}${parts.join("\n")}</svg></div>`;
}

function shortened(label: string): string {
  return label.length <= MAX_LABEL ? label : `${label.slice(0, MAX_LABEL - 1)}…`;
}

/** Operations of one client that overlap get rows of their own. Rows per lane. */
function stack(bars: readonly Bar[], lanes: number): number[] {
  return Array.from({ length: lanes }, (_, lane) => {
    const ends: number[] = [];
    for (const bar of bars.filter((one) => one.lane === lane)) {
      const free = ends.findIndex((end) => end < bar.from);
      bar.row = free < 0 ? ends.length : free;
      ends[bar.row] = bar.to;
    }
    return ends.length;
  });
}

/** Where each column is: wide enough for the labels of the bars across it. */
function spread(bars: readonly Bar[], columns: number): number[] {
  const gaps = new Array<number>(columns + 1).fill(GAP);
  for (const { from, to, labels } of [...bars].sort((a, b) => a.to - a.from - (b.to - b.from))) {
    const needed = Math.max(labels[0].length * BOLD, labels[1].length * PLAIN) + 26;
    const has = gaps.slice(from, to).reduce((sum, gap) => sum + gap, 0);
    if (has < needed) gaps[to - 1]! += needed - has;
  }
  const x = [LEFT];
  for (const gap of gaps) x.push(x.at(-1)! + gap);
  return x;
}
