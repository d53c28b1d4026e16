import { expect, test } from "vitest";
import { always, neverStep, sometimes } from "./model.ts";
import { plainModel } from "./plain-model.ts";
import { randomOf, randomWalks } from "./random-walk.ts";

/** A walk on a line that wanders a lot before it comes far. */
function line(far: number) {
  return plainModel<number>({
    name: "line",
    initial: [0],
    actions: ["left", "right"],
    steps: (at) => [
      { action: "left", next: at - 1 },
      { action: "right", next: at + 1 },
    ],
    properties: {
      always: [always("near", (at) => Math.abs(at) < far)],
      neverStep: [neverStep("from 3 to 4", (before, after) => before === 3 && after === 4)],
      sometimes: [sometimes("at 2", (at) => at === 2)],
    },
  });
}

test("a walk's detours are cut out of its counterexample", () => {
  const report = randomWalks(line(3), { seed: 7, walks: 100, maxSteps: 1000 });
  expect(report.violation).toMatchObject({ property: "near", kind: "always" });
  expect(report.violation?.trace).toHaveLength(4);
});

test("a forbidden step ends its counterexample", () => {
  const report = randomWalks(line(1000), { seed: 7, walks: 100, maxSteps: 1000 });
  expect(report.violation).toMatchObject({ property: "from 3 to 4", kind: "neverStep" });
  expect(report.violation?.trace).toHaveLength(5);
});

test("one seed, one search", () => {
  const once = randomWalks(line(6), { seed: 3, walks: 5, maxSteps: 50 });
  const again = randomWalks(line(6), { seed: 3, walks: 5, maxSteps: 50 });
  expect({ ...again, seconds: 0 }).toEqual({ ...once, seconds: 0 });
});

test("the generator is uniform enough to give each successor its chance", () => {
  const random = randomOf(1);
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const bucket = Math.floor(random() * 10);
    buckets[bucket] = (buckets[bucket] as number) + 1;
  }
  for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});
