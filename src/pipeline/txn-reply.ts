import { ErrorCode } from "../protocol/error-codes.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";
import { writeMultiEnd, writeMultiHeader } from "../protocol/multi.ts";
import { OpCode } from "../protocol/opcodes.ts";
import type { Txn } from "../protocol/txn.ts";
import type { ApplyResult, Database } from "../tree/database.ts";
import { beginReply, endReply } from "./reply.ts";

/** The session's writes are refused because it moved to another server: never said, the connection is closed instead. */
export function saysSessionMoved(txn: Txn): boolean {
  const { body } = txn;
  if (body.type === OpCode.error) return body.err === ErrorCode.SESSIONMOVED;
  return (
    body.type === OpCode.multi &&
    body.txns.some((sub) => sub.type === OpCode.error && sub.err === ErrorCode.SESSIONMOVED)
  );
}

/** Writes the reply to the write that became this txn, and returns its length in bytes (the writing half of FinalRequestProcessor). */
export function writeTxnReply(writer: JuteWriter, txn: Txn, result: ApplyResult, database: Database): number {
  const { body } = txn;
  const start = beginReply(writer, txn.cxid, txn.zxid);
  const err = body.type === OpCode.error ? body.err : result.err;
  if (err === ErrorCode.OK) writeRecord(writer, body.type, result, database);
  return endReply(writer, start, err);
}

function writeRecord(writer: JuteWriter, type: number, result: ApplyResult, database: Database): void {
  switch (type) {
    case OpCode.create:
      return writer.ustring(result.path);
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      writer.ustring(result.path);
      return result.writeStat(writer);
    case OpCode.setData:
    case OpCode.setACL:
      return result.writeStat(writer);
    case OpCode.reconfig:
      if (result.node !== undefined) database.tree.writeData(writer, result.node);
      return result.writeStat(writer);
    case OpCode.multi:
      return writeResults(writer, result.results ?? []);
    default:
      // delete and closeSession have nothing to tell.
      return;
  }
}

function writeResults(writer: JuteWriter, results: readonly ApplyResult[]): void {
  for (const result of results) writeResult(writer, result);
  writeMultiEnd(writer);
}

function writeResult(writer: JuteWriter, result: ApplyResult): void {
  switch (result.type) {
    case OpCode.create:
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.check:
      writeMultiHeader(writer, result.type, ErrorCode.OK);
      if (result.type === OpCode.create) writer.ustring(result.path);
      else if (result.type === OpCode.setData) result.writeStat(writer);
      return;
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      writeMultiHeader(writer, OpCode.create2, ErrorCode.OK);
      writer.ustring(result.path);
      return result.writeStat(writer);
    default:
      writeMultiHeader(writer, OpCode.error, result.err);
      writer.int(result.err);
  }
}
