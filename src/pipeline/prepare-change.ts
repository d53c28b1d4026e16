import type { Acl, Id, SessionId } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { CreateFlags, OpCode, Perms } from "../protocol/opcodes.ts";
import { validatePath } from "../protocol/path.ts";
import type { SubTxn, TxnBody } from "../protocol/txn.ts";
import { checkAcl, fixupAcl } from "../tree/acl.ts";
import type { Database } from "../tree/database.ts";
import { CONTAINER_OWNER, highHalf, isValidTtl, kindOfOwner, lowHalf, ttlOwner } from "../tree/ephemeral-owner.ts";
import { ChangeRecord, type ChangeRecords } from "./change-records.ts";
import type { ServingConfig } from "./serving-config.ts";

export type CreateType =
  | typeof OpCode.create
  | typeof OpCode.create2
  | typeof OpCode.createContainer
  | typeof OpCode.createTTL;

export interface CreateOp {
  readonly path: string;
  readonly data: Buffer | null;
  readonly acl: readonly Acl[];
  readonly flags: number;
}

/** Nobody may delete these (ZKDatabase.isSpecialPath). */
const SPECIAL_PATHS: ReadonlySet<string> = new Set(["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"]);
const SEQUENCE_DIGITS = 10;
const NO_VALUE = -1;

/**
 * One change of one node: the checks in ZooKeeper's order, stopping at the first that fails, then the change record and the
 * txn. Every method returns the txn's body, or an error and no change.
 */
export class PrepareChange {
  readonly #database: Database;
  readonly #records: ChangeRecords;
  readonly #config: ServingConfig;

  constructor(database: Database, records: ChangeRecords, config: ServingConfig) {
    this.#database = database;
    this.#records = records;
    this.#config = config;
  }

