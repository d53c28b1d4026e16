/**
 * One seeded run of the simulated ensemble: clients work while faults happen, then everything is healed and must converge.
 * Safety: no acknowledged write is lost, versions count by one, all trees are equal, sessions own exactly their ephemerals.
 * Liveness: after the heal every server serves again within a bounded time.
 * Each seed draws its own mix of faults (swarm testing), so that rare mixes get their turn.
 */
import type { ZooKeeper } from "../../src/client/zookeeper.ts";
import type { SimServer } from "./sim-server.ts";
import { World } from "./world.ts";

export interface ChaosOptions {
  readonly seed: number;
  /** Simulated time with faults, ms. */
  readonly faultMs?: number;
  readonly clients?: number;
  readonly traced?: (server: number, line: string) => void;
}

export interface ChaosResult {
  readonly seed: number;
  readonly ok: boolean;
  /** What is wrong; empty if ok. */
  readonly violations: readonly string[];
  /** What happened, one line each. */
  readonly events: readonly string[];
  readonly operations: number;
  readonly acknowledged: number;
  readonly faults: number;
  readonly leaderChanges: number;
  readonly simulatedMs: number;
}

type Fault =
  | "kill"
  | "powerLoss"
  | "pause"
  | "cut"
  | "isolate"
  | "reset"
  | "wipe"
  /** Writes of one server fail, now and then after a part of their bytes. It stops, and is started on what it has. */
  | "badDisk"
  /** A client is cut off, sometimes for longer than its session lives. */
  | "silence";

const HEAL_MS = 60_000;

