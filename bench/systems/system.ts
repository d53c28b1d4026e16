/** What is measured: servers of one kind, as processes on this machine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../model-tests/support/ports.ts";
import type { Stalls } from "../probe/server-probe.ts";
import { Member } from "./member.ts";

/** How to start a server from its zoo.cfg. */
export interface System {
  /** A word for tables. */
  readonly name: string;
  /** With version, for the record. */
  readonly title: string;
  /** It has the probe in it, which answers over the IPC channel. */
  readonly probed: boolean;
  command(zooCfg: string): {
    readonly file: string;
    readonly args: readonly string[];
    readonly env?: NodeJS.ProcessEnv;
  };
}

export interface ClusterOptions {
  readonly servers: number;
  /** Where data goes; the speed of its disk is part of what is measured. */
  readonly directory?: string;
  /** More lines of zoo.cfg. */
  readonly settings?: readonly string[];
  /** Puts files into a member's dataDir before it starts for the first time. */
  readonly seed?: (dataDir: string) => void;
}

/** The same for every system; all else is their own default. */
const SETTINGS = [
  "tickTime=2000",
  "initLimit=10",
  "syncLimit=5",
  "maxClientCnxns=0",
  "4lw.commands.whitelist=*",
  "admin.enableServer=false",
];

/** Whose processes and files must not outlive the bench, however it ends. */
const running = new Set<Cluster>();
process.once("exit", () => {
  for (const cluster of running) cluster.abandon();
});

export class Cluster {
  readonly system: System;
  readonly ports: readonly number[];
  readonly members: readonly Member[];
  readonly #directory: string;

  private constructor(system: System, members: readonly Member[], directory: string) {
    this.system = system;
    this.members = members;
    this.#directory = directory;
    this.ports = members.map((member) => member.port);
  }

  /** Starts the servers in a fresh directory and waits until all of them serve. */
  static async start(system: System, options: ClusterOptions): Promise<Cluster> {
    const { servers, settings = [], seed } = options;
    const directory = mkdtempSync(join(options.directory ?? tmpdir(), "zoetrope-bench-"));
    const ports = await freePorts(servers * 3);
    const ids = Array.from({ length: servers }, (_, index) => index + 1);
    const lines = ids.map((id) => `server.${id}=127.0.0.1:${ports[servers + id - 1]}:${ports[2 * servers + id - 1]}`);
    const members = ids.map((id) => {
      const ensemble = servers > 1 ? lines : [];
      const own = new Member({
        system,
        id,
        port: ports[id - 1] as number,
        home: join(directory, String(id)),
        settings: [...SETTINGS, ...settings, ...ensemble],
      });
      seed?.(own.home);
      own.start();
      return own;
    });
    const cluster = new Cluster(system, members, directory);
    running.add(cluster);
    try {
      await Promise.all(members.map((member) => member.serves()));
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get pids(): readonly number[] {
    return this.members.map((member) => member.pid);
  }

  /** Index of the member that leads; -1 when nobody does. */
  async leader(): Promise<number> {
    const modes = await Promise.all(this.members.map((member) => member.mode()));
    return modes.findIndex((mode) => mode === "leader" || mode === "standalone");
  }

  /** Sum over the members that run; null when the system does not count them. */
  async chartSteps(): Promise<number | null> {
    if (!this.system.probed) return null;
    const counts = await Promise.all(this.members.map((member) => member.monitored("chart_steps")));
    return counts.includes(null) ? null : counts.reduce<number>((sum, count) => sum + (count as number), 0);
  }

  watchStalls(): void {
    if (this.system.probed) for (const member of this.members) member.watchStalls();
  }

  /** The longest of any member since `watchStalls`; null where there is no probe. */
  async stalls(): Promise<Stalls | null> {
    if (!this.system.probed) return null;
    const all = await Promise.all(this.members.map((member) => member.stalls()));
    return {
      p999Ms: Math.max(...all.map(({ p999Ms }) => p999Ms)),
      longestMs: Math.max(...all.map(({ longestMs }) => longestMs)),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
    running.delete(this);
  }

  /** At once, without a farewell. */
  abandon(): void {
    for (const member of this.members) member.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