  /** `denied`: the session's verdict, which comes after that on the flags. `ttlMs`: of createTTL only. */
  create(
    type: CreateType,
    op: CreateOp,
    ttlMs: number | null,
    sessionId: SessionId,
    denied: ErrorCode,
    ids: readonly Id[],
    zxid: number,
    timeMs: number,
  ): SubTxn | ErrorCode {
    const badMode = this.#modeError(type, op.flags, ttlMs);
    if (badMode !== ErrorCode.OK) return badMode;
    if (denied !== ErrorCode.OK) return denied;
    const slash = op.path.lastIndexOf("/");
    if (slash === -1 || op.path.includes("\0")) return ErrorCode.BADARGUMENTS;
    const acl = fixupAcl(op.acl, ids);
    if (acl === null) return ErrorCode.INVALIDACL;
    const parent = this.#records.get(parentPath(op.path, slash));
    if (parent === undefined) return ErrorCode.NONODE;
    if (!this.#allows(parent.acl, Perms.CREATE, ids)) return ErrorCode.NOAUTH;
    const path = isSequential(op.flags) ? op.path + sequenceSuffix(parent.cversion) : op.path;
    if (validatePath(path) !== null) return ErrorCode.BADARGUMENTS;
    if (this.#records.get(path) !== undefined) return ErrorCode.NODEEXISTS;
    if (this.#isEphemeral(parent)) return ErrorCode.NOCHILDRENFOREPHEMERALS;
    const { data } = op;
    const size = data === null ? 0 : data.length;
    if (this.#config.enforceQuota && this.#database.exceedsQuota(path, size, 1)) return ErrorCode.QUOTAEXCEEDED;

    const parentCVersion = (parent.cversion + 1) | 0;
    const newParent = parent.next(zxid);
    newParent.childCount++;
    newParent.cversion = parentCVersion;
    newParent.pzxid = zxid;
    this.#records.put(newParent);
    const node = new ChangeRecord(path, zxid, acl);
    node.czxid = zxid;
    node.mzxid = zxid;
    node.pzxid = zxid;
    node.ctime = timeMs;
    node.mtime = timeMs;
    node.dataLength = size;
    node.contentCrc = this.#records.contentCrc(path, data);
    if (type === OpCode.createTTL) {
      const ttl = ttlMs as number;
      node.ephemeralOwner = ttlOwner(ttl);
      this.#records.put(node);
      return { type, path, data, acl, parentCVersion, ttl };
    }
    if (type === OpCode.createContainer) {
      node.ephemeralOwner = CONTAINER_OWNER;
      this.#records.put(node);
      return { type, path, data, acl, parentCVersion };
    }
    const ephemeral = op.flags === CreateFlags.ephemeral || op.flags === CreateFlags.ephemeralSequential;
    if (ephemeral) node.ephemeralOwner = sessionId;
    this.#records.put(node);
    return { type, path, data, acl, ephemeral, parentCVersion };
  }

  delete(path: string, version: number, ids: readonly Id[], zxid: number): SubTxn | ErrorCode {
    const slash = path.lastIndexOf("/");
    if (slash === -1 || path.includes("\0") || SPECIAL_PATHS.has(path)) return ErrorCode.BADARGUMENTS;
    const parent = this.#records.get(parentPath(path, slash));
    if (parent === undefined) return ErrorCode.NONODE;
    if (!this.#allows(parent.acl, Perms.DELETE, ids)) return ErrorCode.NOAUTH;
    const node = this.#records.get(path);
    if (node === undefined) return ErrorCode.NONODE;
    if (version !== NO_VALUE && version !== node.version) return ErrorCode.BADVERSION;
    if (node.childCount > 0) return ErrorCode.NOTEMPTY;
    this.#remove(parent, node, zxid);
    return { type: OpCode.delete, path };
  }

  /** The leader's own wish, made when the container looked empty: looked at again. */
  deleteContainer(path: string, zxid: number): SubTxn | ErrorCode {
    const slash = path.lastIndexOf("/");
    if (slash === -1 || SPECIAL_PATHS.has(path)) return ErrorCode.BADARGUMENTS;
    const parent = this.#records.get(parentPath(path, slash));
    const node = this.#records.get(path);
    if (parent === undefined || node === undefined) return ErrorCode.NONODE;
    if (node.childCount > 0) return ErrorCode.NOTEMPTY;
    const kind = this.#kindOf(node);
    if (kind !== "container" && kind !== "ttl") return ErrorCode.BADVERSION;
    this.#remove(parent, node, zxid);
    return { type: OpCode.deleteContainer, path };
  }

  setData(
    path: string,
    data: Buffer | null,
    version: number,
    ids: readonly Id[],
    zxid: number,
    timeMs: number,
  ): SubTxn | ErrorCode {
    if (validatePath(path) !== null) return ErrorCode.BADARGUMENTS;
    const node = this.#records.get(path);
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#allows(node.acl, Perms.WRITE, ids)) return ErrorCode.NOAUTH;
    const size = data === null ? 0 : data.length;
    if (this.#config.enforceQuota && this.#database.exceedsQuota(path, size - node.dataLength, 0)) {
      return ErrorCode.QUOTAEXCEEDED;
    }
    if (version !== NO_VALUE && version !== node.version) return ErrorCode.BADVERSION;
    const next = node.next(zxid);
    next.version = (node.version + 1) | 0;
    next.mzxid = zxid;
    next.mtime = timeMs;
    next.dataLength = size;
    next.contentCrc = this.#records.contentCrc(path, data);
    this.#records.put(next);
    return { type: OpCode.setData, path, data, version: next.version };
  }

  setAcl(path: string, wanted: readonly Acl[], version: number, ids: readonly Id[], zxid: number): TxnBody | ErrorCode {
    if (validatePath(path) !== null) return ErrorCode.BADARGUMENTS;
    const acl = fixupAcl(wanted, ids);
    if (acl === null) return ErrorCode.INVALIDACL;
    const node = this.#records.get(path);
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#allows(node.acl, Perms.ADMIN, ids)) return ErrorCode.NOAUTH;
    if (version !== NO_VALUE && version !== node.aversion) return ErrorCode.BADVERSION;
    const next = node.next(zxid);
    next.acl = acl;
    next.aversion = (node.aversion + 1) | 0;
    this.#records.put(next);
    return { type: OpCode.setACL, path, acl, version: next.aversion };
  }

  check(path: string, version: number, ids: readonly Id[]): SubTxn | ErrorCode {
    if (validatePath(path) !== null) return ErrorCode.BADARGUMENTS;
    const node = this.#records.get(path);
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#allows(node.acl, Perms.READ, ids)) return ErrorCode.NOAUTH;
    if (version !== NO_VALUE && version !== node.version) return ErrorCode.BADVERSION;
    return { type: OpCode.check, path, version: (node.version + 1) | 0 };
  }

  /** An ephemeral goes with its session. Its parent loses a child at once, so that it can be deleted right after. */
  removeForSession(path: string, zxid: number): void {
    const parent = this.#records.get(parentPath(path, path.lastIndexOf("/")));
    const node = this.#records.get(path);
    if (parent !== undefined && node !== undefined) this.#remove(parent, node, zxid);
  }

  #remove(parent: ChangeRecord, node: ChangeRecord, zxid: number): void {
    const newParent = parent.next(zxid);
    newParent.childCount--;
    newParent.pzxid = zxid;
    this.#records.put(newParent);
    this.#records.remove(node, zxid);
  }

  /**
   * The opcode and the flags must agree. Apache takes some contradictions and logs txns that stop the server for good
   * (createTTL with a mode that has none), or whose digest is wrong (create2 with mode container).
   */
  #modeError(type: CreateType, flags: number, ttlMs: number | null): ErrorCode {
    if (flags < CreateFlags.persistent || flags > CreateFlags.persistentSequentialWithTTL)
      return ErrorCode.BADARGUMENTS;
    const isTtl = flags >= CreateFlags.persistentWithTTL;
    if (isTtl && !this.#config.extendedTypesEnabled) return ErrorCode.UNIMPLEMENTED;
    if (isTtl !== (type === OpCode.createTTL)) return ErrorCode.BADARGUMENTS;
    if (isTtl && (ttlMs === null || !isValidTtl(ttlMs))) return ErrorCode.BADARGUMENTS;
    if ((flags === CreateFlags.container) !== (type === OpCode.createContainer)) return ErrorCode.BADARGUMENTS;
    return ErrorCode.OK;
  }

  #kindOf(record: ChangeRecord): ReturnType<typeof kindOfOwner> {
    const owner = record.ephemeralOwner;
    return kindOfOwner(highHalf(owner), lowHalf(owner), this.#config.extendedTypesEnabled);
  }

  #isEphemeral(record: ChangeRecord): boolean {
    return record.ephemeralOwner !== 0n && this.#kindOf(record) === "ephemeral";
  }

  #allows(acl: readonly Acl[], perms: number, ids: readonly Id[]): boolean {
    return this.#config.skipAcl || checkAcl(acl, perms, ids);
  }
}

function isSequential(flags: number): boolean {
  return (
    flags === CreateFlags.persistentSequential ||
    flags === CreateFlags.ephemeralSequential ||
    flags === CreateFlags.persistentSequentialWithTTL
  );
}

function parentPath(path: string, slash: number): string {
  return slash === 0 ? "/" : path.slice(0, slash);
}

/** `%010d` of a signed counter: the sign takes one of the ten places. */
function sequenceSuffix(cversion: number): string {
  const digits = String(Math.abs(cversion));
  return cversion < 0 ? `-${digits.padStart(SEQUENCE_DIGITS - 1, "0")}` : digits.padStart(SEQUENCE_DIGITS, "0");
}
