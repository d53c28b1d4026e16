/** The command line of `npm run bench`. */
import { parseArgs } from "node:util";
import { SETS, type SetName } from "./scenarios.ts";

export interface BenchOptions {
  readonly set: SetName;
  /** Part of a scenario's name; empty: all of the set. */
  readonly only: readonly string[];
  /** "zookeeper", the directory of another checkout, or null: nobody. */
  readonly peer: string | null;
  readonly rounds: number;
  readonly seconds: number;
  /** Where results go, below runs/bench if not given. */
  readonly out: string | null;
  /** Where servers keep their data. */
  readonly dataDir: string | null;
  readonly profile: boolean;
  /** The build that servers of ours run; null: that of this checkout. */
  readonly serverBuild: string | null;
  /** Per cent of CPU time per request that servers of ours waste. */
  readonly plantedSlowdown: number;
  readonly generatorCheck: boolean;
  /** Whether to compare with the baseline. */
  readonly compare: boolean;
  readonly updateBaseline: boolean;
  /** The file of the baseline; null: the one in the repository. */
  readonly baseline: string | null;
}

export const USAGE = `npm run bench -- [options]
  --set NAME             standard (the default, 5 minutes), wide (all there is), goals, regression (2 minutes)
  --goals                --set goals
  --only NAME[,NAME…]    of all there is, what has this name, or else a name that contains it
                         (1-50x50-r100: servers, sessions x outstanding, reads)
  --peer zookeeper|DIR   the same load on Apache ZooKeeper, or on another checkout of Zoetrope, run by run in turns
  --rounds N             runs of each scenario; the median is shown
  --seconds S            length of a run, after a warm-up
  --out FILE             where the results go as JSON; the page goes beside it
  --data DIR             where the servers keep their data
  --profile              a CPU profile of every server of ours, and its hottest functions
  --generator-check      what the load generator can do at all, against a bare socket loop
  --server-build DIR     servers of ours run this build instead of build/
  --planted-slowdown P   servers of ours waste P % more CPU time: is it noticed?
  --no-compare           no comparison with bench/baseline.json
  --baseline FILE        another file than bench/baseline.json
  --update-baseline      the regression set nine times over, on fresh servers, into the baseline`;

/** Wrong options; the message is a sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Rounds and seconds where none are asked for. */
const LENGTHS: Readonly<Record<SetName | "only", readonly [rounds: number, seconds: number]>> = {
  standard: [2, 1.6],
  wide: [2, 2],
  goals: [3, 3],
  regression: [5, 1.5],
  only: [2, 5],
};

/** @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const values = parse(args, {
    set: text,
    goals: flag,
    only: text,
    peer: text,
    rounds: text,
    seconds: text,
    out: text,
    data: text,
    profile: flag,
    "generator-check": flag,
    "server-build": text,
    "planted-slowdown": text,
    "no-compare": flag,
    "update-baseline": flag,
    baseline: text,
  });
  const updateBaseline = values["update-baseline"];
  const set = updateBaseline ? "regression" : values.goals ? "goals" : setNamed(values.set ?? "standard");
  const only = values["generator-check"] ? ["bare-socket"] : (values.only?.split(",") ?? []);
  const [rounds, seconds] = LENGTHS[only.length > 0 && values.set === undefined ? "only" : set];
  const steady = set === "standard" || set === "regression";
  const comparable = steady && !values.profile && (only.length === 0 || values.set !== undefined);
  return {
    set,
    only,
    peer: values.peer ?? null,
    rounds: positive("--rounds", values.rounds, rounds),
    seconds: positive("--seconds", values.seconds, seconds),
    out: values.out ?? null,
    dataDir: values.data ?? null,
    profile: values.profile,
    serverBuild: values["server-build"] ?? null,
    plantedSlowdown: positive("--planted-slowdown", values["planted-slowdown"], 0),
    generatorCheck: values["generator-check"],
    compare: comparable && !values["no-compare"] && !updateBaseline,
    updateBaseline,
    baseline: values.baseline ?? null,
  };
}

function setNamed(name: string): SetName {
  const found = SETS.find((set) => set === name);
  if (found === undefined) throw new UsageError(`There is no set ${name}; there are ${SETS.join(", ")}.`);
  return found;
}

function parse<T extends NonNullable<Parameters<typeof parseArgs>[0]>["options"] & object>(
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (text !== undefined && !(value > 0)) throw new UsageError(`${name} is a number above 0, not ${text}.`);
  return value;
}
