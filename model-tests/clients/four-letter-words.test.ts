/** Every four-letter word of a Zoetrope server beside the answer of an Apache server in the same situation: the same lines but for numbers. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Conversation } from "../support/conversation.ts";
import { type Ensemble, startEnsemble } from "../support/ensemble.ts";
import { apacheClassPath, kazooPython, unless } from "../support/installed.ts";
import type { ServerKind, ServerProcess } from "../support/server-process.ts";
import { until } from "../support/until.ts";

const HOLDER = fileURLToPath(new URL("kazoo_holder.py", import.meta.url));
const installed = apacheClassPath !== null && kazooPython !== null;

const WORDS = [
  "ruok",
  "isro",
  "srvr",
  "stat",
  "conf",
  "cons",
  "dirs",
  "dump",
  "wchs",
  "wchc",
  "wchp",
  "gtmk",
  "hash",
  "crst",
  "srst",
];

interface Answers {
  readonly words: ReadonlyMap<string, string>;
  readonly mntr: ReadonlyMap<string, string>;
}

async function answersOf(server: ServerProcess): Promise<Answers> {
  await using holder = new Conversation(kazooPython!, [HOLDER, server.address]);
  await holder.hears(/^ready$/m);
  const words = new Map<string, string>();
  for (const word of WORDS) words.set(word, await server.ask(word));
  const mntr = (await server.ask("mntr")).trimEnd().split("\n");
  holder.tell("enough");
  await holder.ended();
  return { words, mntr: new Map(mntr.map((line) => line.slice("zk_".length).split("\t") as [string, string])) };
}

/** What is left when numbers, dates and places are taken out; lines whose order Apache's hash maps decide are sorted. */
function shape(word: string, text: string): readonly string[] {
  const lines = text
    .replace(/^(Zookeeper version: ).*$/m, "$13.8.0")
    .replace(/\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}/g, "DATE")
    .replace(/^(data(?:Log)?Dir=).*$/gm, "$1DIR")
    // The asking connection itself may or may not be counted as read from.
    .replace(/\[\d\]\(queued/g, "[I](queued")
    .replace(/lop=\w+/g, "lop=OP")
    .replace(/0x[0-9a-f]+/g, "HEX")
    .replace(/\d+(\.\d+)?/g, "N")
    .split("\n");
  if (word === "dump") return lines.filter((line) => line !== "N expire at DATE:").sort();
  return ["cons", "stat", "wchc", "wchp"].includes(word) ? lines.sort() : lines;
}

async function compare(zoetrope: ServerProcess, apache: ServerProcess): Promise<void> {
  const ours = await answersOf(zoetrope);
  const theirs = await answersOf(apache);
  for (const word of WORDS)
    expect.soft(shape(word, ours.words.get(word)!), word).toEqual(shape(word, theirs.words.get(word)!));
  const unknown = [...ours.mntr.keys()].filter((key) => !theirs.mntr.has(key));
  expect.soft(unknown, "mntr keys that Apache does not have").toEqual(["chart_steps"]);
  for (const key of [
    "server_state",
    "znode_count",
    "ephemerals_count",
    "watch_count",
    "num_alive_connections",
    "global_sessions",
  ])
    expect.soft(ours.mntr.get(key), key).toBe(theirs.mntr.get(key));
}

function start(kind: ServerKind, servers: number): Promise<Ensemble> {
  return startEnsemble({ servers, kind, settings: ["tickTime=2000"] });
}

describe.skipIf(!installed)(`four-letter words${unless(installed, "Apache ZooKeeper with kazoo")}`, () => {
  test("of a standalone server", { timeout: 60_000 }, async () => {
    await using zoetrope = await start("zoetrope", 1);
    await using apache = await start("apache", 1);
    await compare(zoetrope.servers[0]!, apache.servers[0]!);
  });

  test("of a leader and a follower", { timeout: 90_000 }, async () => {
    await using zoetrope = await start("zoetrope", 3);
    await using apache = await start("apache", 3);
    await compare(await zoetrope.leader(), await apache.leader());
    await compare((await zoetrope.followers())[0]!, (await apache.followers())[0]!);
  });

  test("of a server without a quorum", { timeout: 60_000 }, async () => {
    await using zoetrope = await start("zoetrope", 3);
    const [first, ...others] = zoetrope.servers;
    for (const server of others) await server.kill();
    await until("the last server to give up", async () => (await first!.mode()) === null);
    expect(await first!.ask("ruok")).toBe("imok");
    expect(await first!.ask("isro")).toBe("null");
    expect(await first!.ask("srvr")).toBe("This ZooKeeper instance is not currently serving requests\n");
  });
});
