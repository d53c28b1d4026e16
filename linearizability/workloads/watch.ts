/**
 * Watches of every kind on a few nodes that come, change and go. Every watcher sets its one-shot watches again when they have
 * fired, whichever connection it has by then; some have persistent ones beside them.
 */
import type { Random } from "../cluster/random.ts";
import type { RecordedClient } from "../run/recorded-client.ts";
import { attempt, prepare, type Stage, several, type Workload } from "./stage.ts";

const ROOT = "/watch";
const TREE = `${ROOT}/tree`;
const NODES = Array.from({ length: 6 }, (_, index) => `${ROOT}/w${index}`);
const BRANCHES = Array.from({ length: 3 }, (_, index) => `${TREE}/b${index}`);
const WRITERS = 3;
const WATCHERS = 4;
const PER_SECOND = 18;

export const watch: Workload = {
  name: "watch",
  about: "one-shot, exists, child, persistent and recursive watches on nodes that come, change and go",
  setUp: (_stage, client) => prepare(client, [[ROOT], [TREE], ...BRANCHES.map((path) => [path] as [string])]),
  async run(stage) {
    const writers = several(WRITERS, (index) =>
      stage.actor(`watch writer ${index}`, (client, random) => write(stage, client, random)),
    );
    const watchers = several(WATCHERS, (index) =>
      stage.actor(`watcher ${index}`, (client, random) => observe(stage, client, random, index)),
    );
    await Promise.all([writers, watchers]);
  },
};

async function write(stage: Stage, client: RecordedClient, random: Random): Promise<void> {
  const { zk } = client;
  let value = 0;
  await stage.paced(PER_SECOND, random, client, async () => {
    const path = random.chance(0.7) ? random.pick(NODES) : `${random.pick(BRANCHES)}/n${random.int(0, 2)}`;
    const data = `${client.proc}.${++value}`;
    switch (
      random.weighted([
        [30, "create"],
        [40, "set"],
        [20, "remove"],
        [5, "again"],
        [5, "multi"],
      ])
    ) {
      case "create":
        await zk.create(path, data, { ephemeral: random.chance(0.15) });
        break;
      case "set":
        await zk.setData(path, data);
        break;
      case "remove":
        await zk.delete(path);
        break;
      case "again":
        // Two changes that one watch tells of once.
        await Promise.allSettled([zk.delete(path), zk.create(path, data)]);
        break;
      case "multi":
        await zk
          .transaction()
          .setData(random.pick(BRANCHES), data)
          .create(`${random.pick(BRANCHES)}/n3`, data)
          .commit();
        await zk.delete(`${random.pick(BRANCHES)}/n3`);
    }
  });
}

async function observe(stage: Stage, client: RecordedClient, random: Random, index: number): Promise<void> {
  const { zk } = client;
  const wanted = new Set<string>();
  const set = async (path: string, kind: "data" | "exists" | "child"): Promise<void> => {
    const again = (): void => {
      wanted.add(`${kind} ${path}`);
    };
    if (kind === "exists") await attempt(() => zk.exists(path, again));
    else if (kind === "child") await attempt(() => zk.getChildren(path, again));
    else if ((await attempt(() => zk.getData(path, again))) === null) {
      // Nothing to watch there yet: wait for it to come.
      await attempt(() => zk.exists(path, again));
    }
  };
  if (index % 2 === 1) await zk.addWatch(random.pick(BRANCHES), () => {}, { recursive: false });
  if (index === 1) await zk.addWatch(TREE, () => {}, { recursive: true });
  for (const path of NODES) wanted.add(`${random.chance(0.5) ? "data" : "exists"} ${path}`);
  for (const path of [ROOT, ...BRANCHES]) wanted.add(`child ${path}`);
  await stage.paced(PER_SECOND * 2, random, client, async () => {
    for (const one of wanted) {
      wanted.delete(one);
      const [kind, path] = one.split(" ") as ["data" | "exists" | "child", string];
      await set(path, kind);
      return;
    }
    // A connection lost between a watch and its event leaves nobody to set it again, so it is done by chance too.
    const path = random.pick(NODES);
    if (random.chance(0.3)) await set(path, random.pick(["data", "exists"] as const));
    else await zk.getData(path);
  });
}
