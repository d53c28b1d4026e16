import fc from "fast-check";
import { expect, test } from "vitest";
import { VisitedSet } from "./visited-set.ts";

test("it tells new fingerprints from known ones through all its growth, like a Map", () => {
  const half = fc.integer({ min: -3, max: 3 });
  fc.assert(
    fc.property(fc.array(fc.tuple(half, half)), (fingerprints) => {
      const set = new VisitedSet(true, 4);
      const oracle = new Map<string, number>();
      fingerprints.forEach(([lo, hi], number) => {
        // (0, 0) shares its place with (1, 0): the set cannot tell them apart, by design.
        const key = lo === 0 && hi === 0 ? "1,0" : `${lo},${hi}`;
        expect(set.add(lo, hi, number)).toBe(oracle.get(key) ?? -1);
        if (!oracle.has(key)) oracle.set(key, number);
      });
      expect(set.size).toBe(oracle.size);
    }),
  );
});

test("a million states take 8 bytes a slot", () => {
  const set = new VisitedSet(false);
  for (let i = 0; i < 1e6; i++) set.add(Math.imul(i, 0x9e3779b1), i, i);
  expect(set.size).toBe(1e6);
  expect(set.bytes / set.size).toBeLessThan(17);
});
