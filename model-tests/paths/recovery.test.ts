/**
 * The recovery chart's paths are disks: every combination of good and bad snapshots, logs, epoch files and settings, each also
 * with an operation that fails at each place. Which event the disk must bring is said here, by what was put on it.
 */
import { afterAll, expect, test } from "vitest";
import { recoveryMachine } from "../../spec/storage/recovery.machine.ts";
import type { RecoveryContext } from "../../spec/storage/recovery-setup.ts";
import type { Zxid } from "../../spec/vocabulary.ts";
import { ChartCoverage } from "../checker/chart-coverage.ts";
import { type Reference, Run } from "./replay.ts";
import { type DiskStory, RecoveryRig } from "./rigs/recovery-rig.ts";

const coverage = new ChartCoverage(recoveryMachine);
const pairs = new Set<string>();
let paths = 0;

/** What the disk brings next; null: the walk is over. */
function next(story: DiskStory, chart: Reference): string | null {
  if (chart.done || chart.state.startsWith("failed")) return null;
  const { snapshots, skipped } = chart.context as unknown as RecoveryContext;
  const isNewest = snapshots[0] === "snapshot.3";
  switch (chart.state) {
    case "settling":
      return "WRITES_SETTLED";
    case "listing":
      return "LISTED";
    case "inspecting":
      return isNewest && story.newest === "short" ? "SNAPSHOT_UNUSABLE" : "SNAPSHOT_WHOLE";
    case "loading":
      return isNewest && story.newest === "changed" ? "SNAPSHOT_UNUSABLE" : "SNAPSHOT_LOADED";
    case "probing":
      return story.logs === "empty" ? "LOGS_EMPTY" : "LOGS_HOLD_TXNS";
    case "replaying": {
      const noTxns = story.logs === "none" || story.logs === "empty";
      // An unusable snapshot stands for txns that only the log could make good.
      if (noTxns && skipped > 0) return "DATA_REFUSED";
      return story.logs === "changed" ? "DATA_REFUSED" : "REPLAYED";
    }
    case "epochs.reading":
      return story.epochs === "nonsense" ? "DATA_REFUSED" : "EPOCHS_READ";
    case "removing":
    case "promising.tidying":
      return "CUT_MADE";
    case "creating":
      return "SNAPSHOT_CREATED";
    default:
      return "EPOCH_WRITTEN";
  }
}

/** @param failsAt the step at which the disk fails instead */
function walk(story: DiskStory, failsAt: number | null): { wanted: string[]; mismatch: string | null } {
  const all: string[] = [];
  paths++;
  const { truncateTo, epochFiles, autoCreate, trustEmptySnapshot } = story;
  const input = { truncateTo, epochFiles, autoCreate, trustEmptySnapshot };
  const run = new Run(recoveryMachine, input, new RecoveryRig(story), coverage, pairs);
  let { mismatch } = run.start();
  for (let steps = 0; ; steps++) {
    const wanted = next(story, run.chart);
    if (mismatch !== null || wanted === null) return { wanted: all, mismatch };
    all.push(wanted);
    const type = steps === failsAt ? "DISK_FAILED" : wanted;
    const { left, mismatch: found } = run.take({ type });
    mismatch = found ?? (left === null ? null : `${type}: ${left}`);
    if (mismatch !== null) mismatch = `step ${steps + 1} in ${run.chart.state}: ${mismatch}`;
  }
}

function* stories(): Generator<DiskStory> {
  for (const newest of ["good", "short", "changed", "none"] as const)
    for (const oldest of ["good", "none"] as const)
      for (const logs of ["whole", "torn", "changed", "empty", "none"] as const)
        for (const epochs of ["good", "none", "nonsense", "leftover"] as const)
          for (const truncateTo of [null, 4 as Zxid])
            for (const epochFiles of [true, false])
              for (const flags of [0, 1, 2, 3]) {
                const [autoCreate, trustEmptySnapshot] = [(flags & 1) === 0, (flags & 2) !== 0];
                const story = { newest, oldest, logs, epochs, truncateTo, epochFiles, autoCreate, trustEmptySnapshot };
                if (isTold(story)) yield story;
              }
}

/** Settings that make no difference are told once, and what TRUNC would find behind its limit not at all. */
function isTold(story: DiskStory): boolean {
  const { newest, oldest, logs, epochs, truncateTo, epochFiles, autoCreate, trustEmptySnapshot } = story;
  const bare = newest === "none" && oldest === "none";
  if (!bare && (!autoCreate || trustEmptySnapshot)) return false;
  if (!epochFiles && epochs !== "good") return false;
  if (truncateTo !== null && logs !== "whole") return false;
  // Without snapshots the logs would begin nowhere.
  return !(bare && trustEmptySnapshot && logs === "changed");
}

/** Not made here: files in the wrong directory, a log whose header is no log's, epochs that no crash explains (src/storage has them). */
const NEVER = [
  "listing DATA_REFUSED#0",
  "probing DATA_REFUSED#0",
  "epochs.judging always#0",
  "epochs.judging always#1",
];

test("every disk, and every operation that may fail", () => {
  const mismatches: string[] = [];
  for (const story of stories()) {
    const { wanted, mismatch } = walk(story, null);
    if (mismatch !== null) mismatches.push(`${JSON.stringify(story)}: ${mismatch}`);
    // The first step needs no disk.
    for (let at = 1; at < wanted.length; at++) {
      const failed = walk(story, at).mismatch;
      if (failed !== null) mismatches.push(`${JSON.stringify(story)}, failing at ${at + 1}: ${failed}`);
    }
  }
  expect(mismatches.slice(0, 3)).toEqual([]);
  const never = [...coverage.taken].filter(([, count]) => count === 0).map(([key]) => key);
  expect(never.filter((key) => !NEVER.includes(key))).toEqual([]);
  expect(pairs.size).toBeGreaterThanOrEqual(69);
}, 120_000);

afterAll(() => {
  process.stdout.write(`${paths} generated paths of recovery replayed, ${pairs.size} pairs\n`);
});
