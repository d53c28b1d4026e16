/** kill -9 of the leader under load: how long nothing is acknowledged, and when every session is served again. */
import { runLoad } from "../load/run-load.ts";
import { type EventMeasurement, median, type Timeline } from "../measurement.ts";
import type { Cluster } from "../systems/system.ts";
import { type Event, type EventContext, figure, result, smallWork, warm, withCluster } from "./event.ts";

const SESSIONS = 60;
const KILLS = 3;
const WATCH_MS = 4000;
const WARM_MS = 2500;
/** So that the one that comes back has caught up, and votes like everybody else. */
const BETWEEN_MS = 1000;
const BUCKET_MS = 20;
const BEFORE_MS = 1000;

interface Fall {
  readonly nextMs: number;
  readonly allMs: number;
  readonly unserved: number;
  readonly timeline: Timeline;
}

export const failover: Event = (context) =>
  withCluster(context, { servers: 3 }, (cluster) => killLeaders(context, cluster));

async function killLeaders(context: EventContext, cluster: Cluster): Promise<EventMeasurement> {
  await warm(cluster, smallWork(50), WARM_MS);
  const falls: Fall[] = [];
  for (let i = 0; i < KILLS; i++) falls.push(await killLeader(cluster));
  const nextMs = median(falls.map((fall) => fall.nextMs));
  const typical = falls.find((fall) => fall.nextMs === nextMs) ?? falls[0];
  return {
    ...result(context, [
      figure("next acknowledged write", nextMs, "ms"),
      figure("slowest of the kills", Math.max(...falls.map((fall) => fall.nextMs)), "ms"),
      figure("all sessions served", median(falls.map((fall) => fall.allMs)), "ms"),
      figure(`sessions not served within ${WATCH_MS / 1000} s`, Math.max(...falls.map((fall) => fall.unserved)), ""),
    ]),
    ...(typical === undefined ? {} : { timeline: typical.timeline }),
  };
}

async function killLeader(cluster: Cluster): Promise<Fall> {
  const { ports, members } = cluster;
  const leader = members[await cluster.leader()];
  if (leader === undefined) throw new Error("Nobody leads");
  const outcome = await runLoad(
    { kind: "failover", ports, sessions: SESSIONS, watchMs: WATCH_MS },
    { opens: () => leader.kill() },
  );
  await leader.ended;
  leader.start();
  await Promise.all(members.map((member) => member.serves()));
  await new Promise((wake) => setTimeout(wake, BETWEEN_MS));
  const served = outcome.servedMs.filter((ms) => ms !== null);
  return {
    nextMs: served.length === 0 ? WATCH_MS : Math.min(...served),
    allMs: served.length < SESSIONS ? WATCH_MS : Math.max(...served),
    unserved: SESSIONS - served.length,
    timeline: timelineOf(outcome.acknowledgedMs),
  };
}

function timelineOf(acknowledgedMs: readonly number[]): Timeline {
  const counts = new Array<number>((BEFORE_MS + WATCH_MS) / BUCKET_MS).fill(0);
  for (const ms of acknowledgedMs) {
    const bucket = Math.floor((ms + BEFORE_MS) / BUCKET_MS);
    if (bucket >= 0 && bucket < counts.length) counts[bucket] = (counts[bucket] as number) + 1;
  }
  return { bucketMs: BUCKET_MS, fromMs: -BEFORE_MS, counts };
}
