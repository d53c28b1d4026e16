import { describe, expect, test } from "vitest";
import { FakeDisk } from "../../model-tests/simulator/fake-disk.ts";
import { createTxn, StorageHarness, seeded, treeAfter } from "../../model-tests/simulator/storage-harness.ts";
import { makeZxid, type Zxid } from "../../spec/vocabulary.ts";
import { logHeader } from "./log-format.ts";

const txns = (...zxids: number[]) => zxids.map((zxid) => createTxn(zxid).txn);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A server with txns 1 to 5 in log.1, whose disk is then changed behind its back. */
function broken(change: (log: Buffer, disk: FakeDisk) => void): StorageHarness {
  const server = StorageHarness.fresh();
  server.logDurably(1, 5);
  const log = Buffer.from(server.disk.files("log").get("log.1")!);
  server.disk.put("log", "log.1", log);
  change(log, server.disk);
  return server.restarted();
}

function flipBit(bytes: Buffer, at: number): void {
  bytes[at] = bytes[at]! ^ 1;
}

/** Where the record of a txn of `createTxn` starts in log.1. */
const recordAt = (zxid: number) => 16 + (zxid - 1) * RECORD_BYTES;
const RECORD_BYTES = 13 + createTxn(1).entry.length;

describe("a start", () => {
  test("in an empty directory makes an empty tree with a first snapshot", () => {
    const server = StorageHarness.fresh();
    expect(server.facts).toEqual([{ type: "RECOVERED", lastZxid: 0, currentEpoch: 0, acceptedEpoch: 0 }]);
    expect(server.names("snap")).toEqual(["acceptedEpoch", "currentEpoch", "snapshot.0"]);
    expect(server.names("log")).toEqual([]);
  });

  test("brings back what was logged", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 5);
    const again = server.restarted();
    expect(again.lastZxid).toBe(5);
    expect(again.replayed).toEqual([1, 2, 3, 4, 5]);
    expect(again.treeState).toBe(server.treeState);
    expect(again.treeState).toBe(treeAfter(txns(1, 2, 3, 4, 5)));
  });

  test("loads the newest snapshot and replays only what came after it", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 5);
    server.takeSnapshot();
    server.logDurably(6, 8);
    expect(server.names("log")).toEqual(["log.1", "log.6"]);
    const again = server.restarted();
    expect(again.replayed).toEqual([6, 7, 8]);
    expect(again.treeState).toBe(server.treeState);
  });

  test("keeps the padding of no log", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 3);
    expect(server.disk.files("log").get("log.1")!.length).toBeGreaterThan(512);
    const again = server.restarted();
    expect(again.disk.files("log").get("log.1")!.length).toBe(recordAt(4));
    expect(again.told).not.toContain("TORN_RECORD");
  });

  test("in an empty directory that nobody meant to be empty makes a server that must not be elected", () => {
    const server = StorageHarness.fresh({ autoCreate: false });
    expect(server.lastZxid).toBe(-1);
    expect(server.names("snap")).toEqual(["acceptedEpoch", "currentEpoch"]);
    expect(String(server.disk.files("snap").get("currentEpoch"))).toBe("-1");
  });

  test("trusts an empty directory with the file `initialize`, once", () => {
    const disk = new FakeDisk({ random: seeded(1) });
    disk.put("data", "initialize", Buffer.alloc(0));
    const server = StorageHarness.started(disk, { autoCreate: false });
    expect(server.lastZxid).toBe(0);
    expect(server.names("data")).toEqual([]);
    expect(server.names("snap")).toContain("snapshot.0");
  });

  test("goes from one leader's txns to the next leader's", () => {
    const server = StorageHarness.fresh();
    server.storage.writeEpoch("acceptedEpoch", 2 as never);
    server.settle();
    server.logDurably(makeZxid(1, 1), makeZxid(1, 3));
    server.logDurably(makeZxid(2, 1), makeZxid(2, 2));
    const again = server.restarted();
    expect(again.lastZxid).toBe(makeZxid(2, 2));
    expect(again.replayed).toHaveLength(5);
  });

  test("counts replayed txns towards the next snapshot, so that starts do not get longer and longer", () => {
    const server = StorageHarness.fresh({ snapCount: 4 });
    server.logDurably(1, 5);
    const again = server.restarted({ snapCount: 4 });
    expect(again.storage.snapshotDue).toBe(true);
    again.takeSnapshot();
    expect(again.storage.snapshotDue).toBe(false);
  });
});

