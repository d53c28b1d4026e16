import { describe, expect, test } from "vitest";
import { StorageHarness } from "../../model-tests/simulator/storage-harness.ts";
import { type Epoch, makeZxid, type Zxid } from "../../spec/vocabulary.ts";
import { type LogFile, logsFrom, logsOf, type SnapshotFile, snapshotsOf } from "./file-names.ts";
import { planPurge } from "./purge-plan.ts";
import type { LogReadingEnd } from "./storage-facts.ts";

const files = (...names: string[]) => names.map((name) => ({ name, size: 100 }));
const snapshots = (...zxids: string[]): SnapshotFile[] =>
  snapshotsOf(files(...zxids.map((zxid) => `snapshot.${zxid}`)));
const logs = (...zxids: string[]): LogFile[] => logsOf(files(...zxids.map((zxid) => `log.${zxid}`)));

describe("file names", () => {
  test("sort by the zxid in them, not as text", () => {
    expect(logsOf(files("log.100000001", "log.9", "log.10", "log.2")).map((log) => log.name)).toEqual([
      "log.2",
      "log.9",
      "log.10",
      "log.100000001",
    ]);
    expect(snapshots("9", "a", "10").map((file) => file.zxid)).toEqual([16, 10, 9]);
  });

  test("that are none of ours are passed over", () => {
    const strange = files(
      "log",
      "log.",
      "log.x",
      "log.1.bak",
      "log.-1",
      "snapshot.ffffffffffffffff",
      "snapshot-5.tmp",
      "myid",
    );
    expect(logsOf(strange)).toEqual([]);
    expect(snapshotsOf([...strange, ...files("snapshot.1.zip", "snapshot.1.tmp", "snapshot.")])).toEqual([]);
  });

  test("tell the compression", () => {
    expect(
      snapshotsOf(files("snapshot.3.gz", "snapshot.2.snappy", "snapshot.1")).map((file) => file.compression),
    ).toEqual(["gzip", "snappy", "none"]);
  });

  test("lead to the logs that may hold a zxid", () => {
    const all = logs("5", "a", "f");
    expect(logsFrom(all, 0xa as never).map((log) => log.name)).toEqual(["log.a", "log.f"]);
    expect(logsFrom(all, 0xe as never).map((log) => log.name)).toEqual(["log.a", "log.f"]);
    expect(logsFrom(all, 1 as never)).toEqual(all);
    expect(logsFrom([], 1 as never)).toEqual([]);
  });
});

describe("the plan of a purge", () => {
  test("keeps the newest snapshots and the log that goes on behind the oldest of them", () => {
    const all = snapshots("0", "5", "a", "f", "14");
    expect(planPurge(all, all.slice(0, 3), logs("1", "6", "b", "10", "15"), 3)).toEqual({
      snapshots: ["snapshot.5", "snapshot.0"],
      // log.6 may hold txns after 0xa: a log goes on while a snapshot is written.
      logs: ["log.1"],
    });
  });

  test("keeps everything while there are too few valid snapshots", () => {
    const all = snapshots("0", "5", "a");
    expect(planPurge(all, all.slice(0, 2), logs("1", "6"), 3)).toEqual({ snapshots: [], logs: [] });
    expect(planPurge(all, [], [], 3)).toEqual({ snapshots: [], logs: [] });
  });

  test("keeps later logs when none begins before the oldest kept snapshot", () => {
    const all = snapshots("64", "c8", "12c", "1");
    expect(planPurge(all, all.slice(0, 3), logs("65", "c9"), 3)).toEqual({ snapshots: ["snapshot.1"], logs: [] });
  });
});

describe("a purge", () => {
  function aged(): StorageHarness {
    const server = StorageHarness.fresh();
    for (let round = 0; round < 6; round++) {
      server.logDurably(round * 10 + 1, round * 10 + 10);
      server.takeSnapshot();
    }
    server.logDurably(61, 63);
    return server;
  }

  test("removes what no recovery needs", () => {
    const server = aged();
    server.storage.purge();
    server.settle();
    expect(server.names("snap").filter((name) => name.startsWith("snapshot"))).toEqual([
      "snapshot.28",
      "snapshot.32",
      "snapshot.3c",
    ]);
    expect(server.names("log")).toEqual(["log.1f", "log.29", "log.33", "log.3d"]);
    const again = server.restarted();
    expect(again.treeState).toBe(server.treeState);
    // Even if the two newest are lost.
    server.disk.remove("snap", "snapshot.3c");
    server.disk.remove("snap", "snapshot.32");
    expect(again.restarted().treeState).toBe(server.treeState);
  });

  test("counts only valid snapshots", () => {
    const server = aged();
    server.disk.put("snap", "snapshot.3c", Buffer.alloc(400));
    server.storage.purge();
    server.settle();
    expect(server.names("snap").filter((name) => name.startsWith("snapshot"))).toEqual([
      "snapshot.1e",
      "snapshot.28",
      "snapshot.32",
      "snapshot.3c",
    ]);
  });

  test("that fails is reported; it loses nothing", () => {
    const server = aged();
    server.disk.fault = (effect) => (effect.type === "disk.remove" ? { code: "EACCES" } : null);
    server.storage.purge();
    server.settle();
    expect(server.failure).toBeUndefined();
    expect(server.told).toContain("EACCES");
    server.disk.fault = null;
    server.storage.purge();
    server.settle();
    expect(server.names("log")).toHaveLength(4);
  });

  // The snapshot that a leader sent is all that tells of the txns which are missing in the log before it.
  test("that dies at any moment leaves no log with a hole that nothing marks", () => {
    for (let steps = 0; ; steps++) {
      const server = StorageHarness.fresh();
      server.logDurably(1, 10);
      server.database.lastProcessedZxid = makeZxid(1, 9);
      server.storage.snapshot("sync");
      for (const kind of ["acceptedEpoch", "currentEpoch"] as const) server.storage.writeEpoch(kind, 2 as Epoch);
      server.settle();
      for (let round = 0; round < 3; round++) {
        server.logDurably(makeZxid(2, round * 10 + 1), makeZxid(2, round * 10 + 10));
        server.takeSnapshot();
      }
      server.storage.purge();
      let taken = 0;
      while (taken < steps && server.disk.step()) taken++;
      const again = server.restarted();
      expect(again.treeState).toBe(server.treeState);
      const zxids: number[] = [];
      let end: LogReadingEnd | null = null;
      const visitor = {
        entry: (zxid: number) => zxids.push(zxid) > 0,
        end: (outcome: LogReadingEnd) => {
          end = outcome;
        },
      };
      again.storage.readLog(5 as Zxid, makeZxid(2, 3), visitor, 0);
      again.settle();
      expect([steps, zxids.filter((zxid) => zxid > 10)]).toEqual([steps, []]);
      expect(["gap", "missing"]).toContain(end);
      if (taken < steps) break;
    }
  });

  test("stops when a TRUNC begins", () => {
    const server = aged();
    server.storage.purge();
    server.storage.truncate(62 as never);
    server.settle();
    expect(server.names("log")).toContain("log.1");
    expect(server.lastZxid).toBe(62);
  });
});
