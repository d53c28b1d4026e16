/** How a run is compared: a first look, and where it is suspicious more looks at servers started anew. */
import type { Measurement } from "../measurement.ts";
import { type Baseline, type Comparison, compare, confirmed, type Machine } from "./baseline.ts";

/** The first one and those that must agree with it. */
const LOOKS = 3;

/** @param measureAgain runs these scenarios on fresh servers */
export async function lookAgain(
  baseline: Baseline,
  measurements: readonly Measurement[],
  system: string,
  measureAgain: (scenarios: readonly string[], why: string) => Promise<readonly Measurement[]>,
): Promise<Comparison[][]> {
  const looks = [compare(baseline, measurements, system)];
  while (looks.length < LOOKS) {
    const suspects = [...new Set(confirmed(looks).map(({ scenario }) => scenario))];
    if (suspects.length === 0) break;
    const why = `Slower than the baseline: ${suspects.join(", ")}. Look ${looks.length + 1} of ${LOOKS}, on fresh servers:`;
    looks.push(compare(baseline, await measureAgain(suspects, why), system));
  }
  return looks;
}

export function comparisonTable(baseline: Baseline, first: readonly Comparison[], machine: Machine): string {
  const widest = Math.max(...first.map(({ scenario }) => scenario.length), 0);
  const head = `Compared with the baseline of ${baseline.recorded.slice(0, 10)} (${baseline.revision})`;
  const other = baseline.machine.cpu === machine.cpu && baseline.machine.cores === machine.cores;
  const note = other
    ? ""
    : `, recorded on another machine (${baseline.machine.cpu}): ratios to the bare loop may differ`;
  const lines = first.map(
    ({ scenario, cost, change, threshold, verdict }) =>
      `  ${scenario.padEnd(widest)}  ${cost.padEnd(18)}  ${percent(change).padStart(8)}  (noticed from ${percent(threshold)})  ${verdict}`,
  );
  return [`${head}${note}`, ...lines].join("\n");
}

/** The sentence that a run ends with. A change's size is the smallest that any look saw. */
export function verdict(looks: readonly (readonly Comparison[])[]): {
  readonly text: string;
  readonly regressed: boolean;
} {
  const found = looks.length < LOOKS ? [] : confirmed(looks);
  if (found.length === 0) return { text: "No regression.", regressed: false };
  const lines = found.map(({ scenario, cost }) => {
    const sizes = looks.flatMap((look) =>
      look.filter((c) => c.scenario === scenario && c.cost === cost).map(({ change }) => change),
    );
    return `REGRESSION: ${scenario}: ${cost} ${percent(Math.min(...sizes))} to ${percent(Math.max(...sizes))} in ${looks.length} looks`;
  });
  return { text: lines.join("\n"), regressed: true };
}

function percent(share: number): string {
  return `${share >= 0 ? "+" : ""}${(share * 100).toFixed(1)} %`;
}
