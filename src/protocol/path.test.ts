import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baseName, parentOf, validatePath } from "./path.ts";

describe("good paths", () => {
  test.each([
    "/",
    "/a",
    "/a/b.c",
    "/.a",
    "/a.",
    "/...",
    "/a/..b",
    "/zookeeper/quota",
    "/ ~",
    "/été/日本",
    "/ ",
    "/\ufb00",
  ])("%j", (path) => {
    expect(validatePath(path)).toBe(null);
  });
});

describe("bad paths and why", () => {
  test.each([
    ["", "Path length must be > 0"],
    ["a", "Path must start with / character"],
    ["a/b", "Path must start with / character"],
    ["/a/", "Path must not end with / character"],
    ["//", "Path must not end with / character"],
    ["//a", "empty node name specified @1"],
    ["/a//b", "empty node name specified @3"],
    ["/.", "relative paths not allowed @1"],
    ["/..", "relative paths not allowed @2"],
    ["/a/./b", "relative paths not allowed @3"],
    ["/a/../b", "relative paths not allowed @4"],
    ["/a/..", "relative paths not allowed @4"],
    ["/a\0b", "null character not allowed @2"],
    ["/\u0001", "invalid character @1"],
    ["/a\u001f", "invalid character @2"],
    ["/\u007f", "invalid character @1"],
    ["/\u009f", "invalid character @1"],
    ["/\ud83d\ude00", "invalid character @1"],
    ["/\uf8ff", "invalid character @1"],
    ["/\ufff0", "invalid character @1"],
    ["/\uffff", "invalid character @1"],
  ])("%j", (path, reason) => {
    expect(validatePath(path)).toBe(reason);
  });
});

test("a path is good exactly if each of its names is", () => {
  const name = fc.string({ unit: fc.constantFrom("a", ".", "é", "\u0001"), maxLength: 3 });
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
      const path = `/${names.join("/")}`;
      const good = names.every((each) => !["", ".", ".."].includes(each) && !each.includes("\u0001"));
      expect(validatePath(path) === null).toBe(good || path === "/");
    }),
  );
});

test("parent and name of a path", () => {
  const parts = ["/a/b/c", "/a/b", "/a", "/", "", "a"].map((path) => [parentOf(path), baseName(path)]);
  expect(parts).toEqual([
    ["/a/b", "c"],
    ["/a", "b"],
    ["/", "a"],
    ["", ""],
    ["", ""],
    ["", "a"],
  ]);
});
