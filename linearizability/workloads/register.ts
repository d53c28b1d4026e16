/**
 * Registers: get, set and compare-and-set by version on nodes below /register. A key is given up after a random number of
 * operations, so that a search over its history stays small and keys do not end in step.
 */
import type { Random } from "../cluster/random.ts";
import type { RecordedClient } from "../run/recorded-client.ts";
import { attempt, prepare, type Stage, several, type Workload } from "./stage.ts";

const ROOT = "/register";
const ACTORS = 5;
const LIVE_KEYS = 10;
const PER_SECOND = 40;

class Keys {
  readonly #left = new Map<string, number>();
  readonly #random: Random;
  #next = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A live key, and one use of it less. */
  take(): string {
    while (this.#left.size < LIVE_KEYS) this.#left.set(`${ROOT}/k${this.#next++}`, this.#random.int(60, 200));
    const key = this.#random.pick([...this.#left.keys()]);
    const left = this.#left.get(key)! - 1;
    if (left > 0) this.#left.set(key, left);
    else this.#left.delete(key);
    return key;
  }
}

export const register: Workload = {
  name: "register",
  about: "get, set and compare-and-set by version on ten keys at a time",
  setUp: (_stage, client) => prepare(client, [[ROOT]]),
  async run(stage) {
    const keys = new Keys(stage.random("register keys"));
    await several(ACTORS, (index) =>
      stage.actor(`register ${index}`, (client, random) => work(stage, client, random, keys)),
    );
  },
};

async function work(stage: Stage, client: RecordedClient, random: Random, keys: Keys): Promise<void> {
  const versions = new Map<string, number>();
  let value = 0;
  await stage.paced(PER_SECOND, random, client, async () => {
    const key = keys.take();
    const known = versions.get(key);
    const { zk } = client;
    const next = `${client.proc}.${++value}`;
    // A key that is new to this client is looked at, or made, first.
    if (known === undefined && random.chance(0.5)) {
      const created = await attempt(() => zk.create2(key, next));
      if (created !== null) versions.set(key, created.stat.version);
      else versions.set(key, 0);
      return;
    }
    switch (
      random.weighted([
        [35, "get"],
        [12, "syncedGet"],
        [20, "set"],
        [28, "cas"],
        [4, "exists"],
        [1, "remove"],
      ])
    ) {
      case "get":
        versions.set(key, (await zk.getData(key)).stat.version);
        break;
      case "syncedGet": {
        const [, read] = await Promise.all([zk.sync(key), zk.getData(key)]);
        versions.set(key, read.stat.version);
        break;
      }
      case "set":
        versions.set(key, (await zk.setData(key, next)).version);
        break;
      case "cas":
        versions.set(key, (await zk.setData(key, next, known ?? 0)).version);
        break;
      case "exists":
        await zk.exists(key);
        break;
      case "remove":
        await zk.delete(key, known ?? 0);
    }
  });
}
