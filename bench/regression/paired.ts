/**
 * Comparison with another checkout instead of a recorded baseline: its servers are up at the same time and take turns with ours, round
 * by round, so a neighbour meets both and no loop has to stand for the machine. It needs the other checkout, and twice the time.
 */
import type { LoadMeasurement, Measurement } from "../measurement.ts";
import { type Baseline, COST_NAMES, type CostName, type Machine } from "./baseline.ts";

/** Costs of unchanged code as ratios to its own: what two servers of the same code differ by, as a rule. */
const SAME_CODE = [0.97, 0.97, 0.97, 1, 1, 1, 1.03, 1.03, 1.03];

/** Our measurements with the peer's of the same round as their calibration, so that costs are ratios between the two. */
export function pairedWith(measurements: readonly Measurement[], ours: string, peer: string): Measurement[] {
  const loads = measurements.filter((m): m is LoadMeasurement => m.kind === "load");
  const theirs = loads.filter(({ system }) => system === peer);
  const rounds = new Map<string, number>();
  return loads
    .filter(({ system }) => system === ours)
    .flatMap((own) => {
      const round = rounds.get(own.scenario) ?? 0;
      rounds.set(own.scenario, round + 1);
      const other = theirs.filter(({ scenario }) => scenario === own.scenario)[round];
      if (other === undefined) return [];
      const { cpuMicrosPerOperation: echoCpuMicros, operationsPerSecond: echoPerSecond } = other;
      // Whatever others use of the machine, both are left the same.
      return [{ ...own, calibration: { echoCpuMicros, echoPerSecond, fsyncMicros: 0, othersShare: 0 } }];
    });
}

/** What measurements from `pairedWith` are compared with. */
export function sameCode(
  scenarios: readonly string[],
  { revision, machine, date }: { readonly revision: string; readonly machine: Machine; readonly date: string },
): Baseline {
  const costs = Object.fromEntries(COST_NAMES.map((name) => [name, SAME_CODE])) as Record<CostName, number[]>;
  return { recorded: date, revision, machine, costs: Object.fromEntries(scenarios.map((name) => [name, costs])) };
}
