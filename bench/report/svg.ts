/** The small part of SVG that the plots need: axes, lines, bars and labels, as text. */

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export type Scale = (value: number) => number;

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Series {
  readonly name: string;
  /** A class of the page's style. */
  readonly style: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const NICE = [1, 2, 2.5, 5, 10];
/** Between the labels at the ends of lines. */
const LABEL_HEIGHT = 15;

export function linear(from: readonly [number, number], to: readonly [number, number]): Scale {
  const slope = (to[1] - to[0]) / (from[1] - from[0]);
  return (value) => to[0] + (value - from[0]) * slope;
}

export function logarithmic(from: readonly [number, number], to: readonly [number, number]): Scale {
  const inner = linear([Math.log10(from[0]), Math.log10(from[1])], to);
  return (value) => inner(Math.log10(Math.max(value, from[0])));
}

/** Round numbers from 0 to at least `most`, about `count` of them. */
export function niceTicks(most: number, count: number): number[] {
  const raw = most / count;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = (NICE.find((nice) => nice * magnitude >= raw) ?? 10) * magnitude;
  const ticks: number[] = [];
  for (let i = 0; ; i++) {
    ticks.push(i * step);
    if (i * step >= most) return ticks;
  }
}

/** Powers of ten, and 2 and 5 of them where there is room, that enclose the values. */
export function logTicks(least: number, most: number): number[] {
  const first = Math.floor(Math.log10(least));
  const last = Math.ceil(Math.log10(most));
  const within = last - first > 3 ? [1] : [1, 2, 5];
  const all = Array.from({ length: last - first + 1 }, (_, i) => first + i).flatMap((power) =>
    within.map((factor) => factor * 10 ** power),
  );
  const low = all.findLast((tick) => tick <= least) ?? (all[0] as number);
  const high = all.find((tick) => tick >= most) ?? (all.at(-1) as number);
  return all.filter((tick) => tick >= low && tick <= high);
}

export function svg(frame: Frame, title: string, parts: readonly string[]): string {
  const { width, height } = frame;
  const box = `viewBox="0 0 ${width} ${height}"`;
  return `<svg ${box} role="img" aria-label="${escaped(title)}" xmlns="http://www.w3.org/2000/svg">${parts.join("")}</svg>`;
}

export function text(x: number, y: number, content: string, style: string, anchor = "start"): string {
  return `<text x="${n(x)}" y="${n(y)}" class="${style}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}" class="${style}"/>`;
}

export function rect(x: number, y: number, width: number, height: number, style: string, tip = ""): string {
  const title = tip === "" ? "" : `<title>${escaped(tip)}</title>`;
  return `<rect x="${n(x)}" y="${n(y)}" width="${n(Math.max(0, width))}" height="${n(Math.max(0, height))}" class="${style}">${title}</rect>`;
}

export function path(points: readonly (readonly [number, number])[], style: string): string {
  const d = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${n(x)} ${n(y)}`).join("");
  return `<path d="${d}" class="${style}"/>`;
}

/** Horizontal lines with their labels, and the names below. */
export function axes(frame: Frame, x: readonly Tick[], y: readonly Tick[], names: { x: string; y: string }): string {
  const { width, height, left, right, top, bottom } = frame;
  const parts = y.flatMap(({ at, label }) => [
    line(left, at, width - right, at, "grid"),
    text(left - 8, at + 4, label, "tick", "end"),
  ]);
  for (const { at, label } of x) parts.push(text(at, height - bottom + 18, label, "tick", "middle"));
  parts.push(line(left, height - bottom, width - right, height - bottom, "axis"));
  parts.push(text((left + width - right) / 2, height - 6, names.x, "name", "middle"));
  parts.push(text(left - 44, top - 14, names.y, "name"));
  return parts.join("");
}

/** A line with dots, and its name at the right end, moved apart from other names by `endLabels`. */
export function seriesLine({ points, style, name }: Series, tip: (x: number, y: number) => string): string {
  const dots = points.map(([x, y]) => {
    const title = `<title>${escaped(`${name}: ${tip(x, y)}`)}</title>`;
    return `<circle cx="${n(x)}" cy="${n(y)}" r="3.5" class="dot ${style}">${title}</circle>`;
  });
  return path(points, `line ${style}`) + dots.join("");
}

/** Names at the ends of lines, none over another. */
export function endLabels(series: readonly Series[], x: number): string {
  const wanted = series
    .map(({ name, style, points }) => ({ name, style, y: points.at(-1)?.[1] ?? 0 }))
    .sort((a, b) => a.y - b.y);
  let least = Number.NEGATIVE_INFINITY;
  const placed = wanted.map(({ name, style, y }) => {
    const at = Math.max(y, least);
    least = at + LABEL_HEIGHT;
    return { name, style, at };
  });
  return placed.map(({ name, style, at }) => text(x, at + 4, name, `label ${style}`)).join("");
}

export function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function n(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 10) / 10) : "0";
}
