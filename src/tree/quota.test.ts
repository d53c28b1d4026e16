import { describe, expect, test } from "vitest";
import { Database } from "./database.ts";
import { formatUsage, parseStats } from "./quota.ts";
import { TreeLoader, TreeSnapshotter } from "./snapshot-source.ts";
import { createBody, SESSION, Txns } from "./test-txns.ts";

const QUOTA = "/zookeeper/quota";

/** /a with 5 bytes and /a/b with 3, then a quota on /a, as the shell's setquota makes it. */
function withQuota(limits: string) {
  const database = new Database();
  const txns = new Txns();
  database.apply(txns.create("/a", "12345"));
  database.apply(txns.create("/a/b", "123"));
  database.apply(txns.create(`${QUOTA}/a`));
  database.apply(txns.create(`${QUOTA}/a/zookeeper_limits`, limits));
  database.apply(txns.create(`${QUOTA}/a/zookeeper_stats`, formatUsage(0, 0)));
  return { database, txns, usage: () => usageOf(database) };
}

function usageOf(database: Database): string {
  const { tree } = database;
  return tree.data(tree.get(`${QUOTA}/a/zookeeper_stats`)!)!.toString();
}

describe("usage", () => {
  test("is counted when the stats node is created, the node itself included", () => {
    expect(withQuota("count=9,bytes=9").usage()).toBe("count=2,bytes=8");
  });

  test("follows creates, deletes and changes below, in the same txn, without a version of its own", () => {
    const { database, txns, usage } = withQuota("count=9,bytes=9");
    database.apply(txns.create("/a/c", "1234"));
    expect(usage()).toBe("count=3,bytes=12");
    database.apply(txns.setData("/a/c", "1", 1));
    expect(usage()).toBe("count=3,bytes=9");
    database.apply(txns.delete("/a/b"));
    expect(usage()).toBe("count=2,bytes=6");
    database.apply(txns.setData("/a", null, 1));
    expect(usage()).toBe("count=2,bytes=1");
    const node = database.tree.get(`${QUOTA}/a/zookeeper_stats`)!;
    expect(database.tree.version(node)).toBe(0);
  });

  test("is that of the longest path with a quota only", () => {
    const { database, txns, usage } = withQuota("count=9,bytes=9");
    database.apply(txns.create(`${QUOTA}/a/b`));
    database.apply(txns.create(`${QUOTA}/a/b/zookeeper_limits`, "count=9,bytes=9"));
    database.apply(txns.create(`${QUOTA}/a/b/zookeeper_stats`, ""));
    database.apply(txns.create("/a/b/c", "1"));
    expect(usage()).toBe("count=2,bytes=8");
    const stats = database.tree.get(`${QUOTA}/a/b/zookeeper_stats`)!;
    expect(database.tree.data(stats)!.toString()).toBe("count=2,bytes=4");
  });

  test("ignores paths that only look alike, and stops when the limits are gone", () => {
    const { database, txns, usage } = withQuota("count=9,bytes=9");
    database.apply(txns.create("/ab", "1"));
    database.apply(txns.delete(`${QUOTA}/a/zookeeper_limits`));
    database.apply(txns.create("/a/c", "1"));
    expect(usage()).toBe("count=2,bytes=8");
  });

  test("is right after a closed session and within a multi", () => {
    const { database, txns, usage } = withQuota("count=9,bytes=9");
    database.apply(txns.multi(createBody("/a/e", "12", { ephemeral: true }), createBody("/a/f", "1")));
    expect(usage()).toBe("count=4,bytes=11");
    database.apply(txns.closeSession(database.ephemeralsOf(SESSION)));
    expect(usage()).toBe("count=3,bytes=9");
  });

  test("is counted anew when a snapshot is loaded", () => {
    const { database, txns } = withQuota("count=9,bytes=9");
    database.apply(txns.setData(`${QUOTA}/a/zookeeper_stats`, "count=77,bytes=77", 1));
    const loaded = new Database();
    const loader = new TreeLoader(loaded);
    const snapshotter = new TreeSnapshotter(database);
    for (let part = snapshotter.next(9); part !== null; part = snapshotter.next(9)) loader.push(part);
    expect(usageOf(loaded)).toBe("count=2,bytes=8");
  });
});

describe("hard limits", () => {
  const HARD = "count=1,bytes=1=;byteHardLimit=10;countHardLimit=3";

  test("refuse what goes beyond, of the same prefix", () => {
    const { database } = withQuota(HARD);
    expect(database.exceedsQuota("/a/c", 0, 1)).toBe(false);
    expect(database.exceedsQuota("/a/c", 2, 1)).toBe(false);
    expect(database.exceedsQuota("/a/c", 3, 1)).toBe(true);
    expect(database.exceedsQuota("/a/c", 0, 2)).toBe(true);
    expect(database.exceedsQuota("/a/b", -3, 0)).toBe(false);
    expect(database.exceedsQuota("/elsewhere", 999, 999)).toBe(false);
  });

  test("are not what soft limits are", () => {
    expect(withQuota("count=1,bytes=1").database.exceedsQuota("/a/c", 99, 99)).toBe(false);
  });
});

test("limits read as Apache writes them, and unreadable ones are none", () => {
  expect(parseStats("count=3,bytes=-1=;byteHardLimit=10;countHardLimit=5")).toEqual({
    count: 3,
    bytes: -1,
    byteHardLimit: 10,
    countHardLimit: 5,
  });
  expect(parseStats("count=,bytes=x")).toEqual({ count: -1, bytes: -1, byteHardLimit: -1, countHardLimit: -1 });
  expect(parseStats("")).toEqual({ count: -1, bytes: -1, byteHardLimit: -1, countHardLimit: -1 });
});

test("limits on the quota root itself, which stop an Apache server, mean nothing", () => {
  const database = new Database();
  const txns = new Txns();
  database.apply(txns.create(`${QUOTA}/zookeeper_limits`, "count=1,bytes=1=;byteHardLimit=0;countHardLimit=0"));
  database.apply(txns.create(`${QUOTA}/zookeeper_stats`, "count=0,bytes=0"));
  expect(database.exceedsQuota("/a", 9, 9)).toBe(false);
});
