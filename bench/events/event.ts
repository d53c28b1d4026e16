/** What every event gets, and the small things that several of them do. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LoadOutcome } from "../load/missions/mission.ts";
import { runLoad } from "../load/run-load.ts";
import type { Work } from "../load/works.ts";
import type { EventMeasurement, Figure, Unit } from "../measurement.ts";
import type { EventScenario } from "../scenarios.ts";
import { Cluster, type ClusterOptions, type System } from "../systems/system.ts";

export interface EventContext {
  readonly system: System;
  readonly scenario: EventScenario;
  /** Where servers keep their data. */
  readonly dataDir: string | null;
  /** A file with a snapshot of a million znodes; made when it is first asked for. */
  readonly seed: () => Promise<Seed>;
}

/** Puts the snapshot into a member's dataDir. */
export interface Seed {
  readonly nodes: number;
  into(dataDir: string): void;
}

export type Event = (context: EventContext) => Promise<EventMeasurement>;

export const MIB = 2 ** 20;

export function figure(name: string, value: number, unit: Unit): Figure {
  return { name, value, unit };
}

export function result({ system, scenario }: EventContext, figures: readonly Figure[]): EventMeasurement {
  return { kind: "event", scenario: scenario.name, system: system.name, figures };
}

/** Runs `body` on a cluster of its own, which ends with it. */
export async function withCluster<T>(
  { system, dataDir }: EventContext,
  options: Omit<ClusterOptions, "directory">,
  body: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await Cluster.start(system, dataDir === null ? options : { ...options, directory: dataDir });
  try {
    return await body(cluster);
  } finally {
    await cluster.stop();
  }
}

export interface Burst {
  readonly work: Work;
  readonly sessions: number;
  readonly outstanding: number;
  readonly windowMs: number;
  readonly warmUpMs?: number;
  readonly ratePerSecond?: number;
}

export function burst(cluster: Cluster, { work, sessions, outstanding, ...rest }: Burst): Promise<LoadOutcome> {
  const { windowMs, warmUpMs = 0, ratePerSecond = null } = rest;
  const { ports, pids } = cluster;
  return runLoad(
    { kind: "load", ports, pids, work, sessions, outstanding, windowMs, warmUpMs, ratePerSecond },
    { opens: () => cluster.watchStalls() },
  );
}

/** Creates the znodes and lets a JVM compile what it is going to do. */
export async function warm(cluster: Cluster, work: Work, windowMs: number): Promise<void> {
  await runLoad({ kind: "prepare", ports: cluster.ports, work });
  await burst(cluster, { work, sessions: 30, outstanding: 10, windowMs });
}

export function smallWork(readPercent: number, nodes = 1000): Work {
  return { kind: "mix", readPercent, valueBytes: 100, nodes };
}

/** How many files and sockets a process may have open here. */
export function fileLimit(): number {
  const line = /^Max open files\s+\d+\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "latin1"));
  return line?.[1] === undefined || line[1] === "unlimited" ? Number.POSITIVE_INFINITY : Number(line[1]);
}

export function snapshotsIn(dataDir: string): string[] {
  return readdirSync(join(dataDir, "version-2")).filter((name) => /^snapshot\.[0-9a-f]+$/.test(name));
}
