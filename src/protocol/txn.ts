/**
 * Transactions: what the log stores, PROPOSAL and INFORM carry, and the tree applies. On the wire an entry is a
 * TxnHeader (32 bytes), a record by type and, optionally, a TxnDigest (SerializeUtils.deserializeTxn).
 */
import type { Acl, SessionId, Zxid } from "../../spec/vocabulary.ts";
import { bool, buffer, int, long, nullableVector, record, ustring, vector } from "./fields.ts";
import { JuteError, JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";
import { OpCode } from "./opcodes.ts";
import { AclRecord } from "./records.ts";

/** Digest of the tree after the txn, 64 bits as two unsigned halves. Servers write version 2. */
export interface TxnDigest {
  readonly version: number;
  readonly hi: number;
  readonly lo: number;
}

/** `data` is null or bytes as the client sent them; version fields hold the result, so replay compares nothing. */
export type TxnBody =
  | {
      readonly type: typeof OpCode.create | typeof OpCode.create2;
      readonly path: string;
      readonly data: Buffer | null;
      readonly acl: readonly Acl[];
      readonly ephemeral: boolean;
      /** The parent's stored cversion after this create; -1 = one more than it is. */
      readonly parentCVersion: number;
    }
  | {
      readonly type: typeof OpCode.createContainer;
      readonly path: string;
      readonly data: Buffer | null;
      readonly acl: readonly Acl[];
      readonly parentCVersion: number;
    }
  | {
      readonly type: typeof OpCode.createTTL;
      readonly path: string;
      readonly data: Buffer | null;
      readonly acl: readonly Acl[];
      readonly parentCVersion: number;
      /** ms */
      readonly ttl: number;
    }
  | { readonly type: typeof OpCode.delete | typeof OpCode.deleteContainer; readonly path: string }
  | {
      readonly type: typeof OpCode.setData | typeof OpCode.reconfig;
      readonly path: string;
      readonly data: Buffer | null;
      readonly version: number;
    }
  | {
      readonly type: typeof OpCode.setACL;
      readonly path: string;
      readonly acl: readonly Acl[];
      readonly version: number;
    }
  | { readonly type: typeof OpCode.check; readonly path: string; readonly version: number }
  | { readonly type: typeof OpCode.multi; readonly txns: readonly TxnBody[] }
  | { readonly type: typeof OpCode.error; readonly err: number }
  /** ms */
  | { readonly type: typeof OpCode.createSession; readonly timeOut: number }
  /** null: a writer that does not list them; all ephemerals of the session go. */
  | { readonly type: typeof OpCode.closeSession; readonly paths: readonly string[] | null };

export interface Txn {
  readonly sessionId: SessionId;
  readonly cxid: number;
  readonly zxid: Zxid;
  /** ms since 1970, at the leader. */
  readonly time: number;
  /** Same as `body.type`. */
  readonly type: TxnBody["type"];
  readonly body: TxnBody;
  readonly digest: TxnDigest | null;
}

/** The one place where a Txn is made, so that all have the same shape. */
export function makeTxn(
  sessionId: SessionId,
  cxid: number,
  zxid: Zxid,
  time: number,
  body: TxnBody,
  digest: TxnDigest | null,
): Txn {
  return { sessionId, cxid, zxid, time, type: body.type, body, digest };
}

export const TXN_HEADER_BYTES = 32;
export const TXN_DIGEST_BYTES = 12;

const CreateTxn = record({
  path: ustring,
  data: buffer,
  acl: vector(AclRecord),
  ephemeral: bool,
  parentCVersion: int,
});
const CreateTxnV0 = record({ path: ustring, data: buffer, acl: vector(AclRecord), ephemeral: bool });
const CreateContainerTxn = record({ path: ustring, data: buffer, acl: vector(AclRecord), parentCVersion: int });
const CreateTTLTxn = record({
  path: ustring,
  data: buffer,
  acl: vector(AclRecord),
  parentCVersion: int,
  ttl: long,
});
const DeleteTxn = record({ path: ustring });
const SetDataTxn = record({ path: ustring, data: buffer, version: int });
const SetACLTxn = record({ path: ustring, acl: vector(AclRecord), version: int });
const CheckVersionTxn = record({ path: ustring, version: int });
const ErrorTxn = record({ err: int });
const CreateSessionTxn = record({ timeOut: int });
const CloseSessionTxn = record({ paths: nullableVector(ustring) });

/** Header, record and digest: the bytes of a log entry and of a PROPOSAL. */
export function encodeTxn(writer: JuteWriter, txn: Txn): void {
  writer.int64(txn.sessionId);
  writer.int(txn.cxid);
  writer.long(txn.zxid);
  writer.long(txn.time);
  writer.int(txn.type);
  writeBody(writer, txn.body);
  if (txn.digest !== null) writeTxnDigest(writer, txn.digest);
}

export function writeTxnDigest(writer: JuteWriter, digest: TxnDigest): void {
  writer.int(digest.version);
  writer.int(digest.hi);
  writer.int(digest.lo);
}

/**
 * Accepts what any ZooKeeper version wrote: creates without parentCVersion, closeSession without its list, entries
 * without digest or with bytes after it. Buffers are views of `bytes`.
 *
 * @throws JuteError
 */
export function decodeTxn(bytes: Buffer): Txn {
  const reader = new JuteReader(bytes);
  const sessionId = reader.int64() as SessionId;
  const cxid = reader.int();
  const zxid = reader.long() as Zxid;
  const time = reader.long();
  const type = reader.int();
  const body = type === OpCode.closeSession ? readCloseSession(reader) : readTopLevel(reader, type);
  return makeTxn(sessionId, cxid, zxid, time, body, readDigest(reader));
}

/** The zxid of an entry without decoding it. Throws JuteError. */
export function peekTxnZxid(bytes: Buffer): Zxid {
  if (bytes.length < TXN_HEADER_BYTES) {
    throw new JuteError("TRUNCATED", `A txn entry of ${bytes.length} bytes`, bytes.length);
  }
  return new JuteReader(bytes, 12).long() as Zxid;
}

function readTopLevel(reader: JuteReader, type: number): TxnBody {
  if (type !== OpCode.create) return readBody(reader, type);
  const at = reader.offset;
  try {
    return readBody(reader, type);
  } catch (error) {
    if (!(error instanceof JuteError && error.code === "TRUNCATED")) throw error;
    reader.seek(at);
    return { type, ...CreateTxnV0.read(reader), parentCVersion: -1 };
  }
}

/** A list, or nothing at all; after nothing there may still be a digest, whose version must not be taken for a count. */
function readCloseSession(reader: JuteReader): TxnBody {
  const at = reader.offset;
  if (reader.remaining >= 4 && !(reader.remaining === TXN_DIGEST_BYTES && reader.int() === 2)) {
    reader.seek(at);
    try {
      return { type: OpCode.closeSession, paths: CloseSessionTxn.read(reader).paths };
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
    }
  }
  reader.seek(at);
  return { type: OpCode.closeSession, paths: null };
}

function readDigest(reader: JuteReader): TxnDigest | null {
  if (reader.remaining < TXN_DIGEST_BYTES) return null;
  const version = reader.int();
  const hi = reader.uint32();
  const lo = reader.uint32();
  return { version, hi, lo };
}

function readBody(reader: JuteReader, type: number): TxnBody {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
      return { type, ...CreateTxn.read(reader) };
    case OpCode.createContainer:
      return { type, ...CreateContainerTxn.read(reader) };
    case OpCode.createTTL:
      return { type, ...CreateTTLTxn.read(reader) };
    case OpCode.delete:
    case OpCode.deleteContainer:
      return { type, ...DeleteTxn.read(reader) };
    case OpCode.setData:
    case OpCode.reconfig:
      return { type, ...SetDataTxn.read(reader) };
    case OpCode.setACL:
      return { type, ...SetACLTxn.read(reader) };
    case OpCode.check:
      return { type, ...CheckVersionTxn.read(reader) };
    case OpCode.multi:
      return { type, txns: readSubTxns(reader) };
    case OpCode.error:
      return { type, ...ErrorTxn.read(reader) };
    case OpCode.createSession:
      return { type, ...CreateSessionTxn.read(reader) };
    default:
      throw new JuteError("UNKNOWN_TYPE", `A txn of type ${type}`, type);
  }
}

