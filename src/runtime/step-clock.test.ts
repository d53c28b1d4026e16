import { expect, test } from "vitest";
import { StepClock } from "./step-clock.ts";

test("time stands still during a step", () => {
  let reads = 0;
  const clock = new StepClock({
    monotonicMs: () => ++reads,
    wallMs: () => 1000 + ++reads,
    random: () => 0.25,
    sha1: (bytes) => bytes,
  });
  expect([clock.monotonicMs(), clock.wallMs(), clock.monotonicMs(), clock.wallMs()]).toEqual([1, 1002, 1, 1002]);
  clock.step();
  expect([clock.wallMs(), clock.wallMs(), clock.monotonicMs()]).toEqual([1003, 1003, 4]);
  clock.step();
  clock.step();
  expect(reads).toBe(4);
  expect(clock.random()).toBe(0.25);
  expect(clock.sha1(Buffer.from("x"))).toEqual(Buffer.from("x"));
});
