/** One run: an ensemble, a load, faults, and what is left of them in a run folder. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Cluster } from "../cluster/cluster.ts";
import { Random } from "../cluster/random.ts";
import { systemName, TICK_MS } from "../cluster/settings.ts";
import {
  HISTORY_FILE,
  HISTORY_VERSION,
  MANIFEST_FILE,
  type RunManifest,
  type ServerLine,
} from "../histories/format.ts";
import { everything } from "../nemesis/everything.ts";
import { EVERYTHING, NEMESES } from "../nemesis/index.ts";
import { Field, type Nemesis } from "../nemesis/nemesis.ts";
import { attemptStrike, type Strike } from "../nemesis/strike.ts";
import { WORKLOADS } from "../workloads/index.ts";
import { type PrivateLinks, Stage } from "../workloads/stage.ts";
import { finalPhase } from "./final-phase.ts";
import { privateLinks } from "./private-links.ts";
import { Recorder } from "./recorder.ts";
import type { Tally } from "./tally.ts";
import { QUIET_MS, type RunPlan } from "./tiers.ts";

const SERVING_WITHIN_MS = 40_000;
const SETTLED_WITHIN_MS = 30_000;

export interface RunOptions {
  readonly plan: RunPlan;
  /** The run folder; made here. */
  readonly directory: string;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Told once there is something to look at. */
  readonly started: (recorder: Recorder, cluster: Cluster) => void;
}

export interface RunResult {
  readonly tally: Tally;
  readonly counts: Recorder["counts"];
  /** What no fault explains: a server that ended, or never came back, or has another tree. Sentences. */
  readonly findings: readonly string[];
  /** Floors that were not reached. */
  readonly missing: readonly string[];
  readonly skipped: readonly string[];
  readonly interrupted: boolean;
}

export async function run(options: RunOptions): Promise<RunResult> {
  const { plan, directory, signal, say } = options;
  mkdirSync(directory, { recursive: true });
  const { nemeses, skipped } = chosen(plan);
  for (const one of skipped) say(`skipped: ${one}`);
  writeFileSync(join(directory, MANIFEST_FILE), `${JSON.stringify(manifest(options), null, 2)}\n`);
  const recorder = new Recorder(join(directory, HISTORY_FILE));
  for (const [index, detail] of skipped.entries()) {
    const nemesis = detail.slice(0, detail.indexOf(":"));
    recorder.fault({ fault: `skipped#${index + 1}`, nemesis, action: "skipped", targets: [], detail });
  }
  const server = (id: number, state: ServerLine["state"], more: Partial<ServerLine> = {}): void =>
    recorder.server({ server: id, state, ...more });
  const random = Random.of(plan.seed, "nemesis");
  const settings = Object.assign({}, ...nemeses.map((nemesis) => nemesis.settings ?? {})) as Record<string, string>;
  const cluster = await Cluster.start({
    kind: plan.kind,
    serverBuild: plan.serverBuild,
    servers: plan.servers,
    seed: plan.seed,
    directory,
    settings,
    events: {
      started: ({ id }) => server(id, "started"),
      ended: ({ id }, how, expected) => server(id, expected ? "killed" : "exited", { detail: how }),
      role: ({ id }, role, epoch) => server(id, role, epoch === null ? {} : { epoch }),
    },
    prepare: async (members) => {
      for (const nemesis of nemeses) await nemesis.prepare?.(members, random);
    },
  });
  const findings: string[] = [];
  let interrupted = true;
  try {
    options.started(recorder, cluster);
    await performed(options, { cluster, recorder, random, nemeses, findings });
    interrupted = signal.aborted;
    if (!interrupted) await cluster.stop();
  } finally {
    await cluster.close();
    for (const nemesis of nemeses) await nemesis.cleanUp?.(cluster.members);
    if (interrupted) await recorder.close();
    else await recorder.end();
  }
  findings.push(...cluster.crashes);
  const missing = recorder.tally.missing(plan.floors);
  return { tally: recorder.tally, counts: recorder.counts, findings, missing, skipped, interrupted };
}

interface Scene {
  readonly cluster: Cluster;
  readonly recorder: Recorder;
  readonly random: Random;
  readonly nemeses: readonly Nemesis[];
  readonly findings: string[];
}

