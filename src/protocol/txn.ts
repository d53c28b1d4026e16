/**
 * Transactions: what the log stores, PROPOSAL and INFORM carry, and the tree applies. On the wire an entry is a
 * TxnHeader (32 bytes), a record by type and, optionally, a TxnDigest (SerializeUtils.deserializeTxn).
 */
import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import { assert } from "../runtime/assert.ts";
import { bool, buffer, type Field, int, long, nullableVector, tag, ustring, vector } from "./fields.ts";
import { JuteError, JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";
import { OpCode } from "./opcodes.ts";
import { type RecordOf, record } from "./record.ts";
import { AclRecord } from "./records.ts";

/** Digest of the tree after the txn, 64 bits as two unsigned halves. */
export interface TxnDigest {
  readonly version: number;
  readonly hi: number;
  readonly lo: number;
}

const createFields = { path: ustring, data: buffer, acl: vector(AclRecord) };
/** Version fields hold the result, so replay compares nothing. */
const versioned = { path: ustring, data: buffer, version: int };

/** `parentCVersion`: the parent's stored cversion after this create; -1 = one more than it is. */
const CreateTxn = record({ type: tag(OpCode.create), ...createFields, ephemeral: bool, parentCVersion: int });
const Create2Txn = record({ type: tag(OpCode.create2), ...createFields, ephemeral: bool, parentCVersion: int });
/** From before parentCVersion was stored. */
const CreateTxnV0 = record({ ...createFields, ephemeral: bool });
const CreateContainerTxn = record({ type: tag(OpCode.createContainer), ...createFields, parentCVersion: int });
/** `ttl` in ms. */
const CreateTTLTxn = record({ type: tag(OpCode.createTTL), ...createFields, parentCVersion: int, ttl: long });
const DeleteTxn = record({ type: tag(OpCode.delete), path: ustring });
const DeleteContainerTxn = record({ type: tag(OpCode.deleteContainer), path: ustring });
const SetDataTxn = record({ type: tag(OpCode.setData), ...versioned });
const ReconfigTxn = record({ type: tag(OpCode.reconfig), ...versioned });
const SetACLTxn = record({ type: tag(OpCode.setACL), path: ustring, acl: vector(AclRecord), version: int });
/** Changes nothing. Only inside multi; 3.8.0 also logs a client's top-level check, and then cannot read its own log. */
const CheckTxn = record({ type: tag(OpCode.check), path: ustring, version: int });
const ErrorTxn = record({ type: tag(OpCode.error), err: int });
/** `timeOut` in ms. */
const CreateSessionTxn = record({ type: tag(OpCode.createSession), timeOut: int });
/** `paths`: the ephemerals to delete; null from a writer that does not list them. */
const CloseSessionTxn = record({ type: tag(OpCode.closeSession), paths: nullableVector(ustring) });

/** What a multi may hold. After a failed one, all are errors. */
export type SubTxn =
  | RecordOf<typeof CreateTxn>
  | RecordOf<typeof Create2Txn>
  | RecordOf<typeof CreateContainerTxn>
  | RecordOf<typeof CreateTTLTxn>
  | RecordOf<typeof DeleteTxn>
  | RecordOf<typeof DeleteContainerTxn>
  | RecordOf<typeof SetDataTxn>
  | RecordOf<typeof CheckTxn>
  | RecordOf<typeof ErrorTxn>;

/** The change itself, told apart by `type`. */
export type TxnBody =
  | SubTxn
  | { readonly type: typeof OpCode.multi; readonly txns: readonly SubTxn[] }
  | RecordOf<typeof ReconfigTxn>
  | RecordOf<typeof SetACLTxn>
  | RecordOf<typeof CreateSessionTxn>
  | RecordOf<typeof CloseSessionTxn>;

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
  /** CRC-32 of path and data of the one node that it writes, where the server that prepared it applies it too; 0: compute it. */
  readonly contentCrc: number;
}

/** The one place where a Txn is made, so that all have the same shape. */
export function makeTxn(
  sessionId: SessionId,
  cxid: number,
  zxid: Zxid,
  time: number,
  body: TxnBody,
  digest: TxnDigest | null,
  contentCrc = 0,
): Txn {
  return { sessionId, cxid, zxid, time, type: body.type, body, digest, contentCrc };
}

export const TXN_HEADER_BYTES = 32;
export const TXN_DIGEST_BYTES = 12;
/** What servers write since 3.6. */
export const DIGEST_VERSION = 2;

/** Header, record and digest: the bytes of a log entry and of a PROPOSAL. */
export function encodeTxn(writer: JuteWriter, txn: Txn): void {
  writer.int64(txn.sessionId);
  writer.int(txn.cxid);
  writer.long(txn.zxid);
  writer.long(txn.time);
  writer.int(txn.type);
  bodyType(txn.type).write(writer, txn.body);
  if (txn.digest !== null) writeTxnDigest(writer, txn.digest);
}

