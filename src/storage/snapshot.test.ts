import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createTxn, StorageHarness, setDataTxn, treeAfter } from "../../model-tests/simulator/storage-harness.ts";
import type { Zxid } from "../../spec/vocabulary.ts";
import { ADLER_START, adler32 } from "./adler32.ts";
import { readTrailer, snapshotTrailer } from "./snapshot-format.ts";

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const created = (from: number, to: number) => range(from, to).map((zxid) => createTxn(zxid).txn);

/** A server with 300 nodes whose processor is so slow that a slice holds 64 of them. */
function slow(): StorageHarness {
  const server = StorageHarness.fresh();
  server.logDurably(1, 300);
  server.msPerLook = 3;
  return server;
}

const snapshotWrites = (server: StorageHarness) =>
  server.effects.filter((effect) => effect.type === "disk.write" && /^snapshot-12[cd]/.test(effect.file));

describe("a snapshot", () => {
  test("is written in slices, one at a time, each when the disk has taken the last", () => {
    const server = slow();
    server.storage.snapshot("count");
    expect(snapshotWrites(server)).toHaveLength(1);
    let steps = 0;
    while (server.last("SNAPSHOT_TAKEN") === undefined) {
      server.disk.step();
      steps++;
      const pending = snapshotWrites(server).length - steps;
      expect(pending).toBeLessThanOrEqual(1);
    }
    expect(snapshotWrites(server).length).toBeGreaterThan(4);
    expect(server.last("SNAPSHOT_TAKEN")?.zxid).toBe(300);
  });

  test("appears under its name only when it is complete, synced and its log is durable", () => {
    const server = slow();
    let durableAtRename: number | undefined;
    server.disk.fault = (effect) => {
      if (effect.type === "disk.rename") durableAtRename = server.storage.durable;
      return null;
    };
    server.log(301, 301);
    server.storage.snapshot("count");
    server.log(302, 302);
    server.settle();
    expect(durableAtRename).toBe(302);
    expect(server.last("SNAPSHOT_TAKEN")?.zxid).toBe(301);
    expect(snapshotWrites(server).at(-1)).toMatchObject({ sync: true });
  });

  test("is fuzzy, and replay makes it whole", () => {
    const server = slow();
    server.storage.snapshot("count");
    for (let zxid = 301; zxid <= 320; zxid++) {
      const { entry, txn } = setDataTxn(zxid, 1 + (zxid % 3) * 140);
      server.storage.append(txn.zxid, entry);
      server.database.apply(txn);
      server.storage.flush();
      server.disk.step();
    }
    server.settle();
    expect(server.last("SNAPSHOT_TAKEN")?.zxid).toBe(300);
    const again = server.restarted();
    expect(again.replayed).toEqual(range(301, 320));
    expect(again.treeState).toBe(server.treeState);
    expect(again.told).not.toContain("DIGEST_MISMATCH");
  });

  test("that is due is said to be due until one is taken", () => {
    const server = StorageHarness.fresh({ snapCount: 10 });
    server.logDurably(1, 7);
    expect(server.storage.snapshotDue).toBe(false);
    server.logDurably(8, 8);
    expect(server.storage.snapshotDue).toBe(true);
    server.storage.snapshot("count");
    expect(server.storage.snapshotDue).toBe(false);
    server.settle();
    expect(server.storage.snapshotDue).toBe(false);
  });

  test("is due after so many bytes of log, too", () => {
    const server = StorageHarness.fresh({ snapSizeLimitBytes: 4000 });
    server.logDurably(1, 1, 2900);
    expect(server.storage.snapshotDue).toBe(false);
    server.logDurably(2, 2, 100);
    expect(server.storage.snapshotDue).toBe(true);
  });

  test("that the disk has no room for is given up; the server goes on", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 5);
    server.disk.fault = (effect) =>
      effect.type === "disk.write" && effect.area === "snap" ? { code: "ENOSPC", torn: true } : null;
    server.takeSnapshot();
    server.disk.fault = null;
    expect(server.failure).toBeUndefined();
    expect(server.names("snap")).toEqual(["acceptedEpoch", "currentEpoch", "snapshot.0"]);
    server.logDurably(6, 7);
    server.takeSnapshot();
    expect(server.names("snap")).toContain("snapshot.7");
    expect(server.restarted().treeState).toBe(server.treeState);
  });

  test("is given up when the database is emptied under it", () => {
    const server = slow();
    server.storage.snapshot("count");
    server.disk.step();
    server.database.clear();
    server.settle();
    expect(server.last("SNAPSHOT_TAKEN")).toBeUndefined();
    expect(server.names("snap")).toEqual(["acceptedEpoch", "currentEpoch", "snapshot.0"]);
  });
});

