/** The txns that a leader would log for writes of the reference tree, from what the tree answered. */
import type { Outcome, SubWrite, Write, ZnodeError } from "../../spec/models/znode-tree.ts";
import type { Acl } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../../src/protocol/error-codes.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import type { SubTxn, TxnBody } from "../../src/protocol/txn.ts";

export interface TxnFacts {
  /** The ephemerals that a close lists; null: it lists none (as before 3.6). */
  readonly owned: readonly string[] | null;
  /** The parent's cversion after each create: one number per op of a multi. Without: whoever applies them counts. */
  readonly parentCVersions?: readonly number[];
}

export function txnBodyOf(write: Write, outcome: Outcome, { owned, parentCVersions = [] }: TxnFacts): TxnBody {
  if (outcome.err !== null) return { type: OpCode.error, err: codeOf(outcome.err) };
  switch (write.op) {
    case "multi": {
      const results = outcome.results ?? [];
      const failed = results.some(({ err }) => err !== null);
      const txns = write.ops.map((sub, i): SubTxn => {
        const result = results[i]!;
        return failed ? { type: OpCode.error, err: codeOf(result.err) } : subBodyOf(sub, result, parentCVersions[i]);
      });
      return { type: OpCode.multi, txns };
    }
    case "setACL":
      return { type: OpCode.setACL, path: write.path, acl: write.acl, version: outcome.stat!.aversion };
    case "createSession":
      return { type: OpCode.createSession, timeOut: write.timeoutMs };
    case "closeSession":
      return { type: OpCode.closeSession, paths: owned === null ? null : [...owned] };
    default:
      return subBodyOf(write, outcome, parentCVersions[0]);
  }
}

function subBodyOf(sub: SubWrite, outcome: Outcome, parentCVersion = -1): SubTxn {
  switch (sub.op) {
    case "create": {
      const fields = { path: outcome.path!, data: bytesOf(sub.data), acl: sub.acl as Acl[], parentCVersion };
      if (typeof sub.mode === "object") return { type: OpCode.createTTL, ...fields, ttl: sub.mode.ttlMs };
      if (sub.mode === "container") return { type: OpCode.createContainer, ...fields };
      return { type: OpCode.create2, ...fields, ephemeral: sub.mode.startsWith("ephemeral") };
    }
    case "delete":
      return { type: OpCode.delete, path: sub.path };
    case "setData":
      return { type: OpCode.setData, path: sub.path, data: bytesOf(sub.data), version: outcome.stat!.version };
    case "check":
      return { type: OpCode.check, path: sub.path, version: sub.version };
  }
}

export function codeOf(err: ZnodeError | null): number {
  return err === null ? ErrorCode.OK : ErrorCode[err];
}

export function bytesOf(data: string | null): Buffer | null {
  return data === null ? null : Buffer.from(data);
}
