/** The txns that a leader would log, and the bytes of a log that holds them. */
import { txnBodyOf } from "../../model-tests/support/model-txns.ts";
import type { Outcome, Stamp, Write } from "../../spec/models/znode-tree.ts";
import type { Zxid } from "../../spec/vocabulary.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import { encodeTxn, makeTxn, type Txn } from "../../src/protocol/txn.ts";
import { logHeader, putRecord, RECORD_OVERHEAD_BYTES } from "../../src/storage/log-format.ts";

/** `owned`: the ephemerals of the session, for a close. Creates leave the parent's cversion to whoever applies them. */
export function txnOf(write: Write, outcome: Outcome, stamp: Stamp, cxid: number, owned: readonly string[]): Txn {
  return makeTxn(stamp.session, cxid, stamp.zxid as Zxid, stamp.time, txnBodyOf(write, outcome, { owned }), null);
}

/** A log file with these txns. */
export function logOf(txns: readonly Txn[]): Buffer {
  const parts = [logHeader()];
  const writer = new JuteWriter();
  for (const txn of txns) {
    encodeTxn(writer, txn);
    const entry = writer.take();
    const record = Buffer.alloc(entry.length + RECORD_OVERHEAD_BYTES);
    putRecord(record, 0, entry);
    parts.push(record);
  }
  return Buffer.concat(parts);
}
