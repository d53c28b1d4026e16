/** What a reader finds in a report: of a violation, and of a run in which all held. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkHistory } from "../checker/check-history.ts";
import { checkRun, type Judgement } from "../checker/check-run.ts";
import { figuresOf } from "../checker/floors.ts";
import type { Violation } from "../checker/violation.ts";
import type { RunManifest } from "../histories/format.ts";
import { historyOf } from "../histories/read-history.ts";
import { openRun } from "../histories/run-folder.ts";
import { play, type Twin } from "../proof/script.ts";
import { writeReport } from "./index.ts";

const MANIFEST: RunManifest = {
  format: "zoetrope-history",
  version: 1,
  name: "a story",
  command: "npm run faults -- --seed 1",
  seed: 1,
  box: "white",
  system: "zoetrope",
  servers: [1, 2, 3],
  workloads: ["register"],
  nemeses: ["kill-leader"],
  tickTimeMs: 1000,
  floors: {},
};

const STORY = `
  1 create /a 0
  2 create /b "</script><b>"
  1 set /a x
  1 set /a y as w
  fault kill-leader
  3 get /b
  2 sync /a ! @w-1
  2 get /a ! @w-1`;

/** `beside`: what is found in no operation. */
function report(
  twin: Twin,
  beside: readonly Violation[] = [],
): {
  readonly page: string;
  readonly story: string;
  readonly files: readonly string[];
  /** How the smallest history is judged by itself. */
  readonly alone: Judgement | null;
  readonly data: Record<string, unknown>;
} {
  const { lines, logs } = play(STORY, twin);
  const history = historyOf(lines);
  const verdict = checkHistory(history, { logs, tickTimeMs: 1000 });
  const took = { ...verdict.took, read: 0 };
  const judgement: Judgement = {
    ...verdict,
    violations: [...verdict.violations, ...beside],
    manifest: MANIFEST,
    history,
    figures: figuresOf(history, MANIFEST),
    logs,
    traces: null,
    took,
  };
  const folder = mkdtempSync(join(tmpdir(), "report-"));
  try {
    const page = readFileSync(writeReport(judgement, folder), "utf8");
    const files = readdirSync(folder).sort();
    const story = readFileSync(join(folder, "story.txt"), "utf8");
    const smallest = join(folder, "smallest.jsonl");
    const alone = existsSync(smallest) ? checkRun(openRun(smallest)) : null;
    return { page, story, files, alone, data: JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a violation is told by the few operations that show it", () => {
  const { page, story, data, files, alone } = report("bad");
  expect(files).toEqual(["index.html", "report.json", "smallest.jsonl", "story.txt"]);
  expect(page).toContain("Violation of C8 sync: stale read after sync");
  expect(page).toContain(`class="bar ok culprit"`);
  const lines = story.trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(10);
  expect(lines[0]).toBe("C8 sync: stale read after sync.");
  expect(story).toContain("← this one cannot be");
  expect(story).toContain("kill-leader");
  expect(lines.at(-1)).toMatch(
    /^Repeat the schedule: npm run faults -- --seed 1 Judge .*: npm run check:linearizability -- --black-box .*smallest.jsonl$/,
  );
  expect(alone!.history.operations.count).toBe(5);
  expect(alone!.violations.map(({ anomaly }) => anomaly)).toContain("stale read after sync");
  const { smallest, refusedAlone } = data["explanation"] as { smallest: { is: string }[]; refusedAlone: boolean };
  expect(refusedAlone).toBe(true);
  expect(smallest.map(({ is }) => is)).toEqual([
    'p1: create /a "0" → ok',
    'p1: setData /a "x" → ok v1',
    'p1: setData /a "y" → ok v2',
    "p2: sync /a → ok",
    'p2: getData /a → "x" v1',
  ]);
});

test("a violation that shows in no operation is told without any", () => {
  const strayed: Violation = {
    property: "I8 log continuity",
    rule: "1 logs",
    anomaly: "gap in a log",
    summary: "A log goes on where it should not.",
    ops: [],
    line: -1,
    zxid: -1,
  };
  const { page, story, data } = report("legal", [strayed]);
  expect(page).toContain("Violation of I8 log continuity: gap in a log");
  expect(page).not.toContain("The smallest history");
  expect(story).toContain("It shows in nothing that a client did");
  expect(data["explanation"]).toMatchObject({ smallest: [] });
});

test("a run in which all held has a page, too", () => {
  const { page, story, data, files } = report("legal");
  expect(files).toEqual(["index.html", "report.json", "story.txt"]);
  expect(page).toContain("Valid: everything that clients saw is as promised");
  expect(page).toContain("Operations per second");
  expect(story).toContain("a story: valid.");
  expect(data["explanation"]).toBeNull();
});

test("a page needs no network, and what clients wrote cannot break out of its place", () => {
  const { page } = report("bad");
  expect(page).not.toMatch(/(src|href)=|https?:|@import|url\((?!#)/);
  expect(page.match(/<\/script>/g)).toHaveLength(2);
  expect(page).not.toContain("<b>\\");
});
