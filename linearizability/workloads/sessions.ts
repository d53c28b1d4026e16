/**
 * Sessions that come and go in every way: closed, expired while their client is cut off, moved from server to server, almost
 * expired. Each leaves ephemeral nodes below a home of its own that must go with it; half of what it asks for has an unknown
 * end, so that a search over a home that several share would not come to one.
 */
import type { Random } from "../cluster/random.ts";
import type { RecordedClient } from "../run/recorded-client.ts";
import { attempt, type PrivateLinks, prepare, type Stage, several, type Workload } from "./stage.ts";

const ROOT = "/sessions";
const ACTORS = 5;
const WATCHERS = 2;
/** Shorter than that of other clients, so that more of them end within a run. */
const TIMEOUT_MS = 1500;

type End = "close" | "expire" | "move" | "nearly";

export const sessions: Workload = {
  name: "sessions",
  about: "sessions are opened, closed, expired and moved, with ephemeral nodes",
  setUp: (_stage, client) => prepare(client, [[ROOT]]),
  async run(stage) {
    const homes: string[] = Array.from({ length: ACTORS }, () => ROOT);
    const comers = several(ACTORS, async (index) => {
      const random = stage.random(`sessions ${index}`);
      const links = await stage.openLinks();
      while (stage.running) await live(stage, random, links, homes, index);
      await links.close();
    });
    const watchers = several(WATCHERS, (index) =>
      stage.actor(`sessions watcher ${index}`, async (client, random) => {
        await stage.paced(10, random, client, async () => {
          const home = random.pick(homes);
          await Promise.all([client.zk.sync(home), client.zk.getChildren2(home, () => {})]);
        });
      }),
    );
    await Promise.all([comers, watchers]);
  },
};

async function live(stage: Stage, random: Random, links: PrivateLinks, homes: string[], index: number): Promise<void> {
  const client = stage.open(random, { timeoutMs: TIMEOUT_MS, addresses: links.addresses });
  await attempt(() => client.zk.connected());
  const home = `${ROOT}/h${client.proc}`;
  const before = homes[index] ?? ROOT;
  await attempt(() => client.zk.create(home));
  homes[index] = home;
  // Not empty while the session before has not expired; then it stays.
  if (before !== ROOT) await attempt(() => client.zk.delete(before));
  for (let i = random.int(1, 3); i > 0 && client.alive && stage.running; i--) await leaveNode(client, random, home, i);
  for (let act = 0; act < 4 && client.alive && stage.running; act++) {
    const end: End = random.weighted([
      [30, "close"],
      [20, "expire"],
      [35, "move"],
      [15, "nearly"],
    ]);
    if (end === "close") break;
    await disturb(stage, client, random, links, home, end);
  }
  await stage.close(client);
}

async function leaveNode(client: RecordedClient, random: Random, home: string, i: number): Promise<void> {
  const { zk } = client;
  await attempt(() =>
    zk.create(`${home}/e${i}`, String(client.proc), { ephemeral: true, sequential: random.chance(0.3) }),
  );
}

async function disturb(
  stage: Stage,
  client: RecordedClient,
  random: Random,
  links: PrivateLinks,
  home: string,
  how: Exclude<End, "close">,
): Promise<void> {
  const { zk } = client;
  // Under way while it happens.
  const writes = Array.from({ length: 5 }, (_, i) =>
    attempt(() => zk.create(`${home}/w${random.int(0, 9)}`, String(i), { ephemeral: true })),
  );
  if (how === "move") {
    links.move(random.int(20, 200));
    await stage.sleep(random.int(100, 500));
  } else {
    const restore = links.cutOff();
    await stage.sleep(TIMEOUT_MS * (how === "expire" ? 1.3 + random.next() : 0.4 + random.next() * 0.3));
    restore();
    await stage.sleep(random.int(100, 600));
  }
  await Promise.all(writes);
  await attempt(() => zk.exists(`${home}/e1`));
}
