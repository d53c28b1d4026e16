import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Zxid } from "../../spec/vocabulary.ts";
import { EventType } from "../protocol/watch-events.ts";
import { type WatchKind, type WatchSelection, WatchTable } from "./watch-table.ts";

interface Connection {
  readonly name: string;
}

const ZXID = 7 as Zxid;
const ann: Connection = { name: "ann" };
const bob: Connection = { name: "bob" };
const NAMES: Readonly<Record<number, string>> = {
  [EventType.created]: "created",
  [EventType.deleted]: "deleted",
  [EventType.dataChanged]: "dataChanged",
  [EventType.childrenChanged]: "childrenChanged",
};

function table() {
  const told: string[] = [];
  const watches = new WatchTable<Connection>((watcher, type, path) => {
    told.push(`${watcher.name}: ${NAMES[type]} ${path}`);
  });
  const take = (): string[] => told.splice(0);
  return { watches, take };
}

describe("a standard watch", () => {
  test("fires once", () => {
    const { watches, take } = table();
    watches.add(ann, "/a", "data");
    watches.nodeDataChanged("/a", ZXID);
    watches.nodeDataChanged("/a", ZXID);
    expect(take()).toEqual(["ann: dataChanged /a"]);
    expect(watches.watchCount).toBe(0);
  });

  test("registered twice fires once", () => {
    const { watches, take } = table();
    watches.add(ann, "/a", "data");
    watches.add(ann, "/a", "data");
    expect(watches.watchCount).toBe(1);
    watches.nodeDataChanged("/a", ZXID);
    expect(take()).toEqual(["ann: dataChanged /a"]);
  });

  test("of children hears of created and deleted children, not of their data", () => {
    const { watches, take } = table();
    watches.add(ann, "/", "child");
    watches.nodeDataChanged("/a", ZXID);
    expect(take()).toEqual([]);
    watches.nodeCreated("/a", ZXID);
    expect(take()).toEqual(["ann: childrenChanged /"]);
  });

  test("of data and one of children on a deleted node make one NodeDeleted, then the parent's event follows", () => {
    const { watches, take } = table();
    watches.add(ann, "/a/b", "data");
    watches.add(ann, "/a/b", "child");
    watches.add(ann, "/a", "child");
    watches.nodeDeleted("/a/b", ZXID);
    expect(take()).toEqual(["ann: deleted /a/b", "ann: childrenChanged /a"]);
    expect(watches.watchCount).toBe(0);
  });
});

describe("a persistent watch", () => {
  test("hears everything of its node, for ever", () => {
    const { watches, take } = table();
    watches.add(ann, "/a", "persistent");
    watches.nodeCreated("/a", ZXID);
    watches.nodeCreated("/a/b", ZXID);
    watches.nodeDataChanged("/a", ZXID);
    watches.nodeDataChanged("/a/b", ZXID);
    watches.nodeDeleted("/a/b", ZXID);
    watches.nodeDeleted("/a", ZXID);
    expect(take()).toEqual([
      "ann: created /a",
      "ann: childrenChanged /a",
      "ann: dataChanged /a",
      "ann: childrenChanged /a",
      "ann: deleted /a",
    ]);
  });

  test("outlives a standard watch on the same path, and both together make one event", () => {
    const { watches, take } = table();
    watches.add(ann, "/a", "persistent");
    watches.add(ann, "/a", "data");
    watches.nodeDataChanged("/a", ZXID);
    watches.nodeDataChanged("/a", ZXID);
    expect(take()).toEqual(["ann: dataChanged /a", "ann: dataChanged /a"]);
  });

  test("recursive: hears of all below and never of children", () => {
    const { watches, take } = table();
    watches.add(ann, "/a", "persistentRecursive");
    watches.nodeCreated("/a/b/c", ZXID);
    watches.nodeDataChanged("/a", ZXID);
    watches.nodeDeleted("/a/b/c", ZXID);
    watches.nodeCreated("/ab", ZXID);
    expect(take()).toEqual(["ann: created /a/b/c", "ann: dataChanged /a", "ann: deleted /a/b/c"]);
  });

  test("recursive on the root hears of everything", () => {
    const { watches, take } = table();
    watches.add(ann, "/", "persistentRecursive");
    watches.nodeCreated("/zookeeper/x", ZXID);
    watches.nodeCreated("/a", ZXID);
    expect(take()).toEqual(["ann: created /zookeeper/x", "ann: created /a"]);
  });

  test("several reasons to hear of an event make one event", () => {
    const { watches, take } = table();
    watches.add(ann, "/", "persistentRecursive");
    watches.add(ann, "/a", "persistentRecursive");
    watches.add(ann, "/a", "persistent");
    watches.add(ann, "/a", "data");
    watches.nodeDataChanged("/a", ZXID);
    expect(take()).toEqual(["ann: dataChanged /a"]);
  });
});

