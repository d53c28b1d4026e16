import { describe, expect, test } from "vitest";
import { createTxn, StorageHarness, treeAfter } from "../../model-tests/simulator/storage-harness.ts";
import type { DiskEffect } from "./disk-io.ts";
import { RECORD_OVERHEAD_BYTES } from "./log-format.ts";
import { MAX_GROUP_BYTES } from "./log-writer.ts";

const writes = (server: StorageHarness) =>
  server.effects.filter(
    (effect): effect is Extract<DiskEffect, { type: "disk.write" }> =>
      effect.type === "disk.write" && effect.area === "log",
  );
const appended = (server: StorageHarness) =>
  server.facts.filter((fact) => fact.type === "LOG_APPENDED").map((fact) => fact.upTo);

describe("group commit", () => {
  test("one write and one sync take all that was appended in a turn", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 100);
    expect(writes(server)).toHaveLength(1);
    expect(writes(server)[0]).toMatchObject({ file: "log.1", offset: 0, sync: true });
    expect(appended(server)).toEqual([100]);
  });

  test("while a group is under way the next one gathers, and goes right after it", () => {
    const server = StorageHarness.fresh();
    server.log(1, 1);
    server.storage.flush();
    for (let zxid = 2; zxid <= 9; zxid++) {
      server.log(zxid, zxid);
      server.storage.flush();
    }
    expect(writes(server)).toHaveLength(1);
    server.disk.step();
    expect(appended(server)).toEqual([1]);
    expect(writes(server)).toHaveLength(2);
    server.settle();
    expect(appended(server)).toEqual([1, 9]);
  });

  test("what is not flushed is not written, and nothing is acknowledged before its sync", () => {
    const server = StorageHarness.fresh();
    server.log(1, 3);
    server.settle();
    expect(writes(server)).toHaveLength(0);
    server.storage.flush();
    expect(appended(server)).toEqual([]);
    server.settle();
    expect(appended(server)).toEqual([3]);
  });

  test("groups are bounded: a flood is written in several, in order", () => {
    const server = StorageHarness.fresh();
    const bytes = 1_000_000;
    server.logDurably(1, 10, bytes);
    const sizes = writes(server).map((write) => write.bytes.reduce((size, part) => size + part.length, 0));
    expect(sizes.length).toBeGreaterThan(2);
    for (const size of sizes) expect(size).toBeLessThanOrEqual(MAX_GROUP_BYTES + 16);
    expect(appended(server).at(-1)).toBe(10);
    expect(server.restarted().lastZxid).toBe(10);
  });

  test("forceSync=no acknowledges what the kernel has", () => {
    const server = StorageHarness.fresh({ forceSync: false });
    server.logDurably(1, 2);
    expect(writes(server)[0]?.sync).toBe(false);
    expect(appended(server)).toEqual([2]);
  });

  test("a slow disk is reported", () => {
    const server = StorageHarness.fresh({ fsyncWarningThresholdMs: 10 });
    server.msPerLook = 20;
    server.logDurably(1, 1);
    expect(server.told).toContain("SLOW_FSYNC");
  });
});

describe("files", () => {
  const recordBytes = createTxn(1).entry.length + RECORD_OVERHEAD_BYTES;

  test("grow by sparse zeros, ahead of what is written", () => {
    const server = StorageHarness.fresh({ preAllocSizeBytes: 10_000 });
    server.logDurably(1, 1);
    expect(server.disk.files("log").get("log.1")!.length).toBe(10_000 + 16 + recordBytes);
    server.logDurably(2, 60);
    expect(writes(server).filter((write) => write.size !== undefined)).toHaveLength(1);
    server.logDurably(61, 80);
    const growths = writes(server).filter((write) => write.size !== undefined);
    expect(growths).toHaveLength(2);
    expect(server.disk.files("log").get("log.1")!.length).toBe(growths[1]!.size);
    expect(server.restarted().lastZxid).toBe(80);
  });

  test("do not grow ahead when told so", () => {
    const server = StorageHarness.fresh({ preAllocSizeBytes: 0 });
    server.logDurably(1, 3);
    expect(server.disk.files("log").get("log.1")!.length).toBe(16 + 3 * recordBytes);
  });

  test("are named by their first zxid; a new one begins after every start and with every snapshot", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 2);
    server.takeSnapshot();
    server.logDurably(3, 4);
    const again = server.restarted();
    again.logDurably(5, 0x1f);
    again.takeSnapshot();
    again.takeSnapshot();
    again.logDurably(0x20, 0x20);
    expect(again.names("log")).toEqual(["log.1", "log.20", "log.3", "log.5"]);
  });

  test("lose their padding when the next one begins", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 2);
    server.takeSnapshot();
    expect(server.disk.files("log").get("log.1")!.length).toBe(16 + 2 * recordBytes);
  });

  test("that go on while a snapshot begins are closed only when their last group is written", () => {
    const server = StorageHarness.fresh();
    server.log(1, 2);
    server.storage.flush();
    server.log(3, 4);
    server.takeSnapshot();
    server.logDurably(5, 5);
    expect(server.names("log")).toEqual(["log.1", "log.3"]);
    expect(server.restarted().treeState).toBe(treeAfter([1, 2, 3, 4, 5].map((zxid) => createTxn(zxid).txn)));
  });
});

describe("a disk that fails", () => {
  for (const code of ["ENOSPC", "EIO"]) {
    test(`with ${code} acknowledges nothing from then on, and says where`, () => {
      const server = StorageHarness.fresh();
      server.logDurably(1, 3);
      const end = writes(server)[0]!.bytes.reduce((size, part) => size + part.length, 0);
      server.disk.fault = (effect) => (effect.type === "disk.write" ? { code, torn: true } : null);
      server.log(4, 5);
      server.storage.flush();
      server.log(6, 6);
      server.storage.flush();
      server.settle();
      server.disk.fault = null;
      server.log(7, 7);
      server.storage.flush();
      server.storage.snapshot("count");
      server.storage.writeEpoch("currentEpoch", 1 as never);
      server.storage.recover();
      server.settle();
      expect(server.facts.slice(1)).toEqual([
        { type: "LOG_APPENDED", upTo: 3 },
        { type: "STORAGE_FAILED", code, file: "log/log.1", offset: end, message: expect.stringContaining(code) },
      ]);
      expect(writes(server)).toHaveLength(2);
      // No hole: whatever part of the failed group is there continues what was acknowledged.
      const again = server.restarted();
      expect(again.lastZxid).toBeGreaterThanOrEqual(3);
      expect(again.lastZxid).toBeLessThanOrEqual(5);
    });
  }

  test("while writing an epoch fails storage: the promise is not on the disk", () => {
    const server = StorageHarness.fresh();
    server.disk.fault = (effect) => (effect.type === "disk.rename" ? { code: "EIO" } : null);
    server.storage.writeEpoch("acceptedEpoch", 4 as never);
    server.settle();
    expect(server.failure).toBe("EIO snap/acceptedEpoch.tmp 0");
    expect(server.last("EPOCH_WRITTEN")).toBeUndefined();
  });
});

test("a closed storage has written what was appended, and says nothing more", () => {
  const server = StorageHarness.fresh();
  server.log(1, 2);
  server.storage.flush();
  server.log(3, 3);
  server.storage.close();
  server.settle();
  server.log(4, 4);
  server.storage.flush();
  server.settle();
  expect(server.restarted().lastZxid).toBe(3);
});
