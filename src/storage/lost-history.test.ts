/** What is left of a server that lost its disk, with db.autocreate=false, until it has acknowledged a leader's history. */
import { describe, expect, test } from "vitest";
import { FakeDisk } from "../../model-tests/simulator/fake-disk.ts";
import { createTxn, StorageHarness, seeded } from "../../model-tests/simulator/storage-harness.ts";

describe("where history was lost and a leader's snapshot came since", () => {
  const SYNCED = 0x100000005;

  /** The snapshot of a synchronization is on disk; NEWLEADER was not acknowledged. */
  function synchronized(): StorageHarness {
    const server = StorageHarness.fresh({ autoCreate: false });
    server.storage.writeEpoch("acceptedEpoch", 2 as never);
    server.database.apply(createTxn(SYNCED).txn);
    server.storage.snapshot("sync");
    server.settle();
    expect(server.last("SNAPSHOT_TAKEN")).toEqual({ type: "SNAPSHOT_TAKEN", zxid: SYNCED });
    return server;
  }

  const recoveredEpoch = (server: StorageHarness) => server.last("RECOVERED")?.currentEpoch;

  test("remembers that it has acknowledged none", () => {
    const again = synchronized().restarted({ autoCreate: false });
    expect(again.last("RECOVERED")).toEqual({
      type: "RECOVERED",
      lastZxid: SYNCED,
      currentEpoch: -1,
      acceptedEpoch: 2,
    });
    expect(recoveredEpoch(again.restarted({ autoCreate: false }))).toBe(-1);
  });

  test("remembers it also where writing currentEpoch was interrupted", () => {
    const server = synchronized();
    server.disk.put("snap", "currentEpoch.tmp", Buffer.from("2"));
    const again = server.restarted({ autoCreate: false });
    expect(recoveredEpoch(again)).toBe(-1);
    expect(again.names("snap")).not.toContain("currentEpoch.tmp");
  });

  test("counts again once currentEpoch is written", () => {
    const server = synchronized();
    server.storage.writeEpoch("currentEpoch", 2 as never);
    server.settle();
    expect(recoveredEpoch(server.restarted({ autoCreate: false }))).toBe(2);
  });

  test("takes the operator's word that it may be trusted", () => {
    expect(recoveredEpoch(synchronized().restarted({ autoCreate: true }))).toBe(1);
    const marked = synchronized();
    marked.disk.put("data", "initialize", Buffer.alloc(0));
    expect(recoveredEpoch(marked.restarted({ autoCreate: false }))).toBe(1);
  });
});

test("goes on where Apache ZooKeeper has found a directory empty", () => {
  for (const autoCreate of [false, true]) {
    const disk = new FakeDisk({ random: seeded(1) });
    for (const file of ["acceptedEpoch", "currentEpoch"]) disk.put("snap", file, Buffer.from("-1"));
    const server = StorageHarness.started(disk, { autoCreate });
    expect(server.failure).toBeUndefined();
    const epoch = autoCreate ? 0 : -1;
    expect(server.last("RECOVERED")).toMatchObject({ lastZxid: epoch, currentEpoch: epoch, acceptedEpoch: 0 });
  }
});