describe("a torn tail is cut off and reported:", () => {
  for (const cut of [1, 7, 8, 11, 12, 13, 40, RECORD_BYTES - 1]) {
    test(`${cut} bytes of the last record, then padding`, () => {
      const server = broken((log) => log.fill(0, recordAt(5) + cut));
      expect(server.lastZxid).toBe(4);
      expect(server.treeState).toBe(treeAfter(txns(1, 2, 3, 4)));
      expect(server.disk.files("log").get("log.1")!.length).toBe(recordAt(5));
      // A cut inside the checksum's leading zeros leaves nothing to see.
      if (cut > 4) expect(server.reports).toContainEqual(expect.objectContaining({ data: torn(recordAt(5)) }));
    });

    test(`${cut} bytes of the last record, then the end of the file`, () => {
      const server = broken((log, disk) => disk.put("log", "log.1", log.subarray(0, recordAt(5) + cut)));
      expect(server.lastZxid).toBe(4);
      expect(server.disk.files("log").get("log.1")!.length).toBe(recordAt(5));
    });
  }

  test("and the log goes on in a new file behind it", () => {
    const server = broken((log) => log.fill(0, recordAt(5) + 30));
    server.logDurably(5, 6, 9);
    const again = server.restarted();
    expect(again.names("log")).toEqual(["log.1", "log.5"]);
    expect(again.lastZxid).toBe(6);
  });

  test("a first record that was never finished takes its file with it", () => {
    const server = broken((log) => log.fill(0, recordAt(1) + 30));
    expect(server.lastZxid).toBe(0);
    expect(server.names("log")).toEqual([]);
  });

  const torn = (offset: number) => expect.objectContaining({ code: "TORN_RECORD", file: "log/log.1", offset });
});

describe("a last log without txns is removed:", () => {
  for (const [what, bytes] of [
    ["empty", Buffer.alloc(0)],
    ["half a header", logHeader().subarray(0, 6)],
    ["only a header", logHeader()],
    ["a header and padding", Buffer.concat([logHeader(), Buffer.alloc(500)])],
    ["only padding", Buffer.alloc(600)],
  ] as const) {
    test(what, () => {
      const server = broken((_log, disk) => disk.put("log", "log.6", bytes));
      expect(server.lastZxid).toBe(5);
      expect(server.names("log")).toEqual(["log.1"]);
    });
  }
});

