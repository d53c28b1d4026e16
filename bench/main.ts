/** `npm run bench`: load over real sockets on real server processes; a table, JSON, and how we compare. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runLoad } from "./load/run-load.ts";
import { type Measurement, measurementOf } from "./measurement.ts";
import { type BenchOptions, parseOptions, UsageError } from "./options.ts";
import { hottest } from "./profile.ts";
import { duration, table, thousands } from "./report/table.ts";
import { SCENARIOS, type Scenario, warmUpOf } from "./scenarios.ts";
import { Cluster, type System } from "./systems/system.ts";
import { zoetrope } from "./systems/zoetrope.ts";
import { zookeeper } from "./systems/zookeeper.ts";

/** From build/bench. */
const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));
const WARM_UP_MS = 1500;
/** A JVM compiles as it goes. */
const FIRST_WARM_UP_MS = 8000;

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const scenarios = SCENARIOS.filter(
    ({ name }) => options.only.length === 0 || options.only.some((o) => name.includes(o)),
  );
  if (scenarios.length === 0) throw new UsageError(`No scenario is named like ${options.only.join(" or ")}.`);
  const out = resolve(
    options.out ?? join(CHECKOUT, "runs", "bench", `${new Date().toISOString().replaceAll(":", "-")}.json`),
  );
  mkdirSync(dirname(out), { recursive: true });
  const profileDir = options.profile ? `${out}.profiles` : null;
  const systems = systemsOf(options, profileDir);
  say(systems.map(({ name, title }) => `${name}: ${title}`).join("\n"));

  const measurements: Measurement[] = [];
  for (const servers of new Set(scenarios.map((scenario) => scenario.servers))) {
    const own = scenarios.filter((scenario) => scenario.servers === servers);
    measurements.push(...(await measure(servers, own, systems, options)));
  }
  const names = systems.map(({ name }) => name);
  say(`\n${table(scenarios, names, measurements)}`);
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    kernel: release(),
    node: process.version,
  };
  const result = {
    date: new Date().toISOString(),
    machine,
    systems: systems.map(({ name, title }) => ({ name, title })),
    measurements,
  };
  writeFileSync(out, `${JSON.stringify(result, null, 1)}\n`);
  say(`\nWritten: ${out}`);
  if (profileDir !== null) say(hottest(profileDir));
}

/** All scenarios with so many servers. Systems take turns run by run, so that whatever else the machine does meets all alike. */
async function measure(
  servers: number,
  scenarios: readonly Scenario[],
  systems: readonly System[],
  { rounds, seconds, dataDir }: BenchOptions,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  const clusters: Cluster[] = [];
  try {
    for (const system of systems) {
      say(`starting ${servers} × ${system.name}`);
      clusters.push(await Cluster.start(system, dataDir === null ? { servers } : { servers, directory: dataDir }));
    }
    for (const cluster of clusters) await prepare(cluster, scenarios[0] as Scenario);
    for (const scenario of scenarios) {
      for (let round = 1; round <= rounds; round++) {
        for (const cluster of clusters) {
          const measurement = await run(cluster, scenario, WARM_UP_MS, seconds * 1000);
          measurements.push(measurement);
          tell(`${scenario.title} · ${round}/${rounds} · ${cluster.system.name}`, measurement);
        }
      }
    }
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  }
  return measurements;
}

/** Creates the znodes, then makes the system warm. */
async function prepare(cluster: Cluster, { mix, servers }: Scenario): Promise<void> {
  const { ports } = cluster;
  await runLoad({ kind: "prepare", ports, pids: [], mix, sessions: 1, outstanding: 1, warmUpMs: 0, windowMs: 0 });
  const measurement = await run(cluster, warmUpOf(servers), 0, FIRST_WARM_UP_MS);
  tell(`warm-up · ${cluster.system.name}`, measurement);
}

async function run(cluster: Cluster, scenario: Scenario, warmUpMs: number, windowMs: number): Promise<Measurement> {
  const { mix, sessions, outstanding } = scenario;
  const { ports, pids, system } = cluster;
  const outcome = await runLoad({ kind: "load", ports, pids, mix, sessions, outstanding, warmUpMs, windowMs });
  if (outcome.errors > 0) {
    throw new Error(
      `${scenario.title}: ${system.name} answered ${outcome.errors} requests with an error (${outcome.firstError})`,
    );
  }
  return measurementOf(scenario.name, system.name, outcome);
}

function systemsOf({ peer }: BenchOptions, profileDir: string | null): System[] {
  const ours = zoetrope(CHECKOUT, { name: "zoetrope", ...(profileDir === null ? {} : { profileDir }) });
  if (peer === null) return [ours];
  if (peer !== "zookeeper") return [ours, zoetrope(peer, { name: "peer" })];
  const theirs = zookeeper();
  if (theirs === null)
    throw new UsageError("Apache ZooKeeper is not installed here (Debian: zookeeper; or set ZOOKEEPER_HOME).");
  return [ours, theirs];
}

function tell(
  what: string,
  { operationsPerSecond, latency, cpuMicrosPerOperation, generatorCpuShare }: Measurement,
): void {
  const figures = [
    `${thousands(operationsPerSecond)}/s`,
    `p50 ${duration(latency.p50)}`,
    `p99 ${duration(latency.p99)}`,
    `${cpuMicrosPerOperation.toFixed(1)} µs/op`,
    `load ${(generatorCpuShare * 100).toFixed(0)} %`,
  ];
  say(`  ${what}: ${figures.join(", ")}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof UsageError ? error.message : (error as Error).stack}\n`);
  process.exitCode = 1;
}
