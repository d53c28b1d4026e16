/**
 * `npm run check:model [-- NAME ...]`: explores models and says what held. A NAME is a check or a family of checks;
 * without one, all quick checks run. The last lines are one per check: bounds, states, time, verdict.
 *
 *   --list            the names
 *   --long            the long checks of the named families too
 *   --workers N       threads (default 1; liveness always uses one)
 *   --seconds N       stop a check, incomplete, after N seconds
 *   --walks N         N random walks instead of a search (with --seed S, --steps N)
 *   --mutants         run the wrong variants, each of which must be noticed; named ones (a prefix will do) show their trace
 *   --coverage FILE   write how often each transition of the charts was run: chart → "path EVENT#index" → count
 *   --diagrams DIR    write a sequence chart and a replay file of each counterexample there
 *
 * Exit code: 0 all as expected, 1 a property failed, a count differs or a mutant survived, 2 wrong usage.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { charts } from "../../spec/charts.ts";
import { LiveCoverage, summed } from "./chart-coverage.ts";
import type { Check, Mutant } from "./check.ts";
import { CHECKS, MUTANTS } from "./checks.ts";
import { explore } from "./explorer.ts";
import { FAMILIES, killersOf } from "./killers.ts";
import type { FiredCounts, Model } from "./model.ts";
import { type MutantResult, runMutants } from "./mutants.ts";
import { explorePartitioned } from "./partitioned.ts";
import { printTrace } from "./print-trace.ts";
import { randomWalks } from "./random-walk.ts";
import { detailLines, group, type Report, summaryLine, verdictOf } from "./report.ts";
import { sequenceDiagramHtml } from "./sequence-diagram.ts";
import type { Counterexample } from "./trace.ts";

const OPTIONS = {
  list: { type: "boolean", default: false },
  long: { type: "boolean", default: false },
  mutants: { type: "boolean", default: false },
  workers: { type: "string", default: "1" },
  seconds: { type: "string" },
  walks: { type: "string" },
  seed: { type: "string", default: "1" },
  steps: { type: "string", default: "200" },
  coverage: { type: "string" },
  diagrams: { type: "string" },
} as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.list) {
    for (const { name, bounds, length } of CHECKS) print(`${name.padEnd(40)} ${length.padEnd(6)} ${bounds}`);
    return 0;
  }
  const diagrams = values.diagrams ?? null;
  if (values.mutants) {
    const showTrace = ({ mutant, model, counterexample }: MutantResult) => {
      if (counterexample !== null) show(model, counterexample, `${mutant.name} ${counterexample.property}`, diagrams);
    };
    const tell = positionals.length > 0 || diagrams !== null ? showTrace : undefined;
    const mutants = named(MUTANTS, positionals);
    const killed = await runMutants(mutants, print, tell);
    const sound = positionals.length > 0 || tellKillers(killed);
    return sound && killed.size === mutants.length ? 0 : 1;
  }

  const checks = CHECKS.filter((check) => isChosen(check, positionals, values.long));
  if (checks.length === 0) {
    print(`No check is named ${positionals.join(" ")}; --list shows the names.`);
    return 2;
  }
  if (values.walks !== undefined) {
    const walk = { walks: Number(values.walks), seed: Number(values.seed), maxSteps: Number(values.steps) };
    let sound = true;
    for (const check of checks) sound = (await walkThrough(check, walk, diagrams)) && sound;
    return sound ? 0 : 1;
  }
  const limits = values.seconds === undefined ? {} : { maxSeconds: Number(values.seconds) };
  const lines: string[] = [];
  let sound = true;
  let counts: FiredCounts = {};
  for (const check of checks) {
    const live = new LiveCoverage(charts.map(({ machine }) => machine));
    const done = await live.during(() => run(check, Number(values.workers), limits, diagrams));
    lines.push(done.line);
    sound = sound && done.asExpected;
    // A model that has charts of its own counts the hot events too.
    counts = summed(counts, { ...live.counts, ...done.counts });
  }
  if (values.coverage !== undefined) writeFileSync(values.coverage, `${JSON.stringify(counts, null, 1)}\n`);
  print("");
  for (const line of lines) print(line);
  return sound ? 0 : 1;
}

/** True if every invariant was the killer of a mutant, or has a reason. */
function tellKillers(killed: ReadonlySet<Mutant>): boolean {
  const { lines, bare } = killersOf(FAMILIES, (mutant) => killed.has(mutant));
  print("");
  for (const line of lines) print(line);
  print(bare.length === 0 ? `all ${lines.length} invariants accounted for` : `no mutant offends ${bare.join(", ")}`);
  return bare.length === 0;
}

