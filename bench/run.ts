/** Runs scenarios on systems: load in rounds that take turns, events one after the other. */
import { type Calibration, Calibrator } from "./calibration/calibration.ts";
import { EVENTS, SeedFile } from "./events/events.ts";
import { runLoad } from "./load/run-load.ts";
import { type LoadMeasurement, type Measurement, measurementOf, median } from "./measurement.ts";
import type { Stalls } from "./probe/server-probe.ts";
import type { Progress } from "./report/progress.ts";
import { eventsOf, figureOf, loadsOf, thousands } from "./report/table.ts";
import { type EventScenario, type LoadScenario, type Scenario, warmUpOf } from "./scenarios.ts";
import { Cluster, type System } from "./systems/system.ts";

const WARM_UP_MS = 600;
/** Enough for Node. */
const FIRST_WARM_UP_MS = 3000;
/** A JVM compiles as it goes. */
const FIRST_WARM_UP_BESIDE_JVM_MS = 8000;
/** Processes and sessions come and go around each run. */
const AROUND_SECONDS = 0.4;
const CALIBRATION_SECONDS = 0.7;
const CLUSTER_SECONDS = 1.5;

export interface RunOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly dataDir: string | null;
}

/** Seconds that it will take, roughly. */
export function estimate(scenarios: readonly Scenario[], systems: number, { rounds, seconds }: RunOptions): number {
  const loads = scenarios.filter((scenario) => scenario.kind === "load");
  const clusters = new Set(loads.map(({ servers }) => servers)).size;
  const events = scenarios.filter((scenario) => scenario.kind === "event");
  const warmUp = warmUpMs(systems) / 1000;
  return (
    clusters * systems * (CLUSTER_SECONDS + warmUp) +
    loads.length * rounds * roundSeconds(systems, seconds) +
    events.reduce((sum, event) => sum + event.seconds * systems, 0)
  );
}

function roundSeconds(systems: number, seconds: number): number {
  return CALIBRATION_SECONDS + systems * (WARM_UP_MS / 1000 + seconds + AROUND_SECONDS);
}

function warmUpMs(systems: number): number {
  return systems > 1 ? FIRST_WARM_UP_BESIDE_JVM_MS : FIRST_WARM_UP_MS;
}

export async function runAll(
  scenarios: readonly Scenario[],
  systems: readonly System[],
  options: RunOptions,
  progress: Progress,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  const loads = scenarios.filter((scenario) => scenario.kind === "load");
  if (loads.length > 0) {
    const calibrator = await Calibrator.start(options.dataDir);
    try {
      for (const servers of new Set(loads.map((scenario) => scenario.servers))) {
        const own = loads.filter((scenario) => scenario.servers === servers);
        const group = new LoadGroup(systems, options, progress, calibrator);
        measurements.push(...(await group.run(servers, own)));
      }
    } finally {
      await calibrator.stop();
    }
  }
  const events = scenarios.filter((scenario) => scenario.kind === "event");
  measurements.push(...(await runEvents(events, systems, options, progress)));
  return measurements;
}

/** All load scenarios with so many servers. Systems take turns run by run, so that whatever else the machine does meets all alike. */
class LoadGroup {
  readonly #systems: readonly System[];
  readonly #options: RunOptions;
  readonly #progress: Progress;
  readonly #calibrator: Calibrator;
  readonly #measured: LoadMeasurement[] = [];

  constructor(systems: readonly System[], options: RunOptions, progress: Progress, calibrator: Calibrator) {
    this.#systems = systems;
    this.#options = options;
    this.#progress = progress;
    this.#calibrator = calibrator;
  }

