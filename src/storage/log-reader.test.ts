import { describe, expect, test } from "vitest";
import { createTxn, StorageHarness } from "../../model-tests/simulator/storage-harness.ts";
import { makeZxid, type Zxid } from "../../spec/vocabulary.ts";
import type { LogReading, LogReadingEnd } from "./storage-facts.ts";

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

interface Read {
  readonly zxids: number[];
  readonly entries: Buffer[];
  outcome: LogReadingEnd | null;
  reading: LogReading;
}

/** Reads as fast as it comes, or pauses after every `pauseAfter` entries. */
function read(
  server: StorageHarness,
  from: number,
  to: number,
  options: { maxBytes?: number; pauseAfter?: number } = {},
): Read {
  const zxids: number[] = [];
  const entries: Buffer[] = [];
  const visitor = {
    entry: (zxid: Zxid, entry: Buffer) => {
      zxids.push(zxid);
      entries.push(entry);
      return options.pauseAfter === undefined || zxids.length % options.pauseAfter !== 0;
    },
    end: (outcome: LogReadingEnd) => {
      result.outcome = outcome;
    },
  };
  const result: Read = { zxids, entries, outcome: null, reading: { resume: () => {}, cancel: () => {} } };
  result.reading = server.storage.readLog(from as Zxid, to as Zxid, visitor, options.maxBytes);
  return result;
}

/** Logs from 1, 11 and 21, the last still being written. */
function threeLogs(): StorageHarness {
  const server = StorageHarness.fresh();
  server.logDurably(1, 10);
  server.takeSnapshot();
  server.logDurably(11, 20);
  server.takeSnapshot();
  server.logDurably(21, 30);
  return server;
}

