import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32, crc32Words } from "./crc32.ts";

test("it is zlib's CRC-32, for short and long input, in pieces or at once", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700, size: "max" }), fc.nat(), (bytes, cut) => {
      const middle = cut % (bytes.length + 1);
      const first = crc32(bytes, 0, middle, 0);
      expect(crc32(bytes, middle, bytes.length, first) >>> 0).toBe(zlibCrc32(bytes));
    }),
  );
});

test("words count as their big-endian bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 20 }), fc.integer(), (values, before) => {
      const bytes = Buffer.alloc(values.length * 4);
      for (const [i, value] of values.entries()) bytes.writeInt32BE(value, i * 4);
      const words = Int32Array.from([7, ...values]);
      expect(crc32Words(words, 1, values.length, before) >>> 0).toBe(zlibCrc32(bytes, before >>> 0));
    }),
  );
});