describe("after a leader's SNAP", () => {
  /** What a leader sent: 40 nodes, up to `zxid`. */
  function receive(server: StorageHarness, zxid: number): void {
    server.database.clear();
    for (const txn of created(1, 40)) server.database.apply(txn);
    server.database.lastProcessedZxid = zxid as Zxid;
    server.storage.snapshot("sync");
  }

  test("the snapshot is the history, and the log goes on behind a gap", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 10);
    receive(server, 100);
    server.settle();
    expect(server.last("SNAPSHOT_TAKEN")?.zxid).toBe(100);
    server.logDurably(101, 103);
    expect(server.names("log")).toEqual(["log.1", "log.65"]);
    const again = server.restarted();
    expect(again.replayed).toEqual([101, 102, 103]);
    expect(again.treeState).toBe(server.treeState);
  });

  test("txns that no leader committed are gone before the snapshot is there", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 60);
    server.takeSnapshot();
    server.logDurably(61, 70);
    receive(server, 50);
    server.disk.fault = (effect) => {
      if (effect.type === "disk.rename") expect(server.names("log")).toEqual(["log.1"]);
      return null;
    };
    server.settle();
    expect(server.names("snap")).toEqual(["acceptedEpoch", "currentEpoch", "snapshot.0", "snapshot.32"]);
    server.logDurably(51, 52);
    const again = server.restarted();
    expect(again.replayed).toEqual([51, 52]);
    expect(again.treeState).toBe(server.treeState);
  });

  test("what is appended meanwhile waits for that, and nothing of the old history is acknowledged", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 60);
    server.log(61, 65);
    server.storage.flush();
    server.log(66, 70);
    receive(server, 50);
    server.log(51, 53);
    server.storage.flush();
    server.settle();
    expect(server.facts.slice(2)).toEqual([
      { type: "LOG_APPENDED", upTo: 53 },
      { type: "SNAPSHOT_TAKEN", zxid: 50 },
    ]);
    const again = server.restarted();
    expect(again.lastZxid).toBe(53);
    expect(again.treeState).toBe(server.treeState);
  });

  test("a snapshot that was being written is replaced", () => {
    const server = slow();
    server.storage.snapshot("count");
    server.disk.step();
    receive(server, 400);
    server.settle();
    expect(server.facts.filter((fact) => fact.type === "SNAPSHOT_TAKEN")).toEqual([
      { type: "SNAPSHOT_TAKEN", zxid: 400 },
    ]);
    expect(server.restarted().treeState).toBe(server.treeState);
  });

  test("a failed write is a failure of storage: the history is nowhere else", () => {
    const server = StorageHarness.fresh();
    receive(server, 100);
    server.disk.fault = (effect) => (effect.type === "disk.write" ? { code: "ENOSPC", torn: true } : null);
    server.settle();
    expect(server.failure).toMatch(/^ENOSPC snap\/snapshot-64.tmp/);
    expect(server.restarted().lastZxid).toBe(0);
  });
});

