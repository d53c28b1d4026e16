/**
 * Starts from files that Apache ZooKeeper 3.8.0 wrote (apache-3.8.0/, its logs cut down to 64 bytes of their padding): sessions, ACLs,
 * ephemerals, containers, TTLs, multis that succeed and fail, deletes. 15 nodes, one of them ephemeral, by its own count, and
 * its digest after every txn, which recovery compares.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FakeDisk } from "../simulator/fake-disk.ts";
import { StorageHarness, seeded } from "../simulator/storage-harness.ts";

const FILES = join(import.meta.dirname, "apache-3.8.0");
const LAST_ZXID = 0x18;
const CONFIG = { epochFiles: false };

function apacheDisk(): FakeDisk {
  const disk = new FakeDisk({ random: seeded(1) });
  for (const name of readdirSync(FILES)) {
    disk.put(name.startsWith("log.") ? "log" : "snap", name, readFileSync(join(FILES, name)));
  }
  return disk;
}

const text = (server: StorageHarness, path: string) => {
  const { tree } = server.database;
  const node = tree.get(path);
  return node === undefined ? null : tree.data(node)?.toString();
};

test("snapshot and log give the tree that Apache ZooKeeper had", () => {
  const server = StorageHarness.started(apacheDisk(), CONFIG);
  expect(server.lastZxid).toBe(LAST_ZXID);
  expect(server.told).toEqual(["REPLAYED"]);
  expect(server.replayed).toHaveLength(9);
  expect(server.database.nodeCount).toBe(15);
  // Without extendedTypesEnabled the owner of the TTL node reads as a session, as in Apache ZooKeeper.
  expect(server.database.ephemeralCount).toBe(2);
  expect(text(server, "/a")).toBe("three");
  expect(text(server, "/ünï")).toBe("dätä");
  expect(text(server, "/cont/child")).toBe("x");
  expect([text(server, "/tx"), text(server, "/ty"), text(server, "/e"), text(server, "/a/s-0000000000")]).toEqual([
    null,
    null,
    null,
    null,
  ]);
});

test("so do all its logs from the first snapshot on", () => {
  const disk = apacheDisk();
  const whole = StorageHarness.started(disk.clone(), CONFIG);
  disk.remove("snap", "snapshot.f");
  const server = StorageHarness.started(disk, CONFIG);
  expect(server.told).toEqual(["REPLAYED"]);
  expect(server.replayed).toHaveLength(LAST_ZXID);
  expect(server.treeState).toBe(whole.treeState);
});

test("and the snapshot that is taken from it is read back the same", () => {
  const server = StorageHarness.started(apacheDisk(), CONFIG);
  server.takeSnapshot();
  const again = server.restarted(CONFIG);
  expect(again.replayed).toEqual([]);
  expect(again.treeState).toBe(server.treeState);
});
