/** What `npm run check:linearizability` is asked for. */
import { parseArgs } from "node:util";

/** Wrong options; the message is a sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface CheckArguments {
  /** Run folders or history files; empty: the newest. */
  readonly runs: readonly string[];
  /** Where the newest is looked for. */
  readonly under: string;
  readonly blackBox: boolean;
  readonly traces: boolean;
  /** Files of other systems' tests are judged by a model of theirs; null: it is about our runs. */
  readonly foreign: Foreign | null;
  readonly speed: boolean;
}

export interface Foreign {
  readonly model: "register" | "kv";
  readonly format: "jepsen" | "edn";
}

export const USAGE = `npm run check:linearizability -- [options] [RUN…]

Judges runs of npm run faults: the newest under runs/, or those named. Where there is none, it makes a smoke run first.

  RUN                 a run folder, or a history file alone (then as a black box)
  --under DIR         where the newest run is looked for (default runs)
  --black-box         use nothing but what clients saw
  --no-traces         leave the servers' traces alone
  --speed             how fast it is: a million operations for A, 50,000 over 250 keys for B

Histories of other systems, each FILE judged by search:
  --model register --format jepsen FILE…   lines like "3 :invoke :cas [1 2]", ended by :ok, :fail or :info
  --model kv --format edn FILE…            maps with :process, :type, :f (:get, :put, :append), :key, :value

Exit code: 0 valid, 1 violation, 2 unknown: no answer, vacuous, cut off, A and B disagree, or the harness failed.
`;

export function parseArguments(args: readonly string[]): CheckArguments | "help" {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    under: text,
    "black-box": flag,
    "no-traces": flag,
    model: text,
    format: text,
    speed: flag,
    help: flag,
  };
  const { values, positionals } = parse(args, options);
  if (values["help"] === true) return "help";
  return {
    runs: positionals,
    under: (values["under"] as string | undefined) ?? "runs",
    blackBox: values["black-box"] === true,
    traces: values["no-traces"] !== true,
    foreign: foreignOf(values["model"], values["format"], positionals),
    speed: values["speed"] === true,
  };
}

function parse(
  args: readonly string[],
  options: Readonly<Record<string, { readonly type: "string" | "boolean" }>>,
): { readonly values: Record<string, unknown>; readonly positionals: string[] } {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.`);
  }
}

const FORMATS: Readonly<Record<Foreign["model"], Foreign["format"]>> = { register: "jepsen", kv: "edn" };

function foreignOf(model: unknown, format: unknown, files: readonly string[]): Foreign | null {
  if (model === undefined && format === undefined) return null;
  if (model !== "register" && model !== "kv") throw new UsageError("--model is register or kv.");
  if (format !== undefined && format !== "jepsen" && format !== "edn") {
    throw new UsageError("--format is jepsen or edn.");
  }
  if (files.length === 0) throw new UsageError("Which FILE?");
  return { model, format: format ?? FORMATS[model] };
}
