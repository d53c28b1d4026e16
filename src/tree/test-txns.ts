/** Txns for this room's tests: each call takes the next zxid. */
import type { Acl, SessionId, Zxid } from "../../spec/vocabulary.ts";
import { OpCode } from "../protocol/opcodes.ts";
import { makeTxn, type SubTxn, type Txn, type TxnBody } from "../protocol/txn.ts";
import { OPEN_ACL } from "./acl.ts";

export const SESSION = 0x1000000000000abn as SessionId;

interface CreateOptions {
  readonly acl?: readonly Acl[];
  readonly ephemeral?: boolean;
  readonly parentCVersion?: number;
}

export function createBody(path: string, data: string | null = "", options: CreateOptions = {}) {
  const { acl = OPEN_ACL, ephemeral = false, parentCVersion = -1 } = options;
  const bytes = data === null ? null : Buffer.from(data);
  return { type: OpCode.create2, path, data: bytes, acl, ephemeral, parentCVersion } satisfies TxnBody;
}

export const deleteBody = (path: string) => ({ type: OpCode.delete, path }) satisfies TxnBody;

export const setDataBody = (path: string, data: string | null, version: number) =>
  ({ type: OpCode.setData, path, data: data === null ? null : Buffer.from(data), version }) satisfies TxnBody;

export const setAclBody = (path: string, acl: readonly Acl[], version: number) =>
  ({ type: OpCode.setACL, path, acl, version }) satisfies TxnBody;

export class Txns {
  zxid = 0x100000000;
  readonly session: SessionId;

  constructor(session: SessionId = SESSION) {
    this.session = session;
  }

  of(body: TxnBody): Txn {
    this.zxid++;
    return makeTxn(this.session, 1, this.zxid as Zxid, 1000 + (this.zxid % 1000), body, null);
  }

  create(path: string, data: string | null = "", options: CreateOptions = {}): Txn {
    return this.of(createBody(path, data, options));
  }

  delete(path: string): Txn {
    return this.of(deleteBody(path));
  }

  setData(path: string, data: string | null, version: number): Txn {
    return this.of(setDataBody(path, data, version));
  }

  setAcl(path: string, acl: readonly Acl[], version: number): Txn {
    return this.of(setAclBody(path, acl, version));
  }

  multi(...txns: SubTxn[]): Txn {
    return this.of({ type: OpCode.multi, txns });
  }

  closeSession(paths: readonly string[] | null): Txn {
    return this.of({ type: OpCode.closeSession, paths });
  }
}
