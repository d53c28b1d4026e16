/** The production Database against the reference model: the same writes, the same outcomes, the same tree. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { type ClientStat, type Outcome, ZnodeTree } from "../../spec/models/znode-tree.ts";
import { JuteReader } from "../../src/protocol/jute-reader.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { EventType } from "../../src/protocol/watch-events.ts";
import { type ApplyResult, Database } from "../../src/tree/database.ts";
import { WatchTable } from "../../src/tree/watch-table.ts";
import { codeOf } from "../support/model-txns.ts";
import { digestByDefinition, digestOf, dumpDatabase, dumpModel, perform, performAll, steps } from "./tree-world.ts";

// Hundreds of runs on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const newDatabase = () => new Database({ extendedTypes: true });

describe("the tree and its model", () => {
  test("agree on every outcome and on the whole tree", () => {
    fc.assert(
      fc.property(steps(60), (all) => {
        const database = newDatabase();
        const model = new ZnodeTree();
        all.forEach((step, index) => {
          const { outcome, txn } = perform(model, step, index);
          const result = database.apply(txn);
          expectOutcome(result, outcome);
          expect(database.lastProcessedZxid).toBe(txn.zxid);
        });
        expect(dumpDatabase(database)).toEqual(dumpModel(model));
        expect(digestOf(database)).toBe(digestByDefinition(database));
        expectCounts(database, model);
      }),
      { numRuns: 200 },
    );
  });

  test("tell watchers of the same changes in the same order", () => {
    fc.assert(
      // Without a list, closeSession may delete in any order.
      fc.property(steps(30, { listed: true }), (all) => {
        const told = new Map<string, string[]>();
        const watches = new WatchTable<{ readonly name: string }>((watcher, type, path) => {
          told.set(watcher.name, [...(told.get(watcher.name) ?? []), `${NAMES[type]} ${path}`]);
        });
        const database = newDatabase();
        database.watches = watches;
        watches.add({ name: "everything" }, "/", "persistentRecursive");
        watches.add({ name: "/a" }, "/a", "persistent");
        const model = new ZnodeTree();
        const expected: string[] = [];
        all.forEach((step, index) => {
          const { txn } = perform(model, step, index);
          database.apply(txn);
          expected.push(...model.changes.map(({ kind, path }) => `${kind} ${path}`));
        });
        expect(told.get("everything") ?? []).toEqual(
          expected.filter((change) => !change.startsWith("childrenChanged")),
        );
        expect(told.get("/a") ?? []).toEqual(expected.filter((change) => change.endsWith(" /a")));
      }),
      { numRuns: 100 },
    );
  });

  // A closeSession that does not list what it deletes (logs of old servers) cannot be replayed over its own result: the node
  // it deleted may meanwhile be somebody else's (ZOOKEEPER-3145). Our leaders always list.
  test("a log replayed over its own result changes nothing", () => {
    fc.assert(
      fc.property(steps(40, { listed: true }), fc.nat(), (all, cut) => {
        const { txns } = performAll(all);
        const once = newDatabase();
        for (const txn of txns) once.apply(txn);
        const twice = newDatabase();
        const first = txns.slice(0, cut % (txns.length + 1));
        for (const txn of first) twice.apply(txn);
        for (const txn of txns) twice.apply(txn);
        expect(dumpDatabase(twice)).toEqual(dumpDatabase(once));
        expect(digestOf(twice)).toBe(digestOf(once));
      }),
      { numRuns: 200 },
    );
  });
});

const NAMES: Readonly<Record<number, string>> = {
  [EventType.created]: "created",
  [EventType.deleted]: "deleted",
  [EventType.dataChanged]: "dataChanged",
  [EventType.childrenChanged]: "childrenChanged",
};

function expectOutcome(result: ApplyResult, outcome: Outcome): void {
  expect(result.err).toBe(codeOf(outcome.err));
  if (outcome.path !== undefined) expect(result.path).toBe(outcome.path);
  if (outcome.stat !== undefined) expect(statOf(result)).toEqual(outcome.stat);
  if (outcome.results === undefined) return;
  expect(result.type).toBe(OpCode.multi);
  expect(result.results).toHaveLength(outcome.results.length);
  outcome.results.forEach((sub, i) => {
    expectOutcome(result.results![i]!, sub);
  });
}

function statOf(result: ApplyResult): ClientStat {
  const writer = new JuteWriter();
  result.writeStat(writer);
  const bytes = writer.take();
  expect(bytes).toHaveLength(68);
  const reader = new JuteReader(bytes);
  const [czxid, mzxid, ctime, mtime] = [reader.long(), reader.long(), reader.long(), reader.long()] as const;
  const [version, cversion, aversion] = [reader.int(), reader.int(), reader.int()] as const;
  const ephemeralOwner = reader.int64();
  const [dataLength, numChildren, pzxid] = [reader.int(), reader.int(), reader.long()] as const;
  return {
    ...{ czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion },
    ...{ ephemeralOwner, dataLength, numChildren },
  };
}

function expectCounts(database: Database, model: ZnodeTree): void {
  const paths = [...model.nodes.keys()];
  const ephemerals = [...model.nodes.values()].filter((node) => typeof node.owner === "bigint");
  const bytes = [...model.nodes.values()].map((node) => Buffer.byteLength(node.data ?? ""));
  const pathBytes = paths.map((path) => Buffer.byteLength(path));
  expect(database.nodeCount).toBe(paths.length + 1);
  expect(database.ephemeralCount).toBe(ephemerals.length);
  expect(database.approximateDataSize).toBe([...bytes, ...pathBytes].reduce((sum, size) => sum + size, 0));
  for (const path of paths) {
    const node = database.tree.get(path)!;
    expect(database.tree.descendantCount(node)).toBe(
      paths.filter((other) => other !== path && (path === "/" || other.startsWith(`${path}/`))).length,
    );
  }
}
