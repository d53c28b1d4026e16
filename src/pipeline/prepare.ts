import type { Zxid } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { JuteError, JuteReader } from "../protocol/jute-reader.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { type MultiOp, readMultiRequest } from "../protocol/multi.ts";
import { OpCode } from "../protocol/opcodes.ts";
import {
  CreateRequest,
  CreateSessionRequest,
  CreateTTLRequest,
  DeleteRequest,
  SetACLRequest,
  SetDataRequest,
} from "../protocol/records.ts";
import { encodeTxn, makeTxn, type SubTxn, type Txn, type TxnBody, takeDataFrom } from "../protocol/txn.ts";
import type { Environment } from "../runtime/environment.ts";
import type { SessionTracker } from "../session/session-tracker.ts";
import type { Database } from "../tree/database.ts";
import { ChangeRecords } from "./change-records.ts";
import { PrepareChange } from "./prepare-change.ts";
import type { ServingConfig } from "./serving-config.ts";
import type { WriteRequest } from "./upstream.ts";

export interface Prepared {
  readonly txn: Txn;
  /** Header, record and digest: what goes into the log and into PROPOSAL. */
  readonly entry: Buffer;
}

const WRITER_SLAB_BYTES = 65_536;

/**
 * Turns requests into txns against the tree as it will be (PrepRequestProcessor). Leader and standalone only. A request that
 * fails becomes an error txn: it takes part in the order all the same, and every server answers it alike.
 */
export class Prepare {
  readonly #database: Database;
  readonly #tracker: SessionTracker;
  readonly #environment: Environment;
  readonly #keep: (zxid: Zxid, entry: Buffer) => Buffer;
  readonly #records: ChangeRecords;
  readonly #change: PrepareChange;
  readonly #writer = new JuteWriter(WRITER_SLAB_BYTES);
  readonly #reader = new JuteReader(Buffer.alloc(0));

  /** `keep`: a copy of the entry that lives as long as anybody may want it. */
  constructor(
    database: Database,
    tracker: SessionTracker,
    config: ServingConfig,
    environment: Environment,
    keep: (zxid: Zxid, entry: Buffer) => Buffer = (_, entry) => Buffer.from(entry),
  ) {
    this.#keep = keep;
    this.#database = database;
    this.#tracker = tracker;
    this.#environment = environment;
    this.#records = new ChangeRecords(database, config.digestEnabled);
    this.#change = new PrepareChange(database, this.#records, config);
  }

  /**
   * Always yields a txn. `timeMs`: wall clock, becomes ctime and mtime. Zxids and calls come in the same order, and each txn
   * is applied in that order too, or `reset` is called.
   */
  prepare(request: WriteRequest, zxid: Zxid, timeMs: number): Prepared {
    // The request's bytes are lent. What a multi writes is in many places of its entry, so it reads from a copy.
    const bytes = request.op === OpCode.multi ? Buffer.from(request.body) : request.body;
    this.#reader.reset(bytes, 0, bytes.length);
    let body: TxnBody | ErrorCode;
    try {
      body = this.#body(request, zxid, timeMs);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      body = ErrorCode.MARSHALLINGERROR;
    }
    const failed = typeof body === "number";
    const made: TxnBody = failed ? { type: OpCode.error, err: body as ErrorCode } : (body as TxnBody);
    const digest = failed ? null : this.#records.digest();
    // Of a multi there is more than one.
    const contentCrc = writesOneNode(made.type) ? this.#records.lastContentCrc : 0;
    const txn = makeTxn(request.sessionId, request.cxid, zxid, timeMs, made, digest, contentCrc);
    const writer = this.#writer;
    encodeTxn(writer, txn);
    const entry = this.#keep(zxid, writer.bytes());
    // What a large entry made of the writer is not kept for the small ones.
    if (writer.offset > WRITER_SLAB_BYTES) writer.take();
    else writer.reset();
    takeDataFrom(entry, txn);
    return { txn, entry };
  }

  /** The database has applied everything up to `zxid`. */
  applied(zxid: Zxid): void {
    this.#records.applied(zxid);
  }

  /** Forgets what is pending: leadership ended, or the database was replaced. */
  reset(): void {
    this.#records.reset();
  }

