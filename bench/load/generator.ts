/**
 * The load generator, a process of its own: opens sessions, keeps requests under way, and tells what it measured. Started by
 * `runLoad`; its mission comes as a message, its answer is one.
 */

import { Histogram, type HistogramData } from "./histogram.ts";
import { LoadSession, type Tally } from "./load-session.ts";
import { cpuSeconds, residentBytes } from "./process-usage.ts";
import { type Mix, mixedRing, preparingRing, type RequestRing } from "./requests.ts";

export interface Mission {
  /** `prepare`: create the znodes. */
  readonly kind: "load" | "prepare";
  /** Client ports; sessions go round them. */
  readonly ports: readonly number[];
  /** Server processes whose use of CPU and memory is taken at both ends of the window. */
  readonly pids: readonly number[];
  readonly mix: Mix;
  readonly sessions: number;
  readonly outstanding: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
}

/** Times in seconds, memory in bytes; arrays by server, in the order of `pids`. */
export interface Outcome {
  readonly seconds: number;
  readonly operations: number;
  readonly errors: number;
  readonly firstError: number;
  readonly reads: HistogramData;
  readonly writes: HistogramData;
  readonly serverCpu: readonly number[];
  readonly serverMemory: readonly number[];
  readonly generatorCpu: number;
}

export type Answer = { readonly outcome: Outcome } | { readonly failure: string };

const PREPARING_OUTSTANDING = 100;

function newTally(): Tally {
  return { reads: new Histogram(), writes: new Histogram(), errors: 0, firstError: 0, open: false };
}

async function prepare({ ports, mix }: Mission, fail: (error: Error) => void): Promise<Outcome> {
  const ring = preparingRing(mix);
  const tally = newTally();
  const port = ports[0] as number;
  const session = await LoadSession.open({ port, ring, first: 0, outstanding: PREPARING_OUTSTANDING, tally });
  session.onFailure(fail);
  session.start(ring.length);
  await session.idle();
  await session.close();
  return outcomeOf(tally, 0, [], [], 0);
}

async function load(mission: Mission, fail: (error: Error) => void): Promise<Outcome> {
  const { ports, pids, sessions: count, outstanding, warmUpMs, windowMs } = mission;
  const ring: RequestRing = mixedRing(mission.mix, 1);
  const tally = newTally();
  const sessions = await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const port = ports[i % ports.length] as number;
      return LoadSession.open({ port, ring, first: (i * 67) % ring.length, outstanding, tally });
    }),
  );
  for (const session of sessions) {
    session.onFailure(fail);
    session.start();
  }
  await sleep(warmUpMs);
  const cpuBefore = pids.map(cpuSeconds);
  const ownBefore = process.cpuUsage();
  const startedMs = performance.now();
  tally.open = true;
  await sleep(windowMs);
  tally.open = false;
  const seconds = (performance.now() - startedMs) / 1000;
  const own = process.cpuUsage(ownBefore);
  const serverCpu = pids.map((pid, i) => cpuSeconds(pid) - (cpuBefore[i] as number));
  const outcome = outcomeOf(tally, seconds, serverCpu, pids.map(residentBytes), (own.user + own.system) / 1e6);
  await Promise.all(sessions.map((session) => session.stop()));
  await Promise.all(sessions.map((session) => session.close()));
  return outcome;
}

function outcomeOf(
  tally: Tally,
  seconds: number,
  serverCpu: readonly number[],
  serverMemory: readonly number[],
  generatorCpu: number,
): Outcome {
  const { reads, writes, errors, firstError } = tally;
  const operations = reads.count + writes.count;
  const histograms = { reads: reads.toJSON(), writes: writes.toJSON() };
  return { seconds, operations, errors, firstError, ...histograms, serverCpu, serverMemory, generatorCpu };
}

function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}

function tell(answer: Answer): void {
  process.send?.(answer, () => process.exit(0));
}

process.once("message", (mission: Mission) => {
  const fail = (error: Error) => tell({ failure: error.message });
  (mission.kind === "prepare" ? prepare(mission, fail) : load(mission, fail)).then(
    (outcome) => tell({ outcome }),
    (error: Error) => fail(error),
  );
});
// Whoever started this process is gone.
process.once("disconnect", () => process.exit(1));
