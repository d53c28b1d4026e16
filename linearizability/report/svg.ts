/** Pieces of SVG and HTML text. */

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** With a tooltip, which browsers show on hovering. */
export function rect(
  [x, y, width, height]: readonly [number, number, number, number],
  kind: string,
  tip = "",
  more = "",
): string {
  const title = tip === "" ? "" : `<title>${escaped(tip)}</title>`;
  return `<rect class="${kind}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" ${more}>${title}</rect>`;
}

export function text(x: number, y: number, kind: string, content: string): string {
  return `<text class="${kind}" x="${n(x)}" y="${n(y)}">${escaped(content)}</text>`;
}

export function line([x1, y1, x2, y2]: readonly [number, number, number, number], kind: string, more = ""): string {
  return `<line class="${kind}" x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}" ${more}/>`;
}

export function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** 1, 2 or 5 times a power of ten: about `parts` steps up to `limit`. */
export function step(limit: number, parts: number): number {
  const raw = Math.max(limit / parts, 1e-9);
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
}

/** `1:02.5`, or `2.5 s`. */
export function clock(us: number): string {
  const seconds = us / 1e6;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - minutes * 60).toFixed(1).padStart(4, "0")}`;
}

/** To the millisecond: `1:02.500`. */
export function moment(us: number): string {
  const minutes = Math.floor(us / 60e6);
  const seconds = (us / 1e6 - minutes * 60).toFixed(3);
  return minutes === 0 ? `${seconds} s` : `${minutes}:${seconds.padStart(6, "0")}`;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
