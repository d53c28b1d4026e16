/**
 * The few operations that show a violation, a lane per client, time downwards: what was asked when and answered when, in the
 * order of the clock but not to its scale, so that everything can be read. The numbers are places in the longest legal order.
 */
import type { Judgement } from "../checker/check-run.ts";
import { describeAnswer, describeOp, describeRequest } from "../checker/describe.ts";
import { Outcome } from "../histories/operations.ts";
import { type Explanation, hex } from "./explain.ts";
import { escaped, line, moment, n, rect, text } from "./svg.ts";

const LEFT = 92;
const TOP = 46;
/** Between two moments, px. */
const GAP = 22;
/** Of a bar: room for its three lines. */
const LEAST = 58;
const PADDING = 10;
/** Average widths of letters, px: requests are bold. */
const BOLD = 7.4;
const PLAIN = 6.5;
const MAX_LABEL = 44;
const OUTCOME_CLASS = { [Outcome.ok]: "ok", [Outcome.fail]: "fail", [Outcome.info]: "info" } as const;

interface Bar {
  readonly op: number;
  readonly lane: number;
  /** Beside others of its client that it overlaps. */
  column: number;
  /** Rows of the moments. */
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly labels: readonly [string, string, string];
}

export function smallDiagram(judgement: Judgement, explanation: Explanation): string {
  return new Diagram(judgement, explanation).draw();
}

class Diagram {
  readonly #judgement: Judgement;
  readonly #explanation: Explanation;
  readonly #procs: readonly number[];
  readonly #told: Explanation["events"];
  readonly #rows: readonly number[];
  readonly #bars: readonly Bar[];
  readonly #y: readonly number[];
  /** Left edges of lanes, and the end. */
  readonly #x: number[] = [LEFT];
  readonly #widths: number[];

  constructor(judgement: Judgement, explanation: Explanation) {
    const { operations } = judgement.history;
    const { minimal, events } = explanation;
    this.#judgement = judgement;
    this.#explanation = explanation;
    this.#procs = [...new Set(minimal.ops.map((i) => operations.proc[i]!))].sort((a, b) => a - b);
    this.#told = events.filter(({ proc }) => this.#procs.includes(proc));
    const lines = minimal.ops.flatMap((i) => [operations.invokeLine[i]!, operations.completeLine[i]!]);
    this.#rows = [...new Set([...lines, ...this.#told.map((event) => event.line)])].filter((at) => at >= 0);
    this.#rows = [...this.#rows].sort((a, b) => a - b);
    this.#bars = minimal.ops.map((op) => this.#bar(op));
    const columns = stack(this.#bars, this.#procs.length);
    this.#widths = this.#procs.map((_, lane) =>
      Math.max(150, ...this.#bars.filter((bar) => bar.lane === lane).map(({ width }) => width)),
    );
    for (const [lane, width] of this.#widths.entries()) {
      this.#x.push(this.#x.at(-1)! + columns[lane]! * (width + PADDING) + PADDING);
    }
    this.#y = spread(this.#bars, this.#rows.length);
  }

  draw(): string {
    const width = this.#x.at(-1)! + 8;
    // Below the last moment only what was never answered goes on.
    const isOpen = this.#bars.some(({ to }) => to === this.#rows.length);
    const height = (isOpen ? this.#y.at(-1)! : this.#y.at(-2)!) + 14;
    const parts = [
      this.#lanes(height),
      ...this.#bars.map((bar) => this.#drawBar(bar)),
      ...this.#told.map((event) => this.#event(event)),
    ];
    return `<svg class="small-diagram" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}">
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
${parts.join("\n")}</svg>`;
  }

  #bar(op: number): Bar {
    const { operations } = this.#judgement.history;
    const answered = operations.outcome[op] !== Outcome.info;
    const zxid = answered && operations.zxid[op]! > 0 ? `zxid ${hex(operations.zxid[op]!)}` : "";
    const server = operations.server[op] === 0 ? "" : `server ${operations.server[op]}`;
    const labels = [
      shortened(describeRequest(operations, op)),
      shortened(describeAnswer(operations, op)),
      [zxid, server].filter((part) => part !== "").join(" · "),
    ] as const;
    return {
      op,
      lane: this.#procs.indexOf(operations.proc[op]!),
      column: 0,
      from: this.#rows.indexOf(operations.invokeLine[op]!),
      to: answered ? this.#rows.indexOf(operations.completeLine[op]!) : this.#rows.length,
      width: Math.max(labels[0].length * BOLD, labels[1].length * PLAIN, labels[2].length * PLAIN) + 30,
      labels,
    };
  }

  #lanes(height: number): string {
    const { operations } = this.#judgement.history;
    const parts = this.#procs.map((proc, lane) => {
      const [x, end] = [this.#x[lane]!, this.#x[lane + 1]!];
      const own = this.#explanation.minimal.ops.filter((i) => operations.proc[i] === proc);
      const sessions = [...new Set(own.map((i) => operations.session[i]!))];
      const names = sessions.map((index) => operations.sessions.text(operations.sessions.ids[index]!));
      const name = names.length === 1 ? `session ${names[0]!}` : `${names.length} sessions`;
      return [
        rect([x, 0, end - x - 2, height], lane % 2 === 0 ? "lane" : "lane odd"),
        text(x + PADDING, 18, "client", `client p${proc}`),
        text(x + PADDING, 32, "small", name),
      ].join("");
    });
    const times = new Map<number, number>();
    for (const i of this.#explanation.minimal.ops) {
      times.set(operations.invokeLine[i]!, operations.invoked[i]!);
      if (operations.outcome[i] !== Outcome.info) times.set(operations.completeLine[i]!, operations.completed[i]!);
    }
    for (const event of this.#told) times.set(event.line, event.t);
    const marks = this.#rows.map((at, row) => {
      const y = this.#y[row]!;
      const when = times.get(at);
      const tick = when === undefined ? "" : text(LEFT - 10, y + 4, "label", moment(when));
      return tick + line([LEFT, y, this.#x.at(-1)! - 2, y], "grid");
    });
    return parts.join("") + marks.join("");
  }

