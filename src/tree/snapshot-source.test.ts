import { describe, expect, test } from "vitest";
import { OpCode } from "../protocol/opcodes.ts";
import { AssertionFailure } from "../runtime/assert.ts";
import { Database } from "./database.ts";
import { TreeLoader, TreeSnapshotter } from "./snapshot-source.ts";
import { SESSION, Txns } from "./test-txns.ts";

const LOCKED = (id: string) => [{ perms: 1, scheme: "digest", id }];

function fresh() {
  return { database: new Database(), txns: new Txns() };
}

/** The rest of the snapshot. */
function finish(snapshotter: TreeSnapshotter, parts: Buffer[] = []): Buffer {
  for (let part = snapshotter.next(100); part !== null; part = snapshotter.next(100)) parts.push(part);
  return Buffer.concat(parts);
}

function load(body: Buffer): { readonly database: Database; readonly loader: TreeLoader } {
  const database = new Database();
  const loader = new TreeLoader(database);
  loader.push(body);
  expect(loader.done).toBe(true);
  return { database, loader };
}

test("a fresh database is a body of sessions, ACLs, four nodes and the end marker", () => {
  const { database, txns } = fresh();
  database.apply(txns.of({ type: OpCode.createSession, timeOut: 4000 }));
  const body = finish(new TreeSnapshotter(database));
  expect(body.subarray(0, 16).toString("hex")).toBe(`00000001${SESSION.toString(16).padStart(16, "0")}00000fa0`);
  expect(body.subarray(16, 32).toString("hex")).toBe("00000001000000000000000100000001");
  const root = body.indexOf(Buffer.from("anyone")) + 6;
  // Path "", empty data, ACL -1, sixty bytes of stat.
  expect(body.subarray(root, root + 16).toString("hex")).toBe("0000000000000000ffffffffffffffff");
  expect(body.subarray(root + 16, root + 76)).toEqual(Buffer.alloc(60));
  expect(body.subarray(-5).toString("hex")).toBe("000000012f");
});

describe("while the tree changes", () => {
  test("nodes created since the start are left out, and what is deleted before its turn, too", () => {
    const { database, txns } = fresh();
    database.apply(txns.create("/a"));
    database.apply(txns.create("/b"));
    const snapshotter = new TreeSnapshotter(database);
    const parts = [snapshotter.next(1)!, snapshotter.next(1)!];
    database.apply(txns.create("/new"));
    database.apply(txns.create("/new/below"));
    database.apply(txns.delete("/a"));
    const { tree } = load(finish(snapshotter, parts)).database;
    expect(tree.childNames(tree.root).sort()).toEqual(["b", "zookeeper"]);
  });

  test("a node has the ACL it had at the start, which the map knows, however often it was replaced", () => {
    const { database, txns } = fresh();
    database.apply(txns.create("/a", "", { acl: LOCKED("one:") }));
    const snapshotter = new TreeSnapshotter(database);
    const parts = [snapshotter.next(1)!];
    database.apply(txns.setAcl("/a", LOCKED("two:"), 1));
    database.apply(txns.setAcl("/a", LOCKED("three:"), 2));
    const { database: loaded, loader } = load(finish(snapshotter, parts));
    expect(loader.missingAcls).toBe(0);
    expect(loaded.tree.acl(loaded.tree.get("/a")!)).toEqual(LOCKED("one:"));
  });

  test("a session that came later is not in it", () => {
    const { database, txns } = fresh();
    const snapshotter = new TreeSnapshotter(database);
    database.apply(txns.of({ type: OpCode.createSession, timeOut: 4000 }));
    expect(load(finish(snapshotter)).database.sessions.size).toBe(0);
    expect(snapshotter.zxid).toBe(0);
  });

  test("two snapshots do not disturb each other", () => {
    const { database, txns } = fresh();
    for (let i = 0; i < 20; i++) database.apply(txns.create(`/n${i}`));
    const first = new TreeSnapshotter(database);
    const firstParts = [first.next(1)!, first.next(3)!];
    database.apply(txns.create("/between"));
    const second = new TreeSnapshotter(database);
    const secondParts = [second.next(1)!, second.next(5)!];
    for (let i = 0; i < 20; i++) database.apply(txns.delete(`/n${i}`));
    const names = [load(finish(first, firstParts)), load(finish(second, secondParts))].map(({ database: loaded }) =>
      loaded.tree.childNames(loaded.tree.root),
    );
    expect(names[0]).not.toContain("between");
    expect(names[1]).toContain("between");
    expect(database.store.cursors).toEqual([]);
  });
});

test("slices end at a mebibyte, also within the budget of nodes", () => {
  const { database, txns } = fresh();
  for (let i = 0; i < 10; i++) database.apply(txns.create(`/n${i}`, "x".repeat(400_000)));
  const snapshotter = new TreeSnapshotter(database);
  const sizes: number[] = [];
  for (let part = snapshotter.next(100); part !== null; part = snapshotter.next(100)) sizes.push(part.length);
  expect(sizes.length).toBeGreaterThanOrEqual(4);
  expect(Math.max(...sizes)).toBeLessThan(1.5 * 1024 * 1024);
});

test("one that was closed, or whose database was cleared, has no next bytes", () => {
  const { database } = fresh();
  const closed = new TreeSnapshotter(database);
  closed.close();
  expect(() => closed.next(1)).toThrow(AssertionFailure);
  const abandoned = new TreeSnapshotter(database);
  database.clear();
  expect(abandoned.abandoned).toBe(true);
  expect(() => abandoned.next(1)).toThrow(AssertionFailure);
  abandoned.close();
  expect(database.store.cursors).toEqual([]);
});
