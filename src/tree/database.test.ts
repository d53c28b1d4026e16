import { describe, expect, test } from "vitest";
import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { OpCode, Perms } from "../protocol/opcodes.ts";
import { OPEN_ACL } from "./acl.ts";
import { Database } from "./database.ts";
import { contentCrc, nodeDigest } from "./digest.ts";
import { createBody, deleteBody, SESSION, setDataBody, Txns } from "./test-txns.ts";

const READ_ONLY = [{ perms: Perms.READ, scheme: "world", id: "anyone" }];

function fresh() {
  const database = new Database({ extendedTypes: true });
  return { database, tree: database.tree, txns: new Txns() };
}

describe("a fresh database", () => {
  test("has the four nodes of a fresh Apache server, and its digest", () => {
    const { database, tree } = fresh();
    expect(tree.childNames(tree.root)).toEqual(["zookeeper"]);
    expect(tree.childNames(tree.get("/zookeeper")!).sort()).toEqual(["config", "quota"]);
    expect(database.nodeCount).toBe(5);
    expect(database.approximateDataSize).toBe(44);
    expect(database.digest).toEqual({ version: 2, hi: 0, lo: 0x51c6d660 });
    expect(tree.aversion(tree.get("/zookeeper/config")!)).toBe(-1);
    expect(tree.acl(tree.get("/zookeeper/config")!)).toEqual(READ_ONLY);
    expect(tree.acl(tree.root)).toEqual(OPEN_ACL);
  });

  test("shows cversions as clients know them: nodes that nobody created count as negative", () => {
    const { tree } = fresh();
    const cversionOf = (path: string): number => {
      const writer = new JuteWriter();
      tree.writeStat(writer, tree.get(path)!);
      return writer.take().readInt32BE(36);
    };
    expect([cversionOf("/"), cversionOf("/zookeeper"), cversionOf("/zookeeper/quota")]).toEqual([-1, -2, 0]);
  });

  test("is what clear leaves", () => {
    const { database, tree, txns } = fresh();
    database.apply(txns.of({ type: OpCode.createSession, timeOut: 5 }));
    database.apply(txns.create("/a", "x".repeat(10_000), { ephemeral: true, acl: READ_ONLY }));
    database.clear();
    expect(tree.get("/a")).toBeUndefined();
    expect(database.nodeCount).toBe(5);
    expect(database.digest!.lo).toBe(0x51c6d660);
    expect(database.ephemeralCount).toBe(0);
    expect(database.sessions.size).toBe(0);
    expect(database.lastProcessedZxid).toBe(0);
    expect(database.acls.size).toBe(1);
    expect(database.apply(txns.create("/a")).err).toBe(ErrorCode.OK);
  });

  test("without digest has none, and agrees with any", () => {
    const database = new Database({ digest: false });
    expect(database.digest).toBeNull();
    expect(database.agreesWith({ version: 2, hi: 1, lo: 1 })).toBe(true);
  });
});

describe("the digest", () => {
  test("is compared in version 2 only", () => {
    const { database } = fresh();
    expect(database.agreesWith(null)).toBe(true);
    expect(database.agreesWith({ version: 2, hi: 0, lo: 0x51c6d660 })).toBe(true);
    expect(database.agreesWith({ version: 2, hi: 0, lo: 0x51c6d661 })).toBe(false);
    expect(database.agreesWith({ version: 1, hi: 0, lo: 0 })).toBe(true);
  });

  test("can be foretold from path, data and stat", () => {
    const { database, tree, txns } = fresh();
    database.apply(txns.create("/é", "data", { ephemeral: true }));
    const node = tree.get("/é")!;
    const content = contentCrc("/é", Buffer.from("data"));
    expect(content).toBe(tree.contentCrc(node));
    expect(nodeDigest(content, tree.stat(node))).toBe(tree.digestOf(node));
    expect(nodeDigest(contentCrc("/", Buffer.alloc(0)), tree.stat(tree.root))).toBe(tree.digestOf(tree.root));
  });

  test("is kept for every 128th zxid", () => {
    const { database, txns } = fresh();
    for (let i = 0; i < 300; i++) database.apply(txns.create(`/n${i}`));
    expect(database.digestHistory().map(({ zxid }) => zxid - 0x100000000)).toEqual([128, 256]);
  });

  test("is not kept while a fuzzy snapshot is caught up with: it is that of no zxid", () => {
    const { database, txns } = fresh();
    database.exact = false;
    for (let i = 0; i < 200; i++) database.apply(txns.create(`/n${i}`));
    database.exact = true;
    for (let i = 200; i < 300; i++) database.apply(txns.create(`/n${i}`));
    expect(database.digestHistory().map(({ zxid }) => zxid - 0x100000000)).toEqual([256]);
  });
});

