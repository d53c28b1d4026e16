/** A counterexample as text: one line per step, at most 25 in all, each with what the step changed. */

import type { Model } from "./model.ts";
import type { Counterexample } from "./trace.ts";
import { changesOf, type PacketMove, type StepChanges } from "./trace-changes.ts";

/** 25 lines with the headline. */
const ROOM = 24;
const MAX_WIDTH = 200;

/**
 * The last steps tell the story, so they get a line each; if there are more than fit, the first ones share lines and
 * show only their names.
 */
export function printTrace<State>(model: Model<State>, counterexample: Counterexample): string[] {
  const steps = changesOf(model, counterexample.trace);
  const { lanes } = model.storyboard;
  const lines = [headline(model, counterexample, steps.length)];
  const perLine = foldSize(steps.length);
  const excess = Math.max(0, steps.length - ROOM);
  const folded = excess === 0 ? 0 : excess + Math.ceil(excess / (perLine - 1));
  for (let at = 0; at < folded; at += perLine) {
    const end = Math.min(at + perLine, folded);
    const names = steps.slice(at, end).map(({ text }) => text);
    lines.push(cut(`${numbers(at + 1, end)}  ${names.join(" · ")}`));
  }
  steps.slice(folded).forEach((step, i) => {
    lines.push(stepLine(folded + i + 1, step, lanes));
  });
  return lines;
}

/** Each line of p steps saves p - 1 lines. As few steps a line as leave two thirds of the lines to single steps. */
function foldSize(steps: number): number {
  let perLine = 2;
  while (Math.ceil((steps - ROOM) / (perLine - 1)) > ROOM / 3) perLine += 1;
  return perLine;
}

function headline<State>(model: Model<State>, { property, kind }: Counterexample, steps: number): string {
  const after = `after ${steps} step${steps === 1 ? "" : "s"}`;
  if (kind === "always") return `${model.name}: ${property} fails ${after}`;
  if (kind === "neverStep") return `${model.name}: "${property}" happens in step ${steps}`;
  return `${model.name}: "${property}" cannot be reached any more ${after}`;
}

function stepLine(number: number, step: StepChanges, lanes: readonly string[]): string {
  const parts = step.facts.map(({ name, from, to }) => `${name} ${from} → ${to}`);
  if (step.sent.length > 0) parts.push(`sends ${packets(step.sent, lanes)}`);
  if (step.lost.length > 0) parts.push(`loses ${packets(step.lost, lanes)}`);
  return cut(`${numbers(number, number)}  ${step.text.padEnd(34)}  ${parts.join("; ")}`.trimEnd());
}

function packets(moves: readonly PacketMove[], lanes: readonly string[]): string {
  return moves.map(({ from, to, packet }) => `${packet} ${lanes[from]}→${lanes[to]}`).join(", ");
}

function numbers(first: number, last: number): string {
  return (first === last ? `${first}` : `${first}–${last}`).padStart(5);
}

function cut(line: string): string {
  return line.length <= MAX_WIDTH ? line : `${line.slice(0, MAX_WIDTH - 1)}…`;
}
