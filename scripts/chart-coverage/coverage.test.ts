import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ChartCoverage } from "../../model-tests/checker/chart-coverage.ts";
import { charts } from "../../spec/charts.ts";
import type { CoverageData } from "../diagrams/coverage.ts";
import { UNFIRED } from "./unfired.ts";

const FILE = join(import.meta.dirname, "../../docs/charts/coverage.json");
const REMEDY = "docs/charts/coverage.json is stale: run `npm run coverage:charts && npm run diagrams` and commit both";
const data = JSON.parse(readFileSync(FILE, "utf8")) as CoverageData;

test.each(charts)("coverage speaks of the transitions that $machine.id has", ({ machine }) => {
  const transitions = [...new ChartCoverage(machine).taken.keys()].sort();
  expect(Object.keys(data.charts[machine.id] ?? {}).sort(), REMEDY).toEqual(transitions);
});

test("a transition that nothing takes has a reason, and no other", () => {
  const never: Record<string, string[]> = {};
  for (const [chart, transitions] of Object.entries(data.charts)) {
    const keys = Object.keys(transitions).filter((key) => transitions[key]?.length === 0);
    if (keys.length > 0) never[chart] = keys;
  }
  expect(Object.fromEntries(Object.entries(UNFIRED).map(([chart, why]) => [chart, Object.keys(why)]))).toEqual(never);
  expect(data.unfired, REMEDY).toEqual(UNFIRED);
});