describe("the start is refused, and nothing on the disk is changed, when", () => {
  function refused(change: (log: Buffer, disk: FakeDisk) => void): string | undefined {
    let before = "";
    const server = broken((log, disk) => {
      change(log, disk);
      before = contents(disk);
    });
    expect(contents(server.disk)).toBe(before);
    expect(server.facts).toHaveLength(1);
    return server.failure;
  }
  const contents = (disk: FakeDisk) =>
    JSON.stringify(
      (["log", "snap"] as const).map((area) =>
        [...disk.files(area)].map(([name, bytes]) => [name, bytes.toString("hex")]),
      ),
    );

  test("a record in the middle is damaged", () => {
    expect(refused((log) => flipBit(log, recordAt(3) + 30))).toBe(`CORRUPT_RECORD log/log.1 ${recordAt(3)}`);
  });

  test("the last record is damaged although it had been written to its end", () => {
    expect(refused((log) => flipBit(log, recordAt(5) + 30))).toBe(`CORRUPT_RECORD log/log.1 ${recordAt(5)}`);
  });

  test("a length lies, so that good records look like part of a torn one", () => {
    expect(refused((log) => log.writeInt32BE(1_000_000, recordAt(2) + 8))).toBe(
      `CORRUPT_RECORD log/log.1 ${recordAt(2)}`,
    );
  });

  test("zeros stand where records were, with good ones behind them", () => {
    expect(refused((log) => log.fill(0, recordAt(2), recordAt(4)))).toBe(`CORRUPT_RECORD log/log.1 ${recordAt(2)}`);
  });

  test("the file is no log", () => {
    expect(refused((log) => log.write("LGZK", "latin1"))).toBe("BAD_LOG_HEADER log/log.1 0");
  });

  test("a log in the middle lost its content", () => {
    expect(
      refused((_log, disk) => {
        const later = StorageHarness.fresh();
        later.logDurably(1, 5);
        later.takeSnapshot();
        later.logDurably(6, 7);
        disk.put("log", "log.6", later.disk.files("log").get("log.6")!);
        disk.put("log", "log.1", Buffer.alloc(0));
      }),
    ).toBe("LOG_GAP log/log.6 16");
  });

  test("txns are missing inside an epoch", () => {
    expect(
      refused((log, disk) => {
        disk.put("log", "log.1", Buffer.concat([log.subarray(0, recordAt(3)), log.subarray(recordAt(4), recordAt(6))]));
      }),
    ).toBe(`LOG_GAP log/log.1 ${recordAt(3)}`);
  });

  test("the first txns of a later epoch are missing", () => {
    const server = StorageHarness.fresh({ epochFiles: false });
    server.logDurably(1, 2);
    server.logDurably(makeZxid(1, 2), makeZxid(1, 3));
    expect(server.restarted({ epochFiles: false }).failure).toMatch(/^LOG_GAP/);
  });

  /** Txns 1 to 5, then a leader's tree at 9, then a later leader's txns; the tree's snapshot is damaged. */
  function withLostSnapshot(logged: boolean): StorageHarness {
    const server = StorageHarness.fresh({ epochFiles: false });
    server.logDurably(1, 5);
    server.database.lastProcessedZxid = 9 as Zxid;
    server.storage.snapshot("sync");
    server.settle();
    if (logged) server.logDurably(makeZxid(1, 1), makeZxid(1, 3));
    const bytes = Buffer.from(server.disk.files("snap").get("snapshot.9")!);
    flipBit(bytes, 100);
    server.disk.put("snap", "snapshot.9", bytes);
    return server.restarted({ epochFiles: false });
  }

  test("a leader's snapshot is damaged, and the log goes on behind it as if nothing were missing", () => {
    expect(withLostSnapshot(true).failure).toMatch(/^LOG_GAP/);
  });

  test("a leader's snapshot is damaged, and the log ends before it", () => {
    expect(withLostSnapshot(false).failure).toMatch(/^SNAPSHOT_LOST snap.snapshot.9/);
  });

  test("there are logs but no snapshot", () => {
    expect(refused((_log, disk) => disk.remove("snap", "snapshot.0"))).toBe("LOG_WITHOUT_SNAPSHOT log/log.1 0");
  });

  test("no snapshot is valid", () => {
    expect(refused((_log, disk) => disk.put("snap", "snapshot.0", Buffer.alloc(100)))).toBe("NO_VALID_SNAPSHOT snap 0");
  });

  test("an epoch file is garbled", () => {
    expect(refused((_log, disk) => disk.put("snap", "acceptedEpoch", Buffer.from("x")))).toBe(
      "BAD_EPOCH_FILE snap/acceptedEpoch 0",
    );
    expect(refused((_log, disk) => disk.put("snap", "currentEpoch", Buffer.alloc(0)))).toBe(
      "BAD_EPOCH_FILE snap/currentEpoch 0",
    );
  });

  test("acceptedEpoch is older than currentEpoch", () => {
    expect(refused((_log, disk) => disk.put("snap", "currentEpoch", Buffer.from("3")))).toBe(
      "ACCEPTED_EPOCH_BEHIND snap/acceptedEpoch 0",
    );
  });

  test("snapshots and logs stand in each other's directory", () => {
    const server = StorageHarness.fresh();
    server.disk.put("log", "snapshot.0", Buffer.alloc(0));
    expect(server.restarted({ separateLogDir: true }).failure).toBe("MISPLACED_FILE log/snapshot.0 0");
  });

  test("the disk does not answer", () => {
    const server = StorageHarness.fresh();
    server.disk.fault = (effect) => (effect.type === "disk.read" ? { code: "EIO" } : null);
    expect(server.restarted().failure).toMatch(/^EIO snap\/snapshot.0/);
  });
});

