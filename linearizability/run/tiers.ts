/** Which runs make up a tier, and what each must reach to count as evidence. */
import type { SystemKind } from "../cluster/member.ts";
import type { Floors } from "../histories/format.ts";
import { EVERYTHING, NEMESES } from "../nemesis/index.ts";

export interface RunPlan {
  readonly seed: number;
  readonly kind: SystemKind;
  /** A build whose servers are started instead of those of the build that runs; null: none. */
  readonly serverBuild: string | null;
  readonly servers: number;
  readonly workloads: readonly string[];
  readonly nemeses: readonly string[];
  /** Of the load phase. */
  readonly seconds: number;
  /** How long a fault lasts, and the calm after it. */
  readonly holdMs: number;
  readonly calmMs: number;
  /** Work goes on, without faults, before the end. */
  readonly healMs: number;
  readonly load: number;
  readonly floors: Floors;
  /** Repeats the schedule. */
  readonly command: string;
}

export type Tier = "smoke" | "standard" | "nightly" | "soak";

export const TIERS: Readonly<Record<Tier, { readonly about: string }>> = {
  smoke: { about: "one run of 90 seconds at most: 3 servers; registers, pipelines, watches; kill, pause, partition" },
  standard: { about: "12 runs, 15 minutes: 5 servers; all workloads, each under kill, pause, partition and slow disk" },
  nightly: { about: "all workloads under every nemesis, a minute each, and under all of them at once: some 2 hours" },
  soak: { about: "a million operations and more under everything at once, 5 servers: some 90 minutes" },
};

export function isTier(name: string): name is Tier {
  return Object.hasOwn(TIERS, name);
}

/** Three workloads share an ensemble: together they make enough load, and each stays small enough to be searched. */
const GROUPS: readonly (readonly string[])[] = [
  ["register", "set", "queue"],
  ["lock", "election", "bank"],
  ["watch", "pipeline", "sessions"],
];
const ALL = GROUPS.flat();

const SMOKE_NEMESES = ["kill-leader", "pause-leader", "partition-leader"];
const STANDARD_NEMESES = ["kill-leader", "pause-leader", "partition-halves", "slow-disk-leader"];

/** What a tier leaves open. */
export type Subject = Pick<RunPlan, "seed" | "load" | "kind" | "serverBuild">;

interface Asked extends Subject {
  readonly servers: number;
  readonly seconds: number;
  readonly workloads: readonly string[];
  readonly nemeses: readonly string[];
}

export function tierPlans(tier: Tier, subject: Subject): readonly RunPlan[] {
  const plan = (
    index: number,
    servers: number,
    seconds: number,
    workloads: readonly string[],
    nemeses: readonly string[],
  ) => planRun({ ...subject, seed: subject.seed + index, servers, seconds, workloads, nemeses });
  switch (tier) {
    case "smoke":
      return [plan(0, 3, 52, GROUPS_OF_SMOKE, SMOKE_NEMESES)];
    case "standard":
      return GROUPS.flatMap((group, g) =>
        STANDARD_NEMESES.map((nemesis, n) => plan(g * STANDARD_NEMESES.length + n, 5, 50, group, [nemesis])),
      );
    case "nightly": {
      const names = [...NEMESES.map(({ name }) => name), EVERYTHING];
      return names.flatMap((nemesis, n) =>
        GROUPS.map((group, g) => plan(n * GROUPS.length + g, n % 3 === 0 ? 3 : 5, 60, group, [nemesis])),
      );
    }
    case "soak":
      return [plan(0, 5, 5400, ALL, [EVERYTHING])];
  }
}

const GROUPS_OF_SMOKE = ["register", "pipeline", "watch"];

const HOLD_MS = 6500;
const CALM_MS = 7500;
const HEAL_MS = 8000;

/** Of a fault-free start, from which the usual throughput is known. */
export const QUIET_MS = 5000;

export function planRun(asked: Asked): RunPlan {
  const { seed, load, kind, serverBuild, servers, seconds, workloads, nemeses } = asked;
  const options = [
    `--seed ${seed}`,
    `--servers ${servers}`,
    `--seconds ${seconds}`,
    `--workload ${workloads.join(",")}`,
    `--nemesis ${nemeses.join(",")}`,
    ...(load === 1 ? [] : [`--load ${load}`]),
    ...(kind === "zoetrope" ? [] : [`--peer ${kind}`]),
    ...(serverBuild === null ? [] : [`--server-build ${serverBuild}`]),
  ];
  return {
    ...asked,
    holdMs: HOLD_MS,
    calmMs: CALM_MS,
    healMs: HEAL_MS,
    floors: floorsOf(asked),
    command: `npm run faults -- ${options.join(" ")}`,
  };
}

/** Strikes that find the time in a run, each followed by its calm. */
export function strikesIn(seconds: number): number {
  return Math.floor((seconds * 1000 - QUIET_MS) / (HOLD_MS + CALM_MS));
}

/** They break connections by themselves all the time, or lose a hundred requests with each that breaks. */
const UNCERTAIN = ["sessions", "pipeline"];

function floorsOf({ seconds, workloads, nemeses, load }: Asked): Floors {
  const everything = nemeses.includes(EVERYTHING);
  const leaderNemeses = nemeses.filter((name) =>
    NEMESES.some((one) => one.name === name && one.changesLeader === true),
  );
  // In turns: so many strikes hit a leader at least, of which one may fall into an election that is under way.
  const share = leaderNemeses.length / Math.max(1, nemeses.length);
  const expected = everything ? seconds / 60 : Math.floor(strikesIn(seconds) * share) - 1;
  const aimsAtLeaders = everything || leaderNemeses.length > 0;
  // Clients ask again when they are answered: while a fault stops the service nothing is offered either.
  const calmShare = everything ? 0.4 : 1 - (strikesIn(seconds) * HOLD_MS) / (seconds * 1000);
  return {
    completed: Math.floor(100 * seconds * load),
    offeredPerSecond: Math.floor(300 * load * calmShare),
    determinateShare: workloads.some((name) => UNCERTAIN.includes(name)) ? 0.75 : 0.95,
    // Always said, 0 too: the checker must not have to guess from the names.
    leaderChanges: aimsAtLeaders ? Math.max(1, Math.floor(expected)) : 0,
    ...(everything ? {} : { recoveredShare: 0.8, recoveryWithinMs: 10_000 }),
  };
}
