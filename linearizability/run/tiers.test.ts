/** What a run must reach to count is the same for who makes it and for who judges it. */
import { expect, test } from "vitest";
import { planRun, tierPlans } from "./tiers.ts";

const subject = { seed: 1, load: 1, kind: "zoetrope", serverBuild: null } as const;

function floorOf(seconds: number, nemeses: readonly string[]): number | undefined {
  return planRun({ ...subject, servers: 3, seconds, workloads: ["register"], nemeses }).floors.leaderChanges;
}

test("a run that aims at leaders must change one, however short it is", () => {
  expect(floorOf(10, ["kill-leader"])).toBe(1);
  expect(floorOf(20, ["everything"])).toBe(1);
  expect(floorOf(600, ["kill-leader"])).toBeGreaterThan(20);
});

test("a run that does not says so, too", () => {
  expect(floorOf(60, ["slow-disk-leader"])).toBe(0);
  for (const { floors } of tierPlans("nightly", subject)) expect(floors.leaderChanges).toBeGreaterThanOrEqual(0);
});
