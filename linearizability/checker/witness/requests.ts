/** Requests and txns as writes of the reference model. */
import type { CreateMode, SubWrite, Write } from "../../../spec/models/znode-tree.ts";
import type { Acl } from "../../../spec/vocabulary.ts";
import { OpCode } from "../../../src/protocol/opcodes.ts";
import type { SubTxn, Txn, TxnBody } from "../../../src/protocol/txn.ts";
import type { CreateMode as ModeName, SubOperation } from "../../histories/format.ts";
import { MODES, Op, type Operations } from "../../histories/operations.ts";

const OPEN: readonly Acl[] = [{ perms: 31, scheme: "world", id: "anyone" }];

/** What the client asked for; null for what is no write. */
export function requestOf(operations: Operations, i: number): Write | null {
  const path = operations.path[i]!;
  const version = operations.version[i]!;
  switch (operations.op[i]!) {
    case Op.create: {
      const extra = operations.extra[i]!;
      const mode = modeOf(MODES[operations.mode[i]!]!, extra.ttlMs);
      return { op: "create", path, data: operations.data[i]!, acl: extra.acl ?? OPEN, mode };
    }
    case Op.delete:
      return { op: "delete", path, version };
    case Op.setData:
      return { op: "setData", path, data: operations.data[i]!, version };
    case Op.setACL:
      return { op: "setACL", path, acl: operations.extra[i]!.acl ?? OPEN, version };
    case Op.multi:
      return { op: "multi", ops: (operations.extra[i]!.ops ?? []).map(subRequest) };
    case Op.closeSession:
      return { op: "closeSession" };
    default:
      return null;
  }
}

function subRequest({ op, args }: SubOperation): SubWrite {
  if (op !== "create") return { op, ...args } as SubWrite;
  return { op, path: args.path, data: args.data, acl: args.acl ?? OPEN, mode: modeOf(args.mode, args.ttlMs) };
}

/** The model counts TTLs, not the digits of a sequential one: such creates are taken from their txn. */
function modeOf(mode: ModeName, ttlMs = 0): CreateMode {
  if (mode === "persistentWithTTL" || mode === "persistentSequentialWithTTL") return { ttlMs };
  return mode;
}

/** What the log says was done, unconditionally; null for an error. */
export function writeOf(txn: Txn): Write | null {
  const { body } = txn;
  switch (body.type) {
    case OpCode.createSession:
      return { op: "createSession", timeoutMs: body.timeOut };
    case OpCode.closeSession:
      return { op: "closeSession" };
    case OpCode.setACL:
      return { op: "setACL", path: body.path, acl: body.acl, version: -1 };
    case OpCode.multi: {
      const ops = body.txns.map(subWriteOf);
      return ops.every((op) => op !== null) ? { op: "multi", ops } : null;
    }
    default:
      return subWriteOf(body);
  }
}

function subWriteOf(body: SubTxn | TxnBody): SubWrite | null {
  switch (body.type) {
    case OpCode.create:
    case OpCode.create2:
      return createOf(body, body.ephemeral ? "ephemeral" : "persistent");
    case OpCode.createContainer:
      return createOf(body, "container");
    case OpCode.createTTL:
      return createOf(body, { ttlMs: body.ttl });
    case OpCode.delete:
    case OpCode.deleteContainer:
      return { op: "delete", path: body.path, version: -1 };
    case OpCode.setData:
    case OpCode.reconfig:
      return { op: "setData", path: body.path, data: textOf(body.data), version: -1 };
    case OpCode.check:
      return { op: "check", path: body.path, version: -1 };
    default:
      return null;
  }
}

function createOf(
  { path, data, acl }: { readonly path: string; readonly data: Buffer | null; readonly acl: readonly Acl[] },
  mode: CreateMode,
): SubWrite {
  return { op: "create", path, data: textOf(data), acl, mode };
}

export function textOf(data: Buffer | null): string | null {
  return data === null ? null : data.toString("utf8");
}
