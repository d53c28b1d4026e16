/** What two servers have logged, without what they do not share. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode } from "../../src/protocol/error-codes.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { decodeTxn, type Txn, type TxnBody } from "../../src/protocol/txn.ts";

export function describeTxns(txns: readonly Txn[]): readonly unknown[] {
  return txns.filter(({ body }) => !isMalformed(body)).map(describeTxn);
}

/** Apache logs an error for a read that it cannot decode; here only writes are logged. */
function isMalformed(body: TxnBody): boolean {
  return body.type === OpCode.error && body.err === ErrorCode.MARSHALLINGERROR;
}

/** Without what two servers do not share: zxids that were spent on malformed reads, clocks, session ids, digests of these. */
function describeTxn({ cxid, digest, body }: Txn): unknown {
  const told = { cxid, digest: digest === null ? "none" : digest.version };
  if (body.type === OpCode.closeSession) return { ...told, type: body.type, paths: [...(body.paths ?? [])].sort() };
  if (body.type === OpCode.multi && body.txns.some(isError)) {
    // Of a failed multi Apache logs what came before the culprit as it would have been; every reader takes it for an error.
    return {
      ...told,
      type: body.type,
      txns: body.txns.map((sub) => (isError(sub) ? sub : { type: OpCode.error, err: 0 })),
    };
  }
  return { ...told, ...body };
}

function isError(body: TxnBody): boolean {
  return body.type === OpCode.error;
}

/** Every txn of a server that has never rolled its log. */
export function txnsIn(directory: string): Txn[] {
  const files = readdirSync(join(directory, "version-2")).filter((name) => name.startsWith("log."));
  const bytes = readFileSync(join(directory, "version-2", files[0] as string));
  const txns: Txn[] = [];
  // A header of 16 bytes, then records: checksum, length, entry, end mark. Zeros from the last one on.
  for (let at = 16; at + 12 < bytes.length; ) {
    const length = bytes.readInt32BE(at + 8);
    if (length === 0) break;
    txns.push(decodeTxn(bytes.subarray(at + 12, at + 12 + length)));
    at += 12 + length + 1;
  }
  return txns;
}
