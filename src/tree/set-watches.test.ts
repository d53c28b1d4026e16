import { expect, test } from "vitest";
import { EventType } from "../protocol/watch-events.ts";
import { Database } from "./database.ts";
import { setWatches } from "./set-watches.ts";
import { Txns } from "./test-txns.ts";
import { WatchTable } from "./watch-table.ts";

const client = { name: "client" };

/** /old exists unchanged; /new was created and /old's child came after the client went away. */
function world() {
  const database = new Database();
  const txns = new Txns();
  database.apply(txns.create("/old"));
  const relativeZxid = txns.zxid;
  const told: string[] = [];
  const watches = new WatchTable<typeof client>(() => undefined);
  const resume = (lists: Partial<Record<"dataWatches" | "existWatches" | "childWatches", string[]>>): string[] => {
    const none = { dataWatches: null, existWatches: null, childWatches: null };
    setWatches(database.tree, watches, client, { relativeZxid, ...none, ...lists }, (_, type, path, zxid) => {
      told.push(`${type} ${path} ${zxid}`);
    });
    return told.splice(0);
  };
  return { database, txns, watches, resume, relativeZxid };
}

test("nothing happened: the watches are registered again", () => {
  const { watches, resume } = world();
  expect(resume({ dataWatches: ["/old"], existWatches: ["/none"], childWatches: ["/old"] })).toEqual([]);
  expect(watches.has(client, "/old", "data")).toBe(true);
  expect(watches.has(client, "/old", "child")).toBe(true);
  expect(watches.has(client, "/none", "data")).toBe(true);
});

test("what happened meanwhile is told at once, in the order of the lists, with zxid -1, and registers nothing", () => {
  const { database, txns, watches, resume } = world();
  database.apply(txns.create("/old/child"));
  database.apply(txns.setData("/old", "x", 1));
  database.apply(txns.create("/new"));
  const lists = { dataWatches: ["/old", "/gone"], existWatches: ["/new"], childWatches: ["/old", "/gone"] };
  expect(resume(lists)).toEqual([
    `${EventType.dataChanged} /old -1`,
    `${EventType.deleted} /gone -1`,
    `${EventType.created} /new -1`,
    `${EventType.childrenChanged} /old -1`,
    `${EventType.deleted} /gone -1`,
  ]);
  expect(watches.watchCount).toBe(0);
});

test("a change of children is no change of data, and the other way round", () => {
  const { database, txns, watches, resume } = world();
  database.apply(txns.create("/old/child"));
  expect(resume({ dataWatches: ["/old"] })).toEqual([]);
  expect(watches.has(client, "/old", "data")).toBe(true);
});

test("persistent watches are registered without looking back", () => {
  const { database, watches, relativeZxid } = world();
  setWatches(
    database.tree,
    watches,
    client,
    {
      relativeZxid,
      dataWatches: null,
      existWatches: [],
      childWatches: [null],
      persistentWatches: ["/p"],
      persistentRecursiveWatches: ["/r"],
    },
    () => expect.unreachable(),
  );
  expect([watches.has(client, "/p", "child"), watches.has(client, "/r", "data")]).toEqual([true, true]);
});
