/** Draws a placed chart as one SVG file that needs nothing else. */

import type { ElkPoint } from "elkjs/lib/elk-api.js";
import {
  BLOCK_PADDING,
  type Block,
  BOX_PADDING,
  blockHeight,
  type Content,
  HOT_MARK,
  LABEL_PADDING,
  type Row,
  TITLE_HEIGHT,
} from "./content.ts";
import { type CoverageSource, SOURCE_WORDS } from "./coverage.ts";
import { ANYWHERE, type Placed, type PlacedEdge, type PlacedState, type Rect } from "./layout.ts";
import { BOLD, FONT_FAMILY, FONT_SIZE, LINE_HEIGHT, type Line, type Style } from "./text.ts";

const INK: Readonly<Record<Style, string>> = {
  title: "#16202c",
  text: "#3d4a58",
  note: "#5b6875",
  trigger: "#16202c",
  guard: "#8a4b08",
  effect: "#0b6470",
  keyword: "#5b6875",
  handler: "#7a3b00",
  hot: "#c07f1c",
};

const STYLE = [
  `text{font-family:${FONT_FAMILY};white-space:pre}`,
  ...Object.entries(INK).map(
    ([style, ink]) =>
      `.${style}{font-size:${FONT_SIZE[style as Style]}px;fill:${ink}${BOLD.has(style as Style) ? ";font-weight:bold" : ""}}`,
  ),
  ".note{font-style:italic}",
  ".state{fill:#fff;stroke:#33475b;stroke-width:1.3}",
  ".chart{fill:#fbfcfd;stroke:#33475b;stroke-width:1.3}",
  ".even{fill:#f1f5f9;stroke:#33475b;stroke-width:1.3}",
  ".odd{fill:#fbfcfd;stroke:#33475b;stroke-width:1.3}",
  ".region{stroke-dasharray:5 4}",
  ".inner{fill:none;stroke:#33475b;stroke-width:1}",
  ".bar{fill:#dfe8f0}",
  ".compartment{fill:#fdf0d9}",
  ".plain{stroke:none}",
  ".elsewhere{fill:#fff;stroke:#7d8c9a;stroke-width:1.2;stroke-dasharray:4 3}",
  ".anywhere{fill:#fff;stroke:#7d8c9a;stroke-width:1.2}",
  ".rule{stroke:#c9d3dc;stroke-width:1}",
  ".edge{fill:none;stroke:#4a6178;stroke-width:1.4}",
  ".label{fill:#fff;stroke:#dbe3ea;stroke-width:1}",
  ".dot{fill:#16202c}",
  ".taken{fill:#2e8b57}",
  ".walked{fill:#d98e04}",
  ".tested{fill:#2f7fd1}",
  ".missed{fill:#c43b3b}",
].join("\n");

/** What every figure refers to: once in each file, and once in a page that holds many. */
export const SVG_PRELUDE = [
  `<style>${STYLE}</style>`,
  '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">',
  '<path d="M0 0.8 L9.5 5 L0 9.2 z" fill="#4a6178"/></marker></defs>',
].join("\n");

/** A file of its own. */
export function standaloneSvg(placed: Placed, title: string): string {
  return svg(placed, title, SVG_PRELUDE, (path) => `${path}.svg`);
}

/** Part of a page that brings SVG_PRELUDE. */
export function inlineSvg(placed: Placed, title: string): string {
  return svg(placed, title, "", (name) => `#${name}`);
}

function svg(placed: Placed, title: string, prelude: string, link: (figure: string) => string): string {
  const { width, height } = placed;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    prelude,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    // Boxes first, parents before children; then lines; then whatever carries text, so that no line runs through a word.
    ...placed.states.map(box),
    ...placed.edges.map(line),
    ...placed.dots.map(dot),
    ...placed.anywhere.map(pill),
    ...placed.states.map((state) => stateText(state, link)),
    ...placed.edges.map(label),
    "</svg>",
  ];
  return `${parts.filter((part) => part !== "").join("\n")}\n`;
}

