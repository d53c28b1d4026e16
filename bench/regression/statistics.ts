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
  /** suspicious: worth another look. */
  readonly verdict: "slower" | "suspicious" | "same" | "faster";
}

/** A look that shows less is no reason for another, and less over all looks is no alarm: drift between hours reaches that far. */
const LEAST_SUSPICIOUS = 0.06;
export const LEAST_CHANGE = 0.12;
/** In standard deviations: of ten costs, one or the other is suspicious now and then; an alarm without a cause takes a thousand runs. */
const SUSPICIOUS = 1.8;
const SIGNIFICANT = 3.6;
/** What runs differ by as a rule, and the number of runs that this experience is worth: a handful of runs says little of spread. */
const USUAL_SPREAD = 0.03;
const USUAL_WEIGHT = 4;
/** A median deviation of normally distributed values, to their standard deviation; a median's variance, to a mean's. */
const MAD_TO_SIGMA = 1.4826;
const MEDIAN_VARIANCE = Math.PI / 2;

/**
 * @param baselineRuns the cost in each run of the baseline
 * @param looks the cost in each round of each run that is judged: one, or several of the same code
 */
export function judge(baselineRuns: readonly number[], looks: readonly (readonly number[])[]): Judgement {
  const before = baselineRuns.map(Math.log);
  const now = looks.map((rounds) => rounds.map(Math.log));
  const change = Math.exp(mean(now.map(median)) - median(before)) - 1;
  const within = mean(now.map((rounds) => (MEDIAN_VARIANCE * deviation(rounds) ** 2) / rounds.length));
  const variance = betweenRuns(before) * (1 / looks.length + MEDIAN_VARIANCE / before.length) + within / looks.length;
  const least = (deviations: number, floor: number) => Math.max(floor, Math.exp(deviations * Math.sqrt(variance)) - 1);
  const threshold = least(SIGNIFICANT, LEAST_CHANGE);
  if (change > threshold) return { change, threshold, verdict: "slower" };
  if (change > least(SUSPICIOUS, LEAST_SUSPICIOUS)) return { change, threshold, verdict: "suspicious" };
  return { change, threshold, verdict: 1 / (1 + change) - 1 > threshold ? "faster" : "same" };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
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
