import { expect, test } from "vitest";
import { IdListMemo } from "./id-list-memo.ts";
import { JuteWriter } from "./jute-writer.ts";

function encoded(...texts: readonly string[]): Buffer {
  const writer = new JuteWriter();
  writer.int(texts.length / 2);
  for (const text of texts) writer.ustring(text);
  return writer.take();
}

test("all requests of a client share one list of ids", () => {
  const memo = new IdListMemo();
  const bytes = Buffer.concat([encoded("ip", "127.0.0.1"), encoded("ip", "127.0.0.1")]);
  const first = memo.find(bytes, 0, bytes.length);
  expect(first).toEqual({ list: [{ scheme: "ip", id: "127.0.0.1" }], bytes: bytes.length / 2 });
  expect(memo.find(bytes, bytes.length / 2, bytes.length)).toBe(first);
});

test("lists that look alike are told apart, and outlive the bytes they came from", () => {
  const memo = new IdListMemo();
  const bytes = encoded("ip", "127.0.0.1");
  const first = memo.find(bytes, 0, bytes.length);
  bytes.write("8", 4 + 4 + 2 + 4 + 1);
  expect(memo.find(bytes, 0, bytes.length)?.list).toEqual([{ scheme: "ip", id: "187.0.0.1" }]);
  expect(first?.list).toEqual([{ scheme: "ip", id: "127.0.0.1" }]);
});

test("what is cut, negative or long is left to others", () => {
  const memo = new IdListMemo();
  const bytes = encoded("ip", "127.0.0.1");
  for (let end = 4; end < bytes.length; end++) expect(memo.find(bytes, 0, end)).toBeUndefined();
  expect(memo.find(Buffer.from("ffffffff", "hex"), 0, 4)).toBeUndefined();
  expect(memo.find(Buffer.from("00000001ffffffff0000000161", "hex"), 0, 13)).toBeUndefined();
  const long = encoded("digest", "x".repeat(300));
  expect(memo.find(long, 0, long.length)).toBeUndefined();
});
