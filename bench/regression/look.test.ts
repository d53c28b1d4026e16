import { expect, test } from "vitest";
import { loadMeasurement } from "../test-measurements.ts";
import { baselineOf } from "./baseline.ts";
import { entryOf, trend } from "./history.ts";
import { lookAgain, tooBusy, verdictOn, verdictText } from "./look.ts";

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

const on = { system: SYSTEM, machine };
const busily = (costs: Readonly<Record<string, number>>) =>
  run(costs).map((m) => ({
    ...m,
    calibration: { echoCpuMicros: 10, echoPerSecond: 5000, fsyncMicros: 100, othersShare: 0.8 },
  }));

test("the exit code is 0 for a run like the baseline, and 1 for a slower one", async () => {
  const same = await verdictOn(baseline, run({ reads: 1.01, writes: 1 }), on, async () => []);
  expect(same.exitCode).toBe(0);
  expect(same.text).toContain("No regression.");
  const slower = await verdictOn(baseline, run({ reads: 1.2, writes: 1 }), on, async () => run({ reads: 1.2 }));
  expect(slower.exitCode).toBe(1);
  expect(slower.text).toContain("REGRESSION: reads: CPU per operation +20.0 %");
});

test("where others use the machine the exit code is 2, whatever the costs are", async () => {
  for (const costs of [
    { reads: 1, writes: 1 },
    { reads: 1.5, writes: 1.5 },
  ]) {
    const verdict = await verdictOn(baseline, busily(costs), on, () => {
      throw new Error("It is not worth another look.");
    });
    expect(verdict).toMatchObject({ exitCode: 2, comparisons: [] });
    expect(verdict.text).toContain("NOT COMPARED with the baseline. Other processes used 80 % of this machine");
  }
});

test("a run that could not have noticed anything is no success", async () => {
  const wild = [0.2, 1, 5, 0.3, 3].map((noise) => loadMeasurement("reads", SYSTEM, noise));
  const verdict = await verdictOn(baseline, [...wild, ...run({ writes: 1 })], on, async () => wild);
  expect(verdict.exitCode).toBe(2);
  expect(verdict.text).toContain("not even twice the cost would have been noticed: reads.");
});

test("a suspect that was looked at again while others used the machine is not condemned", async () => {
  const verdict = await verdictOn(baseline, run({ reads: 1.2, writes: 1 }), on, async () => busily({ reads: 1.5 }));
  expect(verdict.exitCode).toBe(2);
});

test("the history tells each scenario's trend", () => {
  const entries = [1, 1.1, 1.2].map((cost) => entryOf(run({ reads: cost }), SYSTEM, stamp));
  const lines = trend(entries).split("\n");
  expect(lines[0]).toContain("3 runs");
  expect(lines.at(-1)).toMatch(/^reads +▁▅█ +12\.000 +\+20\.0 % +120\.0 µs\/op +4,167\/s$/);
});
