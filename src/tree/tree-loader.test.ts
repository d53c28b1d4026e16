import { describe, expect, test } from "vitest";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { OPEN_ACL } from "./acl.ts";
import { Database } from "./database.ts";
import { TreeLoadError, TreeLoader } from "./tree-loader.ts";

interface NodeOptions {
  readonly data?: string | null;
  readonly acl?: number;
  readonly czxid?: bigint;
  readonly owner?: bigint;
}

/** Writes bodies as no server of ours would. */
class Body {
  readonly writer = new JuteWriter();

  constructor() {
    this.writer.int(0);
    this.writer.int(0);
  }

  node(path: string, options: NodeOptions = {}): this {
    const { data = "", acl = -1, czxid = 1n, owner = 0n } = options;
    this.writer.ustring(path);
    this.writer.buffer(data === null ? null : Buffer.from(data));
    this.writer.long(acl);
    this.writer.int64(czxid);
    for (let i = 0; i < 3; i++) this.writer.long(0);
    for (let i = 0; i < 3; i++) this.writer.int(0);
    this.writer.int64(owner);
    this.writer.long(0);
    return this;
  }

  end(): Buffer {
    this.writer.ustring("/");
    return this.writer.take();
  }
}

function load(bytes: Buffer, maxFieldBytes?: number) {
  const database = new Database();
  const loader = new TreeLoader(database, maxFieldBytes);
  loader.push(bytes);
  return { database, tree: database.tree, loader };
}

function failureOf(action: () => unknown): TreeLoadError {
  try {
    action();
  } catch (error) {
    if (error instanceof TreeLoadError) return error;
    throw error;
  }
  throw new Error("It was loaded.");
}

describe("a body that is wrong is refused with its place", () => {
  test("a node without its parent", () => {
    const error = failureOf(() => load(new Body().node("").node("/a/b").end()));
    expect(error.code).toBe("MISSING_PARENT");
    expect(error.data).toEqual({ path: "/a/b", offset: 8 + 76 });
  });

  test("a node twice", () => {
    expect(failureOf(() => load(new Body().node("").node("/a").node("/a").end())).data).toMatchObject({ path: "/a" });
    expect(failureOf(() => load(new Body().node("").node("").end())).code).toBe("DUPLICATE_NODE");
  });

  test.each(["a", "/a/", "//"])("the path %j", (path) => {
    expect(failureOf(() => load(new Body().node("").node("/a").node(path).end())).code).toBe("BAD_PATH");
  });

  test("lengths and counts that cannot be", () => {
    const counts = Buffer.alloc(8);
    counts.writeInt32BE(-5, 0);
    expect(failureOf(() => load(counts)).data).toEqual({ offset: 0, length: -5 });
    const path = Buffer.concat([Buffer.alloc(8), Buffer.from("fffffff0", "hex")]);
    expect(failureOf(() => load(path)).data).toEqual({ offset: 8, length: -16 });
    const acls = Buffer.from(`0000000000000001${"0000000000000001"}7fffffff`, "hex");
    expect(failureOf(() => load(acls)).code).toBe("BAD_LENGTH");
    const data = Buffer.concat([Buffer.alloc(8), Buffer.from("000000022f617fffffff", "hex")]);
    expect(failureOf(() => load(data)).data).toEqual({ path: "/a", offset: 8, length: 0x7fffffff });
    const body = new Body()
      .node("")
      .node("/a", { data: "x".repeat(101) })
      .end();
    expect(failureOf(() => load(body, 100)).code).toBe("BAD_LENGTH");
  });

  test("a zxid that no epoch reaches", () => {
    const error = failureOf(() =>
      load(
        new Body()
          .node("")
          .node("/a", { czxid: 2n ** 60n })
          .end(),
      ),
    );
    expect(error.code).toBe("OUT_OF_RANGE");
    expect(error.data).toMatchObject({ path: "/a" });
  });
});

