/** `npm run coverage:charts`: measures which transitions are taken and writes docs/charts/coverage.json for the diagrams. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { COVERAGE_SOURCES, type CoverageData } from "../diagrams/coverage.ts";
import { COVERAGE_FILE } from "../diagrams/files.ts";
import { measure } from "./measure.ts";
import { UNFIRED } from "./unfired.ts";

const SEEDS = 40;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const charts = await measure({
  seeds: Array.from({ length: SEEDS }, (_, index) => index + 1),
  faultMs: 12_000,
  checks: [
    ["mc1/slice", 60_000],
    ["election/MC4 slice", 30_000],
    ["election/MC4 observer", 30_000],
    ["election/MC4 new epoch", 60_000],
    ["sessions/MC6 closing", 2_000],
    ["sessions/MC6 moving", 2_000],
    ["sessions/MC6 intruder", 2_000],
    ["watches/MC8 one-shot", 2_000],
  ],
  walkRounds: 12,
  told: say,
});
const data: CoverageData = { charts, unfired: UNFIRED };
const file = join("docs/charts", COVERAGE_FILE);
writeFileSync(file, `${JSON.stringify(data, null, 1)}\n`);

for (const [chart, transitions] of Object.entries(charts)) {
  const sources = Object.values(transitions);
  const by = COVERAGE_SOURCES.map((source) => `${source} ${sources.filter((it) => it.includes(source)).length}`);
  const any = sources.filter((it) => it.length > 0).length;
  say(`${chart.padEnd(20)} ${sources.length} transitions: ${by.join(", ")}, any ${any}`);
  for (const [key, taken] of Object.entries(transitions)) {
    if (taken.length === 0) say(`  never: ${key} (${UNFIRED[chart]?.[key] ?? "NO REASON GIVEN"})`);
  }
}
say(`${file}: now run \`npm run diagrams\``);