/** vector<Txn{int type, buffer data}>: each record in a buffer of its own. */
function readSubTxns(reader: JuteReader): TxnBody[] {
  const txns: TxnBody[] = [];
  const count = reader.vectorCount();
  for (let i = 0; i < count; i++) {
    const type = reader.int();
    const length = reader.skip();
    // A multi in a multi does not exist, and would let a few bytes recurse deeply.
    if (type === OpCode.multi) throw new JuteError("UNKNOWN_TYPE", "A multi inside a multi", type);
    if (length < 0) throw new JuteError("BAD_LENGTH", "A sub-txn without a record", length);
    txns.push(readBody(reader.slice(reader.offset - length, reader.offset), type));
  }
  return txns;
}

function writeBody(writer: JuteWriter, body: TxnBody): void {
  switch (body.type) {
    case OpCode.create:
    case OpCode.create2:
      return CreateTxn.write(writer, body);
    case OpCode.createContainer:
      return CreateContainerTxn.write(writer, body);
    case OpCode.createTTL:
      return CreateTTLTxn.write(writer, body);
    case OpCode.delete:
    case OpCode.deleteContainer:
      return DeleteTxn.write(writer, body);
    case OpCode.setData:
    case OpCode.reconfig:
      return SetDataTxn.write(writer, body);
    case OpCode.setACL:
      return SetACLTxn.write(writer, body);
    case OpCode.check:
      return CheckVersionTxn.write(writer, body);
    case OpCode.multi:
      return writeSubTxns(writer, body.txns);
    case OpCode.error:
      return ErrorTxn.write(writer, body);
    case OpCode.createSession:
      return CreateSessionTxn.write(writer, body);
    case OpCode.closeSession:
      if (body.paths !== null) CloseSessionTxn.write(writer, body);
  }
}

function writeSubTxns(writer: JuteWriter, txns: readonly TxnBody[]): void {
  writer.vectorCount(txns.length);
  for (let i = 0; i < txns.length; i++) {
    const sub = txns[i]!;
    writer.int(sub.type);
    const at = writer.offset;
    writer.int(0);
    writeBody(writer, sub);
    writer.patchInt(at, writer.offset - at - 4);
  }
}
