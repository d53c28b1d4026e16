/** What is written in a state's box and at an edge: rows of measured text, in blocks. */
import type { DrawnEdge, DrawnState, DrawnTransition } from "./chart-model.ts";
import type { Coverage, CoverageSource } from "./coverage.ts";
import { LINE_HEIGHT, type Line, NBSP, type Span, type Style, widthOf, wrap } from "./text.ts";

export type BlockKind = "title" | "description" | "behaviour" | "hot";

export interface Row {
  readonly line: Line;
  /** First row of a transition whose coverage is known: what has taken it. */
  readonly taken: readonly CoverageSource[] | undefined;
}

export interface Block {
  readonly kind: BlockKind;
  readonly rows: readonly Row[];
}

export interface Content {
  readonly blocks: readonly Block[];
  readonly width: number;
  readonly height: number;
}

export const BOX_PADDING = 10;
/** Above and below the rows of a block. */
export const BLOCK_PADDING = 5;
export const TITLE_HEIGHT = 28;
export const LABEL_PADDING = 5;
/** Written at the right end of the hot compartment. */
export const HOT_MARK = "hot";
const INDENT = 12;
const NO_ROWS: readonly Row[] = [];

export function stateContent(state: DrawnState, maxWidth: number, coverage: Coverage): Content {
  const blocks = blocksOf(state, maxWidth, coverage).filter(({ rows }) => rows.length > 0);
  const beside = { title: state.kind === "final" ? END_WIDTH : 0, description: 0, behaviour: 0, hot: HOT_WIDTH };
  const widths = blocks.flatMap(({ kind, rows }) => rows.map(({ line }) => lineWidth(line) + beside[kind]));
  return {
    blocks,
    width: Math.ceil(Math.max(...widths)) + 2 * BOX_PADDING,
    height: blocks.reduce((sum, block) => sum + blockHeight(block), 0),
  };
}

export function labelContent(edge: DrawnEdge, maxWidth: number, coverage: Coverage): Content {
  const rows = transitionRows(edge.transitions, maxWidth, coverage);
  const width = Math.max(0, ...rows.map(({ line }) => lineWidth(line)));
  return {
    blocks: [{ kind: "behaviour", rows }],
    width: Math.ceil(width) + 2 * LABEL_PADDING,
    height: rows.length * LINE_HEIGHT + 2 * LABEL_PADDING,
  };
}

export function blockHeight({ kind, rows }: Block): number {
  return kind === "title" ? TITLE_HEIGHT : rows.length * LINE_HEIGHT + 2 * BLOCK_PADDING;
}

const HOT_WIDTH = Math.ceil(widthOf(HOT_MARK, "hot")) + 12;
/** For the bull's eye at the right end of a final state's title. */
const END_WIDTH = 26;
const lineWidth = ({ indent, width }: Line): number => indent + width;

function blocksOf(state: DrawnState, maxWidth: number, coverage: Coverage): Block[] {
  const behaviour = [
    ...actionRows("entry", state.entry, maxWidth),
    ...actionRows("exit", state.exit, maxWidth),
    ...transitionRows(state.internal, maxWidth, coverage),
    ...wordRows("ignores", state.ignored, maxWidth),
  ];
  const hot = state.hot.flatMap(({ key, event, handler }) =>
    rowsOf([span("trigger", event), span("handler", `→${NBSP}${handler}`)], maxWidth - HOT_WIDTH, coverage.taken(key)),
  );
  const title = state.kind === "history" ? `${state.title} (history)` : state.title;
  return [
    { kind: "title", rows: rowsOf([span("title", title)], Number.POSITIVE_INFINITY) },
    { kind: "description", rows: rowsOf([span("text", state.description)], maxWidth, undefined, 0) },
    { kind: "behaviour", rows: behaviour },
    { kind: "hot", rows: hot },
  ];
}

function transitionRows(transitions: readonly DrawnTransition[], maxWidth: number, coverage: Coverage): readonly Row[] {
  return alike(transitions).flatMap((group) => {
    const [first] = group;
    const { guard, effects, assigns, description, leaves, reenters } = first;
    const spans: Span[] = group.map((transition, index) =>
      triggerSpan(transition, index < group.length - 1 ? "," : ""),
    );
    if (guard !== "") spans.push(guardSpan(first));
    if (effects.length > 0) spans.push(span("effect", listed("/", effects)));
    // Assignments are the chart's memory, not its behaviour: they are told where nothing else would be.
    else if (!leaves && !reenters) spans.push(span("keyword", assigns === "" ? "ignored" : `sets ${assigns}`));
    if (reenters) spans.push(span("keyword", "and enters again"));
    const [taken, ...others] = group.map(({ key }) => coverage.taken(key));
    // Told together, judged by the one that was taken least.
    const all = taken?.filter((source) => others.every((other) => other?.includes(source) ?? true));
    return [...rowsOf(spans, maxWidth, all), ...noteRows(description, maxWidth)];
  });
}

/** Transitions that differ only in their event are told together. */
function alike(transitions: readonly DrawnTransition[]): [DrawnTransition, ...DrawnTransition[]][] {
  const groups = new Map<string, [DrawnTransition, ...DrawnTransition[]]>();
  for (const transition of transitions) {
    const { guard, turn, effects, assigns, description, reenters } = transition;
    const meaning = JSON.stringify([guard, turn, effects, assigns, description, reenters]);
    const group = groups.get(meaning);
    if (group === undefined) groups.set(meaning, [transition]);
    else group.push(transition);
  }
  return [...groups.values()];
}

function triggerSpan({ trigger }: DrawnTransition, comma: string): Span {
  return trigger === "" ? span("keyword", `at${NBSP}once${comma}`) : span("trigger", whole(trigger) + comma);
}

/** "[2: mayReconnect]": the second to be asked. */
function guardSpan({ guard, turn }: DrawnTransition): Span {
  return span("guard", whole(turn === 0 ? `[${guard}]` : `[${turn}: ${guard}]`));
}

/** Not to be broken across lines. */
function whole(text: string): string {
  return text.replaceAll(" ", NBSP);
}

function noteRows(note: string, maxWidth: number): readonly Row[] {
  if (note === "") return NO_ROWS;
  const rows = rowsOf([span("note", note)], maxWidth - INDENT, undefined, 0);
  return rows.map(({ line, taken }) => ({ line: { ...line, indent: INDENT }, taken }));
}

function actionRows(word: string, effects: readonly string[], maxWidth: number): readonly Row[] {
  if (effects.length === 0) return NO_ROWS;
  return rowsOf([span("keyword", word), span("effect", listed("/", effects))], maxWidth);
}

function wordRows(word: string, events: readonly string[], maxWidth: number): readonly Row[] {
  return events.length === 0 ? NO_ROWS : rowsOf([span("keyword", `${word} ${events.join(", ")}`)], maxWidth);
}

/** "/ a, b c": neither the slash nor an effect's constant may stand alone at a line's end. */
function listed(mark: string, effects: readonly string[]): string {
  return `${mark}${NBSP}${effects.map(whole).join(", ")}`;
}

function rowsOf(
  spans: readonly Span[],
  maxWidth: number,
  taken?: readonly CoverageSource[],
  indent = INDENT,
): readonly Row[] {
  return wrap(spans, maxWidth, indent).map((line, index) => ({ line, taken: index === 0 ? taken : undefined }));
}

function span(style: Style, text: string): Span {
  return { style, text };
}
