/** `npm run faults`: breaks ensembles of real processes and writes what clients saw. */
import { writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { list, parseOptions, USAGE, UsageError } from "./options.ts";
import { Progress } from "./progress.ts";
import type { Recorder } from "./recorder.ts";
import { type RunResult, run } from "./run.ts";
import { rounded } from "./tally.ts";
import type { RunPlan } from "./tiers.ts";

/** 0: every run counts and nothing was found. 1: something was found. 2: a run does not count, or the harness failed. */
const EXIT = { fine: 0, found: 1, invalid: 2, interrupted: 130 } as const;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help" || options === "list") {
    process.stdout.write(options === "help" ? USAGE : list());
    return EXIT.fine;
  }
  const { plans, out } = options;
  const interruption = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (!interruption.signal.aborted) process.stdout.write(`\n${name}: every process that was started is ended.\n`);
      interruption.abort();
    });
  }
  let worst: number = EXIT.fine;
  for (const [index, plan] of plans.entries()) {
    if (interruption.signal.aborted) break;
    const title = plans.length > 1 ? `run ${index + 1} of ${plans.length}: ` : "";
    worst = Math.max(worst, await one(plan, resolve(out), title, interruption.signal));
  }
  return interruption.signal.aborted ? EXIT.interrupted : worst;
}

async function one(plan: RunPlan, out: string, title: string, signal: AbortSignal): Promise<number> {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[:T]/g, "-");
  const directory = join(out, `${stamp}-${plan.seed}`);
  const progress = new Progress();
  progress.say(`${title}${plan.command}`);
  progress.say(`folder: ${relative(process.cwd(), directory)}`);
  const started = (recorder: Recorder, cluster: Cluster): void => progress.watch(recorder, cluster);
  let result: RunResult;
  try {
    result = await run({ plan, directory, signal, say: (text) => progress.say(text), started });
  } catch (error) {
    progress.end();
    if (signal.aborted) return EXIT.interrupted;
    process.stdout.write(`The run broke off: ${(error as Error).stack ?? error}\n`);
    return EXIT.invalid;
  }
  progress.end();
  const { findings, missing, skipped, interrupted, counts, tally } = result;
  if (interrupted) {
    process.stdout.write("Interrupted: the history has no end, so it is no evidence.\n");
    return EXIT.interrupted;
  }
  const reached = tally.reached();
  writeFileSync(
    join(directory, "summary.json"),
    `${JSON.stringify({ command: plan.command, counts, reached, findings, missing, skipped }, null, 2)}\n`,
  );
  process.stdout.write(`${summary(result)}\n`);
  if (findings.length > 0) return EXIT.found;
  return missing.length > 0 ? EXIT.invalid : EXIT.fine;
}

function summary({ counts, tally, findings, missing }: RunResult): string {
  const { leaderChanges, offeredPerSecond, determinateShare, recoveredShare } = tally.reached();
  const lines = [
    `${counts.invoked} operations (${counts.ok} ok, ${counts.fail} failed, ${counts.info} unknown), ${counts.events} watch events, ` +
      `${counts.expired} sessions expired`,
    `${leaderChanges} leader changes, ${offeredPerSecond} operations/s offered, ${rounded(determinateShare)} determinate outside ` +
      `faults, ${rounded(recoveredShare)} of the throughput regained`,
    ...findings.map((finding) => `FOUND: ${finding}`),
    ...missing.map((floor) => `INVALID: ${floor}`),
  ];
  if (findings.length === 0 && missing.length === 0) lines.push("The run counts. Now: npm run check:linearizability");
  return lines.join("\n");
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = EXIT.invalid;
}
// Sockets of clients that were left behind must not keep the process.
process.exit();
