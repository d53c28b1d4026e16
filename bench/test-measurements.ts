/** Measurements as a run would make them, for tests of what is done with them. */
import type { EventMeasurement, LoadMeasurement } from "./measurement.ts";

/** `cost`: 1 is what the bare loop costs ten times over. */
export function loadMeasurement(scenario: string, system: string, cost = 1): LoadMeasurement {
  const latency = { p50: 100 * cost, p95: 200 * cost, p99: 300 * cost, p999: 900 * cost, max: 1000 * cost };
  return {
    kind: "load",
    scenario,
    system,
    operationsPerSecond: 5000 / cost,
    latency,
    readLatency: latency,
    writeLatency: null,
    curve: [0, 50, 90, 99, 99.9].map((percent) => [percent, 100 * cost + percent] as const),
    cpuMicrosPerOperation: 100 * cost,
    cpuMicrosByServer: [100 * cost],
    serverCpuShare: [0.5],
    serverMemory: [100 * 2 ** 20],
    generatorCpuShare: 0.4,
    generatorMicrosPerOperation: 0.5,
    generatorLateMs: 0,
    dropped: 0,
    stalls: system === "zoetrope" ? { p999Ms: 1, longestMs: 3 } : null,
    chartStepsPer1000: system === "zoetrope" ? 0.02 : null,
    offeredPerSecond: null,
    calibration: { echoCpuMicros: 10, echoPerSecond: 50_000, fsyncMicros: 100, othersShare: 0.02 },
  };
}

export function eventMeasurement(
  scenario: string,
  system: string,
  figures: EventMeasurement["figures"],
): EventMeasurement {
  return { kind: "event", scenario, system, figures };
}
