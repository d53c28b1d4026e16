/** What a search found out, as data and as the lines that a person reads. */

import type { Coverage, Model } from "./model.ts";
import type { Counterexample } from "./trace.ts";

export interface Report {
  readonly model: string;
  /** Every reachable state was expanded (within the model's own bounds). */
  readonly complete: boolean;
  readonly distinct: number;
  /** Initial states and successors, repeated ones counted each time. */
  readonly generated: number;
  /** Levels of the breadth-first search, the initial states being the first. */
  readonly depth: number;
  /** States met and not expanded; 0 if complete. */
  readonly queue: number;
  readonly terminal: number;
  readonly seconds: number;
  /** Generated states per second. */
  readonly statesPerSecond: number;
  readonly workers: number;
  readonly symmetry: boolean;
  readonly bytes: number;
  readonly actions: readonly { readonly name: string; readonly taken: number }[];
  readonly sometimes: readonly { readonly name: string; readonly reached: boolean }[];
  readonly coverage: Coverage | null;
  /** At most one per property, in the order in which they were found. */
  readonly violations: readonly Counterexample[];
}

export interface Tally {
  readonly complete: boolean;
  readonly distinct: number;
  readonly generated: number;
  readonly depth: number;
  readonly queue: number;
  readonly terminal: number;
  readonly bytes: number;
  readonly taken: readonly number[];
  readonly reached: readonly boolean[];
  readonly coverage: Coverage | null;
  readonly seconds: number;
  readonly workers: number;
  readonly symmetry: boolean;
}

export function reportOf<State>(model: Model<State>, tally: Tally, violations: readonly Counterexample[]): Report {
  const { taken, reached, ...counts } = tally;
  return {
    model: model.name,
    ...counts,
    statesPerSecond: Math.round(tally.generated / Math.max(tally.seconds, 0.001)),
    actions: model.actionKinds.map((name, kind) => ({ name, taken: taken[kind] ?? 0 })),
    sometimes: model.properties.sometimes.map(({ name }, goal) => ({ name, reached: reached[goal] ?? false })),
    violations,
  };
}

export type Verdict = "holds" | "violated" | "vacuous" | "incomplete";

/** `vacuous`: nothing failed, but a `sometimes` goal was never met, so the bounds are too small to mean anything. */
export function verdictOf(report: Report): Verdict {
  if (report.violations.length > 0) return "violated";
  if (!report.complete) return "incomplete";
  return report.sometimes.every(({ reached }) => reached) ? "holds" : "vacuous";
}

/** The one line that closes a check. */
export function summaryLine(report: Report, name: string, bounds: string, verdict: string): string {
  const { sometimes, coverage } = report;
  const goals = sometimes.filter(({ reached }) => reached).length;
  return [
    name.padEnd(36),
    bounds,
    `distinct ${group(report.distinct)}`,
    `generated ${group(report.generated)}`,
    `depth ${report.depth}`,
    `${report.seconds.toFixed(1)} s`,
    `${group(report.statesPerSecond)}/s`,
    sometimes.length === 0 ? "" : `goals ${goals} of ${sometimes.length}`,
    coverage === null ? "" : `chart transitions ${coverage.fired} of ${coverage.total}`,
    verdict,
  ]
    .filter((part) => part !== "")
    .join("  ");
}

/** Everything else worth reading, a few lines. */
export function detailLines(report: Report): string[] {
  const lines: string[] = [];
  const mode = `${report.workers === 1 ? "1 thread" : `${report.workers} workers`}${report.symmetry ? ", symmetry" : ""}`;
  const perState = report.distinct === 0 ? 0 : report.bytes / report.distinct;
  lines.push(
    `  ${mode}; queue ${group(report.queue)}; states without successor ${group(report.terminal)}; ` +
      `${Math.round(report.bytes / 2 ** 20)} MiB, ${perState.toFixed(1)} bytes a state; ` +
      `chance of a fingerprint collision ${collisionChance(report.distinct).toExponential(1)}`,
  );
  const unmet = report.sometimes.filter(({ reached }) => !reached);
  if (report.sometimes.length > 0)
    lines.push(
      `  sometimes: ${report.sometimes.length - unmet.length} of ${report.sometimes.length} goals reached${listed(unmet)}`,
    );
  const idle = report.actions.filter(({ taken }) => taken === 0);
  lines.push(`  actions: ${report.actions.length - idle.length} of ${report.actions.length} taken${listed(idle)}`);
  if (report.coverage !== null) {
    const { fired, total, missing } = report.coverage;
    lines.push(`  chart transitions: ${fired} of ${total} fired${listed(missing.map((name) => ({ name })))}`);
  }
  return lines;
}

/** Upper bound of the chance that two of n states share a 64-bit fingerprint. */
export function collisionChance(states: number): number {
  return (states * states) / 2 ** 65;
}

export function group(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function listed(items: readonly { readonly name: string }[]): string {
  return items.length === 0 ? "" : `; not: ${items.map(({ name }) => name).join(", ")}`;
}
