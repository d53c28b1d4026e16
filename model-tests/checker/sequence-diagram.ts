/**
 * A trace as a sequence chart: a lane per server, time downwards, a box per step, an arrow from where a packet was sent
 * to where it was delivered. Plain SVG without scripts; `sequenceDiagramHtml` wraps it in a page of its own.
 */

import type { Model } from "./model.ts";
import type { TraceStep } from "./trace.ts";
import { changesOf, type PacketMove, type StepChanges } from "./trace-changes.ts";

const LANE_WIDTH = 320;
const ROW_HEIGHT = 54;
const TOP = 56;
const NOTES_WIDTH = 470;
const BOX_HALF = 116;

interface Arrow extends PacketMove {
  readonly sentAt: number;
  /** The sender is whose box stands in that row; else the arrow starts at its bare lane. */
  readonly fromBox: boolean;
  /** Row of its delivery or loss; null if it is still under way at the end. */
  readonly endedAt: number | null;
  readonly lost: boolean;
}

export interface DiagramText {
  readonly title: string;
  readonly subtitle: string;
}

export function sequenceDiagramHtml<State>(
  model: Model<State>,
  trace: readonly TraceStep[],
  { title, subtitle }: DiagramText,
): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escaped(title)}</title>
<style>
body { margin: 24px; font: 15px/1.5 system-ui, sans-serif; background: #fbfaf7; color: #23211c; }
h1 { font-size: 20px; margin: 0; } p { margin: 2px 0 18px; color: #6b665a; } svg { max-width: 100%; height: auto; }
</style></head>
<body><h1>${escaped(title)}</h1><p>${escaped(subtitle)}</p>
${sequenceDiagramSvg(model, trace)}
</body></html>
`;
}

export function sequenceDiagramSvg<State>(model: Model<State>, trace: readonly TraceStep[]): string {
  const steps = changesOf(model, trace);
  const { lanes } = model.storyboard;
  const lanesWidth = lanes.length * LANE_WIDTH;
  const width = lanesWidth + NOTES_WIDTH;
  const height = TOP + steps.length * ROW_HEIGHT + 30;
  const drawn = [
    ...lanes.map((lane, i) => laneSvg(lane, i, height)),
    ...arrowsOf(steps).map((arrow) => arrowSvg(arrow, steps.length)),
    ...steps.map((step, row) => stepSvg(step, row, lanesWidth, row === steps.length - 1)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12">
<defs>
<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#2f6f8f"/></marker>
<marker id="gone" viewBox="0 0 10 10" refX="5" refY="5" markerWidth="10" markerHeight="10"><path d="M1 1 9 9M9 1 1 9" stroke="#b3402f" stroke-width="2"/></marker>
</defs>
<rect width="${width}" height="${height}" fill="#fbfaf7"/>
${drawn.join("\n")}
</svg>`;
}

const laneX = (lane: number) => lane * LANE_WIDTH + LANE_WIDTH / 2;
const rowY = (row: number) => TOP + row * ROW_HEIGHT + ROW_HEIGHT / 2;

function laneSvg(name: string, lane: number, height: number): string {
  const x = laneX(lane);
  return `<line x1="${x}" y1="40" x2="${x}" y2="${height - 10}" stroke="#cfc9ba" stroke-width="1.5"/><text x="${x}" y="28" text-anchor="middle" font-size="15" font-weight="600" fill="#23211c">${escaped(name)}</text>`;
}

function stepSvg(step: StepChanges, row: number, lanesWidth: number, isLast: boolean): string {
  const y = rowY(row);
  const paint = isLast ? ["#f8ddd6", "#b3402f"] : [step.lane === null ? "#f3e3c3" : "#ffffff", "#8b8471"];
  const x = step.lane === null ? lanesWidth / 2 : laneX(step.lane);
  const notes = step.facts.map(({ name, from, to }) => `${name}: ${from} → ${to}`);
  const shown = notes.length > 3 ? [...notes.slice(0, 2), `${notes.slice(2).join("; ")}`] : notes;
  const noteLines = shown.map((note, i) => {
    const noteY = y - (shown.length - 1) * 7 + i * 14 + 4;
    return `<text x="${lanesWidth + 12}" y="${noteY}" font-size="11" fill="#5d584c">${escaped(clipped(note, 76))}</text>`;
  });
  return [
    `<rect x="${x - BOX_HALF}" y="${y - 12}" width="${BOX_HALF * 2}" height="24" rx="5" fill="${paint[0]}" stroke="${paint[1]}"/>`,
    `<text x="${x}" y="${y + 4}" text-anchor="middle" font-size="11" fill="#23211c">${escaped(clipped(`${row + 1}. ${step.text}`, 42))}</text>`,
    ...noteLines,
  ].join("");
}

function arrowSvg({ from, to, packet, sentAt, fromBox, endedAt, lost }: Arrow, rows: number): string {
  const towards = to > from ? 1 : -1;
  const x1 = laneX(from) + (fromBox ? towards * BOX_HALF : 0);
  const y1 = rowY(sentAt);
  const x2 = lost || endedAt === null ? (laneX(from) + laneX(to)) / 2 : laneX(to) - towards * BOX_HALF;
  const y2 = endedAt === null ? rowY(rows - 1) + 24 : rowY(endedAt);
  const dashed = lost || endedAt === null ? ' stroke-dasharray="5 4"' : "";
  const end = lost ? ' marker-end="url(#gone)"' : endedAt === null ? "" : ' marker-end="url(#head)"';
  const label = `<text x="${x1 + towards * 6}" y="${y1 + 22}" text-anchor="${towards === 1 ? "start" : "end"}" font-size="10.5" fill="#2f6f8f" stroke="#fbfaf7" stroke-width="3" paint-order="stroke">${escaped(clipped(packet, 44))}</text>`;
  return `<path d="M${x1} ${y1}L${x2} ${y2}" fill="none" stroke="${lost ? "#b3402f" : "#2f6f8f"}" stroke-width="1.4"${dashed}${end}/>${label}`;
}

/** Matches each packet's sending with its end: channels are FIFO, so the oldest of its channel goes first. */
function arrowsOf(steps: readonly StepChanges[]): Arrow[] {
  const arrows: Arrow[] = [];
  const underWay = new Map<string, Pick<Arrow, keyof PacketMove | "sentAt" | "fromBox">[]>();
  const queue = ({ from, to }: PacketMove) => {
    const key = `${from}>${to}`;
    const known = underWay.get(key) ?? [];
    underWay.set(key, known);
    return known;
  };
  steps.forEach((step, row) => {
    const end = (move: PacketMove, lost: boolean) => {
      const sent = queue(move).shift();
      if (sent !== undefined) arrows.push({ ...sent, endedAt: row, lost });
    };
    for (const move of step.delivered) end(move, false);
    for (const move of step.lost) end(move, true);
    for (const move of step.sent) queue(move).push({ ...move, sentAt: row, fromBox: step.lane === move.from });
  });
  for (const rest of underWay.values()) for (const sent of rest) arrows.push({ ...sent, endedAt: null, lost: false });
  return arrows;
}

function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
