import { expect, test } from "vitest";
import { messageOf, OperatingError } from "./errors.ts";

class LogError extends OperatingError<"TORN_RECORD" | "LOG_MISSING"> {}

test("an operating error keeps its code, its data and its cause, and reads as one line", () => {
  const cause = new Error("EIO");
  const error = new LogError({ code: "TORN_RECORD", file: "log.100000001", offset: 4096 }, { cause });
  expect(error).toMatchObject({
    name: "LogError",
    code: "TORN_RECORD",
    data: { file: "log.100000001", offset: 4096 },
    message: "TORN_RECORD: file log.100000001, offset 4096",
    cause,
  });
  expect(new LogError({ code: "LOG_MISSING" }).message).toBe("LOG_MISSING");
});

test("whatever is thrown has a message", () => {
  expect([messageOf(new Error("boom")), messageOf("plain")]).toEqual(["boom", "plain"]);
});
