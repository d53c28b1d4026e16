/** What a workload works with: clients that are recorded, randomness of its own, and the end of the load. */
import { setMaxListeners } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { ZooKeeperError } from "../../src/client/index.ts";
import { Random } from "../cluster/random.ts";
import { RecordedClient } from "../run/recorded-client.ts";
import type { Recorder } from "../run/recorder.ts";

export interface StageOptions {
  readonly recorder: Recorder;
  readonly seed: number;
  /** Of the links that all clients share. */
  readonly addresses: string;
  readonly serverOf: (address: string) => number;
  /** Links that one client has to itself. */
  readonly openLinks: () => Promise<PrivateLinks>;
  /** Multiplies the rate of every workload. */
  readonly load: number;
}

/** The way of one client to every server, to be cut off and moved on its own. */
export interface PrivateLinks {
  readonly addresses: string;
  /** Resets its connections, and refuses new ones for a while: it goes elsewhere. */
  move(forMs: number): void;
  /** Nothing gets through until this is called. */
  cutOff(): () => void;
  /** So many bytes a second reach the client, until this is called. */
  trickle(bytesPerSecond: number): () => void;
  close(): Promise<void>;
}

/** Session timeout of clients, ms: a pause of a server that is meant to outlast sessions takes longer than this. */
export const SESSION_MS = 3000;

export class Stage {
  readonly load: number;
  readonly #options: StageOptions;
  readonly #stop = new AbortController();
  readonly #clients = new Set<RecordedClient>();

  constructor(options: StageOptions) {
    this.#options = options;
    this.load = options.load;
    // Every actor that sleeps listens to it.
    setMaxListeners(0, this.#stop.signal);
  }

  get running(): boolean {
    return !this.#stop.signal.aborted;
  }

  /** The load ends; what is under way is still awaited. */
  stop(): void {
    this.#stop.abort();
  }

  /** Aborted when the load ends. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  random(name: string): Random {
    return Random.of(this.#options.seed, name);
  }

  open(random: Random, { timeoutMs = SESSION_MS, addresses = this.#options.addresses } = {}): RecordedClient {
    const { recorder, serverOf } = this.#options;
    const client = new RecordedClient({ recorder, addresses, timeoutMs, random, serverOf });
    this.#clients.add(client);
    return client;
  }

  openLinks(): Promise<PrivateLinks> {
    return this.#options.openLinks();
  }

  async close(client: RecordedClient): Promise<void> {
    if (client.alive) await client.zk.close();
    this.#clients.delete(client);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => this.close(client)));
  }

  /** Over early when the load ends. */
  async sleep(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  /**
   * One after the other, clients that live as long as their session: an actor of the load. `life` is called again with the
   * same client until the client is over or the load ends.
   */
  async actor(name: string, life: (client: RecordedClient, random: Random) => Promise<void>): Promise<void> {
    const random = this.random(name);
    while (this.running) {
      const client = this.open(random);
      await attempt(() => client.zk.connected());
      while (this.running && client.alive) await attempt(() => life(client, random));
      await this.close(client);
    }
  }

  /** Calls `act` so many times a second on average, one call after the other; time lost to a slow call is not made up for. */
  async paced(perSecond: number, random: Random, client: RecordedClient, act: () => Promise<void>): Promise<void> {
    const everyMs = 1000 / (perSecond * this.load);
    let nextMs = performance.now() + random.next() * everyMs;
    while (this.running && client.alive) {
      const lateMs = performance.now() - nextMs;
      if (lateMs < 0) await this.sleep(-lateMs);
      nextMs = Math.max(nextMs, performance.now() - everyMs) + everyMs * (0.5 + random.next());
      await attempt(act);
    }
  }
}

/** The outcome is in the history; here it only matters that there is one. null stands for every error of a server. */
export async function attempt<T>(act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ZooKeeperError) return null;
    throw error;
  }
}

/** Creates nodes that are there before the load; one that exists already is as good. */
export async function prepare(
  client: RecordedClient,
  paths: readonly (readonly [path: string, data?: string])[],
): Promise<void> {
  await client.zk.connected();
  await Promise.all(paths.map(([path, data]) => attempt(() => client.zk.create(path, data ?? null))));
}

export interface Workload {
  readonly name: string;
  /** A sentence. */
  readonly about: string;
  /** Before the load, without faults. */
  setUp(stage: Stage, client: RecordedClient): Promise<void>;
  /** Returns when the load has ended. */
  run(stage: Stage): Promise<void>;
}

export function several(count: number, actor: (index: number) => Promise<void>): Promise<void> {
  return Promise.all(Array.from({ length: count }, (_, index) => actor(index))).then(() => {});
}
