/**
 * A snapshot is taken while txns go on; what it holds is of different ages. Wherever it is cut by them, loading it and
 * replaying the txns after its zxid must give the tree that replaying all txns gives (verification property I9).
 */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Txn } from "../../src/protocol/txn.ts";
import { Database } from "../../src/tree/database.ts";
import { TreeLoader, TreeSnapshotter } from "../../src/tree/snapshot-source.ts";
import { javaSnapshot } from "./java-snapshot.ts";
import { digestOf, dumpDatabase, performAll, steps } from "./tree-world.ts";

// Hundreds of runs on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const newDatabase = () => new Database({ extendedTypes: true });

/** When the snapshot starts, how many nodes each slice takes, and how many txns pass between slices. */
const cuts = fc.record({
  start: fc.nat({ max: 40 }),
  slices: fc.array(fc.record({ nodes: fc.integer({ min: 1, max: 3 }), txns: fc.nat({ max: 6 }) }), {
    minLength: 1,
    maxLength: 30,
    size: "max",
  }),
});
/**
 * closeSession lists what it deletes. Without a list, as old servers wrote it, a parent in the snapshot cannot learn that it
 * lost a child which the snapshot does not have any more: its pzxid stays behind (ZOOKEEPER-3145).
 */
const listedSteps = fc.oneof(steps(70, { listed: true }), steps(40, { listed: true, fewPaths: true }));

/** Where the loader's input is cut, in bytes; used round and round. */
const chunkSizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 });

interface Cuts {
  readonly start: number;
  readonly slices: readonly { readonly nodes: number; readonly txns: number }[];
}

/** The database after all txns, and the snapshot that was taken on the way. */
function run(txns: readonly Txn[], { start, slices }: Cuts, begin: (database: Database) => Slicer) {
  const database = newDatabase();
  let at = 0;
  const applyUpTo = (end: number): void => {
    for (; at < Math.min(end, txns.length); at++) database.apply(txns[at]!);
  };
  applyUpTo(start);
  const zxid = database.lastProcessedZxid;
  const next = begin(database);
  const parts: Buffer[] = [];
  for (let turn = 0; ; turn++) {
    const slice = slices[turn % slices.length]!;
    const part = next(slice.nodes);
    if (part === null) break;
    parts.push(part);
    applyUpTo(at + slice.txns);
  }
  const atEnd = at;
  applyUpTo(txns.length);
  return { database, body: Buffer.concat(parts), zxid, atEnd };
}

type Slicer = (nodes: number) => Buffer | null;

function load(body: Buffer, sizes: readonly number[]) {
  const database = newDatabase();
  const loader = new TreeLoader(database);
  const trailer = Buffer.from("what follows");
  const bytes = Buffer.concat([body, trailer]);
  let at = 0;
  for (let i = 0; !loader.done; i++) {
    const chunk = bytes.subarray(at, at + sizes[i % sizes.length]!);
    expect(chunk.length, "the loader wants more than there is").toBeGreaterThan(0);
    loader.push(Buffer.from(chunk));
    at += chunk.length;
  }
  expect(loader.bodyBytes).toBe(body.length);
  expect(Buffer.concat([loader.rest(), bytes.subarray(at)])).toEqual(trailer);
  return { loaded: database, missingAcls: loader.missingAcls };
}

function expectSame(actual: Database, expected: Database): void {
  expect(dumpDatabase(actual)).toEqual(dumpDatabase(expected));
  expect(digestOf(actual)).toBe(digestOf(expected));
  expect(actual.nodeCount).toBe(expected.nodeCount);
  expect(actual.ephemeralCount).toBe(expected.ephemeralCount);
  expect(actual.approximateDataSize).toBe(expected.approximateDataSize);
  expect(actual.acls.size).toBe(expected.acls.size);
  expect(actual.lastProcessedZxid).toBe(expected.lastProcessedZxid);
}

function checkEveryCut(begin: (database: Database) => Slicer, mayMissAcls: boolean): void {
  fc.assert(
    fc.property(listedSteps, cuts, chunkSizes, (all, cut, sizes) => {
      const { txns } = performAll(all);
      const { database, body, zxid, atEnd } = run(txns, cut, begin);
      const { loaded, missingAcls } = load(body, sizes);
      if (!mayMissAcls) expect(missingAcls).toBe(0);
      loaded.lastProcessedZxid = zxid;
      const pure = newDatabase();
      txns.forEach((txn, index) => {
        pure.apply(txn);
        if (txn.zxid > zxid) loaded.apply(txn);
        // From the moment when the snapshot ended on, it is whole.
        if (index + 1 === Math.max(atEnd, 1)) expectSame(loaded, pure);
      });
      if (txns.length > 0) expectSame(loaded, pure);
      expectSame(database, pure);
    }),
    { numRuns: 400 },
  );
}

describe("a snapshot taken while txns go on, and the txns after its zxid", () => {
  test("give the tree of all txns, wherever it was cut", () => {
    checkEveryCut((database) => {
      const snapshotter = new TreeSnapshotter(database);
      return (nodes) => snapshotter.next(nodes);
    }, false);
  });

  test("give the tree of all txns also when Java took it, which writes nodes younger than its ACLs and sessions", () => {
    checkEveryCut(javaSnapshot, true);
  });

  test("without txns in between, the snapshot alone is the tree", () => {
    fc.assert(
      fc.property(listedSteps, chunkSizes, (all, sizes) => {
        const database = newDatabase();
        for (const txn of performAll(all).txns) database.apply(txn);
        const snapshotter = new TreeSnapshotter(database);
        const parts: Buffer[] = [];
        for (let part = snapshotter.next(5); part !== null; part = snapshotter.next(5)) parts.push(part);
        const { loaded } = load(Buffer.concat(parts), sizes);
        loaded.lastProcessedZxid = snapshotter.zxid;
        expectSame(loaded, database);
      }),
      { numRuns: 100 },
    );
  });
});
