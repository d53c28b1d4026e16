import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AssertionFailure } from "../runtime/assert.ts";
import { JuteError, JuteReader } from "./jute-reader.ts";
import { JuteWriter } from "./jute-writer.ts";

function written(write: (writer: JuteWriter) => void): Buffer {
  const writer = new JuteWriter(8);
  write(writer);
  return writer.take();
}

function refusal(hex: string, read: (reader: JuteReader) => unknown): { code: string; value: number } {
  try {
    read(new JuteReader(Buffer.from(hex, "hex")));
  } catch (error) {
    expect(error).toBeInstanceOf(JuteError);
    const { code, value } = error as JuteError;
    return { code, value };
  }
  throw new Error("It was read.");
}

describe("golden bytes", () => {
  const cases: [string, (writer: JuteWriter) => void, string][] = [
    ["int -2", (w) => w.int(-2), "fffffffe"],
    ["an unsigned int", (w) => w.int(0xfffffffe), "fffffffe"],
    ["long -1", (w) => w.long(-1), "ffffffffffffffff"],
    ["long of a zxid", (w) => w.long(0x100000002), "0000000100000002"],
    ["the largest long", (w) => w.long(Number.MAX_SAFE_INTEGER), "001fffffffffffff"],
    ["the smallest long", (w) => w.long(-Number.MAX_SAFE_INTEGER), "ffe0000000000001"],
    ["int64 of a container's owner, unsigned", (w) => w.int64(0x8000000000000000n), "8000000000000000"],
    ["the same, signed", (w) => w.int64(-(2n ** 63n)), "8000000000000000"],
    ["bool", (w) => w.bool(true), "01"],
    ["byte -1", (w) => w.byte(-1), "ff"],
    ["a null buffer", (w) => w.buffer(null), "ffffffff"],
    ["an empty buffer", (w) => w.buffer(Buffer.alloc(0)), "00000000"],
    ["a null ustring", (w) => w.ustring(null), "ffffffff"],
    ["an empty ustring", (w) => w.ustring(""), "00000000"],
    ["short text", (w) => w.ustring("/a"), "000000022f61"],
    ["NUL is one byte", (w) => w.ustring("\0"), "0000000100"],
    ["text of two and three bytes a letter", (w) => w.ustring("é日"), "00000005c3a9e697a5"],
  ];

  test.each(cases)("%s", (_name, write, hex) => {
    expect(written(write).toString("hex")).toBe(hex);
  });
});

