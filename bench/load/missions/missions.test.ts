import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster } from "../../systems/system.ts";
import { zoetrope } from "../../systems/zoetrope.ts";
import { Histogram } from "../histogram.ts";
import type { WorkKind } from "../works.ts";
import type { Moment, Stage } from "./mission.ts";
import { manySessions } from "./sessions.ts";
import { load, prepare } from "./steady.ts";
import { distinctWatches, fanOut } from "./watching.ts";

const CHECKOUT = fileURLToPath(new URL("../../../", import.meta.url));

/** Every kind of load in miniature, on a real server: a bench that nobody runs for a week still runs. */
let cluster: Cluster;
const moments: Moment[] = [];
const stage: Stage = {
  moment: async (moment) => void moments.push(moment),
  fail: (error) => {
    throw error;
  },
};

beforeAll(async () => {
  const { status, stderr } = spawnSync(process.execPath, [join(CHECKOUT, "bin", "build.js")], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  cluster = await Cluster.start(zoetrope(CHECKOUT, { probe: false }), { servers: 1 });
});

afterAll(() => cluster.stop());

const KINDS: readonly WorkKind[] = ["mix", "exists", "children", "ephemerals", "sequential", "multi", "sync-read"];

test.each(KINDS)("%s: requests are answered without an error", async (kind) => {
  const { ports, pids } = cluster;
  const work = { kind, readPercent: 50, valueBytes: 100, nodes: 50 };
  await prepare({ kind: "prepare", ports, work }, stage);
  // A list of 10,000 children is 100 KB: on a busy machine none may be answered in a shorter window.
  const windowMs = kind === "children" ? 1500 : 150;
  const shape = { sessions: 3, outstanding: 4, ratePerSecond: null, warmUpMs: 20, windowMs };
  const outcome = await load({ kind: "load", ports, pids, work, ...shape }, stage);
  expect(outcome.errors).toBe(0);
  expect(outcome.operations).toBeGreaterThan(0);
  expect(outcome.serverMemory[0]).toBeGreaterThan(2 ** 20);
});

test("an offered load sends as many requests as it says, and tells of an overload", async () => {
  const { ports, pids } = cluster;
  const work = { kind: "mix", readPercent: 90, valueBytes: 100, nodes: 50 } as const;
  const shape = { sessions: 5, outstanding: 1, ratePerSecond: 500, warmUpMs: 100, windowMs: 1000 };
  const outcome = await load({ kind: "load", ports, pids, work, ...shape }, stage);
  expect(outcome.dropped).toBe(0);
  expect(outcome.operations / outcome.seconds).toBeGreaterThan(100);
  expect(outcome.operations / outcome.seconds).toBeLessThan(750);
});

test("every watcher of a znode is told each time", async () => {
  const outcome = await fanOut({ kind: "fan-out", ports: cluster.ports, watchers: 40, rounds: 3 }, stage);
  expect(Histogram.from(outcome.latency).count).toBe(120);
});

test("every watched znode tells its watcher", async () => {
  const mission = { kind: "distinct-watches", ports: cluster.ports, sessions: 7, watches: 300 } as const;
  const outcome = await distinctWatches(mission, stage);
  expect(outcome.fired).toBe(300);
});

test("sessions come, stay and go, and whoever started them is told when", async () => {
  moments.length = 0;
  const mission = { kind: "sessions", ports: cluster.ports, count: 60, atOnce: 20, holdMs: 50 } as const;
  const outcome = await manySessions(mission, stage);
  expect(Histogram.from(outcome.latency).count).toBe(60);
  expect(moments).toEqual(["opens", "closes"]);
});