async function run(check: Check, workers: number, limits: { maxSeconds?: number }, diagrams: string | null) {
  const model = await check.load();
  const cpu = process.cpuUsage();
  print(`${check.name}: ${check.bounds}`);
  const depth = check.maxDepth === undefined ? {} : { maxDepth: check.maxDepth };
  const options = { ...limits, ...depth, symmetry: check.symmetry ?? false, onProgress: showProgress };
  const onOneThread = workers === 1 || model.properties.reachable.length > 0;
  const report = onOneThread
    ? explore(model, options)
    : await explorePartitioned(check, model, { ...options, workers });
  for (const line of detailLines(report)) print(line);
  // On a busy machine the clock says little about the checker.
  const { user, system } = process.cpuUsage(cpu);
  const cpuSeconds = (user + system) / 1e6;
  print(
    `  ${cpuSeconds.toFixed(1)} s of CPU, ${group(report.generated / cpuSeconds)} generated states per second of it`,
  );
  for (const violation of report.violations) show(model, violation, `${check.name} ${violation.property}`, diagrams);
  const { verdict, asExpected } = judged(report, check);
  return {
    line: summaryLine(report, check.name, check.bounds, verdict),
    asExpected,
    counts: report.coverage?.counts ?? {},
  };
}

/** Where the counts are known, they are the question, and a goal out of reach of small bounds is no news. */
function judged(report: Report, { expected, maxDepth }: Check): { verdict: string; asExpected: boolean } {
  const verdict = verdictOf(report);
  if (verdict === "incomplete" && report.depth === maxDepth)
    return { verdict: `holds to depth ${maxDepth}`, asExpected: true };
  if (expected === undefined) return { verdict, asExpected: verdict === "holds" };
  if (verdict === "violated" || verdict === "incomplete") return { verdict, asExpected: false };
  const { distinct, generated, depth } = expected;
  const equal = report.distinct === distinct && report.generated === generated && report.depth === depth;
  if (equal) return { verdict: "holds, counts as TLC's", asExpected: true };
  return { verdict: `COUNTS DIFFER from ${group(distinct)} / ${group(generated)} / ${depth}`, asExpected: false };
}

async function walkThrough(
  check: Check,
  walk: { walks: number; seed: number; maxSteps: number },
  diagrams: string | null,
): Promise<boolean> {
  const model = await check.load();
  const { walks, steps, seconds, sometimes, violation } = randomWalks(model, walk);
  const reached = sometimes.filter((goal) => goal.reached).length;
  if (violation !== null) show(model, violation, `${check.name} ${violation.property}`, diagrams);
  print(
    `${check.name}: ${group(walks)} walks, ${group(steps)} steps, ${seconds.toFixed(1)} s, seed ${walk.seed}; ` +
      `${reached} of ${sometimes.length} goals reached; ${violation === null ? "nothing failed" : "violated"}`,
  );
  return violation === null;
}

function show(model: Model<unknown>, violation: Counterexample, title: string, directory: string | null): void {
  for (const line of printTrace(model, violation)) print(line);
  if (directory === null) return;
  mkdirSync(directory, { recursive: true });
  const file = join(directory, title.replace(/[^A-Za-z0-9]+/g, "-").toLowerCase());
  const subtitle = `${violation.trace.length - 1} steps`;
  writeFileSync(`${file}.html`, sequenceDiagramHtml(model, violation.trace, { title, subtitle }));
  const actions = violation.trace.slice(1).map(({ action }) => model.storyboard.describe(action as number).text);
  const { property, kind, ordinals } = violation;
  writeFileSync(`${file}.json`, `${JSON.stringify({ check: title, property, kind, ordinals, actions }, null, 2)}\n`);
  print(`  written: ${file}.html, ${file}.json`);
}

function isChosen({ name, length }: Check, names: readonly string[], long: boolean): boolean {
  if (names.includes(name)) return true;
  const family = name.split("/", 1)[0] as string;
  return (names.length === 0 || names.includes(family)) && (long || length === "quick");
}

function named<T extends { readonly name: string }>(items: readonly T[], names: readonly string[]): T[] {
  return items.filter(({ name }) => names.length === 0 || names.some((wanted) => name.startsWith(wanted)));
}

let lastProgress = 0;
function showProgress(progress: {
  depth: number;
  distinct: number;
  generated: number;
  queue: number;
  seconds: number;
}) {
  if (progress.seconds - lastProgress < 10 && progress.seconds > lastProgress) return;
  lastProgress = progress.seconds;
  const { depth, distinct, generated, queue, seconds } = progress;
  print(
    `  depth ${depth}  distinct ${group(distinct)}  generated ${group(generated)}  queue ${group(queue)}  ${seconds.toFixed(0)} s`,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TypeError && "code" in error)) throw error;
  print(error.message); // an option that parseArgs does not know
  process.exitCode = 2;
}
