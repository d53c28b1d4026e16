/** `npm run bench`: load over real sockets on real server processes; tables, JSON, a page, and how we compare. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Measurement } from "./measurement.ts";
import { type BenchOptions, parseOptions, UsageError } from "./options.ts";
import { BASELINE, CHECKOUT, LOCAL_HISTORY, RECORDED_HISTORY, RESULTS } from "./places.ts";
import { hottest } from "./profile.ts";
import { type Baseline, baselineOf, type Comparison, readBaseline, writeBaseline } from "./regression/baseline.ts";
import { entryOf, remember } from "./regression/history.ts";
import { tooBusy, verdictOn } from "./regression/look.ts";
import { pairedWith, sameCode } from "./regression/paired.ts";
import { type GoalResult, goalsOf, goalsTable } from "./report/goals.ts";
import { page } from "./report/page.ts";
import { clock, Progress } from "./report/progress.ts";
import { table } from "./report/table.ts";
import { estimate, generatorCheck, generatorNote, runAll } from "./run.ts";
import { chosen, type Scenario } from "./scenarios.ts";
import type { System } from "./systems/system.ts";
import { revision, zoetrope } from "./systems/zoetrope.ts";
import { zookeeper } from "./systems/zookeeper.ts";

/** Servers started anew so often make a baseline. */
const BASELINE_RUNS = 9;
const OURS = "zoetrope";

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const scenarios = chosen(options.set, options.only);
  if (scenarios.length === 0) throw new UsageError(`No scenario is named like ${options.only.join(" or ")}.`);
  const date = new Date().toISOString();
  const out = resolve(options.out ?? join(RESULTS, `${date.replaceAll(":", "-")}.json`));
  mkdirSync(dirname(out), { recursive: true });
  const profileDir = options.profile ? `${out}.profiles` : null;
  const systems = systemsOf(options, profileDir);
  say(systems.map(({ name, title }) => `${name}: ${title}`).join("\n"));
  if (options.updateBaseline) return recordBaseline(scenarios, systems, options, date);

  const seconds = estimate(scenarios, systems.length, options);
  say(`${scenarios.length} scenarios, about ${clock(seconds)} minutes`);
  const progress = new Progress(seconds);
  const measurements = await runAll(scenarios, systems, options, progress);
  progress.end();
  const names = systems.map(({ name }) => name);
  say(`\n${table(scenarios, names, measurements)}`);
  const note = generatorNote(measurements, OURS);
  if (note !== "") say(`\n${note}`);
  if (options.generatorCheck) say(`\n${generatorCheck(measurements)}`);
  const goals = names[1] === "zookeeper" || options.set === "goals" ? goalsOf(measurements, OURS, "zookeeper") : [];
  if (goals.length > 0) say(`\n${goalsTable(goals)}`);
  const comparisons = await compareWithBaseline(scenarios, systems, options, measurements);
  writeResult({ out, date, systems, scenarios, measurements, goals, comparisons });
  if (profileDir !== null) say(hottest(profileDir));
  if (options.plantedSlowdown === 0 && options.serverBuild === null && !options.profile) {
    remember(LOCAL_HISTORY, entryOf(measurements, OURS, stamp(date)));
  }
}

/** Suspects are looked at again, on servers started anew; what stays is named, and makes the exit code 1. */
async function compareWithBaseline(
  scenarios: readonly Scenario[],
  systems: readonly System[],
  options: BenchOptions,
  measurements: readonly Measurement[],
): Promise<readonly Comparison[]> {
  if (!options.compare) return [];
  const ours = systems[0] as System;
  // Another checkout says more than what was recorded in another hour.
  const peer = options.set === "regression" && options.peer !== "zookeeper" ? systems[1] : undefined;
  const names = scenarios.map(({ name }) => name);
  const baseline =
    peer === undefined
      ? readBaseline(options.baseline ?? BASELINE)
      : sameCode(names, { date: new Date().toISOString(), revision: peer.title, machine: machine() });
  if (baseline === null) return [];
  const seen = (all: readonly Measurement[]) => (peer === undefined ? all : pairedWith(all, ours.name, peer.name));
  const compared = peer === undefined ? [ours] : [ours, peer];
  const on = { system: ours.name, machine: machine() };
  const { exitCode, text, comparisons } = await verdictOn(baseline, seen(measurements), on, async (suspects, why) => {
    say(`\n${why}`);
    const again = scenarios.filter(({ name }) => suspects.includes(name));
    return seen(await runAll(again, compared, options, new Progress(estimate(again, compared.length, options))));
  });
  say(`\n${text}`);
  if (exitCode !== 0) process.exitCode = exitCode;
  return comparisons;
}

async function recordBaseline(
  scenarios: readonly Scenario[],
  systems: readonly System[],
  options: BenchOptions,
  date: string,
): Promise<void> {
  const runs: Measurement[][] = [];
  const progress = new Progress(BASELINE_RUNS * estimate(scenarios, 1, options));
  for (let run = 1; run <= BASELINE_RUNS; run++) {
    progress.say(`run ${run} of ${BASELINE_RUNS}`);
    runs.push(await runAll(scenarios, systems.slice(0, 1), options, progress));
  }
  progress.end();
  const baseline: Baseline = baselineOf(runs, OURS, { ...stamp(date), machine: machine() });
  const busy = tooBusy(runs.flat());
  if (busy !== null) say(`${busy} Record the baseline again when it is quiet.`);
  const file = options.baseline ?? BASELINE;
  writeBaseline(file, baseline);
  if (file === BASELINE) remember(RECORDED_HISTORY, entryOf(runs.flat(), OURS, stamp(date)));
  say(`Written: ${file}`);
}

interface Result {
  readonly out: string;
  readonly date: string;
  readonly systems: readonly System[];
  readonly scenarios: readonly Scenario[];
  readonly measurements: readonly Measurement[];
  readonly goals: readonly GoalResult[];
  readonly comparisons: readonly Comparison[];
}

function writeResult({ out, date, systems, scenarios, measurements, goals, comparisons }: Result): void {
  const named = systems.map(({ name, title }) => ({ name, title }));
  const result = { date, machine: machine(), systems: named, measurements, goals, comparisons };
  writeFileSync(out, `${JSON.stringify(result, null, 1)}\n`);
  const html = out.replace(/(\.json)?$/, ".html");
  writeFileSync(html, page({ date, machine: machine(), systems: named, scenarios, measurements, goals, comparisons }));
  say(`\nWritten: ${out}\n         ${html}`);
}

function systemsOf({ peer, serverBuild, plantedSlowdown }: BenchOptions, profileDir: string | null): System[] {
  const ours = zoetrope(CHECKOUT, { name: OURS, profileDir, build: serverBuild, plantedPercent: plantedSlowdown });
  if (peer === null) return [ours];
  if (peer !== "zookeeper") return [ours, zoetrope(peer, { name: "peer" })];
  const theirs = zookeeper();
  if (theirs === null)
    throw new UsageError("Apache ZooKeeper is not installed here (Debian: zookeeper; or set ZOOKEEPER_HOME).");
  return [ours, theirs];
}

function machine() {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    kernel: release(),
    node: process.version,
  };
}

function stamp(date: string) {
  return { date, revision: revision(CHECKOUT), cpu: machine().cpu };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

// Leaves through `exit`, where servers are killed and their files removed.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof UsageError ? error.message : (error as Error).stack}\n`);
  process.exitCode = 1;
}
