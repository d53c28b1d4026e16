/**
 * Bursts of a hundred and more requests of every kind that nobody waits for one by one, each below a node of its own, so that a
 * search over its history stays small. When a connection breaks in the middle, what was applied must be a prefix.
 */
import type { Random } from "../cluster/random.ts";
import type { RecordedClient } from "../run/recorded-client.ts";
import { attempt, prepare, type Stage, several, type Workload } from "./stage.ts";

const ROOT = "/pipeline";
const ACTORS = 3;
const BURSTS_PER_SECOND = 0.8;
const LOG = "log";

export const pipeline: Workload = {
  name: "pipeline",
  about: "a hundred and more outstanding requests of every kind per session",
  setUp: (_stage, client) => prepare(client, [[ROOT]]),
  async run(stage) {
    await several(ACTORS, (index) =>
      stage.actor(`pipeline ${index}`, async (client, random) => {
        let burst = 0;
        await stage.paced(BURSTS_PER_SECOND, random, client, () => fire(stage, client, random, ++burst));
      }),
    );
  },
};

async function fire(stage: Stage, client: RecordedClient, random: Random, burst: number): Promise<void> {
  const { zk } = client;
  const home = `${ROOT}/p${client.proc}.${burst}`;
  const made: string[] = [];
  // Not waited for either: the burst needs it, and comes after it.
  const all: Promise<unknown>[] = [zk.create(home), zk.create(`${home}/${LOG}`)];
  const size = random.int(100, 160);
  for (let i = 0; i < size && stage.running; i++) {
    const own = `${home}/n${i}`;
    const some = made.length > 0 ? random.pick(made) : `${home}/none`;
    const value = String(i);
    switch (
      random.weighted([
        [22, "create"],
        [14, "append"],
        [16, "set"],
        [14, "get"],
        [10, "exists"],
        [8, "children"],
        [8, "remove"],
        [4, "sequential"],
        [3, "multi"],
        [1, "sync"],
      ])
    ) {
      case "create":
        made.push(own);
        all.push(zk.create(own, value));
        break;
      case "append":
        // Every value of the log is a step of this session: their order is the order of the requests.
        all.push(zk.setData(`${home}/${LOG}`, value));
        break;
      case "set":
        all.push(zk.setData(some, value, random.chance(0.2) ? 0 : -1));
        break;
      case "get":
        all.push(zk.getData(random.chance(0.5) ? some : `${home}/${LOG}`));
        break;
      case "exists":
        all.push(zk.exists(some));
        break;
      case "children":
        all.push(zk.getChildren2(home));
        break;
      case "remove":
        all.push(zk.delete(some));
        break;
      case "sequential":
        all.push(zk.create(`${home}/s-`, value, { sequential: true, ephemeral: true }));
        break;
      case "multi":
        all.push(zk.transaction().create(`${own}m`, value).setData(some, value).delete(`${own}m`).commit());
        break;
      case "sync":
        all.push(zk.sync(home));
    }
  }
  await Promise.allSettled(all);
  const left = (await attempt(() => zk.getChildren(home))) ?? [];
  await Promise.allSettled([...left.map((name) => zk.delete(`${home}/${name}`)), zk.delete(home)]);
}
