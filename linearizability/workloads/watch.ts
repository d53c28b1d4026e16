/**
 * Watches of every kind on a few nodes that come, change and go. Every watcher sets its one-shot watches again when they have
 * fired, whichever connection it has by then; some have persistent ones beside them. After some hundred operations everybody
 * moves to another ground, so that a search over the history of one stays small.
 */
import type { Random } from "../cluster/random.ts";
import type { RecordedClient } from "../run/recorded-client.ts";
import { attempt, prepare, type Stage, several, type Workload } from "./stage.ts";

const ROOT = "/watch";
const WRITERS = 3;
const WATCHERS = 4;
const PER_SECOND = 18;
/** Operations of all clients on one ground. */
const USES = 700;

class Ground {
  readonly root: string;
  readonly tree: string;
  readonly nodes: readonly string[];
  readonly branches: readonly string[];

  constructor(index: number) {
    this.root = `${ROOT}/g${index}`;
    this.tree = `${this.root}/tree`;
    this.nodes = Array.from({ length: 6 }, (_, node) => `${this.root}/w${node}`);
    this.branches = Array.from({ length: 3 }, (_, branch) => `${this.tree}/b${branch}`);
  }
}

class Grounds {
  #index = 0;
  #left = USES;
  #current = new Ground(0);

  /** Where everybody is now; one use of it less. */
  take(): Ground {
    if (this.#left-- === 0) {
      this.#left = USES;
      this.#current = new Ground(++this.#index);
    }
    return this.#current;
  }
}

export const watch: Workload = {
  name: "watch",
  about: "one-shot, exists, child, persistent and recursive watches on nodes that come, change and go",
  setUp: (_stage, client) => prepare(client, [[ROOT]]),
  async run(stage) {
    const grounds = new Grounds();
    const writers = several(WRITERS, (index) =>
      stage.actor(`watch writer ${index}`, (client, random) => write(stage, client, random, grounds)),
    );
    const watchers = several(WATCHERS, (index) =>
      stage.actor(`watcher ${index}`, (client, random) => observe(stage, client, random, grounds, index)),
    );
    await Promise.all([writers, watchers]);
  },
};

// ---- writers

async function write(stage: Stage, client: RecordedClient, random: Random, grounds: Grounds): Promise<void> {
  let value = 0;
  let ground: Ground | null = null;
  await stage.paced(PER_SECOND, random, client, async () => {
    const current = grounds.take();
    if (current !== ground) {
      await layOut(client, current);
      if (ground !== null) await clear(client, ground);
      ground = current;
    }
    await change(client, random, current, `${client.proc}.${++value}`);
  });
}

/** Whoever comes first; the others are told that it is there. */
async function layOut({ zk }: RecordedClient, { root, tree, branches }: Ground): Promise<void> {
  await Promise.all([root, tree, ...branches].map((path) => attempt(() => zk.create(path))));
}

async function clear({ zk }: RecordedClient, { nodes, branches }: Ground): Promise<void> {
  const twigs = branches.flatMap((branch) => [0, 1, 2, 3].map((twig) => `${branch}/n${twig}`));
  await Promise.all([...nodes, ...twigs, ...branches].map((path) => attempt(() => zk.delete(path))));
}

async function change({ zk }: RecordedClient, random: Random, ground: Ground, data: string): Promise<void> {
  const { nodes, branches } = ground;
  const path = random.chance(0.7) ? random.pick(nodes) : `${random.pick(branches)}/n${random.int(0, 2)}`;
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
        .setData(random.pick(branches), data)
        .create(`${random.pick(branches)}/n3`, data)
        .commit();
      await zk.delete(`${random.pick(branches)}/n3`);
  }
}

// ---- watchers

type Kind = "data" | "exists" | "child";

async function observe(
  stage: Stage,
  client: RecordedClient,
  random: Random,
  grounds: Grounds,
  index: number,
): Promise<void> {
  const { zk } = client;
  let ground: Ground | null = null;
  let wanted = new Set<string>();
  await stage.paced(PER_SECOND * 2, random, client, async () => {
    const current = grounds.take();
    if (current !== ground) {
      if (index % 2 === 1) await persist(client, random, current, ground, index);
      ground = current;
      wanted = wantedOf(current, random);
    }
    for (const one of wanted) {
      wanted.delete(one);
      const [kind, path] = one.split(" ") as [Kind, string];
      await set(client, path, kind, wanted);
      return;
    }
    // A connection lost between a watch and its event leaves nobody to set it again, so it is done by chance too.
    const path = random.pick(current.nodes);
    if (random.chance(0.3)) await set(client, path, random.pick(["data", "exists"] as const), wanted);
    else await zk.getData(path);
  });
}

function wantedOf({ root, nodes, branches }: Ground, random: Random): Set<string> {
  const own = nodes.map((path) => `${random.chance(0.5) ? "data" : "exists"} ${path}`);
  return new Set([...own, ...[root, ...branches].map((path) => `child ${path}`)]);
}

async function persist(
  { zk }: RecordedClient,
  random: Random,
  ground: Ground,
  before: Ground | null,
  index: number,
): Promise<void> {
  if (before !== null) {
    const left = index === 1 ? [...before.branches, before.tree] : before.branches;
    await Promise.all(left.map((path) => attempt(() => zk.removeWatches(path))));
  }
  const branch = random.pick(ground.branches);
  await attempt(() => zk.addWatch(branch, () => {}, { recursive: false }));
  if (index === 1) await attempt(() => zk.addWatch(ground.tree, () => {}, { recursive: true }));
}

/** One-shot: when it has fired it is wanted again. */
async function set({ zk }: RecordedClient, path: string, kind: Kind, wanted: Set<string>): Promise<void> {
  const again = (): void => {
    wanted.add(`${kind} ${path}`);
  };
  if (kind === "exists") await attempt(() => zk.exists(path, again));
  else if (kind === "child") await attempt(() => zk.getChildren(path, again));
  else if ((await attempt(() => zk.getData(path, again))) === null) {
    // Nothing to watch there yet: wait for it to come.
    await attempt(() => zk.exists(path, again));
  }
}
