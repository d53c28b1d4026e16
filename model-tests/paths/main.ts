/**
 * `npm run check:paths [-- CHART ...]`: replays the generated paths and says, for each chart and setting, how many there are,
 * which pairs of transitions they take, and why the others cannot be taken.
 *
 *   --missed      every pair that was not taken, by reason
 *   --json FILE   how often each transition was taken: {chart: {transition: count}}
 *
 * Exit code: 0 no mismatch, 1 a real object did otherwise than its chart.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { CHARTS_UNDER_TEST } from "./charts-under-test.ts";
import { cover } from "./cover.ts";
import { UNREACHABLE } from "./unreachable.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function main(): number {
  const { values, positionals } = parseArgs({
    options: { missed: { type: "boolean", default: false }, json: { type: "string" } },
    allowPositionals: true,
  });
  const fired: Record<string, Record<string, number>> = {};
  let paths = 0;
  let mismatches = 0;
  for (const chart of CHARTS_UNDER_TEST) {
    const { id } = chart.machine;
    if (positionals.length > 0 && !positionals.includes(id)) continue;
    const taken = new Map<string, number>();
    for (const setting of chart.settings) {
      const covered = cover(chart, [setting]);
      paths += covered.paths;
      mismatches += covered.mismatches.length;
      say(
        `${id.padEnd(18)} ${setting.name.padEnd(34)} ${covered.paths} paths, ${covered.steps} steps, ` +
          `${covered.pairs.size} pairs, ${covered.missed.size} not taken, ${covered.mismatches.length} mismatches`,
      );
      for (const mismatch of covered.mismatches) say(mismatch);
      if (values.missed) tell(covered.missed);
      for (const [key, count] of covered.coverage.taken) taken.set(key, (taken.get(key) ?? 0) + count);
    }
    fired[id] = Object.fromEntries(taken);
    for (const [key, count] of taken) {
      if (count === 0) say(`  never: ${key} (${UNREACHABLE[id]?.[key] ?? "NO REASON GIVEN"})`);
    }
  }
  say(`${paths} paths, ${mismatches} mismatches`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(fired, null, 1)}\n`);
  return mismatches === 0 ? 0 : 1;
}

function tell(missed: ReadonlyMap<string, string>): void {
  const byReason = new Map<string, string[]>();
  for (const [pair, reason] of missed) byReason.set(reason, [...(byReason.get(reason) ?? []), pair]);
  for (const [reason, pairs] of byReason) {
    say(`  ${reason}:`);
    for (const pair of pairs) say(`    ${pair}`);
  }
}

process.exitCode = main();