describe("snapshots:", () => {
  function withTwo(change: (newest: Buffer, disk: FakeDisk) => void): StorageHarness {
    const server = StorageHarness.fresh();
    server.logDurably(1, 5);
    server.takeSnapshot();
    server.logDurably(6, 7);
    const newest = Buffer.from(server.disk.files("snap").get("snapshot.5")!);
    server.disk.put("snap", "snapshot.5", newest);
    change(newest, server.disk);
    const again = server.restarted();
    expect(again.treeState).toBe(server.treeState);
    return again;
  }

  test("one that was cut off is skipped, and an older one with more log does as well", () => {
    const server = withTwo((newest, disk) => disk.put("snap", "snapshot.5", newest.subarray(0, 200)));
    expect(server.told).toContain("SNAPSHOT_SKIPPED");
    expect(server.replayed).toEqual(range(1, 7));
  });

  test("one whose seal does not match is skipped", () => {
    const server = withTwo((newest) => flipBit(newest, 100));
    expect(server.told).toContain("SNAPSHOT_SKIPPED");
    expect(server.replayed).toEqual(range(1, 7));
  });

  test("what an interrupted write left is removed", () => {
    const server = withTwo((newest, disk) => {
      disk.put("snap", "snapshot-7.tmp", newest.subarray(0, 100));
      disk.put("snap", "acceptedEpoch.tmp", Buffer.from("1"));
      disk.put("snap", "currentEpoch.tmp", Buffer.alloc(0));
    });
    expect(server.names("snap").filter((name) => name.endsWith(".tmp"))).toEqual(["currentEpoch.tmp"]);
    server.storage.writeEpoch("currentEpoch", 0 as never);
    server.settle();
    expect(server.names("snap").filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("logs without any are accepted when the operator says so, and then there is one", () => {
    // Apache ZooKeeper 3.8.0 does not ask for db.autocreate either.
    for (const autoCreate of [true, false]) {
      const server = StorageHarness.fresh();
      server.logDurably(1, 5);
      server.disk.remove("snap", "snapshot.0");
      const again = server.restarted({ trustEmptySnapshot: true, autoCreate });
      expect(again.treeState).toBe(server.treeState);
      expect(again.names("snap")).toContain("snapshot.5");
    }
  });
});

describe("epoch files:", () => {
  const epochs = (server: StorageHarness) =>
    ["currentEpoch", "acceptedEpoch"].map((name) => server.disk.files("snap").get(name)?.toString());

  test("a directory that was standalone gets them from its last txn", () => {
    const server = StorageHarness.fresh({ epochFiles: false });
    expect(server.names("snap")).toEqual(["snapshot.0"]);
    server.logDurably(makeZxid(4, 1), makeZxid(4, 2));
    const peer = server.restarted();
    expect(peer.last("RECOVERED")).toMatchObject({ currentEpoch: 4, acceptedEpoch: 4 });
    expect(epochs(peer)).toEqual(["4", "4"]);
  });

  /** Epoch 2 was accepted and its txns synced; then the power went. */
  function between(files: { currentEpoch: string; acceptedEpoch: string; tmp?: string }): StorageHarness {
    const server = StorageHarness.fresh();
    server.logDurably(makeZxid(2, 1), makeZxid(2, 2));
    server.disk.put("snap", "currentEpoch", Buffer.from(files.currentEpoch));
    server.disk.put("snap", "acceptedEpoch", Buffer.from(files.acceptedEpoch));
    if (files.tmp !== undefined) server.disk.put("snap", "currentEpoch.tmp", Buffer.from(files.tmp));
    return server.restarted();
  }

  test("a crash between synced txns and currentEpoch is made good, because the epoch had been accepted", () => {
    const server = between({ currentEpoch: "1", acceptedEpoch: "2" });
    expect(server.last("RECOVERED")).toMatchObject({ currentEpoch: 2, acceptedEpoch: 2 });
    expect(epochs(server)).toEqual(["2", "2"]);
  });

  test("so is one during the rename of currentEpoch", () => {
    const server = between({ currentEpoch: "1", acceptedEpoch: "3", tmp: "3" });
    expect(server.last("RECOVERED")).toMatchObject({ currentEpoch: 3, acceptedEpoch: 3 });
    expect(server.names("snap")).not.toContain("currentEpoch.tmp");
  });

  test("a log that is ahead of both is refused", () => {
    expect(between({ currentEpoch: "1", acceptedEpoch: "1" }).failure).toBe("EPOCH_BEHIND_LOG snap/currentEpoch 0");
  });

  test("a line end after the number, as editors leave it, does no harm", () => {
    expect(between({ currentEpoch: "2\n", acceptedEpoch: "7\r\n" }).last("RECOVERED")).toMatchObject({
      currentEpoch: 2,
      acceptedEpoch: 7,
    });
  });

  test("one that cannot be written stops the start, and is named", () => {
    for (const fails of ["disk.remove", "disk.write", "disk.rename"]) {
      const server = StorageHarness.fresh({ epochFiles: false });
      server.logDurably(makeZxid(4, 1), makeZxid(4, 3));
      server.disk.kill();
      server.disk.fault = (effect) => {
        const file = effect.type === "disk.rename" ? effect.from : "file" in effect ? effect.file : "";
        return effect.type === fails && file === "currentEpoch.tmp" ? { code: "EIO" } : null;
      };
      const again = StorageHarness.started(server.disk);
      expect(again.facts).toHaveLength(1);
      expect(again.failure).toBe("EIO snap/currentEpoch.tmp 0");
      expect(again.last("STORAGE_FAILED")?.message).toContain("snap/currentEpoch.tmp");
    }
  });
});
