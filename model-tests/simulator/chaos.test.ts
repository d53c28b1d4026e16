import { expect, test } from "vitest";
import { chaos } from "./chaos.ts";

// A short slice of `npm run simulate`; seeds that once failed come first (their stories are in the comments).
const SEEDS = [
  1, // election: every vote was answered by a broadcast
  12, // simulator: a disk that was busy in an earlier life was never driven again
  2,
  3,
  5,
  8,
  13,
  21,
];

test.each(SEEDS)("seed %i survives its faults and converges", { timeout: 60_000 }, async (seed) => {
  const result = await chaos({ seed, faultMs: 12_000 });
  const replay = `replay: npm run simulate -- --seed ${seed} --fault-ms 12000 --verbose`;
  expect(result.violations, [...result.events, replay].join("\n")).toEqual([]);
  expect(result.acknowledged).toBeGreaterThan(50);
});

test("a run is its seed: twice the same events, operations and end", { timeout: 60_000 }, async () => {
  const first = await chaos({ seed: 7, faultMs: 6000 });
  expect(await chaos({ seed: 7, faultMs: 6000 })).toEqual(first);
});