describe("what other servers may have written", () => {
  test("nodes that name an ACL which the map lacks are locked until replay sets it", () => {
    const { loader, tree } = load(new Body().node("").node("/a", { acl: 7 }).node("/b", { acl: 7 }).end());
    expect(loader.missingAcls).toBe(1);
    expect(tree.acl(tree.get("/a")!)).toEqual([{ perms: 0, scheme: "world", id: "anyone" }]);
  });

  test("the nodes that every tree has are planted if they lack", () => {
    const { tree, database } = load(new Body().node("").node("/a").end());
    expect(tree.childNames(tree.root).sort()).toEqual(["a", "zookeeper"]);
    expect(tree.get("/zookeeper/config")).toBeDefined();
    expect(database.nodeCount).toBe(6);
  });

  test("owners are known again, and null is not empty", () => {
    const body = new Body().node("", { data: null }).node("/e", { owner: -9n, data: null }).end();
    const { database, tree } = load(body);
    expect([...database.ephemeralOwners()]).toEqual([-9n]);
    expect(tree.data(tree.get("/e")!)).toBeNull();
    expect(tree.data(tree.root)).toBeNull();
    expect(tree.acl(tree.root)).toEqual(OPEN_ACL);
  });

  test("a path that is not well-formed text becomes one that is", () => {
    const bytes = new Body().node("").node("/aXb").end();
    bytes[bytes.indexOf("X")] = 0xff;
    const { tree } = load(bytes);
    expect(tree.get("/a\ufffdb")).toBeDefined();
  });

  test("ACLs that no node has are not kept", () => {
    const writer = new JuteWriter();
    writer.int(0);
    writer.int(2);
    for (const key of [3, 3]) {
      writer.long(key);
      writer.int(1);
      writer.int(1);
      writer.ustring("digest");
      writer.ustring("ann:x");
    }
    const nodes = new Body().node("").end().subarray(8);
    const { database } = load(Buffer.concat([writer.take(), nodes]));
    // The one of /zookeeper/config.
    expect(database.acls.size).toBe(1);
  });
});

test("a large node in a thousand chunks is put together once", () => {
  const body = new Body()
    .node("")
    .node("/a", { data: "x".repeat(1_000_000) })
    .end();
  const database = new Database();
  const loader = new TreeLoader(database);
  for (let at = 0; at < body.length; at += 1000) loader.push(body.subarray(at, at + 1000));
  expect(loader.done).toBe(true);
  expect(loader.rest()).toHaveLength(0);
  expect(database.tree.dataLength(database.tree.get("/a")!)).toBe(1_000_000);
});

test("a body comes out the same wherever it is cut, and however many nodes its length promises", () => {
  const body = new Body().node("").node("/ä");
  for (let i = 0; i < 600; i++) body.node(`/ä/${i}`, { data: i % 7 === 0 ? null : "d".repeat((i * 37) % 400) });
  const bytes = body.end();
  const behind = Buffer.from("what follows");
  const wanted = load(bytes).database;
  const all = Buffer.concat([bytes, behind]);
  for (const [size, promised] of [
    [all.length, bytes.length],
    [1, 0],
    [13, 50 * bytes.length],
    [1024, 300],
    [5000, bytes.length],
    [20_011, 1],
  ] as const) {
    const database = new Database();
    const loader = new TreeLoader(database, undefined, promised);
    let at = 0;
    for (; !loader.done; at += size) loader.push(all.subarray(at, at + size));
    const cut = `${size} bytes at a time, ${promised} promised`;
    expect(loader.bodyBytes, cut).toBe(bytes.length);
    expect(Buffer.concat([loader.rest(), all.subarray(at)]), cut).toEqual(behind);
    expect(database.digest, cut).toEqual(wanted.digest);
    expect(database.nodeCount, cut).toBe(wanted.nodeCount);
    for (let i = 0; i < 600; i++) {
      const node = database.tree.get(`/ä/${i}`);
      expect(node === undefined ? undefined : database.tree.data(node)?.length, cut).toBe(
        i % 7 === 0 ? undefined : (i * 37) % 400,
      );
      expect(node, cut).toBeDefined();
    }
  }
});
