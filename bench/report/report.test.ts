import { expect, test } from "vitest";
import { chosen, SCENARIOS } from "../scenarios.ts";
import { eventMeasurement, loadMeasurement } from "../test-measurements.ts";
import { goalsOf } from "./goals.ts";
import { page } from "./page.ts";
import { logTicks, niceTicks } from "./svg.ts";
import { table } from "./table.ts";

const scenarios = chosen("standard", []);
const loads = scenarios.filter(({ kind }) => kind === "load").map(({ name }) => name);
const measurements = [
  ...loads.flatMap((name) => [loadMeasurement(name, "zoetrope", 1), loadMeasurement(name, "zookeeper", 9)]),
  ...["zoetrope", "zookeeper"].map((system, i) => ({
    ...eventMeasurement("failover", system, [{ name: "next acknowledged write", value: 100 + 150 * i, unit: "ms" }]),
    timeline: { bucketMs: 20, fromMs: -1000, counts: new Array<number>(250).fill(7) },
  })),
];

test("a table has a line per system and how we compare", () => {
  const text = table(scenarios, ["zoetrope", "zookeeper"], measurements);
  const lines = text.split("\n");
  const at = lines.indexOf("1 server, 50 × 50, reads");
  expect(lines[at + 1]).toMatch(/^ {2}zoetrope +5,000 .* 3 ms +0\.02 +40 %$/);
  expect(lines[at + 3]).toMatch(/^ {2}ratio +9\.00 × +0\.11 ×/);
  expect(text).toContain("zoetrope 100.0 ms   zookeeper 250.0 ms   0.40 ×");
});

test("goals are met, missed or not measured", () => {
  const goals = new Map(goalsOf(measurements, "zoetrope", "zookeeper").map((goal) => [goal.what, goal.met]));
  expect(goals.get("reads, pipelined, 1 server")).toBe(true);
  expect(goals.get("kill -9 of the leader to the next write")).toBe(true);
  expect(goals.get("memory per idle session")).toBe(null);
  const slow = [loadMeasurement("1-50x50-r100", "zoetrope", 1), loadMeasurement("1-50x50-r100", "zookeeper", 7)];
  expect(goalsOf(slow, "zoetrope", "zookeeper")[0]).toMatchObject({ met: false, measured: "7.00 × (7.00–7.00)" });
});

test("the page has its plots, without holes in their numbers", () => {
  const systems = ["zoetrope", "zookeeper"].map((name) => ({ name, title: `${name} <1>` }));
  const machine = { cpu: "a & b", cores: 2, kernel: "6", node: "v20" };
  const goals = goalsOf(measurements, "zoetrope", "zookeeper");
  const html = page({ date: "2026-01-02T03:04", machine, systems, scenarios, measurements, goals, comparisons: [] });
  for (const title of [
    "Throughput by share of reads",
    "Latency percentiles",
    "Through a failover",
    "CPU per operation",
  ]) {
    expect(html).toContain(title);
  }
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
  expect(html).toContain("a &amp; b");
  expect(html.match(/<svg/g)?.length).toBe(8);
});

test("ticks are round and enclose the values", () => {
  expect(niceTicks(870_000, 5)).toEqual([0, 200_000, 400_000, 600_000, 800_000, 1_000_000]);
  expect(logTicks(30, 400)).toEqual([20, 50, 100, 200, 500]);
  expect(logTicks(30, 4_000_000)).toEqual([10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]);
});

test("names of scenarios are theirs alone, and a whole name chooses just one", () => {
  const names = SCENARIOS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(chosen("standard", ["1-50x1-r100"]).map(({ name }) => name)).toEqual(["1-50x1-r100"]);
  expect(chosen("standard", ["open"]).map(({ name }) => name)).toEqual(["1-open-r90", "3-open-r90"]);
});