describe("checks and removals", () => {
  test("go by table, whatever the mode", () => {
    const { watches, take } = table();
    watches.add(ann, "/a", "persistent");
    for (const selection of ["data", "child", "any"] as const) expect(watches.has(ann, "/a", selection)).toBe(true);
    expect(watches.remove(ann, "/a", "data")).toBe(true);
    expect(watches.has(ann, "/a", "data")).toBe(false);
    watches.nodeDataChanged("/a", ZXID);
    watches.nodeCreated("/a/b", ZXID);
    expect(take()).toEqual(["ann: childrenChanged /a"]);
  });

  test("know nothing of other connections and paths", () => {
    const { watches } = table();
    watches.add(ann, "/a", "data");
    expect(watches.has(bob, "/a", "any")).toBe(false);
    expect(watches.has(ann, "/b", "any")).toBe(false);
    expect(watches.remove(bob, "/a", "any")).toBe(false);
    expect(watches.remove(ann, "/a", "child")).toBe(false);
  });

  test("a closed connection leaves nothing behind", () => {
    const { watches, take } = table();
    for (let i = 0; i < 100; i++) {
      watches.add(ann, `/${i}`, "data");
      watches.add(bob, `/${i}`, "persistentRecursive");
    }
    watches.removeWatcher(bob);
    expect(watches.watchCount).toBe(100);
    watches.removeWatcher(ann);
    expect(watches.watchCount).toBe(0);
    watches.nodeDataChanged("/7", ZXID);
    expect(take()).toEqual([]);
  });
});

test("a connection that is closed while it is told does not disturb the others", () => {
  const told: string[] = [];
  const watches: WatchTable<Connection> = new WatchTable((watcher) => {
    told.push(watcher.name);
    watches.removeWatcher(ann);
    watches.removeWatcher(bob);
  });
  watches.add(ann, "/a", "persistent");
  watches.add(bob, "/a", "persistent");
  watches.nodeDataChanged("/a", ZXID);
  expect(told.sort()).toEqual(["ann", "bob"]);
  expect(watches.watchCount).toBe(0);
});

test("the operator sees paths, watchers and counts of data watches", () => {
  const { watches } = table();
  watches.add(ann, "/a", "data");
  watches.add(bob, "/a", "persistent");
  watches.add(bob, "/b", "child");
  expect([...watches.dataWatchersByPath()]).toEqual([["/a", [bob, ann]]]);
  expect(watches.dataWatchCount).toBe(2);
  expect(watches.watchCount).toBe(4);
});

/** As one would write it down: a set of registrations. */
class PlainWatches {
  readonly registered = new Map<string, Set<string>>();

  key(watcher: Connection, path: string): Set<string> {
    const key = `${watcher.name} ${path}`;
    const known = this.registered.get(key) ?? new Set();
    this.registered.set(key, known);
    return known;
  }

  add(watcher: Connection, path: string, kind: WatchKind): void {
    const bits = { data: ["d"], child: ["c"], persistent: ["pd", "pc"], persistentRecursive: ["rd", "rc"] }[kind];
    for (const bit of bits) this.key(watcher, path).add(bit);
  }

