/** The txns that a leader would log, and the bytes of a log that holds them. */
import type { Outcome, Stamp, SubWrite, Write } from "../../spec/models/znode-tree.ts";
import type { Acl, Zxid } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../../src/protocol/error-codes.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { encodeTxn, makeTxn, type SubTxn, type Txn, type TxnBody } from "../../src/protocol/txn.ts";
import { logHeader, putRecord, RECORD_OVERHEAD_BYTES } from "../../src/storage/log-format.ts";

/** `owned`: the ephemerals of the session, for a close. Creates leave the parent's cversion to whoever applies them. */
export function txnOf(write: Write, outcome: Outcome, stamp: Stamp, cxid: number, owned: readonly string[]): Txn {
  return makeTxn(stamp.session, cxid, stamp.zxid as Zxid, stamp.time, bodyOf(write, outcome, owned), null);
}

function bodyOf(write: Write, outcome: Outcome, owned: readonly string[]): TxnBody {
  if (outcome.err !== null) return { type: OpCode.error, err: ErrorCode[outcome.err] };
  switch (write.op) {
    case "multi": {
      const results = outcome.results ?? [];
      const failed = results.some(({ err }) => err !== null);
      return { type: OpCode.multi, txns: write.ops.map((sub, i) => subBodyOf(sub, results[i]!, failed)) };
    }
    case "setACL":
      return { type: OpCode.setACL, path: write.path, acl: write.acl, version: outcome.stat!.aversion };
    case "createSession":
      return { type: OpCode.createSession, timeOut: write.timeoutMs };
    case "closeSession":
      return { type: OpCode.closeSession, paths: [...owned] };
    default:
      return subBodyOf(write, outcome, false);
  }
}

function subBodyOf(sub: SubWrite, outcome: Outcome, failed: boolean): SubTxn {
  if (failed) return { type: OpCode.error, err: outcome.err === null ? 0 : ErrorCode[outcome.err] };
  switch (sub.op) {
    case "create": {
      const fields = { path: outcome.path!, data: bytesOf(sub.data), acl: sub.acl as Acl[], parentCVersion: -1 };
      if (typeof sub.mode === "object") return { type: OpCode.createTTL, ...fields, ttl: sub.mode.ttlMs };
      if (sub.mode === "container") return { type: OpCode.createContainer, ...fields };
      return { type: OpCode.create, ...fields, ephemeral: sub.mode.startsWith("ephemeral") };
    }
    case "delete":
      return { type: OpCode.delete, path: sub.path };
    case "setData":
      return { type: OpCode.setData, path: sub.path, data: bytesOf(sub.data), version: outcome.stat!.version };
    case "check":
      return { type: OpCode.check, path: sub.path, version: sub.version };
  }
}

export function bytesOf(data: string | null): Buffer | null {
  return data === null ? null : Buffer.from(data);
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