/** The data of a txn of one node is that in its entry from here on: the bytes it was read from may go. */
export function takeDataFrom(entry: Buffer, txn: Txn): void {
  const body = txn.body as { data?: Buffer | null };
  const { data } = body;
  if (data == null) return;
  // Every such record begins with path and data.
  const from = TXN_HEADER_BYTES + 4 + entry.readInt32BE(TXN_HEADER_BYTES) + 4;
  body.data = entry.subarray(from, from + data.length);
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
  const body = bodyType(type).read(reader);
  return makeTxn(sessionId, cxid, zxid, time, body, readDigest(reader));
}

/** The zxid of an entry without decoding it. Throws JuteError. */
export function peekTxnZxid(bytes: Buffer): Zxid {
  if (bytes.length < TXN_HEADER_BYTES) {
    throw new JuteError("TRUNCATED", `A txn entry of ${bytes.length} bytes`, bytes.length);
  }
  return new JuteReader(bytes, 12).long() as Zxid;
}

function readDigest(reader: JuteReader): TxnDigest | null {
  if (reader.remaining < TXN_DIGEST_BYTES) return null;
  const version = reader.int();
  const hi = reader.uint32();
  const lo = reader.uint32();
  return { version, hi, lo };
}

const subTypes = new Map<number, Field<SubTxn>>([
  [OpCode.create, CreateTxn],
  [OpCode.create2, Create2Txn],
  [OpCode.createContainer, CreateContainerTxn],
  [OpCode.createTTL, CreateTTLTxn],
  [OpCode.delete, DeleteTxn],
  [OpCode.deleteContainer, DeleteContainerTxn],
  [OpCode.setData, SetDataTxn],
  [OpCode.check, CheckTxn],
  [OpCode.error, ErrorTxn],
]);
/** Txn{int type, buffer data}: a part of a multi, its record in a buffer of its own. */
const subTxn: Field<SubTxn> = {
  kind: "union",
  members: [...subTypes.values()],
  read(reader) {
    const type = reader.int();
    const length = reader.skip();
    if (length < 0) throw new JuteError("BAD_LENGTH", "A sub-txn without a record", length);
    return subType(type).read(reader.slice(reader.offset - length, reader.offset));
  },
  write(writer, sub) {
    writer.int(sub.type);
    const at = writer.offset;
    writer.int(0);
    subType(sub.type).write(writer, sub);
    writer.patchInt(at, writer.offset - at - 4);
  },
};
const MultiTxn = record({ type: tag(OpCode.multi), txns: vector(subTxn) });

/** Record types of whole txns, by txn type. */
export const txnTypes: ReadonlyMap<number, Field<TxnBody>> = new Map<number, Field<TxnBody>>([
  ...subTypes,
  [OpCode.create, { ...CreateTxn, read: readCreate }],
  [OpCode.multi, MultiTxn],
  [OpCode.reconfig, ReconfigTxn],
  [OpCode.setACL, SetACLTxn],
  [OpCode.createSession, CreateSessionTxn],
  [OpCode.closeSession, { ...CloseSessionTxn, read: readCloseSession, write: writeCloseSession }],
]);

/** No multi among them: it does not exist inside another, and would let a few bytes recurse deeply. */
function subType(type: number): Field<SubTxn> {
  const found = subTypes.get(type);
  if (found === undefined) throw new JuteError("UNKNOWN_TYPE", `A txn of type ${type} in a multi`, type);
  return found;
}

function bodyType(type: number): Field<TxnBody> {
  const found = txnTypes.get(type);
  if (found === undefined) throw new JuteError("UNKNOWN_TYPE", `A txn of type ${type}`, type);
  return found;
}

function readCreate(reader: JuteReader): TxnBody {
  const at = reader.offset;
  try {
    return CreateTxn.read(reader);
  } catch (error) {
    if (!(error instanceof JuteError && error.code === "TRUNCATED")) throw error;
    reader.seek(at);
    const { path, data, acl, ephemeral } = CreateTxnV0.read(reader);
    return { type: OpCode.create, path, data, acl, ephemeral, parentCVersion: -1 };
  }
}

/** A list, or nothing at all; after nothing there may still be a digest, whose version looks like a count. */
function readCloseSession(reader: JuteReader): TxnBody {
  const at = reader.offset;
  // No two paths fit into the eight bytes after such a count.
  const onlyDigest = reader.remaining === TXN_DIGEST_BYTES && reader.int() === DIGEST_VERSION;
  reader.seek(at);
  if (!onlyDigest) {
    try {
      return CloseSessionTxn.read(reader);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      reader.seek(at);
    }
  }
  return { type: OpCode.closeSession, paths: null };
}

function writeCloseSession(writer: JuteWriter, body: TxnBody): void {
  assert(body.type === OpCode.closeSession, "A txn is written as what it is.");
  if (body.paths !== null) CloseSessionTxn.write(writer, body);
}