export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const run = new ChaosRun(options);
  return run.result();
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #world: World;
  readonly #events: string[] = [];
  readonly #violations: string[] = [];
  readonly #clients: ZooKeeper[] = [];
  readonly #created = new Set<string>();
  /** Highest version acknowledged for the shared register. */
  #registerVersion = -1;
  #operations = 0;
  #acknowledged = 0;
  #faults = 0;
  #working = true;
  readonly #epochs = new Set<number>();
  readonly #mix: Map<Fault, number>;

  constructor(options: ChaosOptions) {
    this.#options = options;
    // The shape of the world comes from the seed as well.
    const shape = new World({ seed: options.seed ^ 0x5eed, servers: 1 }).random;
    const servers = shape() < 0.7 ? 3 : 5;
    const observers = shape() < 0.2 ? 1 : 0;
    const slowNetwork = shape() < 0.3;
    const smallWindow = shape() < 0.3;
    this.#mix = new Map<Fault, number>();
    for (const fault of [
      "kill",
      "powerLoss",
      "pause",
      "cut",
      "isolate",
      "reset",
      "wipe",
      "badDisk",
      "silence",
    ] as const) {
      if (shape() < 0.6) this.#mix.set(fault, 0.2 + shape());
    }
    if (this.#mix.size === 0) this.#mix.set("powerLoss", 1);
    this.#world = new World({
      seed: options.seed,
      servers,
      observers,
      tickTimeMs: 200,
      initLimit: 20,
      syncLimit: 10,
      network: {
        ...(slowNetwork ? { minDelayMs: 1, maxDelayMs: 40 } : { minDelayMs: 0.1, maxDelayMs: 2 }),
        torn: true,
      },
      disk: shape() < 0.3 ? { minDelayMs: 0.5, maxDelayMs: 30 } : { minDelayMs: 0.05, maxDelayMs: 2 },
      ...(options.traced === undefined ? {} : { traced: options.traced }),
      config: smallWindow ? "commitLogCount=5\nsnapCount=40\npreAllocSize=64" : "preAllocSize=64",
    });
    this.#log(`world: ${servers} servers, ${observers} observers, faults ${[...this.#mix.keys()].join(" ")}`);
  }

  async result(): Promise<ChaosResult> {
    const { seed, faultMs = 30_000, clients = 4 } = this.#options;
    const world = this.#world;
    world.start();
    for (let i = 0; i < clients; i++) this.#work(world.client({ timeoutMs: 4000 }), i);
    this.#work(world.client({ timeoutMs: 4000 }), clients);
    const end = world.clock.nowMs + faultMs;
    await world.run(2000);
    while (world.clock.nowMs < end && this.#violations.length === 0) {
      await this.#fault();
      await world.run(200 + world.random() * 3000);
      this.#observe();
    }
    await this.#heal();
    if (this.#violations.length === 0) await this.#check();
    for (const complaint of world.complaints()) {
      const ofDisk = complaint.includes("the server stops: ") || complaint.includes("No snapshot was taken: ");
      if (!ofDisk) this.#violations.push(`a server complains: ${complaint}`);
    }
    return {
      seed,
      ok: this.#violations.length === 0,
      violations: this.#violations,
      events: this.#events,
      operations: this.#operations,
      acknowledged: this.#acknowledged,
      faults: this.#faults,
      leaderChanges: this.#epochs.size,
      simulatedMs: world.clock.nowMs,
    };
  }

  /** A client that creates nodes of its own, and counts up the register it shares with the others. */
  async #work(zk: ZooKeeper, number: number): Promise<void> {
    this.#clients.push(zk);
    for (let i = 0; this.#working; i++) {
      this.#operations++;
      const path = `/c${number}-${i}`;
      try {
        if (i % 5 === 4) {
          await zk.create(`/e${number}-${i}`, Buffer.alloc(0), { ephemeral: true });
        } else if (i % 5 === 2) {
          await this.#count(zk);
        } else {
          await zk.create(path, Buffer.from(String(i)));
          this.#created.add(path);
        }
        this.#acknowledged++;
      } catch (error) {
        const { name } = error as Error;
        if (name === "SessionExpired") {
          if (this.#working) this.#work(this.#world.client({ timeoutMs: 4000 }), number + 100);
          return;
        }
        if (!["ConnectionLoss", "NodeExists", "BadVersion", "NoNode"].includes(name))
          this.#violations.push(`client ${number}: ${String(error)}`);
      }
      await this.#pause(20 + this.#world.random() * 100);
    }
  }

  async #count(zk: ZooKeeper): Promise<void> {
    try {
      const { stat } = await zk.getData("/register");
      const { version } = await zk.setData("/register", Buffer.from(String(stat.version + 1)), stat.version);
      if (version !== stat.version + 1) this.#violations.push(`setData with version ${stat.version} gave ${version}`);
      this.#registerVersion = Math.max(this.#registerVersion, version);
    } catch (error) {
      if ((error as Error).name !== "NoNode") throw error;
      await zk.create("/register", Buffer.from("0"));
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.clock.after(ms, resolve);
    });
  }

  #pickFault(): Fault {
    const { random } = this.#world;
    let total = 0;
    for (const weight of this.#mix.values()) total += weight;
    let at = random() * total;
    for (const [fault, weight] of this.#mix) {
      at -= weight;
      if (at <= 0) return fault;
    }
    return [...this.#mix.keys()][0] as Fault;
  }

  #pickServer(): SimServer {
    const { random, servers } = this.#world;
    // Leaders are where it hurts.
    const leader = random() < 0.4 ? this.#world.leader() : undefined;
    return leader ?? (servers[Math.floor(random() * servers.length)] as SimServer);
  }

  async #fault(): Promise<void> {
    const world = this.#world;
    const { random } = world;
    const fault = this.#pickFault();
    const server = this.#pickServer();
    this.#faults++;
    switch (fault) {
      case "kill":
      case "powerLoss": {
        const victims = random() < 0.25 ? world.servers : [server];
        this.#log(`${fault} ${victims.map((victim) => victim.name).join(" ")}`);
        for (const victim of victims) victim.crash(fault === "powerLoss");
        await world.run(random() * 1500);
        for (const victim of victims) if (!victim.running) victim.start();
        return;
      }
      case "pause": {
        this.#log(`pause ${server.name}`);
        server.pause();
        await world.run(500 + random() * 6000);
        server.resume();
        return;
      }
      case "cut": {
        const other = this.#pickServer();
        this.#log(`cut ${server.name} > ${other.name}`);
        world.network.cut(server.name, other.name);
        if (random() < 0.5) world.network.cut(other.name, server.name);
        await world.run(random() * 5000);
        world.network.heal();
        return;
      }
      case "isolate": {
        this.#log(`isolate ${server.name}`);
        for (const other of world.servers) {
          if (other === server) continue;
          world.network.cut(server.name, other.name);
          world.network.cut(other.name, server.name);
        }
        await world.run(random() * 6000);
        world.network.heal();
        return;
      }
      case "reset": {
        const other = this.#pickServer();
        this.#log(`reset ${server.name} - ${other.name}`);
        world.network.reset(server.name, other.name);
        return;
      }
      case "wipe":
        return this.#wipe(server);
      case "badDisk":
        return this.#breakDisk(server);
      case "silence": {
        const client = `c${1 + Math.floor(random() * this.#clients.length)}`;
        this.#log(`silence ${client}`);
        for (const other of world.servers) {
          world.network.cut(client, other.name);
          world.network.cut(other.name, client);
        }
        await world.run(random() * 8000);
        world.network.heal();
        return;
      }
    }
  }

  /** What failed may be on the disk in part, and was acknowledged to nobody. */
  async #breakDisk(server: SimServer): Promise<void> {
    const world = this.#world;
    const { random } = world;
    if (!server.running) return;
    this.#log(`badDisk ${server.name}`);
    const likelihood = random();
    const code = random() < 0.5 ? "ENOSPC" : "EIO";
    server.disk.fault = (effect) =>
      effect.type === "disk.write" && random() < likelihood ? { code, torn: random() < 0.5 } : null;
    await world.run(random() * 3000);
    server.disk.fault = null;
    if (server.running) return;
    this.#log(`${server.name} has stopped: ${server.exit?.reason}`);
    if (random() < 0.5) await world.run(random() * 2000);
    server.start();
  }

  /** An emptied disk is safe to come back only while all others are up and in step. */
  async #wipe(server: SimServer): Promise<void> {
    const world = this.#world;
    if (world.serving().length < world.servers.length || world.leader() === server) return;
    this.#log(`wipe ${server.name}`);
    server.crash(false);
    for (const area of ["log", "snap"] as const) {
      for (const file of [...server.disk.files(area).keys()]) server.disk.remove(area, file);
    }
    server.start();
    await world.until(() => server.server?.view.mode() != null, 10_000);
  }

  #observe(): void {
    const leader = this.#world.leader();
    if (leader !== undefined) this.#epochs.add(leader.server?.member.peer.context.newEpoch ?? 0);
    for (const server of this.#world.servers) {
      if (server.exit !== null) this.#violations.push(`${server.name} exited: ${server.exit.reason}`);
    }
  }

  async #heal(): Promise<void> {
    const world = this.#world;
    this.#log("heal");
    world.network.heal();
    for (const server of world.servers) {
      server.resume();
      if (!server.running && server.exit === null) server.start();
    }
    this.#observe();
    const all = await world.until(() => world.serving().length === world.servers.length, HEAL_MS);
    if (!all) {
      const states = world.servers.map((server) => `${server.name} ${server.server?.member.peer.state ?? "down"}`);
      this.#violations.push(`after ${HEAL_MS} ms not everybody serves: ${states.join(", ")}`);
    }
    await world.run(2000);
    this.#working = false;
    await world.run(3000);
  }

  async #check(): Promise<void> {
    const world = this.#world;
    const zk = world.client({ timeoutMs: 4000 });
    try {
      await world.get(zk.sync("/"));
      const children = await world.get(zk.getChildren("/"));
      const present = new Set(children.map((child) => `/${child}`));
      const lost = [...this.#created].filter((path) => !present.has(path));
      if (lost.length > 0) this.#violations.push(`${lost.length} acknowledged creates are lost, such as ${lost[0]}`);
      if (this.#registerVersion >= 0) {
        const { stat } = await world.get(zk.getData("/register"));
        if (stat.version < this.#registerVersion) {
          this.#violations.push(
            `the register is at version ${stat.version}, acknowledged was ${this.#registerVersion}`,
          );
        }
      }
    } catch (error) {
      this.#violations.push(`after the heal a client gets ${String(error)}`);
    }
    await world.get(zk.close());
    for (const client of this.#clients) client.close().catch(() => {});
    await world.run(15_000);
    this.#compareTrees();
  }

  #compareTrees(): void {
    const views = this.#world.servers.map((server) => {
      const database = server.server?.database;
      return `${database?.lastProcessedZxid.toString(16)} ${JSON.stringify(database?.digest)} ${database?.nodeCount} nodes ${database?.ephemeralCount} ephemerals ${database?.sessions.size} sessions`;
    });
    if (new Set(views).size > 1) this.#violations.push(`trees differ: ${views.join(" | ")}`);
    const database = this.#world.servers[0]?.server?.database;
    if (database !== undefined && (database.ephemeralCount > 0 || database.sessions.size > 0)) {
      this.#violations.push(`all clients have closed, and ${views[0]} remain`);
    }
  }

  #log(event: string): void {
    this.#events.push(`${(this.#world?.clock.nowMs ?? 0).toFixed(0).padStart(7)} ms ${event}`);
  }
}