describe("reading the log for a learner", () => {
  test("starts with the entry asked for and goes on across files", () => {
    const server = threeLogs();
    const result = read(server, 8, 25);
    server.settle();
    expect(result.zxids).toEqual(range(8, 25));
    expect(result.outcome).toBe("complete");
    expect(result.entries[0]).toEqual(createTxn(8).entry);
    expect(result.entries.at(-1)).toEqual(createTxn(25).entry);
  });

  test("starts with the newest entry before it when a learner has one that nobody else has", () => {
    const server = StorageHarness.fresh();
    server.logDurably(1, 5);
    server.logDurably(makeZxid(1, 1), makeZxid(1, 3));
    const result = read(server, 9, makeZxid(1, 2));
    server.settle();
    expect(result.zxids).toEqual([5, makeZxid(1, 1), makeZxid(1, 2)]);
    expect(result.outcome).toBe("complete");
  });

  test("pauses when the link is full and goes on when it drains", () => {
    const server = threeLogs();
    const result = read(server, 5, 28, { pauseAfter: 4 });
    for (let count = 4; count <= 24; count += 4) {
      server.settle();
      expect(result.zxids).toHaveLength(count);
      result.reading.resume();
    }
    server.settle();
    expect(result.zxids).toEqual(range(5, 28));
    expect(result.outcome).toBe("complete");
  });

  test("stops when nobody wants the rest", () => {
    const server = threeLogs();
    const result = read(server, 5, 28, { pauseAfter: 4 });
    server.settle();
    result.reading.cancel();
    result.reading.resume();
    server.settle();
    expect(result.zxids).toEqual(range(5, 8));
    expect(result.outcome).toBeNull();
  });

  test("finds nothing when the log begins later", () => {
    const server = threeLogs();
    server.disk.remove("log", "log.1");
    const result = read(server, 8, 25);
    server.settle();
    expect(result.outcome).toBe("missing");
    expect(result.zxids).toEqual([]);
  });

  test("does not cross the hole that a SNAP leaves in a log", () => {
    const server = threeLogs();
    server.database.lastProcessedZxid = 40 as Zxid;
    server.storage.snapshot("sync");
    server.settle();
    server.logDurably(41, 45);
    const result = read(server, 28, 43);
    server.settle();
    expect(result.zxids).toEqual([]);
    expect(result.outcome).toBe("gap");
  });

  test("does not cross that hole either where the next epoch begins right behind it", () => {
    const server = threeLogs();
    server.database.lastProcessedZxid = makeZxid(1, 9);
    server.storage.snapshot("sync");
    server.settle();
    server.logDurably(makeZxid(2, 1), makeZxid(2, 5));
    const result = read(server, 28, makeZxid(2, 3));
    server.settle();
    expect(result.zxids).toEqual([]);
    expect(result.outcome).toBe("gap");
  });

  test("that ends before the zxid asked for says so", () => {
    const server = threeLogs();
    const result = read(server, 28, 99);
    server.settle();
    expect(result.zxids).toEqual([]);
    expect(result.outcome).toBe("gap");
  });

  // Nobody but this server ever had them: another leader's history took the place of theirs.
  test("hands out nothing of a tail that a SNAP left in a log, whether txns follow it or not", () => {
    const server = threeLogs();
    server.database.lastProcessedZxid = makeZxid(1, 9);
    server.storage.snapshot("sync");
    server.settle();
    const inOneFile = read(server, 28, makeZxid(1, 9));
    server.settle();
    server.logDurably(makeZxid(1, 10), makeZxid(1, 12));
    const before = read(server, 5, makeZxid(1, 11), { pauseAfter: 1 });
    const inTail = read(server, 30, makeZxid(1, 11));
    const behind = read(server, makeZxid(1, 10), makeZxid(1, 11));
    server.settle();
    for (const { zxids, outcome } of [inOneFile, before, inTail]) {
      expect(zxids).toEqual([]);
      expect(outcome).toBe("gap");
    }
    expect(behind.zxids).toEqual([makeZxid(1, 10), makeZxid(1, 11)]);
    expect(behind.outcome).toBe("complete");
  });

  test("hands out nothing of a stretch that is damaged further on", () => {
    const server = threeLogs();
    const log = Buffer.from(server.disk.files("log").get("log.15")!);
    log.fill(0xff, 200, 240);
    server.disk.put("log", "log.15", log);
    const result = read(server, 8, 30);
    server.settle();
    expect(result.zxids).toEqual([]);
    expect(result.outcome).toBe("gap");
  });

  test("is not worth it when there is too much of it; padding does not count", () => {
    const server = threeLogs();
    const bytes = 16 + 10 * (13 + createTxn(0x11).entry.length);
    const tooLarge = read(server, 22, 25, { maxBytes: bytes - 1 });
    const justRight = read(server, 22, 25, { maxBytes: bytes });
    server.settle();
    expect(tooLarge.outcome).toBe("tooLarge");
    expect(justRight.outcome).toBe("complete");
  });

  test("fails when the disk does, and storage goes on", () => {
    const server = threeLogs();
    const result = read(server, 8, 25);
    server.disk.fault = (effect) => (effect.type === "disk.read" ? { code: "EIO" } : null);
    server.settle();
    expect(result.outcome).toBe("failed");
    expect(server.failure).toBeUndefined();
  });

  test("fails when what was there is gone when it is read again", () => {
    const server = threeLogs();
    const result = read(server, 8, 25, { pauseAfter: 3 });
    server.settle();
    expect(result.zxids).toEqual([8, 9, 10]);
    server.disk.remove("log", "log.b");
    result.reading.resume();
    server.settle();
    expect(result.zxids).toEqual([8, 9, 10]);
    expect(result.outcome).toBe("failed");
  });

  test("stops at whatever moment nobody wants it any more, and fails at whatever moment storage starts anew", () => {
    for (const over of ["cancel", "fail"] as const) {
      for (let steps = 0; ; steps++) {
        const server = threeLogs();
        const result = read(server, 8, 25);
        let taken = 0;
        while (taken < steps && result.outcome === null && server.disk.step()) taken++;
        if (result.outcome !== null) {
          expect(taken).toBeGreaterThan(5);
          break;
        }
        if (over === "cancel") result.reading.cancel();
        else server.storage.truncate(27 as Zxid);
        const handedOut = result.zxids.length;
        result.reading.resume();
        server.settle();
        expect(result.zxids).toHaveLength(handedOut);
        expect(result.outcome).toBe(over === "cancel" ? null : "failed");
      }
    }
  });

  test("ends when the log is cut under it", () => {
    const server = threeLogs();
    const result = read(server, 5, 28, { pauseAfter: 2 });
    server.settle();
    server.storage.truncate(7 as Zxid);
    expect(result.outcome).toBe("failed");
    server.settle();
    result.reading.resume();
    expect(result.zxids).toEqual([5, 6]);
  });

  // A quorum of others commits a txn before the leader has it on its own disk.
  test("waits for what is on its way to the log", () => {
    const server = threeLogs();
    server.log(31, 33);
    server.storage.flush();
    server.log(34, 35);
    const result = read(server, 29, 35);
    server.settle();
    expect(result.zxids).toEqual(range(29, 35));
    expect(result.outcome).toBe("complete");
  });

  test("sees what is being appended as far as it is whole", () => {
    const server = threeLogs();
    server.log(31, 33);
    server.storage.flush();
    const result = read(server, 29, 30);
    server.settle();
    expect(result.zxids).toEqual([29, 30]);
  });
});
