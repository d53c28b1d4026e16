/** A set: unique children are added below /set/s<n>; now and then somebody reads the whole set. */
import { attempt, prepare, type Stage, several, type Workload } from "./stage.ts";

const ROOT = "/set";
const ACTORS = 4;
const PER_SECOND = 25;
/** Children of one parent, at most: every read of the set lists them all. */
const SIZE = 250;

export const set: Workload = {
  name: "set",
  about: "unique children are created, and all of them read",
  setUp: (_stage, client) => prepare(client, [[ROOT], [`${ROOT}/s0`]]),
  async run(stage) {
    const position = { set: 0, added: 0 };
    await several(ACTORS, (index) =>
      stage.actor(`set ${index}`, async (client, random) => {
        let element = 0;
        await stage.paced(PER_SECOND, random, client, async () => {
          const { zk } = client;
          const parent = `${ROOT}/s${position.set}`;
          const choice = random.weighted([
            [90, "add"],
            [6, "read"],
            [4, "syncedRead"],
          ]);
          if (choice === "add") {
            await openNext(stage, position, async (path) => void (await attempt(() => zk.create(path))));
            await zk.create(`${parent}/${client.proc}.${++element}`, String(element));
          } else {
            const sync = choice === "syncedRead" ? zk.sync(parent) : Promise.resolve();
            await Promise.all([sync, zk.getChildren2(parent)]);
          }
        });
      }),
    );
  },
};

/** When a set is full the next is begun. */
async function openNext(
  stage: Stage,
  position: { set: number; added: number },
  create: (path: string) => Promise<void>,
): Promise<void> {
  position.added++;
  if (!stage.running || position.added % SIZE !== 0) return;
  await create(`${ROOT}/s${position.set + 1}`);
  position.set++;
}