function box({ state, depth, ...area }: PlacedState): string {
  if (state.children.length === 0) return "";
  const region = state.kind === "parallel" ? " region" : "";
  return [rect(area, `${shadeOf(depth)}${region}`, 10), titleBar(area)].join("\n");
}

function shadeOf(depth: number): string {
  if (depth === 0) return "chart";
  return depth % 2 === 0 ? "even" : "odd";
}

function stateText({ state, depth, content, ...area }: PlacedState, link: (figure: string) => string): string {
  const text = blocks(content.blocks, area);
  if (state.children.length > 0) {
    // A transition to the inside may run through the heading, behind its words.
    return [backing(content, shadeOf(depth), area), text].join("\n");
  }
  if (state.kind === "elsewhere") return [rect(area, "elsewhere", 14), text].join("\n");
  if (state.figure !== undefined) {
    // A pile of paper: there is more below.
    const under = { ...area, x: area.x + 5, y: area.y + 5 };
    const picture = [rect(under, "state", 10), rect(area, "state", 10), titleBar(area), text].join("\n");
    return `<a href="${link(state.figure)}">${picture}</a>`;
  }
  if (state.kind !== "final") return [rect(area, "state", 10), text].join("\n");
  return [rect(area, "state", 10), rect(inset(area, 3), "inner", 7.5), bullsEye(area), text].join("\n");
}

/** Covers the lines behind each row of a heading. */
function backing(content: Content, shade: string, { x, y }: Rect): string {
  const parts: string[] = [];
  let top = y;
  for (const block of content.blocks) {
    const first = block.kind === "title" ? top + 5 : top + BLOCK_PADDING;
    for (const [index, { line }] of block.rows.entries()) {
      const area = {
        x: x + BOX_PADDING - 2,
        y: first + index * LINE_HEIGHT,
        width: line.indent + line.width + 4,
        height: LINE_HEIGHT,
      };
      parts.push(`<rect class="${block.kind === "title" ? "bar" : `${shade} plain`}" ${position(area)}/>`);
    }
    top += blockHeight(block);
  }
  return parts.join("\n");
}

function bullsEye({ x, y, width }: Rect): string {
  const at = `cx="${n(x + width - 17)}" cy="${n(y + 14)}"`;
  return `<circle class="inner" ${at} r="6.5"/><circle class="dot" ${at} r="3.8"/>`;
}

/** A bar behind the title, rounded like the box above it and straight below. */
function titleBar({ x, y, width }: Rect): string {
  const r = 9.3;
  const left = x + 0.7;
  const right = x + width - 0.7;
  const bottom = y + TITLE_HEIGHT - 1;
  const top = y + 0.7;
  const path = `M${n(left)} ${n(bottom)}V${n(top + r)}Q${n(left)} ${n(top)} ${n(left + r)} ${n(top)}H${n(right - r)}Q${n(right)} ${n(top)} ${n(right)} ${n(top + r)}V${n(bottom)}z`;
  return `<path class="bar" d="${path}"/>`;
}

function blocks(all: readonly Block[], { x, y, width }: Rect): string {
  const parts: string[] = [];
  let top = y;
  for (const [index, block] of all.entries()) {
    const height = blockHeight(block);
    if (block.kind === "hot") {
      parts.push(rect({ x: x + 4, y: top + 1, width: width - 8, height: height - 2 }, "compartment", 4));
      const right = x + width - BOX_PADDING;
      parts.push(
        `<text class="hot" text-anchor="end" x="${n(right)}" y="${n(top + BLOCK_PADDING + 12)}">${HOT_MARK}</text>`,
      );
    } else if (index > 1) {
      parts.push(`<path class="rule" d="M${n(x + 6)} ${n(top)}H${n(x + width - 6)}"/>`);
    }
    const first = block.kind === "title" ? top + 19 : top + BLOCK_PADDING + 12;
    parts.push(rows(block.rows, x + BOX_PADDING, first));
    top += height;
  }
  return parts.join("\n");
}