describe("formats", () => {
  const digest = { zxid: 5 as Zxid, digest: { version: 2, hi: 1, lo: 2 } };
  const sum = adler32(ADLER_START, Buffer.from("body"), 0, 4);

  test("a trailer may end behind every seal", () => {
    expect(readTrailer(snapshotTrailer(sum, null), sum)).toEqual({ valid: true, digest: null });
    expect(readTrailer(snapshotTrailer(sum, digest), sum)).toEqual({ valid: true, digest });
  });

  test("the last zxid of later versions is accepted, with the digest section and without it", () => {
    for (const section of [digest, null]) {
      const before = snapshotTrailer(sum, section);
      const zxid = Buffer.alloc(8, 1);
      const covered = Buffer.concat([before, zxid]);
      const seal = snapshotTrailer(adler32(sum, covered, 0, covered.length), null);
      expect(readTrailer(Buffer.concat([covered, seal]), sum)).toEqual({ valid: true, digest: section });
      seal[7] = seal[7]! ^ 1;
      expect(readTrailer(Buffer.concat([covered, seal]), sum).valid).toBe(false);
    }
  });

  test("a digest of no txn says nothing", () => {
    const trailer = snapshotTrailer(sum, { zxid: 0 as Zxid, digest: { version: 2, hi: 0, lo: 0 } });
    expect(readTrailer(trailer, sum)).toEqual({ valid: true, digest: null });
  });

  for (const [suffix, compress] of [
    ["gz", (bytes: Buffer) => gzipSync(bytes)],
    ["snappy", snappyOf],
  ] as const) {
    test(`a snapshot compressed with ${suffix} is read like any other`, () => {
      const server = StorageHarness.fresh();
      server.logDurably(1, 100);
      server.takeSnapshot();
      const plain = server.disk.files("snap").get("snapshot.64")!;
      server.disk.remove("snap", "snapshot.64");
      server.disk.put("snap", `snapshot.64.${suffix}`, compress(plain));
      const again = server.restarted();
      expect(again.replayed).toEqual([]);
      expect(again.treeState).toBe(treeAfter(created(1, 100)));
    });

    test(`one that was cut off or garbled in ${suffix} is passed over`, () => {
      const server = StorageHarness.fresh();
      server.logDurably(1, 100);
      server.takeSnapshot();
      const whole = compress(server.disk.files("snap").get("snapshot.64")!);
      server.disk.remove("snap", "snapshot.64");
      for (let length = 0; length < whole.length; length += 97) {
        const disk = server.disk.clone();
        disk.put("snap", `snapshot.64.${suffix}`, whole.subarray(0, length));
        expect(StorageHarness.started(disk).treeState).toBe(server.treeState);
        const garbled = Buffer.from(whole);
        garbled[length] = garbled[length]! ^ 0x20;
        disk.put("snap", `snapshot.64.${suffix}`, garbled);
        expect(StorageHarness.started(disk).treeState).toBe(server.treeState);
      }
    });
  }
});

/** xerial's stream: header, then blocks; here of literals and, for runs, copies that overlap themselves. */
function snappyOf(plain: Buffer): Buffer {
  const blocks: Buffer[] = [Buffer.from("82534e4150505900" + "00000001" + "00000001", "hex")];
  for (let at = 0; at < plain.length; at += 1000) {
    const block = snappyBlock(plain.subarray(at, at + 1000));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    blocks.push(length, block);
  }
  return Buffer.concat(blocks);
}

function snappyBlock(plain: Buffer): Buffer {
  const out: number[] = [(plain.length & 0x7f) | 0x80, plain.length >> 7];
  for (let at = 0; at < plain.length; ) {
    let run = 1;
    while (run < 11 && plain[at + run] === plain[at]) run++;
    if (at > 0 && run >= 4 && plain[at - 1] === plain[at]) {
      out.push(((run - 4) << 2) | 1, 1);
      at += run;
    } else if (at === 0) {
      const literal = Math.min(70, plain.length);
      out.push(60 << 2, literal - 1, ...plain.subarray(0, literal));
      at += literal;
    } else {
      out.push(0, plain[at]!);
      at += 1;
    }
  }
  return Buffer.from(out);
}
