/** A machine in, its figures out. */
import type { AnyStateMachine } from "xstate";
import { type DrawnChart, drawnChart } from "./chart-model.ts";
import type { Coverage } from "./coverage.ts";
import { type Figure, figureOf, foldable, leaves } from "./figures.ts";
import { type Placed, place, type Widths } from "./layout.ts";

/** A figure has to fit on a screen at its natural size, px. */
export const MAX_WIDTH = 1600;

/** More boxes than this are too much for one look, whatever their width. */
const MAX_LEAVES = 24;

export interface Picture {
  readonly figure: Figure;
  readonly placed: Placed;
}

const WIDE: Widths = { box: 240, label: 200 };
const NARROW: Widths = { box: 200, label: 165 };

/** The whole chart if it fits, otherwise an overview followed by a figure for each state that had to be folded. */
export async function drawMachine(machine: AnyStateMachine, coverage: Coverage): Promise<Picture[]> {
  return drawFrom(drawnChart(machine), "", coverage);
}

async function drawFrom(chart: DrawnChart, path: string, coverage: Coverage): Promise<Picture[]> {
  const folded = new Set<string>();
  let figure = figureOf(chart, path, folded);
  let placed = await fitted(figure, coverage);
  // Biggest first, until the rest fits.
  for (const next of foldable(figure)) {
    if (placed !== null && placed.width <= MAX_WIDTH) break;
    folded.add(next);
    figure = figureOf(chart, path, folded);
    placed = await fitted(figure, coverage);
  }
  placed ??= await place(figure, coverage, NARROW);
  const pictures: Picture[] = [{ figure, placed }];
  for (const { path: inner } of figure.root.children.filter((state) => folded.has(state.path))) {
    pictures.push(...(await drawFrom(chart, inner, coverage)));
  }
  return pictures;
}

/** Null for a figure that is too much for one look. */
async function fitted(figure: Figure, coverage: Coverage): Promise<Placed | null> {
  if (leaves(figure.root) > MAX_LEAVES) return null;
  const wide = await place(figure, coverage, WIDE);
  if (wide.width <= MAX_WIDTH || wide.width > 1.25 * MAX_WIDTH) return wide;
  const narrow = await place(figure, coverage, NARROW);
  return narrow.width < wide.width ? narrow : wide;
}
