/** Results as a table for a terminal: a line per scenario and system, and under the second system how we compare. */
import { type Measurement, median } from "../measurement.ts";
import type { Scenario } from "../scenarios.ts";

export interface Column {
  readonly head: string;
  readonly value: (measurement: Measurement) => number;
  readonly show: (value: number) => string;
}

const MIB = 2 ** 20;

export const COLUMNS: readonly Column[] = [
  { head: "ops/s", value: (m) => m.operationsPerSecond, show: thousands },
  { head: "p50", value: (m) => m.latency.p50, show: duration },
  { head: "p95", value: (m) => m.latency.p95, show: duration },
  { head: "p99", value: (m) => m.latency.p99, show: duration },
  { head: "p99.9", value: (m) => m.latency.p999, show: duration },
  { head: "CPU/op", value: (m) => m.cpuMicrosPerOperation, show: (micros) => `${micros.toFixed(1)} µs` },
  { head: "RSS", value: (m) => Math.max(...m.serverMemory) / MIB, show: (mib) => `${mib.toFixed(0)} MB` },
  { head: "load CPU", value: (m) => m.generatorCpuShare, show: (share) => `${(share * 100).toFixed(0)} %` },
];

/** Medians over the runs; a ratio is the median of the ratios of runs that were made one after the other. */
export function table(scenarios: readonly Scenario[], systems: readonly string[], all: readonly Measurement[]): string {
  const widest = Math.max(...scenarios.map(({ title }) => title.length), ...systems.map((name) => name.length + 2));
  const lines = ["".padEnd(widest) + COLUMNS.map(({ head }) => head.padStart(10)).join("")];
  for (const { name, title } of scenarios) {
    const runs = systems.map((system) => all.filter((m) => m.scenario === name && m.system === system));
    if (runs.some((own) => own.length === 0)) continue;
    lines.push(title);
    for (const [i, system] of systems.entries()) {
      const own = runs[i] as readonly Measurement[];
      lines.push(
        `  ${system}`.padEnd(widest) + COLUMNS.map((c) => c.show(median(own.map(c.value))).padStart(10)).join(""),
      );
    }
    const [ours, theirs] = runs;
    if (ours !== undefined && theirs !== undefined) lines.push("  ratio".padEnd(widest) + ratios(ours, theirs));
  }
  return lines.join("\n");
}

function ratios(ours: readonly Measurement[], theirs: readonly Measurement[]): string {
  return COLUMNS.slice(0, -1)
    .map(({ value }) => `${ratioOf(ours, theirs, value).toFixed(2)} ×`.padStart(10))
    .join("");
}

/** Ours to theirs. */
export function ratioOf(
  ours: readonly Measurement[],
  theirs: readonly Measurement[],
  value: (measurement: Measurement) => number,
): number {
  const pairs = ours.slice(0, theirs.length);
  return median(pairs.map((own, i) => value(own) / value(theirs[i] as Measurement)));
}

export function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function duration(micros: number): string {
  if (micros < 1000) return `${micros.toFixed(0)} µs`;
  const ms = micros / 1000;
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
}
