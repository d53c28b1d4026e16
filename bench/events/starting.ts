/** Starting, empty and with a million znodes; a snapshot of these while serving; reads of many and of few. */

import { until } from "../../model-tests/support/until.ts";
import { Histogram } from "../load/histogram.ts";
import { runLoad } from "../load/run-load.ts";
import { type EventMeasurement, median, percentilesOf } from "../measurement.ts";
import type { Member } from "../systems/member.ts";
import type { Cluster } from "../systems/system.ts";
import {
  burst,
  type Event,
  type EventContext,
  figure,
  result,
  smallWork,
  snapshotsIn,
  warm,
  withCluster,
} from "./event.ts";

const STARTS = 5;
/** A start with a million znodes takes seconds. */
const LARGE_STARTS = 2;
const SETTLE_MS = 1000;
/** A server that has never served is not what runs anywhere. */
const LOADED_MS = 4000;
/** Below the number after which either server would take a snapshot. */
const LOGGED_AFTER_SNAPSHOT = 40_000;
const SNAPSHOT_RATE = 8000;
const SNAPSHOT_WINDOW_MS = 12_000;
const SNAPSHOT_PATIENCE_MS = 20_000;
const READ_WINDOW_MS = 1500;
const READ_ROUNDS = 3;

/** kill -9, then from the start of the process to the first session that stands, ms. */
async function restartMs(cluster: Cluster): Promise<number> {
  const [member] = cluster.members;
  if (member === undefined) throw new Error("No server");
  member.kill();
  await member.ended;
  const startedMs = performance.now();
  member.start();
  await member.greets();
  return performance.now() - startedMs;
}

export const start: Event = (context) =>
  withCluster(context, { servers: 1 }, async (cluster) => {
    const times: number[] = [];
    for (let i = 0; i < STARTS; i++) times.push(await restartMs(cluster));
    await settle();
    const started = memoryOf(cluster);
    await warm(cluster, smallWork(50), LOADED_MS);
    await settle();
    return result(context, [
      figure("start to first answer, empty", median(times), "ms"),
      figure("resident memory, just started", started, "bytes"),
      figure("resident memory, empty, after a load", memoryOf(cluster), "bytes"),
    ]);
  });

export const recovery: Event = async (context) => {
  const seed = await context.seed();
  return withCluster(context, { servers: 1, seed: (dataDir) => seed.into(dataDir) }, async (cluster) => {
    const work = smallWork(0, LOGGED_AFTER_SNAPSHOT);
    await runLoad({ kind: "prepare", ports: cluster.ports, work, only: "values" });
    const times: number[] = [];
    for (let i = 0; i < LARGE_STARTS; i++) times.push(await restartMs(cluster));
    await settle();
    return result(context, [
      figure("start to first answer, 1 million znodes", median(times), "ms"),
      figure("resident memory, 1 million znodes", memoryOf(cluster), "bytes"),
    ]);
  });
};

export const snapshot: Event = async (context) => {
  const seed = await context.seed();
  const settings = ["snapCount=20000"];
  return withCluster(context, { servers: 1, settings, seed: (dataDir) => seed.into(dataDir) }, (cluster) =>
    snapshotWhileServing(context, cluster, seed.nodes),
  );
};

async function snapshotWhileServing(context: EventContext, cluster: Cluster, nodes: number): Promise<EventMeasurement> {
  const [member] = cluster.members;
  if (member === undefined) throw new Error("No server");
  // Reads, so that no snapshot is taken before the window opens.
  await burst(cluster, { work: smallWork(100, nodes), sessions: 30, outstanding: 10, windowMs: 3000 });
  const before = snapshotsIn(member.home).length;
  const windowMs = SNAPSHOT_WINDOW_MS;
  const work = smallWork(50, nodes);
  const outcome = await burst(cluster, { work, sessions: 50, outstanding: 1, windowMs, ratePerSecond: SNAPSHOT_RATE });
  const stalls = await cluster.stalls();
  const taken = await snapshotsAfter(member, before);
  const reads = percentilesOf(Histogram.from(outcome.reads));
  return result(context, [
    figure("snapshots taken", taken, ""),
    ...(stalls === null
      ? []
      : [
          figure("event-loop stall, p99.9", stalls.p999Ms, "ms"),
          figure("event-loop stall, longest", stalls.longestMs, "ms"),
        ]),
    figure(`reads, p99 (of ${SNAPSHOT_RATE} requests/s)`, reads.p99, "µs"),
    figure("reads, p99.9", reads.p999, "µs"),
    figure("reads, slowest", reads.max, "µs"),
  ]);
}

/** On a busy machine the snapshot may end after the window does. */
async function snapshotsAfter({ home }: Member, before: number): Promise<number> {
  const ask = () => snapshotsIn(home).length > before;
  await until("a snapshot", ask, { timeoutMs: SNAPSHOT_PATIENCE_MS, everyMs: 200 }).catch(() => {});
  return snapshotsIn(home).length - before;
}

export const largeTree: Event = async (context) => {
  const seed = await context.seed();
  return withCluster(context, { servers: 1, seed: (dataDir) => seed.into(dataDir) }, (large) =>
    withCluster(context, { servers: 1 }, async (small) => {
      await warm(small, smallWork(100), 2500);
      await burst(large, { work: smallWork(100, seed.nodes), sessions: 30, outstanding: 10, windowMs: 2500 });
      const rates: [number, number][] = [];
      for (let round = 0; round < READ_ROUNDS; round++) {
        rates.push([await readRate(small, 1000), await readRate(large, seed.nodes)]);
      }
      return result(context, [
        figure("reads of 1,000 znodes", median(rates.map(([few]) => few)), "/s"),
        figure("reads of 1 million znodes", median(rates.map(([, many]) => many)), "/s"),
        figure("many to few", median(rates.map(([few, many]) => many / few)), "×"),
      ]);
    }),
  );
};

async function readRate(cluster: Cluster, nodes: number): Promise<number> {
  const shape = { sessions: 50, outstanding: 50, warmUpMs: 300, windowMs: READ_WINDOW_MS };
  const { operations, seconds } = await burst(cluster, { work: smallWork(100, nodes), ...shape });
  return operations / seconds;
}

function memoryOf(cluster: Cluster): number {
  return cluster.members[0]?.memory ?? Number.NaN;
}

function settle(): Promise<void> {
  return new Promise((wake) => setTimeout(wake, SETTLE_MS));
}