  #drawBar({ op, lane, column, from, to, width, labels }: Bar): string {
    const { operations } = this.#judgement.history;
    const { violation, order } = this.#explanation;
    const x = this.#x[lane]! + PADDING + column * (this.#widths[lane]! + PADDING);
    const [top, bottom] = [this.#y[from]!, this.#y[to]!];
    const kind = OUTCOME_CLASS[operations.outcome[op] as 0];
    const culprit = op === violation.ops[0] ? " culprit" : "";
    const at = order.findIndex((placed) => placed.op === op);
    const place = at < 0 ? "" : order[at]!.fits ? String(at + 1) : "✗";
    const wide = Math.max(width, this.#widths[lane]! - PADDING);
    return [
      rect([x, top, wide, bottom - top], `bar ${kind}${culprit}`, describeOp(operations, op), `rx="4"`),
      text(x + 20, top + 19, "request", labels[0]),
      text(x + 20, top + 34, "answer", labels[1]),
      text(x + 20, top + 49, "small", labels[2]),
      ...(place === ""
        ? []
        : [
            `<circle class="place${place === "✗" ? " culprit" : ""}" cx="${n(x + 1)}" cy="${n(top + 13)}" r="10"/>`,
            `<text class="placenumber" x="${n(x + 1)}" y="${n(top + 17)}">${place}</text>`,
          ]),
    ].join("");
  }

  /** A dot in the watcher's lane, and an arrow from the write that it tells of. */
  #event({ proc, line: at, zxid, type, path }: Explanation["events"][number]): string {
    const { operations } = this.#judgement.history;
    const lane = this.#procs.indexOf(proc);
    const [x, y] = [this.#x[lane]! + PADDING + 6, this.#y[this.#rows.indexOf(at)]!];
    const writer = this.#bars.find(({ op }) => operations.zxid[op] === zxid && operations.proc[op] !== proc);
    const parts: string[] = [];
    if (writer !== undefined) {
      const isRight = writer.lane > lane;
      const from = isRight ? this.#x[writer.lane]! + PADDING : this.#x[writer.lane]! + PADDING + writer.width;
      parts.push(line([from, this.#y[writer.from]! + 40, x, y], "arrow", `marker-end="url(#tip)"`));
    }
    const name = `event ${type} ${path}`;
    const kind = at === this.#explanation.violation.line ? "event culprit" : "event";
    parts.push(`<circle class="${kind}" cx="${n(x)}" cy="${n(y)}" r="5"><title>${escaped(name)}</title></circle>`);
    return parts.join("") + text(x + 10, y + 4, "eventname", name);
  }
}

function shortened(label: string): string {
  return label.length <= MAX_LABEL ? label : `${label.slice(0, MAX_LABEL - 1)}…`;
}

/** Operations of one client that overlap are drawn side by side. Columns per lane. */
function stack(bars: readonly Bar[], lanes: number): number[] {
  return Array.from({ length: lanes }, (_, lane) => {
    const ends: number[] = [];
    for (const bar of bars.filter((one) => one.lane === lane)) {
      const free = ends.findIndex((end) => end < bar.from);
      bar.column = free < 0 ? ends.length : free;
      ends[bar.column] = bar.to;
    }
    return ends.length;
  });
}

/** Where each moment is: far enough apart for the labels of the bars across it. */
function spread(bars: readonly Bar[], rows: number): number[] {
  const gaps = new Array<number>(rows + 1).fill(GAP);
  for (const { from, to } of [...bars].sort((a, b) => a.to - a.from - (b.to - b.from))) {
    const has = gaps.slice(from, to).reduce((sum, gap) => sum + gap, 0);
    if (has < LEAST) gaps[to - 1]! += LEAST - has;
  }
  const y = [TOP];
  for (const gap of gaps) y.push(y.at(-1)! + gap);
  return y;
}
