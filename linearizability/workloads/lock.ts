/**
 * Locks (the recipe that the client brings): whoever holds /lock/<name> writes to /guarded/<name>, in a transaction that also
 * checks that its place in the queue is still there.
 */
import { acquireLock, type Lease } from "../../src/client/recipes/lock.ts";
import type { RecordedClient } from "../run/recorded-client.ts";
import { attempt, prepare, type Stage, several, type Workload } from "./stage.ts";

const LOCKS = ["a", "b"];
const ACTORS_PER_LOCK = 4;

export const lock: Workload = {
  name: "lock",
  about: "ephemeral sequential nodes with watches on the one before; the holder writes",
  setUp: (_stage, client) =>
    prepare(client, [
      ["/lock"],
      ["/guarded"],
      ...LOCKS.flatMap((name) => [[`/lock/${name}`], [`/guarded/${name}`]] as [string][]),
    ]),
  async run(stage) {
    await several(LOCKS.length * ACTORS_PER_LOCK, (index) => {
      const name = LOCKS[index % LOCKS.length] as string;
      return stage.actor(`lock ${index}`, async (client, random) => {
        const lease = await leased(stage, client, name);
        if (lease === null) return;
        for (let writes = random.int(1, 4); writes > 0 && !lease.lost.aborted && stage.running; writes--) {
          await attempt(() => client.zk.setData(`/guarded/${name}`, `${client.proc} ${lease.fence}`));
          await attempt(() => client.zk.getData(`/guarded/${name}`));
          await stage.sleep(random.int(5, 40));
        }
        await lease.release();
        await stage.sleep(random.int(5, 60));
      });
    });
  },
};

/** null when the load has ended, or the session. */
async function leased(stage: Stage, client: RecordedClient, name: string): Promise<Lease | null> {
  const over = new AbortController();
  const give = (): void => over.abort();
  stage.signal.addEventListener("abort", give, { once: true });
  const stop = client.zk.onState((state) => {
    if (state === "Expired" || state === "Closed") over.abort();
  });
  try {
    return await acquireLock(client.zk, `/lock/${name}`, over.signal);
  } catch (error) {
    if (over.signal.aborted) return null;
    throw error;
  } finally {
    stage.signal.removeEventListener("abort", give);
    stop();
  }
}
