/** Damage on the disk is found, or does no harm. What must never happen: a server that starts with other data. */
import { expect, test } from "vitest";
import { FakeDisk } from "../../model-tests/simulator/fake-disk.ts";
import { createTxn, StorageHarness, seeded, treeAfter } from "../../model-tests/simulator/storage-harness.ts";
import type { DiskArea } from "./disk-io.ts";

/** Three txns in a log, and a snapshot at `snapshotAt` if that is not 0. */
function small(snapshotAt: number): StorageHarness {
  const server = StorageHarness.fresh({ epochFiles: false, preAllocSizeBytes: 64 });
  for (let zxid = 1; zxid <= 3; zxid++) {
    server.logDurably(zxid, zxid, 4);
    if (zxid === snapshotAt) server.takeSnapshot();
  }
  server.disk.kill();
  return server;
}

function restartedWith(server: StorageHarness, area: DiskArea, file: string, content: Buffer): StorageHarness {
  const disk = server.disk.clone();
  disk.put(area, file, content);
  return StorageHarness.started(disk, { epochFiles: false });
}

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = copy[bit >> 3]! ^ (1 << (bit & 7));
  return copy;
}

/** Restarts the server with a bit of every byte flipped, another one each time. Returns how many of the bytes stopped it. */
function flipInEveryByte(server: StorageHarness, area: DiskArea, file: string): { detected: number; bytes: number } {
  const whole = server.disk.files(area).get(file)!;
  let detected = 0;
  for (let byte = 0; byte < whole.length; byte++) {
    const bit = (byte * 5) % 8;
    const again = restartedWith(server, area, file, flipped(whole, byte * 8 + bit));
    if (again.failure !== undefined) detected++;
    else expect(again.treeState, `bit ${bit} of byte ${byte}`).toBe(server.treeState);
  }
  return { detected, bytes: whole.length };
}

test("a flipped bit of a log stops the start or changes nothing", () => {
  const { detected, bytes } = flipInEveryByte(small(0), "log", "log.1");
  // Version and dbid mean nothing, and padding that begins with half a record's head is cut off as one.
  const harmless = 4 + 8 + 12;
  expect(bytes - detected).toBe(harmless);
});

test("a flipped bit of a length never makes a whole record look torn", () => {
  const server = small(0);
  const whole = server.disk.files("log").get("log.1")!;
  for (const at of [16, 16 + (whole.length - 64 - 16) / 3, 16 + (2 * (whole.length - 64 - 16)) / 3]) {
    for (let bit = 0; bit < 32; bit++) {
      expect(restartedWith(server, "log", "log.1", flipped(whole, (at + 8) * 8 + bit)).failure).toBe(
        `CORRUPT_RECORD log/log.1 ${at}`,
      );
    }
  }
});

test("a flipped bit of the only snapshot stops the start", () => {
  const { detected, bytes } = flipInEveryByte(small(0), "snap", "snapshot.0");
  expect(detected).toBe(bytes);
});

test("a flipped bit of the newest snapshot is made good by an older one", () => {
  const { detected } = flipInEveryByte(small(2), "snap", "snapshot.2");
  expect(detected).toBe(0);
});

test("a log that ends anywhere yields the txns before its end", () => {
  const server = small(0);
  const whole = server.disk.files("log").get("log.1")!;
  const record = (whole.length - 64 - 16) / 3;
  for (let length = 0; length <= whole.length; length++) {
    const again = restartedWith(server, "log", "log.1", whole.subarray(0, length));
    const kept = Math.min(3, Math.max(0, Math.floor((length - 16) / record)));
    const txns = [1, 2, 3].slice(0, kept).map((zxid) => createTxn(zxid, 4).txn);
    expect(again.treeState, `${length} bytes`).toBe(treeAfter(txns));
  }
});

test("a snapshot that ends anywhere is passed over", () => {
  const server = small(2);
  const whole = server.disk.files("snap").get("snapshot.2")!;
  for (let length = 0; length < whole.length; length++) {
    const again = restartedWith(server, "snap", "snapshot.2", whole.subarray(0, length));
    expect(again.treeState, `${length} bytes`).toBe(server.treeState);
    // What ends right behind a seal is a snapshot without the sections that follow.
    if (again.told.includes("SNAPSHOT_SKIPPED")) expect(again.replayed).toEqual([1, 2, 3]);
  }
});

test("random garbage in the place of a file never starts a server with other data", () => {
  const random = seeded(5);
  const server = small(2);
  for (let round = 0; round < 300; round++) {
    // Not the last record of all: with its length gone it may look like one that was never finished.
    const [area, file] = (["log log.1", "snap snapshot.2", "snap snapshot.0"][round % 3] as string).split(" ");
    const content = Buffer.from(server.disk.files(area as DiskArea).get(file!)!);
    const from = Math.floor(random() * content.length);
    const to = Math.min(content.length, from + 1 + Math.floor(random() * 40));
    for (let at = from; at < to; at++) content[at] = Math.floor(random() * 256);
    const again = restartedWith(server, area as DiskArea, file!, content);
    if (again.failure === undefined) expect(again.treeState, `${file} ${from}-${to}`).toBe(server.treeState);
  }
});

test("the fake disk itself tears, forgets and keeps", () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const disk = new FakeDisk({ random: seeded(seed) });
    disk.perform({
      type: "disk.write",
      id: 1,
      area: "log",
      file: "f",
      offset: 0,
      bytes: [Buffer.from("abc")],
      sync: true,
    });
    disk.step();
    disk.perform({
      type: "disk.write",
      id: 2,
      area: "log",
      file: "f",
      offset: 3,
      bytes: [Buffer.from("de")],
      sync: false,
    });
    disk.perform({
      type: "disk.write",
      id: 3,
      area: "log",
      file: "new",
      offset: 0,
      bytes: [Buffer.from("x")],
      sync: false,
    });
    while (disk.step());
    disk.crash();
    outcomes.add(`${disk.files("log").get("f")} ${disk.files("log").get("new") ?? "gone"}`);
  }
  expect([...outcomes].sort()).toEqual([
    "abc ",
    "abc gone",
    "abc x",
    "abcd ",
    "abcd gone",
    "abcd x",
    "abcde ",
    "abcde gone",
    "abcde x",
  ]);
});
