import { expect, test } from "vitest";
import { loadMeasurement } from "../test-measurements.ts";
import { verdictOn } from "./look.ts";
import { pairedWith, sameCode } from "./paired.ts";

const machine = { cpu: "any", cores: 2, kernel: "6", node: "v20" };
const baseline = sameCode(["reads"], { date: "2026-01-02T03:04:05.000Z", revision: "abc", machine });
const on = { system: "zoetrope", machine };

/** A machine on which everything costs twice as much in every other round, and others use most of it. */
function run(cost: number) {
  const both = [1, 2.1, 0.9, 2, 1.1].flatMap((mood) => [
    loadMeasurement("reads", "zoetrope", cost * mood),
    loadMeasurement("reads", "peer", mood),
  ]);
  const calibration = { echoCpuMicros: 10, echoPerSecond: 5000, fsyncMicros: 100, othersShare: 0.8 };
  return pairedWith(
    both.map((m) => ({ ...m, calibration })),
    "zoetrope",
    "peer",
  );
}

test("a machine in changing moods does not matter to two that take turns", async () => {
  expect((await verdictOn(baseline, run(1.02), on, async () => run(1))).exitCode).toBe(0);
  const { exitCode, text } = await verdictOn(baseline, run(1.2), on, async () => run(1.2));
  expect(exitCode).toBe(1);
  expect(text).toContain("REGRESSION: reads: CPU per operation +20.0 %");
});

test("a round that the peer has not is not compared", () => {
  const alone = [loadMeasurement("reads", "zoetrope", 1), loadMeasurement("reads", "zoetrope", 1)];
  expect(pairedWith([...alone, loadMeasurement("reads", "peer", 1)], "zoetrope", "peer")).toHaveLength(1);
});
