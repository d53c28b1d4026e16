/**
 * A whole ensemble with its clients in one process and in virtual time: production servers and production clients between a
 * simulated network, disks and clock. Everything that chance decides comes from the seed, so a run is its seed.
 */

import type { ZooKeeper } from "../../src/client/zookeeper.ts";
import type { Report } from "../../src/runtime/environment.ts";
import { parseConfig, type ServerConfig, withMyId } from "../../src/server/config.ts";
import type { Effect, Input } from "../../src/server/io.ts";
import { randomFrom, VirtualClock } from "./clock.ts";
import { FakeDisk } from "./fake-disk.ts";
import { SimNetwork } from "./network.ts";
import { simClient } from "./sim-client.ts";
import { SimServer } from "./sim-server.ts";

export interface WorldOptions {
  readonly seed: number;
  /** Voters. */
  readonly servers: number;
  readonly observers?: number;
  readonly tickTimeMs?: number;
  readonly initLimit?: number;
  readonly syncLimit?: number;
  /** Lines added to every server's configuration. */
  readonly config?: string;
  readonly network?: { readonly minDelayMs: number; readonly maxDelayMs: number; readonly torn?: boolean };
  readonly disk?: { readonly minDelayMs: number; readonly maxDelayMs: number };
  readonly observed?: (server: SimServer, input: Input, effects: readonly Effect[]) => void;
  /** Takes the lines of every server's trace (model-tests/trace). */
  readonly traced?: (server: number, line: string) => void;
}

const CLIENT_PORT = 2181;

export class World {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly network: SimNetwork;
  readonly servers: readonly SimServer[];
  /** `s1:2181,s2:2181,…` */
  readonly connectString: string;
  readonly reports: { readonly atMs: number; readonly server: string; readonly report: Report }[] = [];
  #clients = 0;

  constructor(options: WorldOptions) {
    const random = randomFrom(options.seed);
    this.random = random;
    const { clock } = this;
    const network: NonNullable<WorldOptions["network"]> = options.network ?? { minDelayMs: 0.1, maxDelayMs: 1 };
    this.network = new SimNetwork({ clock, random, ...network });
    const total = options.servers + (options.observers ?? 0);
    const disk = options.disk ?? { minDelayMs: 0.1, maxDelayMs: 2 };
    const servers: SimServer[] = [];
    for (let id = 1; id <= total; id++) {
      servers.push(
        new SimServer({
          config: configOf(id, total, options),
          clock,
          network: this.network,
          disk: new FakeDisk({ random }),
          random,
          lateWrites: network.torn === true,
          diskDelayMs: () => disk.minDelayMs + random() * (disk.maxDelayMs - disk.minDelayMs),
          report: (server, report) => this.reports.push({ atMs: clock.nowMs, server: server.name, report }),
          ...(options.observed === undefined ? {} : { observed: options.observed }),
          ...(options.traced === undefined ? {} : { traced: options.traced }),
        }),
      );
    }
    this.servers = servers;
    this.connectString = servers.map((server) => `${server.name}:${CLIENT_PORT}`).join(",");
  }

  server(id: number): SimServer {
    const server = this.servers[id - 1];
    if (server === undefined) throw new RangeError(`There is no server ${id}.`);
    return server;
  }

  start(): void {
    for (const server of this.servers) server.start();
  }

  client(options: { readonly timeoutMs?: number; readonly servers?: string; readonly name?: string } = {}): ZooKeeper {
    this.#clients++;
    return simClient({
      name: options.name ?? `c${this.#clients}`,
      connectString: options.servers ?? this.connectString,
      timeoutMs: options.timeoutMs ?? 10_000,
      clock: this.clock,
      network: this.network,
      random: this.random,
    });
  }

  /** The serving leader of the largest epoch, if there is one. */
  leader(): SimServer | undefined {
    const leading = this.servers.filter((server) => server.server?.member.peer.matches("leading.broadcast"));
    return leading.sort((a, b) => epochOf(b) - epochOf(a))[0];
  }

  serving(): SimServer[] {
    return this.servers.filter(({ server }) => server !== null && server.view.mode() !== null);
  }

  /** Lets virtual time pass. Promises of clients are settled in between, as in a real event loop. */
  async run(forMs: number): Promise<void> {
    await this.until(() => false, forMs);
  }

  /** @returns whether the condition came true within the time. */
  async until(condition: () => boolean, withinMs: number): Promise<boolean> {
    const endMs = this.clock.nowMs + withinMs;
    for (;;) {
      if (condition()) return true;
      if (!this.clock.next(endMs)) return condition();
      await settled();
    }
  }

  /** Waits for a promise while virtual time passes. @throws what the promise throws, or when it takes longer. */
  async get<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    promise.then(
      (value) => {
        outcome = { value };
      },
      (error: unknown) => {
        outcome = { error };
      },
    );
    await this.until(() => outcome !== undefined, withinMs);
    if (outcome === undefined) throw new Error(`No answer within ${withinMs} simulated ms.`);
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  /** What went wrong by the servers' own account: failed assertions, digest mismatches, unexpected events. */
  complaints(): string[] {
    return this.reports
      .filter(({ report }) => report.level === "error" || report.message.startsWith("an event that its chart"))
      .map(
        ({ atMs, server, report }) => `${atMs.toFixed(1)} ${server} ${report.message} ${JSON.stringify(report.data)}`,
      );
  }
}

/** Clients deliver in microtasks: a few rounds of them are enough for chained promises. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await Promise.resolve();
}

function epochOf(server: SimServer): number {
  return server.server?.member.peer.context.newEpoch ?? 0;
}

function configOf(id: number, total: number, options: WorldOptions): ServerConfig {
  const lines = [
    `tickTime=${options.tickTimeMs ?? 2000}`,
    `initLimit=${options.initLimit ?? 5}`,
    `syncLimit=${options.syncLimit ?? 2}`,
    "dataDir=/data",
    `clientPort=${CLIENT_PORT}`,
    "standaloneEnabled=true",
    options.config ?? "",
  ];
  for (let other = 1; other <= total && total > 1; other++) {
    const role = other > options.servers ? ":observer" : "";
    lines.push(`server.${other}=s${other}:2888:3888${role}`);
  }
  return withMyId(parseConfig(lines.join("\n"), "zoo.cfg"), String(id)).config;
}
