/** A bank: money moves between accounts in one transaction, and no zxid may show another total. */
import type { Random } from "../cluster/random.ts";
import type { RecordedClient } from "../run/recorded-client.ts";
import { prepare, several, type Workload } from "./stage.ts";

const ROOT = "/bank";
const ACCOUNTS = Array.from({ length: 8 }, (_, index) => `${ROOT}/a${index}`);
const ACTORS = 4;
const PER_SECOND = 15;

/** Of each account at the beginning: the total is eight times this. */
export const OPENING_BALANCE = 100;

export const bank: Workload = {
  name: "bank",
  about: "transfers between eight accounts in transactions, and reads of all of them",
  async setUp(_stage, client) {
    await prepare(client, [[ROOT]]);
    const all = client.zk.transaction();
    for (const account of ACCOUNTS) all.create(account, String(OPENING_BALANCE));
    await all.commit();
  },
  async run(stage) {
    await several(ACTORS, (index) =>
      stage.actor(`bank ${index}`, async (client, random) => {
        await stage.paced(PER_SECOND, random, client, async () => {
          if (random.chance(0.25)) await readAll(client, random);
          else await transfer(client, random);
        });
      }),
    );
  },
};

async function transfer(client: RecordedClient, random: Random): Promise<void> {
  const { zk } = client;
  const [from, to] = random.shuffled(ACCOUNTS) as [string, string];
  const [source, target] = await Promise.all([zk.getData(from), zk.getData(to)]);
  const balance = Number(source.data);
  const amount = random.int(1, 10);
  // One that would overdraw is tried all the same at times: a failed transaction changes nothing.
  const transaction = zk
    .transaction()
    .setData(from, String(balance - amount), balance < amount ? source.stat.version + 1 : source.stat.version)
    .setData(to, String(Number(target.data) + amount), target.stat.version);
  await transaction.commit();
}

/** In one write, and mostly answered at one zxid. */
async function readAll(client: RecordedClient, random: Random): Promise<void> {
  const { zk } = client;
  const sync = random.chance(0.3) ? [zk.sync(ROOT)] : [];
  await Promise.all([...sync, ...ACCOUNTS.map((account) => zk.getData(account))]);
}
