/** One run of a scenario on a system, reduced to the numbers that are shown, compared and kept. */
import type { Calibration } from "./calibration/calibration.ts";
import { Histogram } from "./load/histogram.ts";
import type { LoadOutcome } from "./load/missions/mission.ts";
import type { Stalls } from "./probe/server-probe.ts";

/** Microseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Percent and microseconds. */
export type CurvePoint = readonly [percent: number, micros: number];

export interface LoadMeasurement {
  readonly kind: "load";
  readonly scenario: string;
  readonly system: string;
  readonly operationsPerSecond: number;
  readonly latency: Percentiles;
  readonly readLatency: Percentiles | null;
  readonly writeLatency: Percentiles | null;
  readonly curve: readonly CurvePoint[];
  /** CPU time of all servers per operation, µs; and of each. */
  readonly cpuMicrosPerOperation: number;
  readonly cpuMicrosByServer: readonly number[];
  /** By server: share of one core in use, and resident bytes. */
  readonly serverCpuShare: readonly number[];
  readonly serverMemory: readonly number[];
  readonly generatorCpuShare: number;
  readonly generatorMicrosPerOperation: number;
  /** By which the generator was late with an offered load, ms. */
  readonly generatorLateMs: number;
  /** Of an offered load, what the system was too slow to be sent. */
  readonly dropped: number;
  /** Of any server's event loop; null where it cannot be seen. */
  readonly stalls: Stalls | null;
  readonly chartStepsPer1000: number | null;
  /** Requests a second that were offered; null: as many as were answered. */
  readonly offeredPerSecond: number | null;
  /** Of this machine, just before. */
  readonly calibration: Calibration | null;
}

export type Unit = "ms" | "µs" | "s" | "bytes" | "/s" | "×" | "";

/** A named number of an event. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
}

export interface EventMeasurement {
  readonly kind: "event";
  readonly scenario: string;
  readonly system: string;
  readonly figures: readonly Figure[];
  /** Acknowledged writes per bucket, from so long before the event. */
  readonly timeline?: Timeline;
}

export interface Timeline {
  readonly bucketMs: number;
  readonly fromMs: number;
  readonly counts: readonly number[];
}

export type Measurement = LoadMeasurement | EventMeasurement;

const CURVE = [0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999];

export interface SeenByBench {
  readonly stalls: Stalls | null;
  readonly chartSteps: number | null;
  readonly offeredPerSecond: number | null;
  readonly calibration: Calibration | null;
}

export function measurementOf(
  scenario: string,
  system: string,
  outcome: LoadOutcome,
  { stalls, chartSteps, offeredPerSecond, calibration }: SeenByBench,
): LoadMeasurement {
  const { seconds, operations, serverCpu, serverMemory, generatorCpu } = outcome;
  const reads = Histogram.from(outcome.reads);
  const writes = Histogram.from(outcome.writes);
  const all = Histogram.from(outcome.reads);
  all.merge(outcome.writes);
  const cpu = serverCpu.reduce((sum, one) => sum + one, 0);
  return {
    kind: "load",
    scenario,
    system,
    operationsPerSecond: operations / seconds,
    latency: percentilesOf(all),
    readLatency: reads.count === 0 ? null : percentilesOf(reads),
    writeLatency: writes.count === 0 ? null : percentilesOf(writes),
    curve: CURVE.filter((percent) => (100 - percent) * all.count >= 100 || percent === 0).map((percent) => [
      percent,
      all.percentile(percent),
    ]),
    cpuMicrosPerOperation: (cpu / operations) * 1e6,
    cpuMicrosByServer: serverCpu.map((one) => (one / operations) * 1e6),
    serverCpuShare: serverCpu.map((one) => one / seconds),
    serverMemory,
    generatorCpuShare: generatorCpu / seconds,
    generatorMicrosPerOperation: (generatorCpu / operations) * 1e6,
    generatorLateMs: outcome.lateMs,
    dropped: outcome.dropped,
    stalls,
    chartStepsPer1000: chartSteps === null ? null : (chartSteps / operations) * 1000,
    offeredPerSecond,
    calibration,
  };
}

export function percentilesOf(histogram: Histogram): Percentiles {
  const [p50, p95, p99, p999] = [50, 95, 99, 99.9].map((percent) => histogram.percentile(percent)) as [
    number,
    number,
    number,
    number,
  ];
  return { p50, p95, p99, p999, max: histogram.max };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
