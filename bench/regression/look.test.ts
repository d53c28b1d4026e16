import { expect, test } from "vitest";
import { loadMeasurement } from "../test-measurements.ts";
import { baselineOf } from "./baseline.ts";
import { entryOf, trend } from "./history.ts";
import { lookAgain, tooBusy, verdictText } from "./look.ts";

const SYSTEM = "zoetrope";
const machine = { cpu: "any", cores: 2, kernel: "6", node: "v20" };
const stamp = { date: "2026-01-02T03:04:05.000Z", revision: "abc", machine, cpu: "any" };
const run = (costs: Readonly<Record<string, number>>) =>
  Object.entries(costs).flatMap(([name, cost]) =>
    [0.99, 1, 1.01].map((noise) => loadMeasurement(name, SYSTEM, cost * noise)),
  );
const baseline = baselineOf(
  Array.from({ length: 9 }, () => run({ reads: 1, writes: 1 })),
  SYSTEM,
  stamp,
);

test("costs are ratios to the bare loop", () => {
  expect(baseline.costs["reads"]?.["CPU per operation"]).toEqual(new Array(9).fill(10));
  expect(baseline.costs["reads"]?.["time per operation"]).toEqual(new Array(9).fill(10));
});

test("a run like the baseline is looked at once", async () => {
  const again: string[][] = [];
  const { first, regressions } = await lookAgain(
    baseline,
    run({ reads: 1.01, writes: 0.98 }),
    SYSTEM,
    async (names) => {
      again.push([...names]);
      return [];
    },
  );
  expect(again).toEqual([]);
  expect(first.map(({ verdict }) => verdict)).toEqual(["same", "same", "same", "same"]);
  expect(verdictText(regressions)).toBe("No regression.");
});

test("what stays slower is named with its size, and only that is measured again", async () => {
  const again: string[][] = [];
  const { regressions } = await lookAgain(baseline, run({ reads: 1.2, writes: 1 }), SYSTEM, async (names) => {
    again.push([...names]);
    return run({ reads: 1.2 });
  });
  expect(again).toEqual([["reads"], ["reads"], ["reads"]]);
  expect(verdictText(regressions)).toContain("REGRESSION: reads: CPU per operation +20.0 %");
});

test("what was a neighbour's doing is no regression", async () => {
  const { regressions } = await lookAgain(baseline, run({ reads: 1.25, writes: 1 }), SYSTEM, async () =>
    run({ reads: 0.97 }),
  );
  expect(regressions).toEqual([]);
});

test("offered loads and runs without a calibration are not compared", async () => {
  const offered = run({ reads: 2 }).map((m) => ({ ...m, offeredPerSecond: 1000 }));
  const uncalibrated = run({ writes: 2 }).map((m) => ({ ...m, calibration: null }));
  const { first } = await lookAgain(baseline, [...offered, ...uncalibrated], SYSTEM, async () => []);
  expect(first).toEqual([]);
});

test("a machine that others use is no place to compare on", () => {
  const busy = run({ reads: 1 }).map((m) => ({
    ...m,
    calibration: { echoCpuMicros: 10, echoPerSecond: 5000, fsyncMicros: 100, othersShare: 0.8 },
  }));
  expect(tooBusy(busy)).toContain("Other processes used 80 % of this machine");
  expect(tooBusy(run({ reads: 1 }))).toBe(null);
});

test("the history tells each scenario's trend", () => {
  const entries = [1, 1.1, 1.2].map((cost) => entryOf(run({ reads: cost }), SYSTEM, stamp));
  const lines = trend(entries).split("\n");
  expect(lines[0]).toContain("3 runs");
  expect(lines.at(-1)).toMatch(/^reads +▁▅█ +12\.000 +\+20\.0 % +120\.0 µs\/op +4,167\/s$/);
});
