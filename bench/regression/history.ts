/** Costs of runs over time: a line of JSON per run, shown as a trend. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Measurement, median } from "../measurement.ts";
import { type CostName, costsOf } from "./baseline.ts";

export interface HistoryEntry {
  readonly date: string;
  readonly revision: string;
  readonly cpu: string;
  /** By scenario: the medians of the costs, and of what was measured. */
  readonly scenarios: Readonly<Record<string, ScenarioEntry>>;
}

export interface ScenarioEntry {
  readonly costs: Readonly<Record<CostName, number>>;
  readonly operationsPerSecond: number;
  readonly cpuMicrosPerOperation: number;
}

const BARS = "▁▂▃▄▅▆▇█";
/** Runs that fit into a line. */
const SHOWN = 24;

export function entryOf(
  measurements: readonly Measurement[],
  system: string,
  run: { readonly date: string; readonly revision: string; readonly cpu: string },
): HistoryEntry {
  const scenarios: Record<string, ScenarioEntry> = {};
  for (const [scenario, costs] of costsOf(measurements, system)) {
    const own = measurements.filter((m) => m.kind === "load" && m.scenario === scenario && m.system === system);
    const of = (key: "operationsPerSecond" | "cpuMicrosPerOperation") =>
      Number(median(own.map((m) => (m.kind === "load" ? m[key] : Number.NaN))).toPrecision(5));
    scenarios[scenario] = {
      costs: {
        "CPU per operation": Number(median(costs["CPU per operation"]).toPrecision(5)),
        "time per operation": Number(median(costs["time per operation"]).toPrecision(5)),
      },
      operationsPerSecond: of("operationsPerSecond"),
      cpuMicrosPerOperation: of("cpuMicrosPerOperation"),
    };
  }
  return { ...run, scenarios };
}

export function remember(file: string, entry: HistoryEntry): void {
  if (Object.keys(entry.scenarios).length === 0) return;
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
}

/** Of all files, oldest first. */
export function recall(files: readonly string[]): HistoryEntry[] {
  const lines = files.filter((file) => existsSync(file)).flatMap((file) => readFileSync(file, "utf8").split("\n"));
  const entries = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as HistoryEntry);
  return entries.sort((a, b) => a.date.localeCompare(b.date));
}

/** A line per scenario: its CPU cost over the runs, the latest figures, and the change since the first run that is shown. */
export function trend(entries: readonly HistoryEntry[]): string {
  const first = entries[0];
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return "No run is recorded yet: npm run bench records one.";
  const names = [...new Set(entries.flatMap(({ scenarios }) => Object.keys(scenarios)))].sort();
  const widest = Math.max(...names.map((name) => name.length));
  const lines = [
    `${entries.length} runs from ${first.date.slice(0, 16)} (${first.revision}) to ${last.date.slice(0, 16)} (${last.revision})`,
    "CPU per operation, as a ratio to the bare socket loop of the same minute; oldest left",
    "",
  ];
  for (const name of names) {
    const own = entries.flatMap(({ scenarios }) => scenarios[name] ?? []).slice(-SHOWN);
    const costs = own.map(({ costs: of }) => of["CPU per operation"]);
    const latest = own.at(-1) as ScenarioEntry;
    const change = ((costs.at(-1) as number) / (costs[0] as number) - 1) * 100;
    lines.push(
      [
        name.padEnd(widest),
        bars(costs).padStart(SHOWN),
        `${(costs.at(-1) as number).toFixed(3)}`.padStart(8),
        `${change >= 0 ? "+" : ""}${change.toFixed(1)} %`.padStart(9),
        `${latest.cpuMicrosPerOperation.toFixed(1)} µs/op`.padStart(12),
        `${Math.round(latest.operationsPerSecond).toLocaleString("en-US")}/s`.padStart(12),
      ].join("  "),
    );
  }
  return lines.join("\n");
}

/** Heights between the least and the greatest; at least a fifth apart, so that noise stays flat. */
function bars(values: readonly number[]): string {
  const least = Math.min(...values);
  const span = Math.max(Math.max(...values) - least, least * 0.2);
  return values.map((value) => BARS[Math.min(7, Math.floor(((value - least) / span) * 8))]).join("");
}
