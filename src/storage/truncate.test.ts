import { describe, expect, test } from "vitest";
import { createTxn, StorageHarness, treeAfter } from "../../model-tests/simulator/storage-harness.ts";

const txns = (...zxids: number[]) => zxids.map((zxid) => createTxn(zxid).txn);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("TRUNC", () => {
  /** Snapshots at 0, 4 and 8; logs from 1, 5 and 9 to 11. */
  function server(): StorageHarness {
    const harness = StorageHarness.fresh();
    harness.logDurably(1, 4);
    harness.takeSnapshot();
    harness.logDurably(5, 8);
    harness.takeSnapshot();
    harness.logDurably(9, 11);
    return harness;
  }

  for (const [zxid, logs, snapshots] of [
    [10, ["log.1", "log.5", "log.9"], ["snapshot.0", "snapshot.4", "snapshot.8"]],
    [8, ["log.1", "log.5"], ["snapshot.0", "snapshot.4", "snapshot.8"]],
    [6, ["log.1", "log.5"], ["snapshot.0", "snapshot.4"]],
    [3, ["log.1"], ["snapshot.0"]],
    [0, [], ["snapshot.0"]],
  ] as const) {
    test(`to ${zxid} forgets all that came later, on disk and in memory`, () => {
      const harness = server();
      harness.storage.truncate(zxid as never);
      harness.settle();
      const kept = treeAfter(txns(...range(1, zxid)));
      expect(harness.lastZxid).toBe(zxid);
      expect(harness.treeState).toBe(kept);
      expect(harness.names("log")).toEqual(logs);
      expect(harness.names("snap").filter((name) => name.startsWith("snap"))).toEqual(snapshots);
      const again = harness.restarted();
      expect(again.treeState).toBe(kept);
      // Another history takes the place of what was cut.
      again.logDurably(zxid + 1, zxid + 2, 3);
      expect(again.restarted().lastZxid).toBe(zxid + 2);
    });
  }

  test("first lets the disk finish what it is writing", () => {
    const harness = server();
    harness.log(12, 14);
    harness.storage.flush();
    harness.log(15, 16);
    harness.storage.truncate(13 as never);
    harness.settle();
    expect(harness.lastZxid).toBe(13);
    expect(harness.treeState).toBe(treeAfter(txns(...range(1, 13))));
    expect(harness.restarted().lastZxid).toBe(13);
  });

  test("gives up a snapshot that is being written", () => {
    const harness = server();
    harness.log(12, 14);
    harness.storage.snapshot("count");
    harness.storage.truncate(11 as never);
    harness.settle();
    expect(harness.lastZxid).toBe(11);
    expect(harness.names("snap").filter((name) => name.startsWith("snap"))).toEqual([
      "snapshot.0",
      "snapshot.4",
      "snapshot.8",
    ]);
    expect(harness.last("SNAPSHOT_TAKEN")?.zxid).toBe(8);
  });

  test("to a zxid beyond the log reports where the log really ends", () => {
    const harness = server();
    harness.storage.truncate(20 as never);
    harness.settle();
    expect(harness.lastZxid).toBe(11);
    expect(harness.told).toContain("TRUNC_BEYOND_LOG");
  });

  test("without a snapshot to start from fails before anything is removed", () => {
    const harness = server();
    harness.disk.remove("snap", "snapshot.0");
    harness.storage.truncate(3 as never);
    harness.settle();
    expect(harness.failure).toBe("NO_VALID_SNAPSHOT snap 0");
    expect(harness.names("log")).toEqual(["log.1", "log.5", "log.9"]);
    expect(harness.names("snap")).toContain("snapshot.8");
  });

  test("that the disk refuses is a failure, never ignored", () => {
    const harness = server();
    harness.disk.fault = (effect) => (effect.type === "disk.truncate" ? { code: "ENOSPC" } : null);
    harness.storage.truncate(10 as never);
    harness.settle();
    expect(harness.failure).toMatch(/^ENOSPC log\/log.9/);
    expect(harness.last("RECOVERED")?.lastZxid).toBe(0);
  });

  test("asked for twice at once: only the last outcome is told", () => {
    const harness = server();
    harness.storage.truncate(10 as never);
    harness.storage.truncate(7 as never);
    harness.settle();
    expect(harness.facts.filter((fact) => fact.type === "RECOVERED")).toHaveLength(2);
    expect(harness.lastZxid).toBe(7);
  });

  test("does not use a snapshot that shows parts of what is to be forgotten", () => {
    const harness = StorageHarness.fresh();
    harness.logDurably(1, 200);
    harness.msPerLook = 3;
    harness.storage.snapshot("count");
    // The first slice is on its way to the disk; later ones will show a tree that has come further.
    harness.logDurably(201, 205);
    expect(harness.names("snap")).toContain("snapshot.c8");
    harness.storage.truncate(203 as never);
    harness.settle();
    expect(harness.treeState).toBe(treeAfter(txns(...range(1, 203))));
    expect(harness.names("snap")).not.toContain("snapshot.c8");
    expect(harness.restarted().treeState).toBe(harness.treeState);
  });
});
