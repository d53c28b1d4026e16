/**
 * Is a cost higher than it was? Costs are ratios to what the machine gave at the time (see calibration), so what is left is
 * multiplicative noise: all sums are over logarithms. Medians and median deviations, because a neighbour's burst of work ruins
 * single rounds and must not count.
 *
 * Servers started anew differ from those before by more than the rounds of one run do (compiled code, memory layout, what else the
 * machine does), so the yardstick is the spread between runs, and a baseline is several runs.
 */
import { median } from "../measurement.ts";

export interface Judgement {
  /** Change of the cost: 0.2 is a fifth more. */
  readonly change: number;
  /** Least change that would be taken for real. */
  readonly threshold: number;
  readonly verdict: "slower" | "faster" | "same";
}

/** Nobody acts on less, and drift between hours reaches that far. */
export const LEAST_CHANGE = 0.1;
/** In standard deviations. */
const SIGNIFICANT = 3;
/** What runs differ by as a rule, and the number of runs that this experience is worth: a handful of runs says little of spread. */
const USUAL_SPREAD = 0.03;
const USUAL_WEIGHT = 4;
/** A median deviation of normally distributed values, to their standard deviation; a median's variance, to a mean's. */
const MAD_TO_SIGMA = 1.4826;
const MEDIAN_VARIANCE = Math.PI / 2;

/** @param baselineRuns the cost in each run of the baseline; `rounds`: in each round of the run that is judged */
export function judge(baselineRuns: readonly number[], rounds: readonly number[]): Judgement {
  const before = baselineRuns.map(Math.log);
  const now = rounds.map(Math.log);
  const change = Math.exp(median(now) - median(before)) - 1;
  const between = betweenRuns(before);
  const within = deviation(now) ** 2;
  const variance = between * (1 + MEDIAN_VARIANCE / before.length) + (MEDIAN_VARIANCE * within) / now.length;
  const threshold = Math.max(LEAST_CHANGE, Math.exp(SIGNIFICANT * Math.sqrt(variance)) - 1);
  const verdict = change > threshold ? "slower" : 1 / (1 + change) - 1 > threshold ? "faster" : "same";
  return { change, threshold, verdict };
}

/** Variance of a run's median, drawn towards experience. */
function betweenRuns(logs: readonly number[]): number {
  const own = deviation(logs) ** 2;
  return (own * logs.length + USUAL_SPREAD ** 2 * USUAL_WEIGHT) / (logs.length + USUAL_WEIGHT);
}

/** Robust standard deviation. */
export function deviation(values: readonly number[]): number {
  const middle = median(values);
  return MAD_TO_SIGMA * median(values.map((value) => Math.abs(value - middle)));
}
