/** A client that writes without a pause and remembers what was acknowledged, while its servers die around it. */
import { ConnectionLoss, connect, type ZooKeeper } from "../../src/client/index.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { sleep } from "../support/until.ts";

/** Writes in flight: enough that every crash falls into the middle of some. */
const DEPTH = 8;
const PAUSE_AFTER_LOSS_MS = 20;

export class SteadyWriter {
  readonly zk: ZooKeeper;
  readonly name: string;
  /** Paths whose creation was acknowledged, and those of which nobody knows. */
  readonly acknowledged = new Map<string, string>();
  readonly unknown = new Set<string>();
  #stopped = false;
  #sequence = 0;
  readonly #lanes: Promise<void>[] = [];

  private constructor(addresses: string, name: string) {
    this.name = name;
    this.zk = connect(addresses, { timeoutMs: 10_000 });
  }

  /** Its session owns the ephemeral /alive-NAME; it writes below /load. */
  static async start(addresses: string, name: string): Promise<SteadyWriter> {
    const writer = new SteadyWriter(addresses, name);
    await writer.zk.connected();
    await writer.zk.create(writer.ephemeral, name, { ephemeral: true });
    for (let i = 0; i < DEPTH; i++) writer.#lanes.push(writer.#write());
    return writer;
  }

  get ephemeral(): string {
    return `/alive-${this.name}`;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const path = `/load/${this.name}-${++this.#sequence}`;
      try {
        await this.zk.create(path, path);
        this.acknowledged.set(path, path);
      } catch (error) {
        if (!(error instanceof ConnectionLoss)) throw error;
        this.unknown.add(path);
        await sleep(PAUSE_AFTER_LOSS_MS);
      }
    }
  }
}

/** What one server answers once it has caught up: every child of /load with its data. */
export async function loadOf(server: ServerProcess): Promise<Map<string, string>> {
  const zk = connect(server.address, { timeoutMs: 10_000 });
  try {
    await zk.connected();
    await zk.sync("/load");
    const paths = (await zk.getChildren("/load")).map((name) => `/load/${name}`);
    const found = new Map<string, string>();
    const read = async (path: string) => {
      found.set(path, (await zk.getData(path)).data?.toString() ?? "");
    };
    // In portions: a reply each, but not all of them at once.
    for (let i = 0; i < paths.length; i += 1000) await Promise.all(paths.slice(i, i + 1000).map(read));
    return found;
  } finally {
    await zk.close();
  }
}

/** Acknowledged writes that a server does not have, and nodes there that nobody tried to write. */
export function differences(
  writers: readonly SteadyWriter[],
  found: ReadonlyMap<string, string>,
): { lost: string[]; invented: string[] } {
  const lost: string[] = [];
  const known = new Set<string>();
  for (const { acknowledged, unknown } of writers) {
    for (const [path, data] of acknowledged) {
      known.add(path);
      if (found.get(path) !== data) lost.push(path);
    }
    for (const path of unknown) known.add(path);
  }
  return { lost, invented: [...found.keys()].filter((path) => !known.has(path)) };
}
