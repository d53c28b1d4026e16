/** One run of a scenario on a system, reduced to the numbers that are shown, compared and kept. */
import type { Outcome } from "./load/generator.ts";
import { Histogram } from "./load/histogram.ts";

/** Microseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Measurement {
  readonly scenario: string;
  readonly system: string;
  readonly operationsPerSecond: number;
  readonly latency: Percentiles;
  readonly readLatency: Percentiles | null;
  readonly writeLatency: Percentiles | null;
  /** CPU time of all servers per operation, µs. */
  readonly cpuMicrosPerOperation: number;
  /** By server: share of one core in use, and resident bytes. */
  readonly serverCpuShare: readonly number[];
  readonly serverMemory: readonly number[];
  readonly generatorCpuShare: number;
  readonly generatorMicrosPerOperation: number;
}

export function measurementOf(scenario: string, system: string, outcome: Outcome): Measurement {
  const { seconds, operations, serverCpu, serverMemory, generatorCpu } = outcome;
  const reads = Histogram.from(outcome.reads);
  const writes = Histogram.from(outcome.writes);
  const all = Histogram.from(outcome.reads);
  all.merge(outcome.writes);
  const cpu = serverCpu.reduce((sum, one) => sum + one, 0);
  return {
    scenario,
    system,
    operationsPerSecond: operations / seconds,
    latency: percentilesOf(all),
    readLatency: reads.count === 0 ? null : percentilesOf(reads),
    writeLatency: writes.count === 0 ? null : percentilesOf(writes),
    cpuMicrosPerOperation: (cpu / operations) * 1e6,
    serverCpuShare: serverCpu.map((one) => one / seconds),
    serverMemory,
    generatorCpuShare: generatorCpu / seconds,
    generatorMicrosPerOperation: (generatorCpu / operations) * 1e6,
  };
}

function percentilesOf(histogram: Histogram): Percentiles {
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
