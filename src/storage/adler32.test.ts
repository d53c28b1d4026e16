import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ADLER_START, adler32, adler32Plain } from "./adler32.ts";
import { vectorAdler } from "./adler32-vector.ts";

/** zlib ends its stream with the Adler-32 of what went in. */
function zlibAdler(bytes: Uint8Array): number {
  const stream = deflateSync(bytes, { level: 0 });
  return stream.readUInt32BE(stream.length - 4);
}

test("the checksum is zlib's, however the bytes are cut and aligned", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 20_000, size: "max" }),
      fc.array(fc.nat(20_000), { maxLength: 4 }),
      fc.nat(7),
      (data, cuts, shift) => {
        const bytes = Buffer.concat([Buffer.alloc(shift), data]).subarray(shift);
        const ends = [...cuts.filter((cut) => cut < data.length), data.length].sort((x, y) => x - y);
        let sum = ADLER_START;
        let from = 0;
        for (const to of ends) {
          sum = adler32(sum, bytes, from, to);
          from = to;
        }
        expect(sum).toBe(zlibAdler(data));
      },
    ),
    { numRuns: 300 },
  );
});

test("no sum overflows on the largest bytes", () => {
  const bytes = Buffer.alloc(1_000_003, 0xff);
  expect(adler32(ADLER_START, bytes, 0, bytes.length)).toBe(zlibAdler(bytes));
  expect(adler32(ADLER_START, bytes, 0, 511)).toBe(zlibAdler(bytes.subarray(0, 511)));
  expect(adler32(0xfff0fff0, bytes, 0, 100_000)).toBe(adler32(adler32(0xfff0fff0, bytes, 0, 500), bytes, 500, 100_000));
});

test("vectors are at work here, and sum up what plain JavaScript does", () => {
  const vectors = vectorAdler();
  expect(vectors).not.toBeNull();
  fc.assert(
    fc.property(fc.nat(4096), fc.nat(65_520), fc.nat(65_520), fc.nat(255), (units, a, b, seed) => {
      const bytes = Buffer.alloc(units * 16, seed);
      for (let i = 0; i < bytes.length && seed < 250; i++) bytes[i] = (i * 7919 + (i >> 7) * seed) & 0xff;
      vectors?.memory.set(bytes);
      const start = ((b << 16) | a) >>> 0;
      expect((vectors?.extend(start, bytes.length) ?? 0) >>> 0).toBe(adler32Plain(start, bytes, 0, bytes.length));
    }),
    { numRuns: 200 },
  );
});

test("more bytes than the vectors' memory holds", () => {
  const bytes = Buffer.alloc(200_000);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 9)) & 0xff;
  for (const [from, to] of [
    [0, 200_000],
    [0, 65_536],
    [1, 65_537],
    [3, 131_075],
    [199_000, 200_000],
  ] as const) {
    expect(adler32(ADLER_START, bytes, from, to)).toBe(zlibAdler(bytes.subarray(from, to)));
    const own = Buffer.from(bytes.subarray(from, to));
    expect(adler32(ADLER_START, own, 0, own.length)).toBe(zlibAdler(own));
  }
});

test("nothing changes nothing", () => {
  expect(adler32(ADLER_START, Buffer.alloc(0), 0, 0)).toBe(1);
});
