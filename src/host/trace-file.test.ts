import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Report } from "../runtime/environment.ts";
import { TraceFile } from "./trace-file.ts";

const directory = mkdtempSync(join(tmpdir(), "zoetrope-trace-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("lines are in the file as soon as their turn ends, and a later life appends", () => {
  const path = join(directory, "trace");
  const first = new TraceFile(path, () => {});
  first.add("[1]\n");
  first.add("[2]\n");
  expect(readFileSync(path, "utf8")).toBe("");
  first.flush();
  expect(readFileSync(path, "utf8")).toBe("[1]\n[2]\n");
  first.close();
  const second = new TraceFile(path, () => {});
  second.add("[1]\n");
  second.close();
  expect(readFileSync(path, "utf8")).toBe("[1]\n[2]\n[1]\n");
});

test("a file that cannot be opened is reported once, and the server goes on", () => {
  const reports: Report[] = [];
  const file = new TraceFile(join(directory, "missing", "trace"), (report) => reports.push(report));
  file.add("[1]\n");
  file.flush();
  file.close();
  expect(reports).toMatchObject([{ level: "error", message: expect.stringContaining("no trace is written: ENOENT") }]);
});
