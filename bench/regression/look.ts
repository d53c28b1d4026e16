/** How a run is compared: a first look, and where it is suspicious more looks, at servers started anew. */
import { type Measurement, median } from "../measurement.ts";
import { type Baseline, type Comparison, compare, type Machine } from "./baseline.ts";

/** So many runs an alarm takes, the first one included. */
const LOOKS = 4;

/** With less of the machine left, costs differ by more between two runs of the same code than a regression does. */
const MOST_FOR_OTHERS = 0.4;

/** A sentence when other processes leave too little of the machine for a comparison; null when it is quiet enough. */
export function tooBusy(measurements: readonly Measurement[]): string | null {
  const shares = measurements.flatMap((m) =>
    m.kind === "load" && m.calibration !== null ? [m.calibration.othersShare] : [],
  );
  const share = shares.length === 0 ? 0 : median(shares);
  if (share <= MOST_FOR_OTHERS) return null;
  return `Other processes used ${(share * 100).toFixed(0)} % of this machine: too much to compare costs with those of another hour.`;
}

/** What a comparison ends with. */
export interface Verdict {
  /** 0: nothing is slower. 1: a regression. 2: there was no comparison, and whoever waits for one must not take it for a success. */
  readonly exitCode: 0 | 1 | 2;
  readonly text: string;
  /** Of the first look. */
  readonly comparisons: readonly Comparison[];
}

/** @param measureAgain as for `lookAgain` */
export async function verdictOn(
  baseline: Baseline,
  measurements: readonly Measurement[],
  { system, machine }: { readonly system: string; readonly machine: Machine },
  measureAgain: MeasureAgain,
): Promise<Verdict> {
  const looks = [measurements];
  const notCompared = (why: string): Verdict => ({
    exitCode: 2,
    text: `NOT COMPARED with the baseline. ${why}`,
    comparisons: [],
  });
  const busy = tooBusy(measurements);
  if (busy !== null) return notCompared(busy);
  const { first, regressions } = await lookAgain(baseline, measurements, system, async (scenarios, why) => {
    const again = await measureAgain(scenarios, why);
    looks.push(again);
    return again;
  });
  // Somebody may have come while it was looked again: what is said of a suspect then is said of the neighbour.
  const later = regressions.length === 0 ? null : tooBusy(looks.flat());
  if (later !== null) return notCompared(later);
  const blind = regressions.length === 0 ? blindFor(first) : [];
  if (blind.length > 0) {
    const names = blind.join(", ");
    const why = `The rounds differed so much that not even twice the cost would have been noticed: ${names}.`;
    return { ...notCompared(why), comparisons: first };
  }
  const text = `${comparisonTable(baseline, first, machine)}\n${verdictText(regressions)}`;
  return { exitCode: regressions.length > 0 ? 1 : 0, text, comparisons: first };
}

/** A change that is noticed from here on only is none that anybody waits for. */
const BLIND_FROM = 1;

/** Scenarios none of whose costs could have shown anything. */
function blindFor(comparisons: readonly Comparison[]): string[] {
  const names = [...new Set(comparisons.map(({ scenario }) => scenario))];
  return names.filter((name) =>
    comparisons.every(({ scenario, threshold }) => scenario !== name || threshold > BLIND_FROM),
  );
}

/** Runs these scenarios on fresh servers. */
export type MeasureAgain = (scenarios: readonly string[], why: string) => Promise<readonly Measurement[]>;

export interface Looks {
  readonly first: readonly Comparison[];
  /** What all looks together say of those that were suspicious to the end. */
  readonly regressions: readonly Comparison[];
}

export async function lookAgain(
  baseline: Baseline,
  measurements: readonly Measurement[],
  system: string,
  measureAgain: MeasureAgain,
): Promise<Looks> {
  const looks = [measurements];
  const first = compare(baseline, looks, system);
  let suspects = first.filter(isSuspect);
  while (looks.length < LOOKS && suspects.length > 0) {
    const scenarios = [...new Set(suspects.map(({ scenario }) => scenario))];
    const names = suspects.map(({ scenario, cost, change }) => `${scenario} (${cost} ${percent(change)})`);
    const why = `Slower than the baseline: ${names.join(", ")}. Look ${looks.length + 1} of ${LOOKS}, on fresh servers:`;
    looks.push(await measureAgain(scenarios, why));
    suspects = compare(baseline, looks, system).filter(isSuspect);
  }
  return { first, regressions: suspects.filter(({ verdict }) => verdict === "slower") };
}

function isSuspect({ verdict }: Comparison): boolean {
  return verdict === "slower" || verdict === "suspicious";
}

function comparisonTable(baseline: Baseline, first: readonly Comparison[], machine: Machine): string {
  const widest = Math.max(...first.map(({ scenario }) => scenario.length), 0);
  const head = `Compared with the baseline of ${baseline.recorded.slice(0, 10)} (${baseline.revision})`;
  const other = baseline.machine.cpu === machine.cpu && baseline.machine.cores === machine.cores;
  const note = other
    ? ""
    : `, recorded on another machine (${baseline.machine.cpu}): ratios to the bare loop may differ`;
  const lines = first.map(
    ({ scenario, cost, change, threshold, verdict }) =>
      `  ${scenario.padEnd(widest)}  ${cost.padEnd(18)}  ${percent(change).padStart(8)}  (counts from ${percent(threshold)})  ${verdict}`,
  );
  return [`${head}${note}`, ...lines].join("\n");
}

/** The sentences that a comparison ends with. */
export function verdictText(regressions: readonly Comparison[]): string {
  if (regressions.length === 0) return "No regression.";
  return regressions
    .map(({ scenario, cost, change }) => `REGRESSION: ${scenario}: ${cost} ${percent(change)} over ${LOOKS} looks`)
    .join("\n");
}

function percent(share: number): string {
  return `${share >= 0 ? "+" : ""}${(share * 100).toFixed(1)} %`;
}
