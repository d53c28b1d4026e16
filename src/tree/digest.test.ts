import fc from "fast-check";
import { expect, test } from "vitest";
import { countsInDigest, TreeDigest } from "./digest.ts";

test("sums wrap at 64 bits, and what was added can be taken out in any order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 40, size: "max" }), (crcs) => {
      const digest = new TreeDigest();
      for (const crc of crcs) digest.add(crc);
      const sum = crcs.reduce((total, crc) => total + BigInt(crc >>> 0), 0n);
      expect((BigInt(digest.hi) << 32n) | BigInt(digest.lo)).toBe(sum);
      for (const crc of crcs.toReversed()) digest.subtract(crc);
      expect([digest.hi, digest.lo]).toEqual([0, 0]);
      digest.subtract(1);
      expect([digest.hi, digest.lo]).toEqual([0xffffffff, 0xffffffff]);
    }),
  );
});

test("only what is below /zookeeper does not count", () => {
  expect(["/", "/zookeeper", "/zookeeper/config", "/zookeepers"].map(countsInDigest)).toEqual([
    true,
    true,
    false,
    true,
  ]);
});