describe("a txn that replay brings again", () => {
  test("create of a node that is there raises the parent's cversion and pzxid, and sets the ACL", () => {
    const { database, tree, txns } = fresh();
    database.apply(txns.create("/a", "", { parentCVersion: 1 }));
    database.apply(txns.create("/a/b", "first", { parentCVersion: 1 }));
    const again = txns.create("/a/b", "second", { parentCVersion: 5, acl: READ_ONLY });
    expect(database.apply(again).err).toBe(ErrorCode.NODEEXISTS);
    expect(tree.cversion(tree.get("/a")!)).toBe(5);
    expect(tree.pzxid(tree.get("/a")!)).toBe(again.zxid);
    expect(tree.acl(tree.get("/a/b")!)).toEqual(READ_ONLY);
    expect(tree.data(tree.get("/a/b")!)!.toString()).toBe("first");
  });

  test("create with an older cversion than the parent has leaves the parent alone", () => {
    const { database, tree, txns } = fresh();
    const first = txns.create("/a", "", { parentCVersion: 9 });
    database.apply(first);
    database.apply(txns.create("/b", "", { parentCVersion: 3 }));
    expect(tree.cversion(tree.root)).toBe(9);
    expect(tree.pzxid(tree.root)).toBe(first.zxid);
  });

  test("create below a parent that is gone, delete, setData and setACL of a node that is gone: errors as data", () => {
    const { database, txns } = fresh();
    expect(database.apply(txns.create("/x/y")).err).toBe(ErrorCode.NONODE);
    expect(database.apply(txns.delete("/x/y")).err).toBe(ErrorCode.NONODE);
    expect(database.apply(txns.setData("/x", "", 1)).err).toBe(ErrorCode.NONODE);
    expect(database.apply(txns.setAcl("/x", READ_ONLY, 1)).err).toBe(ErrorCode.NONODE);
    expect(database.lastProcessedZxid).toBe(txns.zxid);
  });

  test("delete of a node that is gone still raises its parent's pzxid", () => {
    const { database, tree, txns } = fresh();
    const txn = txns.delete("/gone");
    database.apply(txn);
    expect(tree.pzxid(tree.root)).toBe(txn.zxid);
  });

  test("delete of a node with children: the snapshot caught a later node of that name, so they go with it", () => {
    const { database, tree, txns } = fresh();
    for (const path of ["/a", "/a/b", "/a/b/c", "/a/d"]) database.apply(txns.create(path, "x", { ephemeral: true }));
    expect(database.apply(txns.delete("/a")).err).toBe(ErrorCode.OK);
    expect([database.nodeCount, database.ephemeralCount]).toEqual([5, 0]);
    database.apply(txns.create("/a"));
    expect(tree.numChildren(tree.get("/a")!)).toBe(0);
    expect(tree.get("/a/b")).toBeUndefined();
  });

  test("an older zxid does not take lastProcessedZxid back", () => {
    const { database, txns } = fresh();
    const [older, newer] = [txns.create("/a"), txns.create("/b")];
    database.apply(newer);
    database.apply(older);
    expect(database.lastProcessedZxid).toBe(newer.zxid);
  });
});

describe("txns that no leader should write", () => {
  test.each(["", "a", "/", "/zookeeper/", "//", "\0"])("create and delete of %j are errors, not crashes", (path) => {
    const { database, txns } = fresh();
    expect(database.apply(txns.create(path)).err).not.toBe(ErrorCode.OK);
    expect(database.apply(txns.delete(path)).err).not.toBe(ErrorCode.OK);
    expect(database.nodeCount).toBe(5);
  });

  test("a TTL out of range, which stops an Apache server for good", () => {
    const { database, txns } = fresh();
    const { ephemeral: _, type: __, ...fields } = createBody("/t");
    for (const ttl of [-1, 0, 2 ** 40]) {
      const result = database.apply(txns.of({ type: OpCode.createTTL, ...fields, ttl }));
      expect(result.err).toBe(ErrorCode.BADARGUMENTS);
    }
    expect(database.nodeCount).toBe(5);
  });
});

describe("sessions", () => {
  test("come and go with their txns, with their ephemerals, listed or not", () => {
    const { database, tree, txns } = fresh();
    database.apply(txns.of({ type: OpCode.createSession, timeOut: 4000 }));
    expect(database.sessions.get(SESSION)).toBe(4000);
    for (const path of ["/a", "/b", "/c"]) database.apply(txns.create(path, "", { ephemeral: true }));
    database.apply(txns.create("/stays"));
    expect(database.ephemeralsOf(SESSION).sort()).toEqual(["/a", "/b", "/c"]);
    expect([...database.ephemeralOwners()]).toEqual([SESSION]);
    const close = txns.closeSession(["/a", "/gone"]);
    database.apply(close);
    expect(tree.childNames(tree.root).sort()).toEqual(["stays", "zookeeper"]);
    expect(tree.pzxid(tree.root)).toBe(close.zxid);
    expect(database.sessions.size).toBe(0);
    expect(database.ephemeralCount).toBe(0);
    expect([...database.ephemeralOwners()]).toEqual([]);
  });

  test("own only their own ephemerals, also when ids are negative as 64 bits", () => {
    const { database, txns } = fresh();
    const others = new Txns(-3n as SessionId);
    database.apply(txns.create("/mine", "", { ephemeral: true }));
    database.apply(others.create("/theirs", "", { ephemeral: true }));
    database.apply(others.closeSession(null));
    expect(database.ephemeralsOf(SESSION)).toEqual(["/mine"]);
    expect(database.ephemeralsOf(others.session)).toEqual([]);
  });
});

