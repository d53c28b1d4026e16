import fc from "fast-check";
import { expect, test } from "vitest";
import { TextMemo } from "./text-memo.ts";

test("texts are what their bytes say, seen before or not", () => {
  const memo = new TextMemo();
  const text = fc.oneof(fc.constantFrom("ip", "127.0.0.1", "127.1.0.0", "digest", "", "pi", "é", "😀"), fc.string());
  fc.assert(
    fc.property(fc.array(text), fc.nat(5), (texts, offset) => {
      for (const one of texts) {
        const bytes = Buffer.concat([Buffer.alloc(offset, 0x78), Buffer.from(one), Buffer.from("tail")]);
        const end = offset + Buffer.byteLength(one);
        expect(memo.text(bytes, offset, end)).toBe(bytes.toString("utf8", offset, end));
      }
    }),
  );
});

test("the memory that a text came from may be used again", () => {
  const memo = new TextMemo();
  const bytes = Buffer.from("ip");
  expect(memo.text(bytes, 0, 2)).toBe("ip");
  bytes.write("xp");
  expect(memo.text(bytes, 0, 2)).toBe("xp");
  expect(memo.text(Buffer.from("ip"), 0, 2)).toBe("ip");
});
