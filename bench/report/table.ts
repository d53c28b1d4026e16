/** Results as tables for a terminal: a line per scenario and system, and under the second system how we compare. */
import { type EventMeasurement, type LoadMeasurement, type Measurement, median, type Unit } from "../measurement.ts";
import type { Scenario } from "../scenarios.ts";

export interface Column {
  readonly head: string;
  /** null where it cannot be measured. */
  readonly value: (measurement: LoadMeasurement) => number | null;
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
  { head: "stall", value: (m) => m.stalls?.longestMs ?? null, show: (ms) => `${ms.toFixed(0)} ms` },
  { head: "steps/k", value: (m) => m.chartStepsPer1000, show: (steps) => steps.toFixed(2) },
  { head: "load CPU", value: (m) => m.generatorCpuShare, show: (share) => `${(share * 100).toFixed(0)} %` },
];
/** A share of the machine that is no system's merit. */
const WITHOUT_RATIO = ["stall", "steps/k", "load CPU"];
const WIDTH = 10;

export function table(scenarios: readonly Scenario[], systems: readonly string[], all: readonly Measurement[]): string {
  return [loadTable(scenarios, systems, all), eventTable(scenarios, all)].filter((text) => text !== "").join("\n\n");
}

/** Medians over the runs; a ratio is the median of the ratios of runs that were made one after the other. */
function loadTable(scenarios: readonly Scenario[], systems: readonly string[], all: readonly Measurement[]): string {
  const measured = scenarios.filter(({ name }) => systems.every((system) => loadsOf(all, name, system).length > 0));
  if (measured.length === 0) return "";
  const widest = Math.max(...measured.map(({ title }) => title.length), ...systems.map((name) => name.length + 2));
  const lines = ["".padEnd(widest) + COLUMNS.map(({ head }) => head.padStart(WIDTH)).join("")];
  for (const { name, title } of measured) {
    lines.push(title);
    const runs = systems.map((system) => loadsOf(all, name, system));
    for (const [i, system] of systems.entries()) {
      lines.push(`  ${system}`.padEnd(widest) + COLUMNS.map((c) => cell(c, runs[i] ?? []).padStart(WIDTH)).join(""));
    }
    const [ours, theirs] = runs;
    if (ours !== undefined && theirs !== undefined) lines.push("  ratio".padEnd(widest) + ratios(ours, theirs));
  }
  return lines.join("\n");
}

export function loadsOf(all: readonly Measurement[], scenario: string, system: string): LoadMeasurement[] {
  return all.filter((m) => m.kind === "load").filter((m) => m.scenario === scenario && m.system === system);
}

export function eventsOf(all: readonly Measurement[], scenario: string): EventMeasurement[] {
  return all.filter((m) => m.kind === "event").filter((m) => m.scenario === scenario);
}

export function cell({ value, show }: Column, runs: readonly LoadMeasurement[]): string {
  const values = runs.map(value).filter((it) => it !== null);
  return values.length === 0 ? "–" : show(median(values));
}

function ratios(ours: readonly LoadMeasurement[], theirs: readonly LoadMeasurement[]): string {
  return COLUMNS.map(({ head, value }) => {
    if (WITHOUT_RATIO.includes(head)) return "".padStart(WIDTH);
    const ratio = median(ratiosOf(ours, theirs, (m) => value(m) ?? Number.NaN));
    return `${ratio.toFixed(2)} ×`.padStart(WIDTH);
  }).join("");
}

/** Ours to theirs, by pairs of runs. */
export function ratiosOf(
  ours: readonly LoadMeasurement[],
  theirs: readonly LoadMeasurement[],
  value: (measurement: LoadMeasurement) => number,
): number[] {
  return ours.slice(0, theirs.length).map((own, i) => value(own) / value(theirs[i] as LoadMeasurement));
}

function eventTable(scenarios: readonly Scenario[], all: readonly Measurement[]): string {
  const lines: string[] = [];
  for (const { name, title } of scenarios) {
    const measured = eventsOf(all, name);
    if (measured.length === 0) continue;
    lines.push(title);
    const figures = [...new Set(measured.flatMap((m) => m.figures.map((figure) => figure.name)))];
    const systems = [...new Set(measured.map((m) => m.system))];
    for (const figure of figures) {
      const values = systems.map((system) => figureOf(measured, system, figure));
      const shown = values.map((it, i) => (it === null ? null : `${systems[i]} ${inUnit(it.value, it.unit)}`));
      const [ours, theirs] = values;
      const comparable = ours != null && theirs != null && theirs.value > 0;
      const ratio = comparable ? `${(ours.value / theirs.value).toFixed(2)} ×` : null;
      lines.push(`  ${figure.padEnd(44)}${[...shown, ratio].filter((text) => text !== null).join("   ")}`);
    }
  }
  return lines.join("\n");
}

/** Median over the measurements of the event. */
export function figureOf(
  measured: readonly EventMeasurement[],
  system: string,
  name: string,
): { value: number; unit: Unit } | null {
  const found = measured
    .filter((m) => m.system === system)
    .flatMap(({ figures }) => figures.filter((figure) => figure.name === name));
  const [first] = found;
  return first === undefined ? null : { value: median(found.map(({ value }) => value)), unit: first.unit };
}

export function inUnit(value: number, unit: Unit): string {
  if (unit === "µs") return duration(value);
  if (unit === "ms") return duration(value * 1000);
  if (unit === "bytes") return value < MIB ? `${thousands(value)} B` : `${(value / MIB).toFixed(0)} MB`;
  if (unit === "/s") return `${thousands(value)}/s`;
  const number = Number.isInteger(value) ? thousands(value) : value.toFixed(3);
  return unit === "" ? number : `${number} ${unit}`;
}

export function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function duration(micros: number): string {
  if (micros < 10) return `${micros.toFixed(1)} µs`;
  if (micros < 1000) return `${micros.toFixed(0)} µs`;
  const ms = micros / 1000;
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
}