  async run(servers: number, scenarios: readonly LoadScenario[]): Promise<LoadMeasurement[]> {
    const { dataDir, rounds } = this.#options;
    const progress = this.#progress;
    const clusters: Cluster[] = [];
    try {
      for (const system of this.#systems) {
        progress.doing(`starting ${servers} × ${system.name}`);
        clusters.push(await Cluster.start(system, dataDir === null ? { servers } : { servers, directory: dataDir }));
      }
      for (const cluster of clusters) await this.#warm(cluster, warmUpOf(servers));
      let prepared = "";
      for (const scenario of scenarios) {
        const wanted = JSON.stringify({ ...scenario.work, readPercent: 0 });
        // The warm-up's znodes are those of most scenarios.
        for (const cluster of wanted === prepared ? [] : clusters) await prepare(cluster, scenario);
        prepared = wanted;
        for (let round = 1; round <= rounds; round++) {
          await this.#round(clusters, scenario, round).catch((error: Error) => {
            progress.failed(scenario.title, error);
            process.exitCode = 1;
          });
        }
      }
    } finally {
      await Promise.all(clusters.map((cluster) => cluster.stop()));
    }
    return this.#measured;
  }

  async #warm(cluster: Cluster, scenario: LoadScenario): Promise<void> {
    await prepare(cluster, scenario);
    this.#progress.doing(`warm-up · ${cluster.system.name}`);
    const windowMs = warmUpMs(this.#systems.length);
    await this.#measure(cluster, scenario, { warmUpMs: 0, windowMs, calibration: null });
    this.#progress.advance(CLUSTER_SECONDS + windowMs / 1000);
  }

  async #round(clusters: readonly Cluster[], scenario: LoadScenario, round: number): Promise<void> {
    const { rounds, seconds } = this.#options;
    const calibration = await this.#calibrator.measure();
    for (const cluster of clusters) {
      const what = `${scenario.title} · ${round}/${rounds} · ${cluster.system.name}`;
      this.#progress.doing(what);
      const lengths = { warmUpMs: WARM_UP_MS, windowMs: seconds * 1000, calibration };
      const measurement = await this.#measure(cluster, scenario, lengths);
      this.#measured.push(measurement);
      this.#progress.load(what, measurement);
    }
    this.#progress.advance(roundSeconds(clusters.length, seconds));
  }

  async #measure(
    cluster: Cluster,
    scenario: LoadScenario,
    run: { readonly warmUpMs: number; readonly windowMs: number; readonly calibration: Calibration | null },
  ): Promise<LoadMeasurement> {
    const { work, sessions, outstanding } = scenario;
    const { ports, pids, system } = cluster;
    const { warmUpMs: warmUp, windowMs, calibration } = run;
    let stalls: Stalls | null = null;
    let stepsBefore: number | null = null;
    let chartSteps: number | null = null;
    const ratePerSecond = scenario.ratePerSecond === null ? null : this.#rateOf(scenario, scenario.ratePerSecond);
    const outcome = await runLoad(
      { kind: "load", ports, pids, work, sessions, outstanding, ratePerSecond, warmUpMs: warmUp, windowMs },
      {
        opens: async () => {
          stepsBefore = await cluster.chartSteps();
          cluster.watchStalls();
        },
        closes: async () => {
          stalls = await cluster.stalls();
          const steps = await cluster.chartSteps();
          chartSteps = steps === null || stepsBefore === null ? null : steps - stepsBefore;
        },
      },
    );
    if (outcome.errors > 0) {
      const { errors, firstError } = outcome;
      throw new Error(`${scenario.title}: ${system.name} answered ${errors} requests with an error (${firstError})`);
    }
    const seen = { stalls, chartSteps, offeredPerSecond: ratePerSecond, calibration };
    return measurementOf(scenario.name, system.name, outcome, seen);
  }

  /** Half of what the peer reached with the same share of reads; without a peer, what the scenario says. */
  #rateOf({ servers, work: { readPercent } }: LoadScenario, otherwise: number): number {
    const peer = this.#systems[1];
    if (peer === undefined) return otherwise;
    const most = this.#measured.filter(
      ({ scenario, system }) =>
        system === peer.name && new RegExp(`^${servers}-[56]0x50-r${readPercent}$`).test(scenario),
    );
    return most.length === 0 ? otherwise : Math.round(median(most.map((m) => m.operationsPerSecond)) / 2);
  }
}

async function prepare(cluster: Cluster, { work }: LoadScenario): Promise<void> {
  await runLoad({ kind: "prepare", ports: cluster.ports, work });
}

async function runEvents(
  events: readonly EventScenario[],
  systems: readonly System[],
  { dataDir }: RunOptions,
  progress: Progress,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  const seed = new SeedFile(dataDir);
  try {
    for (const scenario of events) {
      // A bare loop is the same whoever is compared.
      for (const system of scenario.event === "bare-socket" ? systems.slice(0, 1) : systems) {
        const what = `${scenario.title} · ${system.name}`;
        progress.doing(what);
        try {
          const measurement = await EVENTS[scenario.event]({ system, scenario, dataDir, seed: () => seed.get() });
          measurements.push(measurement);
          progress.event(`${scenario.title} · ${measurement.system}`, measurement);
        } catch (error) {
          // The others are worth their while.
          progress.failed(what, error as Error);
          process.exitCode = 1;
        }
        progress.advance(scenario.seconds);
      }
    }
  } finally {
    seed.remove();
  }
  return measurements;
}

/** Whether the generator had CPU time to spare wherever it mattered. */
export function generatorNote(measurements: readonly Measurement[], ours: string): string {
  const loads = measurements.filter((m) => m.kind === "load").filter((m) => m.system === ours);
  if (loads.length === 0) return "";
  const busiest = loads.reduce((most, m) => (m.generatorCpuShare > most.generatorCpuShare ? m : most));
  const own = loadsOf(measurements, busiest.scenario, ours);
  const perOperation = median(own.map((m) => m.generatorMicrosPerOperation));
  const share = `${(busiest.generatorCpuShare * 100).toFixed(0)} % of a core`;
  const figures = `The load generator used at most ${share} (${busiest.scenario}, ${perOperation.toFixed(2)} µs per request)`;
  return busiest.generatorCpuShare > 0.95
    ? `${figures}: there it may be what limits the throughput; compare CPU/op.`
    : `${figures}, so it did not limit the throughput.`;
}

/** What the generator reached against a server that does nothing. */
export function generatorCheck(measurements: readonly Measurement[]): string {
  const loop = eventsOf(measurements, "bare-socket");
  const most = (load: string) => {
    const answers = figureOf(loop, "bare-socket", `${load}: answers`)?.value ?? Number.NaN;
    const cost = figureOf(loop, "bare-socket", `${load}: generator's CPU per request`)?.value ?? Number.NaN;
    return `${load}: ${thousands(answers)}/s at ${cost.toFixed(2)} µs of its own CPU per request`;
  };
  return `Against a loop that does nothing the generator reached ${most("50 × 1")}, ${most("50 × 50")}. A system that answers less is what was measured.`;
}
