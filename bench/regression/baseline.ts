/** The recorded costs of an accepted state of the code, and how a run compares with them. */
import { readFileSync, writeFileSync } from "node:fs";
import type { LoadMeasurement, Measurement } from "../measurement.ts";
import { median } from "../measurement.ts";
import { type Judgement, judge } from "./statistics.ts";

/** More is worse. Both are ratios to the bare socket loop that ran just before. */
export const COSTS = {
  "CPU per operation": (m: LoadMeasurement) => m.cpuMicrosPerOperation / (m.calibration?.echoCpuMicros ?? Number.NaN),
  "time per operation": (m: LoadMeasurement) => (m.calibration?.echoPerSecond ?? Number.NaN) / m.operationsPerSecond,
} as const;
export type CostName = keyof typeof COSTS;
export const COST_NAMES = Object.keys(COSTS) as CostName[];

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
}

export interface Baseline {
  readonly recorded: string;
  readonly revision: string;
  readonly machine: Machine;
  /** By scenario and cost: the median of each run. */
  readonly costs: Readonly<Record<string, Readonly<Record<CostName, readonly number[]>>>>;
}

export interface Comparison extends Judgement {
  readonly scenario: string;
  readonly cost: CostName;
}

/** The costs of each scenario that a calibration belongs to, round by round. */
export function costsOf(measurements: readonly Measurement[], system: string): Map<string, Record<CostName, number[]>> {
  const costs = new Map<string, Record<CostName, number[]>>();
  for (const measurement of measurements) {
    if (measurement.kind !== "load" || measurement.system !== system || measurement.calibration === null) continue;
    // An offered load takes the time that it is offered in.
    if (measurement.offeredPerSecond !== null) continue;
    const own = costs.get(measurement.scenario) ?? { "CPU per operation": [], "time per operation": [] };
    for (const name of COST_NAMES) own[name].push(COSTS[name](measurement));
    costs.set(measurement.scenario, own);
  }
  return costs;
}

/** Of what the baseline and all looks have. @param looks the measurements of each run */
export function compare(baseline: Baseline, looks: readonly (readonly Measurement[])[], system: string): Comparison[] {
  const costs = looks.map((look) => costsOf(look, system));
  const found: Comparison[] = [];
  for (const [scenario, before] of Object.entries(baseline.costs)) {
    const own = costs.map((of) => of.get(scenario)).filter((of) => of !== undefined);
    if (own.length < looks.length) continue;
    for (const cost of COST_NAMES) {
      const rounds = own.map((of) => of[cost]);
      found.push({ scenario, cost, ...judge(before[cost], rounds) });
    }
  }
  return found;
}

/** @param runs the measurements of each run */
export function baselineOf(
  runs: readonly (readonly Measurement[])[],
  system: string,
  { revision, machine, date }: { readonly revision: string; readonly machine: Machine; readonly date: string },
): Baseline {
  const costs: Record<string, Record<CostName, number[]>> = {};
  for (const run of runs) {
    for (const [scenario, own] of costsOf(run, system)) {
      costs[scenario] ??= { "CPU per operation": [], "time per operation": [] };
      for (const name of COST_NAMES) costs[scenario][name].push(rounded(median(own[name])));
    }
  }
  return { recorded: date, revision, machine, costs };
}

/** null where none is recorded. */
export function readBaseline(file: string): Baseline | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Baseline;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export function writeBaseline(file: string, baseline: Baseline): void {
  // An array per line, as the formatter has it.
  const text = JSON.stringify(baseline, null, 2).replace(
    /\[\s+([^\][]*?)\s+\]/g,
    (_, inner: string) => `[${inner.replace(/\s+/g, " ")}]`,
  );
  writeFileSync(file, `${text}\n`);
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
