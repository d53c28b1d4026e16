/** `npm run check:linearizability`: judges runs of `npm run faults`, and histories of other systems. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OperatingError } from "../../src/runtime/errors.ts";
import { newestRun, openRun, reportPath } from "../histories/run-folder.ts";
import { writeReport } from "../report/index.ts";
import type { Result } from "./check-history.ts";
import { checkRun, EXIT_CODES, type Judgement } from "./check-run.ts";
import { checkForeign } from "./foreign/check-foreign.ts";
import { type CheckArguments, type Foreign, parseArguments, USAGE, UsageError } from "./options.ts";
import { linesOf } from "./print.ts";
import { measureSpeed } from "./speed.ts";

const PATIENCE_S = 5;
const FAULTS = fileURLToPath(new URL("../run/main.js", import.meta.url));

function main(): number {
  const asked = parseArguments(process.argv.slice(2));
  if (asked === "help") {
    print(USAGE.trimEnd());
    return 0;
  }
  if (asked.speed) return measureSpeed(print);
  if (asked.foreign !== null) return worst(asked.runs.map((file) => foreign(file, asked.foreign!)));
  const runs = asked.runs.length > 0 ? asked.runs : [newestRun(asked.under) ?? smokeRun(asked.under)];
  return worst(runs.map((path) => (path === null ? "unknown" : one(path, asked))));
}

function one(path: string, { blackBox, traces }: CheckArguments): Result {
  print(path);
  try {
    const run = openRun(path);
    if (run.manifest.command !== "") print(`  ${"made by".padEnd(16)}${run.manifest.command}`);
    const judgement = checkRun(run, { traces, progress: progressOf(), ...(blackBox ? { box: "black" } : {}) });
    const lines = linesOf(judgement);
    print(lines.slice(0, -1).join("\n"));
    print(`report: ${report(judgement, run.folder === null ? `${path}.report` : reportPath(run.folder))}`);
    print(lines.at(-1)!);
    return judgement.verdict;
  } catch (error) {
    return harness(error);
  }
}

/** Who waits for a large history wants to know for what; a small one is judged before anybody asks. */
function progressOf(): (text: string) => void {
  const started = performance.now();
  return (text) => {
    const seconds = (performance.now() - started) / 1000;
    if (seconds > PATIENCE_S) process.stderr.write(`  … ${seconds.toFixed(0)} s: ${text}\n`);
  };
}

/** A page that cannot be written takes nothing from the verdict. */
function report(judgement: Judgement, folder: string): string {
  try {
    return writeReport(judgement, folder);
  } catch (error) {
    return `none, ${(error as Error).message}`;
  }
}

function foreign(file: string, { model, format }: Foreign): Result {
  const started = performance.now();
  try {
    const { verdict, operations, partitions, why } = checkForeign(readFileSync(file, "utf8"), model, format);
    const took = (performance.now() - started).toFixed(0);
    print(`${file}: ${verdict} (${model}, ${operations} operations, ${partitions} keys, ${took} ms)`);
    for (const line of why) print(`  ${line}`);
    return verdict;
  } catch (error) {
    print(file);
    return harness(error);
  }
}

/** null: none came of it. */
function smokeRun(under: string): string | null {
  print(`There is no run under ${under}: making one, npm run faults -- --tier smoke.`);
  spawnSync(process.execPath, [FAULTS, "--tier", "smoke", "--out", under], { stdio: "inherit" });
  const run = newestRun(under);
  if (run === null) print("No run came of it.");
  return run;
}

/** A history that is not there, or cannot be read, is no evidence; anything else is a fault of the checker's own. */
function harness(error: unknown): Result {
  if (!(error instanceof OperatingError) && !(error instanceof Error && "syscall" in error)) throw error;
  print(`DOUBT harness: ${error.message}\nverdict: unknown, harness`);
  return "unknown";
}

function worst(results: readonly Result[]): number {
  if (results.includes("violation")) return EXIT_CODES.violation;
  return results.includes("unknown") ? EXIT_CODES.unknown : EXIT_CODES.valid;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  process.exitCode = main();
} catch (error) {
  process.stderr.write(error instanceof UsageError ? `${error.message}\n` : `${(error as Error).stack ?? error}\n`);
  process.exitCode = EXIT_CODES.unknown;
}
