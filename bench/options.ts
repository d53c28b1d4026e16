/** The command line of `npm run bench`. */
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Part of a scenario's name; empty: all of them. */
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
}

export const USAGE = `npm run bench -- [options]
  --peer zookeeper|DIR   the same load on Apache ZooKeeper, or on another checkout of Zoetrope, run by run in turns
  --only NAME[,NAME…]    scenarios whose name contains one of these (1-50x50-r100: servers, sessions x outstanding, reads)
  --rounds N             runs of each scenario; the median is shown
  --seconds S            length of a run, after a warm-up
  --out FILE             where the results go as JSON
  --data DIR             where the servers keep their data
  --profile              a CPU profile of every server of ours, and its hottest functions`;

/** Wrong options; the message is a sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const options = { peer: text, only: text, rounds: text, seconds: text, out: text, data: text, profile: flag };
  const values = parse(args, options);
  return {
    only: values.only?.split(",") ?? [],
    peer: values.peer ?? null,
    rounds: positive("--rounds", values.rounds, 2),
    seconds: positive("--seconds", values.seconds, 5),
    out: values.out ?? null,
    dataDir: values.data ?? null,
    profile: values.profile,
  };
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
  if (!(value > 0)) throw new UsageError(`${name} is a number above 0, not ${text}.`);
  return value;
}
