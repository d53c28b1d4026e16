/** A queue: elements are sequential children of /queue; whoever deletes one has taken it. */
import { prepare, several, type Workload } from "./stage.ts";

const ROOT = "/queue";
const PRODUCERS = 3;
const CONSUMERS = 3;
const PRODUCED_PER_SECOND = 20;
const TAKEN_PER_SECOND = 24;

export const queue: Workload = {
  name: "queue",
  about: "sequential children are created and taken in their order",
  setUp: (_stage, client) => prepare(client, [[ROOT]]),
  async run(stage) {
    const producers = several(PRODUCERS, (index) =>
      stage.actor(`queue producer ${index}`, async (client, random) => {
        let element = 0;
        await stage.paced(PRODUCED_PER_SECOND, random, client, async () => {
          const data = `${client.proc}.${++element}`;
          if (random.chance(0.5)) await client.zk.create(`${ROOT}/q-`, data, { sequential: true });
          else await client.zk.create2(`${ROOT}/q-`, data, { sequential: true });
        });
      }),
    );
    const consumers = several(CONSUMERS, (index) =>
      stage.actor(`queue consumer ${index}`, async (client, random) => {
        const { zk } = client;
        await stage.paced(TAKEN_PER_SECOND, random, client, async () => {
          const names = [...(await zk.getChildren(ROOT))].sort();
          const first = names[random.chance(0.8) ? 0 : Math.min(names.length - 1, random.int(0, 3))];
          if (first === undefined) return;
          const path = `${ROOT}/${first}`;
          // In one go: the second is only answered if the first has left the element there.
          const [, taken] = await Promise.allSettled([zk.getData(path), zk.delete(path, 0)]);
          if (taken.status === "rejected" && random.chance(0.1)) await zk.sync(ROOT);
        });
      }),
    );
    await Promise.all([producers, consumers]);
  },
};
