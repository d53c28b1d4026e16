/** Leader election among clients (the recipe that the client brings): the leader writes its fence to /leader, others read it. */
import { currentLeader, lead } from "../../src/client/recipes/election.ts";
import { attempt, prepare, several, type Workload } from "./stage.ts";

const ROOT = "/election";
const CANDIDATES = 4;
const OBSERVERS = 2;

export const election: Workload = {
  name: "election",
  about: "candidates wait for their turn to lead; the leader writes, others ask who leads",
  setUp: (_stage, client) => prepare(client, [[ROOT], ["/leader"]]),
  async run(stage) {
    const candidates = several(CANDIDATES, (index) =>
      stage.actor(`candidate ${index}`, async (client, random) => {
        const over = new AbortController();
        const stop = client.zk.onState((state) => {
          if (state === "Expired" || state === "Closed") over.abort();
        });
        const signal = AbortSignal.any([over.signal, stage.signal]);
        try {
          const leadership = await lead(client.zk, ROOT, String(client.proc), signal);
          const untilMs = performance.now() + random.int(300, 1500);
          while (stage.running && !leadership.lost.aborted && performance.now() < untilMs) {
            await attempt(() => client.zk.setData("/leader", `${client.proc} ${leadership.fence}`));
            await stage.sleep(random.int(20, 80));
          }
          await leadership.resign();
        } catch (error) {
          if (!signal.aborted) throw error;
        } finally {
          stop();
        }
        await stage.sleep(random.int(20, 200));
      }),
    );
    const observers = several(OBSERVERS, (index) =>
      stage.actor(`voter ${index}`, async (client, random) => {
        await stage.paced(8, random, client, async () => {
          await currentLeader(client.zk, ROOT);
          await Promise.all([client.zk.sync("/leader"), client.zk.getData("/leader")]);
        });
      }),
    );
    await Promise.all([candidates, observers]);
  },
};
