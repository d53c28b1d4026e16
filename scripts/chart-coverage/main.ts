/** `npm run coverage:charts`: measures which transitions are taken and writes docs/charts/coverage.json for the diagrams. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CoverageData } from "../diagrams/coverage.ts";
import { COVERAGE_FILE } from "../diagrams/files.ts";
import { measure } from "./measure.ts";
import { UNFIRED } from "./unfired.ts";

const SEEDS = 40;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const charts = await measure({
  seeds: Array.from({ length: SEEDS }, (_, index) => index + 1),
  faultMs: 12_000,
  walkRounds: 12,
  told: say,
});
const data: CoverageData = { charts, unfired: UNFIRED };
const file = join("docs/charts", COVERAGE_FILE);
writeFileSync(file, `${JSON.stringify(data, null, 1)}\n`);

for (const [chart, transitions] of Object.entries(charts)) {
  const sources = Object.values(transitions);
  const run = sources.filter((it) => it.includes("run")).length;
  const any = sources.filter((it) => it.length > 0).length;
  say(`${chart.padEnd(20)} ${sources.length} transitions: ${run} taken in runs, ${any} in runs or walks`);
  for (const [key, taken] of Object.entries(transitions)) {
    if (taken.length === 0) say(`  never: ${key} (${UNFIRED[chart]?.[key] ?? "NO REASON GIVEN"})`);
  }
}
say(`${file}: now run \`npm run diagrams\``);
