/** Many sessions and many watches. */
import { Histogram } from "../load/histogram.ts";
import type { WatchOutcome } from "../load/missions/mission.ts";
import { cpuSeconds } from "../load/process-usage.ts";
import { runLoad } from "../load/run-load.ts";
import { percentilesOf } from "../measurement.ts";
import { type Event, type EventContext, figure, fileLimit, result, smallWork, warm, withCluster } from "./event.ts";

const STORM = 5000;
const AT_ONCE = 500;
const IDLE = 20_000;
/** Files of the processes themselves. */
const OTHER_FILES = 200;
const IDLE_MS = 12_000;
const WARM_MS = 2500;
const WATCHERS = 10_000;
const FAN_OUT_ROUNDS = 5;
const WATCHES = 100_000;

export const storm: Event = (context) =>
  withCluster(context, { servers: 1 }, async (cluster) => {
    const { ports } = cluster;
    await warm(cluster, smallWork(50), WARM_MS);
    const pid = cluster.pids[0] as number;
    const cpuBefore = cpuSeconds(pid);
    let cpu = 0;
    const opens = () => {
      cpu = cpuSeconds(pid) - cpuBefore;
    };
    const { latency, seconds } = await runLoad(
      { kind: "sessions", ports, count: STORM, atOnce: AT_ONCE, holdMs: 0 },
      { opens },
    );
    const { p50, p99, max } = percentilesOf(Histogram.from(latency));
    return result(context, [
      figure("sessions opened", STORM / seconds, "/s"),
      figure("until a session stands, p50", p50, "µs"),
      figure("until a session stands, p99", p99, "µs"),
      figure("until a session stands, slowest", max, "µs"),
      figure("server CPU per session", (cpu / STORM) * 1e6, "µs"),
    ]);
  });

export const idle: Event = (context) =>
  withCluster(context, { servers: 1 }, async (cluster) => {
    const { ports } = cluster;
    const [member] = cluster.members;
    if (member === undefined) throw new Error("No server");
    const count = Math.min(IDLE, fileLimit() - OTHER_FILES);
    // What the first sessions cost once is no cost per session.
    await runLoad({ kind: "sessions", ports, count: 500, atOnce: 100, holdMs: 500 });
    const live = () => (context.system.probed ? member.liveMemory() : Promise.resolve(Number.NaN));
    const liveBefore = await live();
    const before = member.memory;
    let after = 0;
    let liveAfter = 0;
    let cpuBefore = 0;
    let cpu = 0;
    await runLoad(
      { kind: "sessions", ports, count, atOnce: AT_ONCE, holdMs: IDLE_MS },
      {
        opens: () => {
          cpuBefore = cpuSeconds(member.pid);
        },
        closes: async () => {
          cpu = cpuSeconds(member.pid) - cpuBefore;
          after = member.memory;
          liveAfter = await live();
        },
      },
    );
    const each = (bytes: number) => Math.max(0, bytes) / count;
    return result(context, [
      figure("idle sessions", count, ""),
      figure("resident memory per idle session", each(after - before), "bytes"),
      ...(context.system.probed ? [figure("live memory per idle session", each(liveAfter - liveBefore), "bytes")] : []),
      figure("server CPU while all are idle, of a core", cpu / (IDLE_MS / 1000), ""),
    ]);
  });

export const fanOut: Event = (context) =>
  withCluster(context, { servers: 1 }, async (cluster) => {
    const { ports } = cluster;
    const watchers = Math.min(WATCHERS, fileLimit() - OTHER_FILES);
    const outcome = await runLoad({ kind: "fan-out", ports, watchers, rounds: FAN_OUT_ROUNDS });
    return watchResult(context, outcome, "write until a watcher is told");
  });

export const watches: Event = (context) =>
  withCluster(context, { servers: 1 }, async (cluster) => {
    const { ports } = cluster;
    const outcome = await runLoad({ kind: "distinct-watches", ports, sessions: 100, watches: WATCHES });
    return watchResult(context, outcome, "writes that fire a watch");
  });

function watchResult(context: EventContext, outcome: WatchOutcome, what: string) {
  const { latency, setSeconds, firedSeconds, fired } = outcome;
  const { p50, p99, max } = percentilesOf(Histogram.from(latency));
  return result(context, [
    figure("watches set", fired / setSeconds, "/s"),
    figure("watches fired", fired / firedSeconds, "/s"),
    figure(`${what}, p50`, p50, "µs"),
    figure(`${what}, p99`, p99, "µs"),
    figure(`${what}, slowest`, max, "µs"),
  ]);
}
