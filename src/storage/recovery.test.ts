import { expect, test } from "vitest";
import { StorageHarness, createTxn, treeAfter } from "../../model-tests/simulator/storage-harness.ts";

test("an empty directory becomes an empty tree with a first snapshot", () => {
  const server = StorageHarness.fresh();
  expect(server.facts).toEqual([{ type: "RECOVERED", lastZxid: 0, currentEpoch: 0, acceptedEpoch: 0 }]);
  expect(server.names("snap")).toEqual(["acceptedEpoch", "currentEpoch", "snapshot.0"]);
  expect(server.names("log")).toEqual([]);
});

test("what was logged comes back", () => {
  const server = StorageHarness.fresh();
  server.logDurably(1, 5);
  const again = server.restarted();
  expect(again.lastZxid).toBe(5);
  expect(again.replayed).toEqual([1, 2, 3, 4, 5]);
  expect(again.treeState).toBe(server.treeState);
  expect(again.treeState).toBe(treeAfter([1, 2, 3, 4, 5].map((zxid) => createTxn(zxid).txn)));
});
