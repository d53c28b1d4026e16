import { describe, expect, test } from "vitest";
import { JuteReader } from "../protocol/jute-reader.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { Database } from "./database.ts";
import { contentCrc } from "./digest.ts";
import { Txns } from "./test-txns.ts";

function fresh() {
  const database = new Database();
  return { database, tree: database.tree, txns: new Txns() };
}

describe("a path is looked up", () => {
  test("as text or as bytes inside a request", () => {
    const { database, tree, txns } = fresh();
    database.apply(txns.create("/a"));
    database.apply(txns.create("/a/日本"));
    const request = Buffer.from("xx/a/日本yy");
    expect(tree.getByBytes(request, 2, request.length - 2)).toBe(tree.get("/a/日本"));
    expect(tree.path(tree.get("/a/日本")!)).toBe("/a/日本");
    expect(tree.name(tree.get("/a/日本")!)).toBe("日本");
    expect(tree.parent(tree.get("/a/日本")!)).toBe(tree.get("/a"));
  });

  test("the root as / and as nothing; it has no parent", () => {
    const { tree } = fresh();
    expect([tree.get("/"), tree.get("")]).toEqual([tree.root, tree.root]);
    expect(tree.path(tree.root)).toBe("/");
    expect(tree.name(tree.root)).toBe("");
    expect(tree.parent(tree.root)).toBeUndefined();
  });

  test.each(["/a/", "//a", "a", "/a/b", "/ab", "/A", "/a\0", "\ud800"])("not as %j", (path) => {
    const { database, tree, txns } = fresh();
    database.apply(txns.create("/a"));
    expect(tree.get(path)).toBeUndefined();
  });

  test("byte by byte: the same CRC is not the same path", () => {
    const [first, second] = ["/plumless", "/buckeroo"];
    expect(contentCrc(first, null)).toBe(contentCrc(second, null));
    const { database, tree, txns } = fresh();
    database.apply(txns.create(first));
    expect(tree.get(second)).toBeUndefined();
    database.apply(txns.create(second, "other"));
    expect(tree.data(tree.get(second)!)!.toString()).toBe("other");
    database.apply(txns.delete(first));
    expect([tree.get(first), tree.get(second) === undefined]).toEqual([undefined, false]);
  });
});

test("many children come and go, and every one is found", () => {
  const { database, tree, txns } = fresh();
  database.apply(txns.create("/d"));
  const names = Array.from({ length: 20_000 }, (_, i) => `child-${i}`);
  for (const name of names) database.apply(txns.create(`/d/${name}`, name));
  expect(tree.numChildren(tree.get("/d")!)).toBe(20_000);
  for (const name of names.filter((_, i) => i % 3 !== 0)) database.apply(txns.delete(`/d/${name}`));
  const left = names.filter((_, i) => i % 3 === 0);
  expect(tree.childNames(tree.get("/d")!).sort()).toEqual(left.sort());
  expect(left.filter((name) => tree.data(tree.get(`/d/${name}`)!)!.toString() !== name)).toEqual([]);
  expect(tree.get("/d/child-1")).toBeUndefined();
});

test("deep paths work, a thousand levels and long names", () => {
  const { database, tree, txns } = fresh();
  let path = "";
  for (let depth = 0; depth < 1000; depth++) {
    path += `/level-${depth}`;
    database.apply(txns.create(path));
  }
  expect(tree.path(tree.get(path)!)).toBe(path);
  expect(tree.descendantCount(tree.get("/level-0")!)).toBe(999);
  const long = `/${"n".repeat(20_000)}`;
  database.apply(txns.create(long));
  expect(tree.path(tree.get(long)!)).toBe(long);
});

describe("what a client reads", () => {
  test("data: null is not empty", () => {
    const { database, tree, txns } = fresh();
    database.apply(txns.create("/null", null));
    database.apply(txns.create("/empty", ""));
    const read = (path: string): Buffer | null => {
      const writer = new JuteWriter();
      tree.writeData(writer, tree.get(path)!);
      return new JuteReader(writer.take()).buffer();
    };
    expect([read("/null"), read("/empty")]).toEqual([null, Buffer.alloc(0)]);
    database.apply(txns.setData("/null", "now", 1));
    expect(read("/null")!.toString()).toBe("now");
    expect([tree.dataLength(tree.get("/null")!), tree.dataLength(tree.get("/empty")!)]).toEqual([3, 0]);
  });

  test("data of every size, grown and shrunk in turn", () => {
    const { database, tree, txns } = fresh();
    database.apply(txns.create("/a", ""));
    for (const [i, size] of [0, 10, 9000, 20_000, 100, 1_000_000, 5, 8190, 8200].entries()) {
      const text = String.fromCharCode(97 + i).repeat(size);
      database.apply(txns.setData("/a", text, i + 1));
      expect(tree.data(tree.get("/a")!)!.toString()).toBe(text);
      expect(tree.name(tree.get("/a")!)).toBe("a");
    }
  });

  test("children as a vector of names", () => {
    const { database, tree, txns } = fresh();
    for (const path of ["/a", "/a/x", "/a/é"]) database.apply(txns.create(path));
    const writer = new JuteWriter();
    tree.writeChildren(writer, tree.get("/a")!);
    const reader = new JuteReader(writer.take());
    const names = Array.from({ length: reader.vectorCount() }, () => reader.ustring());
    expect(names.sort()).toEqual(["x", "é"]);
  });
});

test("memory of deleted nodes is used again", () => {
  const { database, txns } = fresh();
  const round = (): number => {
    for (let i = 0; i < 2000; i++) database.apply(txns.create(`/n${i}`, "x".repeat(i % 300)));
    const reserved = database.store.arena.reservedBytes;
    for (let i = 0; i < 2000; i++) database.apply(txns.delete(`/n${i}`));
    return reserved;
  };
  const first = round();
  for (let i = 0; i < 5; i++) expect(round()).toBeLessThanOrEqual(first);
});

test("a hundred thousand znodes of 100 bytes cost less than 300 bytes each", () => {
  const { database, txns } = fresh();
  const before = process.memoryUsage().arrayBuffers;
  const data = "x".repeat(100);
  for (let i = 0; i < 100_000; i++) database.apply(txns.create(`/node-${i}`, data));
  const grown = process.memoryUsage().arrayBuffers - before;
  // The index's tables that it outgrew may not be collected yet, nor the txns' own data.
  const uncollected = 100_000 * 100 + 2 ** 22;
  expect(grown).toBeLessThan(100_000 * 300 + uncollected);
  expect(database.approximateDataSize).toBeGreaterThan(100_000 * 100);
});