  #body(request: WriteRequest, zxid: Zxid, timeMs: number): TxnBody | ErrorCode {
    const { sessionId, owner } = request;
    switch (request.op) {
      case OpCode.createSession: {
        const { timeOut } = CreateSessionRequest.read(this.#reader);
        this.#tracker.create(sessionId, timeOut, owner, this.#environment.monotonicMs());
        return { type: OpCode.createSession, timeOut };
      }
      case OpCode.closeSession:
        return this.#closeSession(request, zxid);
      case OpCode.deleteContainer:
        return this.#change.deleteContainer(this.#reader.ustring() ?? "", zxid);
      case OpCode.reconfig:
        return ErrorCode.RECONFIGDISABLED;
      case OpCode.multi:
        return this.#multi(request, zxid, timeMs);
      case OpCode.setACL: {
        const { path, acl, version } = SetACLRequest.read(this.#reader);
        const denied = this.#tracker.check(sessionId, owner);
        return denied === ErrorCode.OK ? this.#change.setAcl(path, acl, version, request.authInfo, zxid) : denied;
      }
      default:
        return this.#single(request, zxid, timeMs);
    }
  }

  /** A record is read to its end before anything is judged: a body that is cut is -5, whatever it would have asked. */
  #single(request: WriteRequest, zxid: Zxid, timeMs: number): SubTxn | ErrorCode {
    const { op, sessionId, authInfo } = request;
    const change = this.#change;
    switch (op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer: {
        const create = CreateRequest.read(this.#reader);
        return change.create(op, create, null, sessionId, this.#check(request), authInfo, zxid, timeMs);
      }
      case OpCode.createTTL: {
        const create = CreateTTLRequest.read(this.#reader);
        return change.create(op, create, create.ttl, sessionId, this.#check(request), authInfo, zxid, timeMs);
      }
      case OpCode.delete: {
        const { path, version } = DeleteRequest.read(this.#reader);
        const denied = this.#check(request);
        return denied === ErrorCode.OK ? change.delete(path, version, authInfo, zxid) : denied;
      }
      case OpCode.setData: {
        const { path, data, version } = SetDataRequest.read(this.#reader);
        const denied = this.#check(request);
        return denied === ErrorCode.OK ? change.setData(path, data, version, authInfo, zxid, timeMs) : denied;
      }
      default:
        return ErrorCode.UNIMPLEMENTED;
    }
  }

  /** May this session write through that server? */
  #check(request: WriteRequest): ErrorCode {
    return this.#tracker.check(request.sessionId, request.owner);
  }

  #ofMulti(request: WriteRequest, op: ChangeOp, zxid: Zxid, timeMs: number): SubTxn | ErrorCode {
    const denied = this.#check(request);
    const change = this.#change;
    const { sessionId, authInfo } = request;
    switch (op.type) {
      case OpCode.createTTL:
        return change.create(op.type, op, op.ttl, sessionId, denied, authInfo, zxid, timeMs);
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
        return change.create(op.type, op, null, sessionId, denied, authInfo, zxid, timeMs);
      default:
        if (denied !== ErrorCode.OK) return denied;
    }
    switch (op.type) {
      case OpCode.delete:
        return change.delete(op.path, op.version, authInfo, zxid);
      case OpCode.setData:
        return change.setData(op.path, op.data, op.version, authInfo, zxid, timeMs);
      case OpCode.check:
        return change.check(op.path, op.version, authInfo);
    }
  }

  /** All ops or none; of a failed one every op becomes an error: 0 before the culprit, its code, -2 after it. */
  #multi(request: WriteRequest, zxid: Zxid, timeMs: number): TxnBody | ErrorCode {
    const ops = readMultiRequest(this.#reader);
    if (ops.some(isRead)) return ErrorCode.MARSHALLINGERROR;
    const txns: SubTxn[] = [];
    this.#records.begin();
    for (const op of ops as readonly ChangeOp[]) {
      const made = this.#ofMulti(request, op, zxid, timeMs);
      if (typeof made === "number") {
        this.#records.rollBack();
        return { type: OpCode.multi, txns: failedMulti(ops.length, txns.length, made) };
      }
      txns.push(made);
    }
    this.#records.keep();
    return { type: OpCode.multi, txns };
  }

  /** Neither owner nor state of the session are asked: expiry comes from the leader itself. */
  #closeSession(request: WriteRequest, zxid: Zxid): TxnBody {
    const { sessionId } = request;
    const paths = new Set(this.#database.ephemeralsOf(sessionId));
    // Creates and deletes that are prepared but not applied yet count as well (ZOOKEEPER-1208).
    this.#records.forEachPending(({ path, exists, ephemeralOwner }) => {
      if (!exists) paths.delete(path);
      else if (ephemeralOwner === sessionId) paths.add(path);
    });
    for (const path of paths) this.#change.removeForSession(path, zxid);
    this.#tracker.setClosing(sessionId);
    return { type: OpCode.closeSession, paths: [...paths] };
  }
}

type ChangeOp = Exclude<MultiOp, { readonly type: typeof OpCode.getData | typeof OpCode.getChildren }>;

function writesOneNode(type: number): boolean {
  return (
    type === OpCode.setData ||
    type === OpCode.create ||
    type === OpCode.create2 ||
    type === OpCode.createContainer ||
    type === OpCode.createTTL
  );
}

function isRead(op: MultiOp): boolean {
  return op.type === OpCode.getData || op.type === OpCode.getChildren;
}

function failedMulti(length: number, culprit: number, code: ErrorCode): SubTxn[] {
  return Array.from({ length }, (_, index) => {
    if (index === culprit) return { type: OpCode.error, err: code };
    return { type: OpCode.error, err: index < culprit ? ErrorCode.OK : ErrorCode.RUNTIMEINCONSISTENCY };
  });
}