/** The phases, one after the other. Returns early when it is interrupted. */
async function performed(options: RunOptions, scene: Scene): Promise<void> {
  const { plan, signal, say } = options;
  const { cluster, recorder, findings } = scene;
  await cluster.serving(SERVING_WITHIN_MS);
  const shared = await cluster.network.openClientLinks();
  const stage = new Stage({
    recorder,
    seed: plan.seed,
    load: plan.load,
    addresses: shared.addresses,
    serverOf: (address) => cluster.network.serverOf(address),
    openLinks: async (): Promise<PrivateLinks> => privateLinks(await cluster.network.openClientLinks()),
  });
  signal.addEventListener("abort", () => stage.stop(), { once: true });
  const workloads = WORKLOADS.filter(({ name }) => plan.workloads.includes(name));
  const first = stage.open(stage.random("set up"));
  for (const workload of workloads) await workload.setUp(stage, first);
  await stage.close(first);

  recorder.phase("load");
  say(`load: ${plan.workloads.join(", ")}`);
  let failure: unknown = null;
  const load = Promise.all(workloads.map((workload) => workload.run(stage))).catch((error: unknown) => {
    failure = error;
    stage.stop();
  });
  await faults(options, scene, stage);
  recorder.phase("heal");
  say("heal: no more faults");
  await rest(stage.signal, plan.healMs);
  stage.stop();
  if (signal.aborted) return;
  await within(load, "clients wait for their last answers", findings);
  if (failure !== null) throw failure;
  await within(stage.closeAll(), "clients wait for their sessions to be closed", findings);

  recorder.phase("final");
  say("final: synced reads and digests");
  try {
    await cluster.serving(SERVING_WITHIN_MS);
  } catch {
    const silent = cluster.members.filter((member) => cluster.role(member) === "looking").map(({ id }) => id);
    findings.push(
      `Not every server serves after the last fault: ${silent.join(", ")} ${silent.length > 1 ? "do" : "does"} not.`,
    );
    return;
  }
  const found = await within(finalPhase(cluster, stage, recorder), "the last reads wait for their answers", findings);
  findings.push(...(found ?? []));
}

/** A promise of clients without faults: should it not be kept, that is found, and the run goes on. */
async function within<T>(promise: Promise<T>, what: string, findings: string[]): Promise<T | null> {
  const late = Symbol("late");
  const outcome = await Promise.race([promise, wait(SETTLED_WITHIN_MS, late, { ref: false })]);
  if (typeof outcome !== "symbol") return outcome;
  findings.push(`${SETTLED_WITHIN_MS / 1000} s without faults, and still ${what}.`);
  return null;
}

async function faults({ plan, say }: RunOptions, scene: Scene, stage: Stage): Promise<void> {
  const { cluster, recorder, random, nemeses } = scene;
  const untilMs = performance.now() + plan.seconds * 1000;
  const strike: Strike = {
    random,
    get over() {
      return !stage.running;
    },
    field: (nemesis) => new Field({ cluster, stage, recorder, random, nemesis, signal: stage.signal, say }),
    rest: (ms) => rest(stage.signal, ms),
    say,
  };
  await strike.rest(QUIET_MS);
  const { holdMs, calmMs } = plan;
  if (plan.nemeses.includes(EVERYTHING)) {
    await everything(nemeses, strike, { forMs: untilMs - performance.now(), holdMs, calmMs: calmMs / 3 });
  } else {
    const order = random.shuffled(nemeses);
    for (let turn = 0; order.length > 0 && !strike.over; turn++) {
      if (performance.now() + holdMs + calmMs > untilMs) break;
      await attemptStrike(strike, order[turn % order.length]!, holdMs);
      await strike.rest(calmMs);
    }
  }
  await strike.rest(Math.max(0, untilMs - performance.now()));
}

async function rest(signal: AbortSignal, ms: number): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => {});
}

/** Those that were asked for and can run here, and why the others cannot. */
function chosen(plan: RunPlan): { readonly nemeses: readonly Nemesis[]; readonly skipped: readonly string[] } {
  const all = plan.nemeses.includes(EVERYTHING);
  const asked = NEMESES.filter(({ name }) => (all ? !NOT_TOGETHER.includes(name) : plan.nemeses.includes(name)));
  const why = (nemesis: Nemesis): string | null => nemesis.lacks?.(plan) ?? null;
  return {
    nemeses: asked.filter((nemesis) => why(nemesis) === null),
    skipped: asked.flatMap((nemesis) => {
      const reason = why(nemesis);
      return reason === null ? [] : [`${nemesis.name}: ${reason}`];
    }),
  };
}

/** What prepares the ensemble in ways that get in the way of others: two tracers on a process, a directory that is a mount. */
const NOT_TOGETHER: readonly string[] = ["lost-writes", "full-disk", "zxid-end"];

function manifest({ plan, directory }: RunOptions): RunManifest {
  return {
    format: "zoetrope-history",
    version: HISTORY_VERSION,
    name: directory.slice(directory.lastIndexOf("/") + 1),
    command: plan.command,
    seed: plan.seed,
    box: plan.kind === "zoetrope" ? "white" : "black",
    system: systemName(plan.kind),
    servers: Array.from({ length: plan.servers }, (_, index) => index + 1),
    workloads: plan.workloads,
    nemeses: plan.nemeses,
    tickTimeMs: TICK_MS,
    floors: plan.floors,
  };
}
