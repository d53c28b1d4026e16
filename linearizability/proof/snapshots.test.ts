/** I9: a server's snapshot, brought up to date with the log, is the tree of the log; a snapshot of another tree is refused. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeZxid, type Zxid } from "../../spec/vocabulary.ts";
import type { Txn } from "../../src/protocol/txn.ts";
import { adler32 } from "../../src/storage/adler32.ts";
import { SNAPSHOT_HEADER_BYTES, snapshotHeader, snapshotTrailer } from "../../src/storage/snapshot-format.ts";
import { Database } from "../../src/tree/database.ts";
import { TreeSnapshotter } from "../../src/tree/snapshot-source.ts";
import { checkHistory } from "../checker/check-history.ts";
import { type ServerLog, serverLogOf } from "../checker/witness/server-log.ts";
import { historyOf } from "../histories/read-history.ts";
import { create } from "./requests.ts";
import { Stage } from "./stage.ts";
import { logOf } from "./txns.ts";

const folder = mkdtempSync(join(tmpdir(), "snapshots-"));
afterAll(() => rmSync(folder, { recursive: true }));

function story(): Stage {
  const stage = new Stage();
  const [one, two] = [stage.actor(1), stage.actor(2)];
  stage.answer(stage.ask(one, create("/a", "0", "persistent")));
  stage.answer(stage.ask(two, create("/e", "1", "ephemeral")));
  stage.answer(stage.ask(one, { op: "setData", args: { path: "/a", data: "x", version: -1 } }));
  stage.answer(stage.ask(two, { op: "getData", args: { path: "/a" } }));
  return stage;
}

/** The tree after these txns, as a snapshot file of the last one's zxid. */
function snapshotOf(txns: readonly Txn[], zxid: Zxid): ServerLog["snapshots"][number] {
  const database = new Database({ extendedTypes: true });
  for (const txn of txns) database.apply(txn);
  const parts = [snapshotHeader()];
  const snapshotter = new TreeSnapshotter(database);
  for (let part = snapshotter.next(1 << 20); part !== null; part = snapshotter.next(1 << 20))
    parts.push(Buffer.from(part));
  const body = Buffer.concat(parts);
  const bytes = Buffer.concat([body, snapshotTrailer(adler32(1, body, 0, body.length), null)]);
  expect(bytes.length).toBeGreaterThan(SNAPSHOT_HEADER_BYTES);
  const name = `snapshot.${zxid.toString(16)}`;
  const path = join(folder, `${name}-${txns.length}`);
  writeFileSync(path, bytes);
  return { name, size: bytes.length, zxid, compression: "none", path };
}

function findings(stage: Stage, snapshot: ServerLog["snapshots"][number]): string[] {
  const log = { ...serverLogOf(1, [logOf(stage.txns)]), snapshots: [snapshot] };
  return checkHistory(historyOf(stage.lines), { logs: [log], tickTimeMs: 1000 }).violations.map(
    ({ property }) => property,
  );
}

test.each([3, 4, 5])("a snapshot after %i txns is the tree of the log there", (count) => {
  const stage = story();
  stage.end();
  const snapshot = snapshotOf(stage.txns.slice(0, count), makeZxid(1, count));
  expect(findings(stage, snapshot)).toEqual([]);
});

// Txns 1 and 3 create sessions, which are no part of a tree's digest: a snapshot without one is not found by it.
test.each([2, 4, 5])("a snapshot that lacks txn %i is refused", (gone) => {
  const stage = story();
  stage.end();
  const txns = stage.txns.filter((_, at) => at !== gone - 1);
  const snapshot = snapshotOf(txns, makeZxid(1, stage.txns.length));
  expect(findings(stage, snapshot)).toEqual(["I9 snapshots restore the tree"]);
});