describe("reading", () => {
  test("what was written is read back", () => {
    const long = fc.maxSafeInteger();
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const text = fc.option(fc.oneof(fc.string(), fc.string({ unit: "binary", maxLength: 40 })));
    fc.assert(
      fc.property(fc.integer(), long, int64, text, fc.option(fc.uint8Array()), fc.boolean(), (i, l, b, s, a, f) => {
        const data = a === null ? null : Buffer.from(a);
        const bytes = written((w) => {
          w.bool(f);
          w.int(i);
          w.ustring(s);
          w.long(l);
          w.buffer(data);
          w.int64(b);
        });
        const reader = new JuteReader(bytes);
        expect([reader.bool(), reader.int(), reader.ustring(), reader.long(), reader.buffer(), reader.int64()]).toEqual(
          [f, i, s, l, data, b],
        );
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  test("any non-zero byte is true", () => {
    expect(new JuteReader(Buffer.from([7])).bool()).toBe(true);
  });

  test("a reader stays inside its range", () => {
    const reader = new JuteReader(Buffer.from("00000001000000020000000300000004", "hex"), 4, 12);
    expect([reader.int(), reader.int(), reader.offset, reader.remaining]).toEqual([2, 3, 12, 0]);
    expect(() => reader.byte()).toThrow(JuteError);
  });

  test("a buffer is a view of the bytes that came in", () => {
    const bytes = Buffer.from("00000002abcd", "hex");
    expect(new JuteReader(bytes).buffer()!.buffer).toBe(bytes.buffer);
  });

  test("skip tells the length and moves past the bytes", () => {
    const reader = new JuteReader(Buffer.from("00000002abcdffffffff", "hex"));
    expect([reader.skip(), reader.offset, reader.skip(), reader.offset]).toEqual([2, 6, -1, 10]);
  });

  test("a clamped long is cut to the safe range", () => {
    const clamped = (hex: string) => new JuteReader(Buffer.from(hex, "hex")).clampedLong();
    expect(clamped("7fffffffffffffff")).toBe(Number.MAX_SAFE_INTEGER);
    expect(clamped("8000000000000000")).toBe(-Number.MAX_SAFE_INTEGER);
    expect(clamped("0000000100000000")).toBe(2 ** 32);
  });
});

describe("refusals", () => {
  test("an end inside a value is TRUNCATED", () => {
    expect(refusal("000000", (r) => r.int())).toEqual({ code: "TRUNCATED", value: 4 });
    expect(refusal("00000000000000", (r) => r.long())).toMatchObject({ code: "TRUNCATED" });
    expect(refusal("", (r) => r.bool())).toMatchObject({ code: "TRUNCATED" });
    expect(refusal("000000032f61", (r) => r.ustring())).toEqual({ code: "TRUNCATED", value: 3 });
  });

  test("a huge length is TRUNCATED and allocates nothing", () => {
    for (const read of [(r) => r.buffer(), (r) => r.ustring(), (r) => r.vectorCount(), (r) => r.skip()] as ((
      reader: JuteReader,
    ) => unknown)[]) {
      expect(refusal("7fffffff00", read)).toEqual({ code: "TRUNCATED", value: 0x7fffffff });
    }
  });

  test("a length below -1 is BAD_LENGTH", () => {
    expect(refusal("fffffffe", (r) => r.buffer())).toEqual({ code: "BAD_LENGTH", value: -2 });
    expect(refusal("80000000", (r) => r.vectorCount())).toEqual({ code: "BAD_LENGTH", value: -(2 ** 31) });
  });

  test("a long beyond the safe integers is OUT_OF_RANGE", () => {
    for (const hex of ["0020000000000000", "ffe0000000000000", "8000000000000000", "7fffffffffffffff"]) {
      expect(refusal(hex, (r) => r.long()).code).toBe("OUT_OF_RANGE");
    }
  });

  test("writing an unsafe long is a mistake of ours", () => {
    expect(() => new JuteWriter().long(2 ** 53)).toThrow(AssertionFailure);
    expect(() => new JuteWriter().long(0.5)).toThrow(AssertionFailure);
  });
});

describe("the writer's memory", () => {
  test("it grows while a message is longer than a slab", () => {
    const parts = Array.from({ length: 50 }, (_, i) => Buffer.alloc(i, i));
    const writer = new JuteWriter(16);
    for (const part of parts) writer.raw(part);
    expect(writer.take()).toEqual(Buffer.concat(parts));
  });

  test("bytes that were taken do not change any more", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 30 }), (messages) => {
        const writer = new JuteWriter(64);
        const taken = messages.map((message) => {
          writer.buffer(Buffer.from(message));
          expect(writer.offset).toBe(4 + message.length);
          return writer.take();
        });
        expect(taken.map((bytes) => [...bytes.subarray(4)])).toEqual(messages.map((message) => [...message]));
      }),
    );
  });

  test("a length can be filled in afterwards, also in a later message of the same slab", () => {
    const writer = new JuteWriter(64);
    writer.int(1);
    writer.take();
    writer.int(0);
    writer.ustring("/a");
    writer.patchInt(0, writer.offset - 4);
    expect(writer.bytes().toString("hex")).toBe("00000006000000022f61");
    expect(() => writer.patchInt(7, 0)).toThrow(AssertionFailure);
  });

  test("reset and truncate take back what was written", () => {
    const writer = new JuteWriter();
    writer.int(1);
    writer.int(2);
    writer.truncate(4);
    expect(writer.bytes().toString("hex")).toBe("00000001");
    writer.reset();
    expect(writer.take().length).toBe(0);
  });

  test("a range of a buffer is copied without its surroundings", () => {
    const writer = new JuteWriter();
    writer.rawRange(Buffer.from("abcdef"), 2, 4);
    expect(writer.take().toString()).toBe("cd");
  });
});
