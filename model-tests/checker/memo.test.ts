import fc from "fast-check";
import { expect, test } from "vitest";
import { LocalMachine, PairMemo } from "./memo.ts";

test("a pair memo remembers what it was given, through all its growth", () => {
  const pairs = fc.uniqueArray(fc.tuple(fc.nat(5000), fc.nat(5000)), {
    selector: ([a, b]) => `${a},${b}`,
    maxLength: 3000,
  });
  fc.assert(
    fc.property(pairs, (keys) => {
      const memo = new PairMemo();
      keys.forEach(([a, b], value) => {
        expect(memo.get(a, b)).toBe(-1);
        memo.set(a, b, value);
      });
      keys.forEach(([a, b], value) => {
        expect(memo.get(a, b)).toBe(value);
      });
    }),
    { numRuns: 20 },
  );
});

test("a local machine runs its step once per pair of snapshot and event", () => {
  const machine = new LocalMachine<{ readonly count: number }, "INC" | "DOUBLE", string>({
    name: "counter",
    snapshotKey: JSON.stringify,
    eventKey: String,
    step: ({ count }, event) => {
      const next = event === "INC" ? count + 1 : count * 2;
      return { next: { count: next % 4 }, outputs: [`${count} ${event}`] };
    },
  });
  const inc = machine.events.intern("INC");
  let snapshot = machine.snapshots.intern({ count: 0 });
  for (let i = 0; i < 100; i++) snapshot = machine.next(machine.step(snapshot, inc));
  expect(machine.snapshots.get(snapshot)).toEqual({ count: 0 });
  expect(machine.runs).toBe(4);
  expect(machine.outputs(machine.step(snapshot, inc))).toEqual(["0 INC"]);
});