function rows(all: readonly Row[], x: number, firstBaseline: number): string {
  return all
    .map(({ line, taken }, index) => {
      const baseline = firstBaseline + index * LINE_HEIGHT;
      return [textLine(line, x + line.indent, baseline), mark(taken, x - 6, baseline - 4)].join("");
    })
    .join("\n");
}

/**
 * Green: taken in runs. Blue: in generated tests of real objects or by the model checker. Amber: only in walks. Red: never.
 * Nothing where nothing is known.
 */
function mark(taken: readonly CoverageSource[] | undefined, x: number, y: number): string {
  if (taken === undefined) return "";
  const tested = taken.includes("path") || taken.includes("model");
  const kind = taken.includes("run") ? "taken" : tested ? "tested" : taken.length > 0 ? "walked" : "missed";
  const words = taken.length === 0 ? "never taken" : `taken in ${taken.map((it) => SOURCE_WORDS[it]).join(", ")}`;
  return `<circle class="${kind}" cx="${n(x)}" cy="${n(y)}" r="3"><title>${words}</title></circle>`;
}

function line({ points }: PlacedEdge): string {
  return points.length === 0 ? "" : `<path class="edge" marker-end="url(#arrow)" d="${rounded(points)}"/>`;
}

function label({ label: placed }: PlacedEdge): string {
  if (placed === undefined) return "";
  const { content, ...area } = placed;
  const all = content.blocks.flatMap((block) => block.rows);
  return [rect(area, "label", 4), rows(all, area.x + LABEL_PADDING, area.y + LABEL_PADDING + 12)].join("\n");
}

function dot({ x, y, width, height }: Rect): string {
  return `<circle class="dot" cx="${n(x + width / 2)}" cy="${n(y + height / 2)}" r="${n(width / 2)}"/>`;
}

function textLine({ spans }: Line, x: number, y: number): string {
  const [only] = spans;
  if (spans.length === 1 && only !== undefined) {
    return `<text class="${only.style}" x="${n(x)}" y="${n(y)}">${escaped(only.text)}</text>`;
  }
  const inner = spans.map(({ text, style }) => `<tspan class="${style}">${escaped(text)}</tspan>`).join("");
  return `<text x="${n(x)}" y="${n(y)}">${inner}</text>`;
}

function pill(area: Rect): string {
  const middle = area.x + area.width / 2;
  const text = `<text class="note" text-anchor="middle" x="${n(middle)}" y="${n(area.y + 16)}">${ANYWHERE}</text>`;
  return [rect(area, "anywhere", 12), text].join("\n");
}

function rect(area: Rect, style: string, radius: number): string {
  return `<rect class="${style}" ${position(area)} rx="${radius}"/>`;
}

function position({ x, y, width, height }: Rect): string {
  return `x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"`;
}

function inset({ x, y, width, height }: Rect, by: number): Rect {
  return { x: x + by, y: y + by, width: width - 2 * by, height: height - 2 * by };
}

/** An orthogonal line with softened corners. */
function rounded(points: readonly ElkPoint[]): string {
  const [first, ...rest] = points as readonly [ElkPoint, ...ElkPoint[]];
  let path = `M${n(first.x)} ${n(first.y)}`;
  let before = first;
  for (const [index, point] of rest.entries()) {
    const after = rest[index + 1];
    if (after === undefined) {
      path += `L${n(point.x)} ${n(point.y)}`;
    } else {
      const from = towards(point, before);
      const to = towards(point, after);
      path += `L${n(from.x)} ${n(from.y)}Q${n(point.x)} ${n(point.y)} ${n(to.x)} ${n(to.y)}`;
    }
    before = point;
  }
  return path;
}

/** A point up to 6 px from the corner on the way to its neighbour. */
function towards(corner: ElkPoint, neighbour: ElkPoint): ElkPoint {
  const dx = neighbour.x - corner.x;
  const dy = neighbour.y - corner.y;
  const length = Math.hypot(dx, dy);
  const part = length === 0 ? 0 : Math.min(6, length / 2) / length;
  return { x: corner.x + dx * part, y: corner.y + dy * part };
}

/** Half-pixel precision is enough to see and keeps the files small and stable. */
function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
