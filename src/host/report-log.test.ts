import { expect, test } from "vitest";
import type { Report } from "../runtime/environment.ts";
import { formatReport, reportLog } from "./report-log.ts";

const AT = Date.UTC(2026, 10, 22, 19, 52, 29, 123);

function log(level: Report["level"] = "info") {
  const lines: string[] = [];
  const clock = { nowMs: AT };
  return { lines, clock, report: reportLog({ level, write: (line) => lines.push(line), nowMs: () => clock.nowMs }) };
}

test("one line per report: time, level, message, data", () => {
  const { lines, report } = log();
  report({ level: "info", message: "leading", data: { epoch: 3, followers: [1, 2], session: 0x1000012dbfc0000n } });
  report({ level: "warn", message: "log record torn", data: { file: "log.1", reason: "bad checksum" } });
  expect(lines).toEqual([
    "2026-11-22T19:52:29.123Z INFO  leading epoch=3 followers=[1,2] session=0x1000012dbfc0000\n",
    '2026-11-22T19:52:29.123Z WARN  log record torn file=log.1 reason="bad checksum"\n',
  ]);
});

test("what a client sent cannot forge a line", () => {
  const line = formatReport({ level: "warn", message: "bad\npath", data: { path: "/a\n2026 ERROR all lost" } }, AT);
  expect(line).toBe('2026-11-22T19:52:29.123Z WARN  bad path path="/a\\n2026 ERROR all lost"\n');
});

test("reports below the level are not written", () => {
  const { lines, report } = log("warn");
  report({ level: "info", message: "quiet" });
  expect(lines).toEqual([]);
});

test("a message that repeats for ever is counted instead of written", () => {
  const { lines, clock, report } = log();
  for (let i = 0; i < 50; i++) report({ level: "warn", message: "garbage", data: { i } });
  report({ level: "warn", message: "another" });
  expect(lines).toHaveLength(21);
  clock.nowMs += 10_000;
  report({ level: "warn", message: "garbage", data: { i: 50 } });
  expect(lines.slice(21)).toEqual([
    "2026-11-22T19:52:39.123Z WARN  garbage suppressed=30\n",
    "2026-11-22T19:52:39.123Z WARN  garbage i=50\n",
  ]);
});