describe("a multi", () => {
  test("has one result per sub-txn, with the stat as it was in between", () => {
    const { database, txns } = fresh();
    const txn = txns.multi(
      createBody("/a", "1"),
      setDataBody("/a", "22", 1),
      { type: OpCode.check, path: "/a", version: 1 },
      deleteBody("/a"),
    );
    const result = database.apply(txn);
    expect(result.results!.map(({ type, err, path }) => [type, err, path])).toEqual([
      [OpCode.create2, 0, "/a"],
      [OpCode.setData, 0, "/a"],
      [OpCode.check, 0, "/a"],
      [OpCode.delete, 0, "/a"],
    ]);
    const lengths = result.results!.slice(0, 2).map((sub) => {
      const writer = new JuteWriter();
      sub.writeStat(writer);
      return writer.take().readInt32BE(52);
    });
    expect(lengths).toEqual([1, 2]);
  });

  test("that failed changes nothing: zeros before the culprit, its error, RUNTIMEINCONSISTENCY after it", () => {
    const { database, txns } = fresh();
    const result = database.apply(
      txns.multi(createBody("/a"), { type: OpCode.error, err: ErrorCode.NONODE }, createBody("/b")),
    );
    expect(result.err).toBe(ErrorCode.OK);
    expect(result.results!.map(({ type, err }) => [type, err])).toEqual([
      [OpCode.error, 0],
      [OpCode.error, ErrorCode.NONODE],
      [OpCode.error, ErrorCode.RUNTIMEINCONSISTENCY],
    ]);
    expect(database.nodeCount).toBe(5);
  });

  test("may be empty", () => {
    const { database, txns } = fresh();
    expect(database.apply(txns.multi()).results).toEqual([]);
  });
});

describe("containers and TTL nodes", () => {
  test("are listed for the one who removes them, and show no owner to clients", () => {
    const { database, tree, txns } = fresh();
    const { ephemeral: _, type: __, ...fields } = createBody("/c");
    database.apply(txns.of({ type: OpCode.createContainer, ...fields }));
    database.apply(txns.of({ type: OpCode.createTTL, ...fields, path: "/t", ttl: 2 ** 40 - 1 }));
    const found: string[] = [];
    database.forEachContainer((node) => found.push(tree.path(node)));
    database.forEachTtl((node, ttlMs) => found.push(`${tree.path(node)} ${ttlMs}`));
    expect(found).toEqual(["/c", "/t 1099511627775"]);
    expect([tree.ephemeralKind(tree.get("/c")!), tree.ephemeralKind(tree.get("/t")!)]).toEqual(["container", "ttl"]);
    for (const path of ["/c", "/t"]) {
      const writer = new JuteWriter();
      tree.writeStat(writer, tree.get(path)!);
      expect(writer.take().readBigInt64BE(44)).toBe(0n);
    }
    database.apply(txns.of({ type: OpCode.deleteContainer, path: "/c" }));
    database.apply(txns.of({ type: OpCode.deleteContainer, path: "/t" }));
    database.forEachContainer(() => found.push("left"));
    database.forEachTtl(() => found.push("left"));
    expect(found).toHaveLength(2);
  });

  test("without extended types a TTL owner is a session like any other", () => {
    const database = new Database();
    const { ephemeral: _, type: __, ...fields } = createBody("/t");
    database.apply(new Txns().of({ type: OpCode.createTTL, ...fields, ttl: 7 }));
    expect(database.tree.ephemeralKind(database.tree.get("/t")!)).toBe("ephemeral");
    expect(database.ephemeralCount).toBe(1);
  });
});

test("the configuration of an ensemble is /zookeeper/config, outside the digest", () => {
  const { database, tree } = fresh();
  database.setConfigText("server.1=a:1:2\nversion=0", 0x2a as Zxid, 77);
  const node = tree.get("/zookeeper/config")!;
  expect(tree.data(node)!.toString()).toBe("server.1=a:1:2\nversion=0");
  expect([tree.version(node), tree.mzxid(node), tree.mtime(node), tree.czxid(node)]).toEqual([-1, 0x2a, 77, 0]);
  expect(database.digest!.lo).toBe(0x51c6d660);
});

test("permissions are asked by node", () => {
  const { database, tree, txns } = fresh();
  database.apply(txns.create("/a", "", { acl: READ_ONLY }));
  const node = tree.get("/a")!;
  expect(database.allows(node, Perms.READ, [])).toBe(true);
  expect(database.allows(node, Perms.WRITE, [])).toBe(false);
  expect(database.allows(tree.root, Perms.WRITE, [])).toBe(true);
});
