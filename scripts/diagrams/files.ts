/** The generated files: one SVG per figure and a page with all of them. Same charts, same bytes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { charts } from "../../spec/charts.ts";
import { type CoverageData, coverageOf, NO_COVERAGE, NO_COVERAGE_DATA } from "./coverage.ts";
import { drawMachine, type Picture } from "./draw.ts";
import { legendMachine } from "./legend.ts";
import { type DrawnEntry, page } from "./page.ts";
import { standaloneSvg } from "./svg.ts";

export const COVERAGE_FILE = "coverage.json";

export interface DrawnFiles {
  readonly entries: readonly DrawnEntry[];
  readonly legend: readonly Picture[];
  /** File name → content: all of docs/charts except the optional coverage data, which is read from there. */
  readonly files: ReadonlyMap<string, string>;
}

export async function drawnFiles(directory: string): Promise<DrawnFiles> {
  const data = readCoverage(join(directory, COVERAGE_FILE));
  const files = new Map<string, string>();
  const entries: DrawnEntry[] = [];
  for (const chart of charts) {
    const pictures = await drawMachine(chart.machine, coverageOf(data, chart.machine.id));
    entries.push({ chart, pictures });
    for (const { figure, placed } of pictures) files.set(`${figure.name}.svg`, standaloneSvg(placed, figure.name));
  }
  const legend = await drawMachine(legendMachine, NO_COVERAGE);
  files.set("index.html", page(entries, legend, data));
  return { entries, legend, files };
}

function readCoverage(file: string): CoverageData {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as CoverageData) : NO_COVERAGE_DATA;
}
