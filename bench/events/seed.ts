/**
 * Writes the snapshot of a tree of `COUNT` znodes with `BYTES` of data, as either server takes it for its own:
 * `node build/bench/events/seed.js DIRECTORY COUNT BYTES`. A process of its own, because the tree is large.
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { makeZxid, type SessionId } from "../../spec/vocabulary.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { makeTxn } from "../../src/protocol/txn.ts";
import { ADLER_START, adler32 } from "../../src/storage/adler32.ts";
import { snapshotName } from "../../src/storage/file-names.ts";
import { snapshotHeader, snapshotTrailer } from "../../src/storage/snapshot-format.ts";
import { Database } from "../../src/tree/database.ts";
import { TreeSnapshotter } from "../../src/tree/snapshot-source.ts";
import { dataOf, nodePath, OPEN_ACL, ROOT } from "../load/requests.ts";

const NODES_PER_SLICE = 5000;

const [directory = "", count = "0", bytes = "0"] = process.argv.slice(2);
const database = new Database();
const data = dataOf(Number(bytes));
const paths = (index: number) => (index === 0 ? ROOT : nodePath(index - 1));
for (let index = 0; index <= Number(count); index++) {
  const body = {
    type: OpCode.create,
    path: paths(index),
    data,
    acl: OPEN_ACL,
    ephemeral: false,
    parentCVersion: index === 0 ? 1 : index,
  } as const;
  database.apply(makeTxn(0n as SessionId, 0, makeZxid(0, index + 1), 1, body, null));
}

const zxid = database.lastProcessedZxid;
mkdirSync(directory, { recursive: true });
const file = openSync(join(directory, snapshotName(zxid)), "w");
const source = new TreeSnapshotter(database);
let sum = ADLER_START;
const write = (part: Buffer) => {
  sum = adler32(sum, part, 0, part.length);
  writeSync(file, part);
};
write(snapshotHeader());
for (let part = source.next(NODES_PER_SLICE); part !== null; part = source.next(NODES_PER_SLICE)) write(part);
const { digest } = database;
writeSync(file, snapshotTrailer(sum, digest === null ? null : { zxid, digest }));
closeSync(file);
