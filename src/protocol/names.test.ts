import { expect, test } from "vitest";
import { ErrorCode, errorName } from "./error-codes.ts";
import { CreateFlags, OpCode, opName, Perms } from "./opcodes.ts";

test("codes have names, and those nobody knows have a number", () => {
  expect([opName(OpCode.getData), opName(OpCode.closeSession), opName(55)]).toEqual([
    "getData",
    "closeSession",
    "unknown(55)",
  ]);
  expect([errorName(ErrorCode.NONODE), errorName(0), errorName(-99)]).toEqual(["NONODE", "OK", "unknown(-99)"]);
});

test("no two codes are the same", () => {
  for (const codes of [OpCode, ErrorCode, CreateFlags]) {
    const values = Object.values(codes);
    expect(new Set(values).size).toBe(values.length);
  }
});

test("ALL is all permissions", () => {
  expect(Perms.READ | Perms.WRITE | Perms.CREATE | Perms.DELETE | Perms.ADMIN).toBe(Perms.ALL);
});
