import { afterAll, describe, expect, test } from "vitest";
import { CHARTS_UNDER_TEST } from "./charts-under-test.ts";
import { cover } from "./cover.ts";

const LEAST_PATHS = 2000;
/** Eight seconds of CPU at most, on a machine that may be busy with other work. */
const PATIENCE_MS = 240_000;

let paths = 0;

describe.for(CHARTS_UNDER_TEST)("$machine.id: a real object takes every path that its chart offers", (chart) => {
  test.for(chart.settings)("$name", { timeout: PATIENCE_MS }, (setting) => {
    const covered = cover(chart, [setting]);
    paths += covered.paths;
    expect(covered.mismatches.slice(0, 3)).toEqual([]);
    expect(covered.pairs.size).toBeGreaterThanOrEqual(setting.leastPairs);
  });
});

// Not a test of its own: it would fail whenever a single one of those above is chosen.
afterAll(() => {
  process.stdout.write(
    `${paths} generated paths replayed${paths < LEAST_PATHS ? `; fewer than ${LEAST_PATHS}` : ""}\n`,
  );
});