  remove(watcher: Connection, path: string, selection: WatchSelection): boolean {
    const known = this.key(watcher, path);
    const last = { data: "d", child: "c", any: "" }[selection];
    const gone = [...known].filter((bit) => bit.endsWith(last));
    for (const bit of gone) known.delete(bit);
    return gone.length > 0;
  }

  removeWatcher(watcher: Connection): void {
    for (const [key, known] of this.registered) if (key.startsWith(`${watcher.name} `)) known.clear();
  }

  trigger(path: string, type: string, watchers: readonly Connection[]): string[] {
    const told: string[] = [];
    for (const watcher of watchers) {
      const own = this.key(watcher, path);
      const here = { deleted: ["d", "c", "pd", "pc", "rd", "rc"], childrenChanged: ["c", "pc"] }[type] ?? [
        "d",
        "pd",
        "rd",
      ];
      const above = { deleted: ["rd", "rc"], childrenChanged: [] as string[] }[type] ?? ["rd"];
      const hears = here.some((bit) => own.has(bit));
      const hearsAbove = ancestors(path).some((other) => above.some((bit) => this.key(watcher, other).has(bit)));
      if (hears || hearsAbove) told.push(`${watcher.name}: ${type} ${path}`);
      for (const bit of here) if (bit === "d" || bit === "c") own.delete(bit);
    }
    return told;
  }

  get count(): number {
    let count = 0;
    for (const known of this.registered.values()) {
      count += ["d", "c"].filter((last) => [...known].some((bit) => bit.endsWith(last))).length;
    }
    return count;
  }
}

function ancestors(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  return names.map((_, i) => `/${names.slice(0, i).join("/")}`);
}

test("whatever is added, removed and triggered, it tells what a plain set of registrations would", () => {
  const connections = Array.from({ length: 4 }, (_, i): Connection => ({ name: `c${i}` }));
  const watcher = fc.constantFrom(...connections);
  const path = fc.constantFrom("/", "/a", "/b", "/a/a", "/a/b", "/a/a/a");
  const kind = fc.constantFrom<WatchKind[]>("data", "child", "persistent", "persistentRecursive");
  const selection = fc.constantFrom<WatchSelection[]>("data", "child", "any");
  const type = fc.constantFrom(EventType.created, EventType.deleted, EventType.dataChanged, EventType.childrenChanged);
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant("add" as const), watcher, path, kind }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), watcher, path, selection }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), watcher }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("trigger" as const), path, type }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const { watches, take } = table();
      const plain = new PlainWatches();
      for (const each of steps) {
        if (each.do === "add") {
          watches.add(each.watcher, each.path, each.kind);
          plain.add(each.watcher, each.path, each.kind);
        } else if (each.do === "remove") {
          const removed = watches.remove(each.watcher, each.path, each.selection);
          expect(removed).toBe(plain.remove(each.watcher, each.path, each.selection));
        } else if (each.do === "close") {
          watches.removeWatcher(each.watcher);
          plain.removeWatcher(each.watcher);
        } else {
          watches.trigger(each.path, each.type, ZXID);
          expect(take().sort()).toEqual(plain.trigger(each.path, NAMES[each.type]!, connections));
        }
        expect(watches.watchCount).toBe(plain.count);
      }
    }),
  );
});

test("ten thousand watchers on a node, and a hundred thousand watches, come and go without a scan", () => {
  let events = 0;
  const watches = new WatchTable<Connection>(() => {
    events++;
  });
  const connections = Array.from({ length: 10_000 }, (_, i): Connection => ({ name: `c${i}` }));
  for (const connection of connections) watches.add(connection, "/hot", "data");
  for (let i = 0; i < 100_000; i++) watches.add(connections[i % 10_000]!, `/node-${i}`, "data");
  for (const connection of connections.slice(0, 5000)) watches.removeWatcher(connection);
  watches.nodeDataChanged("/hot", ZXID);
  expect(events).toBe(5000);
  expect(watches.watchCount).toBe(50_000);
});
