/**
 * Text with measured widths, so that boxes fit their text without a browser. The table holds the advance widths of Arial
 * and its metric twins Helvetica and Liberation Sans, in thousandths of the font size.
 */

export type Style = "title" | "text" | "note" | "trigger" | "guard" | "effect" | "keyword" | "handler" | "hot";

export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** One line of spans and how wide it is without its indentation, px. */
export interface Line {
  readonly spans: readonly Span[];
  readonly indent: number;
  readonly width: number;
}

export const FONT_FAMILY = "Arial, Helvetica, 'Liberation Sans', sans-serif";
export const LINE_HEIGHT = 16;

export const FONT_SIZE: Readonly<Record<Style, number>> = {
  title: 15,
  text: 12.5,
  note: 12,
  trigger: 12,
  guard: 12,
  effect: 12,
  keyword: 12,
  handler: 12,
  hot: 12,
};

export const BOLD: ReadonlySet<Style> = new Set<Style>(["title", "trigger"]);

// biome-ignore format: a table of the characters from space to tilde
const REGULAR = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556,
  556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778,
  722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222,
  500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

// biome-ignore format: a table of the characters from space to tilde
const HEAVY = [
  278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556,
  556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778,
  722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278,
  556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];

const WIDEST = 1000;

/** Keeps words on one line; as wide as a space. */
export const NBSP = "\u00a0";

export function widthOf(text: string, style: Style): number {
  const table = BOLD.has(style) ? HEAVY : REGULAR;
  let thousandths = 0;
  for (const character of text) {
    const code = character === NBSP ? 32 : character.charCodeAt(0);
    thousandths += table[code - 32] ?? WIDEST;
  }
  return (thousandths * FONT_SIZE[style]) / 1000;
}

/**
 * Breaks spans at spaces into lines of at most `maxWidth` px; a single longer word stays whole. Lines after the first are
 * indented, so that the beginning of the next item shows.
 */
export function wrap(spans: readonly Span[], maxWidth: number, indent = 0): Line[] {
  const lines: Line[] = [];
  let line: Span[] = [];
  let width = 0;
  const end = () => {
    if (line.length > 0) lines.push({ spans: line, width, indent: lines.length === 0 ? 0 : indent });
    line = [];
    width = 0;
  };
  for (const { text, style } of spans) {
    const space = widthOf(" ", style);
    for (const word of text.split(" ").filter((it) => it !== "")) {
      const wide = widthOf(word, style);
      const room = maxWidth - (lines.length === 0 ? 0 : indent);
      if (width > 0 && width + space + wide > room) end();
      const last = line.at(-1);
      if (last?.style === style) {
        line[line.length - 1] = { text: `${last.text} ${word}`, style };
      } else {
        line.push({ text: line.length === 0 ? word : ` ${word}`, style });
      }
      width += width === 0 ? wide : space + wide;
    }
  }
  end();
  return lines;
}
