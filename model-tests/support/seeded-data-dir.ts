/** A data directory that an ensemble could have left behind: an empty tree at a zxid of one's choice. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { epochOf, makeZxid, type SessionId, type Zxid } from "../../spec/vocabulary.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { makeTxn } from "../../src/protocol/txn.ts";
import { ADLER_START, adler32 } from "../../src/storage/adler32.ts";
import { snapshotName } from "../../src/storage/file-names.ts";
import { snapshotHeader, snapshotTrailer } from "../../src/storage/snapshot-format.ts";
import { Database } from "../../src/tree/database.ts";
import { TreeSnapshotter } from "../../src/tree/snapshot-source.ts";

/** @param directory the one that holds the files (version-2); created if need be */
export function seedDataDir(directory: string, zxid: Zxid): void {
  const database = new Database();
  // A txn that changed nothing brings the tree to its zxid.
  const body = { type: OpCode.error, err: -101 } as const;
  database.apply(makeTxn(0n as SessionId, 0, zxid, 0, body, null));
  const source = new TreeSnapshotter(database);
  const parts = [snapshotHeader()];
  for (let part = source.next(1000); part !== null; part = source.next(1000)) parts.push(part);
  const bytes = Buffer.concat(parts);
  const { digest } = database;
  const trailer = snapshotTrailer(
    adler32(ADLER_START, bytes, 0, bytes.length),
    digest === null ? null : { zxid, digest },
  );
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, snapshotName(zxid)), Buffer.concat([bytes, trailer]));
  for (const name of ["currentEpoch", "acceptedEpoch"]) writeFileSync(join(directory, name), String(epochOf(zxid)));
}

/** The last zxid but `left` that an epoch has. */
export function nearEndOfEpoch(epoch: number, left: number): Zxid {
  return makeZxid(epoch, 2 ** 32 - 1 - left);
}
