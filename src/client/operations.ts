/** Arguments of operations in the form that the wire has. */
import type { Acl } from "../../spec/vocabulary.ts";
import type { MultiOp } from "../protocol/multi.ts";
import { CreateFlags, OpCode, Perms } from "../protocol/opcodes.ts";
import { validatePath } from "../protocol/path.ts";
import { withChroot } from "./replies.ts";

/** Text is sent as UTF-8; null is not the same as empty. */
export type Data = Uint8Array | string | null;

export interface CreateOptions {
  /** Who may do what; default is everybody everything. */
  readonly acl?: readonly Acl[];
  /** Lives as long as this session. */
  readonly ephemeral?: boolean;
  /** The server appends ten digits that only grow. */
  readonly sequential?: boolean;
  /** Removed by the server some time after its last child is gone. */
  readonly container?: boolean;
  /** Removed by the server after so many ms without change and children; needs extendedTypesEnabled there. */
  readonly ttlMs?: number;
}

/** One op of a multi. Versions default to -1, any. */
export type TransactionOp =
  | { readonly type: "create"; readonly path: string; readonly data?: Data; readonly options?: CreateOptions }
  | { readonly type: "delete"; readonly path: string; readonly version?: number }
  | { readonly type: "setData"; readonly path: string; readonly data: Data; readonly version?: number }
  | { readonly type: "check"; readonly path: string; readonly version?: number };

export const OPEN_ACL: readonly Acl[] = [{ perms: Perms.ALL, scheme: "world", id: "anyone" }];
export const READ_ACL: readonly Acl[] = [{ perms: Perms.READ, scheme: "world", id: "anyone" }];
/** Everything, for whoever has authenticated on this connection. */
export const CREATOR_ALL_ACL: readonly Acl[] = [{ perms: Perms.ALL, scheme: "auth", id: "" }];

export const ANY_VERSION = -1;

export function toBytes(data: Data): Buffer | null {
  if (data === null || Buffer.isBuffer(data)) return data;
  if (typeof data === "string") return Buffer.from(data);
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError("Data is bytes, text or null");
}

/** The create flags, or why the options contradict each other. */
export function createFlags(options: CreateOptions): CreateFlags | string {
  const { ephemeral = false, sequential = false, container = false, ttlMs } = options;
  if (container) {
    if (ephemeral || sequential || ttlMs !== undefined) return "A container is neither ephemeral, sequential nor TTL";
    return CreateFlags.container;
  }
  if (ttlMs !== undefined) {
    if (ephemeral) return "TTLs cannot be used with ephemeral znodes";
    return sequential ? CreateFlags.persistentSequentialWithTTL : CreateFlags.persistentWithTTL;
  }
  if (ephemeral) return sequential ? CreateFlags.ephemeralSequential : CreateFlags.ephemeral;
  return sequential ? CreateFlags.persistentSequential : CreateFlags.persistent;
}

/** Some modes have an opcode of their own; `withStat` asks for the one that answers with a Stat. */
export function createOpCode(flags: CreateFlags, withStat: boolean): number {
  if (flags === CreateFlags.container) return OpCode.createContainer;
  if (isTtl(flags)) return OpCode.createTTL;
  return withStat ? OpCode.create2 : OpCode.create;
}

export function isTtl(flags: CreateFlags): boolean {
  return flags === CreateFlags.persistentWithTTL || flags === CreateFlags.persistentSequentialWithTTL;
}

export function isSequential(flags: CreateFlags): boolean {
  return (
    flags === CreateFlags.persistentSequential ||
    flags === CreateFlags.ephemeralSequential ||
    flags === CreateFlags.persistentSequentialWithTTL
  );
}

/** Why a path is not one, in Java's words (PathUtils); null if it is. Sequential paths may end in a slash. */
export function pathProblem(path: string, sequential = false): string | null {
  const reason = validatePath(sequential ? `${path}1` : path);
  if (reason === null || reason.startsWith("Path ")) return reason;
  return `Invalid path string "${path}" caused by ${reason}`;
}

/** The op as a multi carries it, or why it cannot be. */
export function toMultiOp(op: TransactionOp, chroot: string): MultiOp | string {
  if (op.type !== "create") {
    const problem = pathProblem(op.path);
    if (problem !== null) return problem;
  }
  const path = withChroot(op.path, chroot);
  switch (op.type) {
    case "create":
      return toCreateOp(op, chroot);
    case "delete":
      return { type: OpCode.delete, path, version: op.version ?? ANY_VERSION };
    case "setData":
      return { type: OpCode.setData, path, data: toBytes(op.data), version: op.version ?? ANY_VERSION };
    case "check":
      return { type: OpCode.check, path, version: op.version ?? ANY_VERSION };
  }
}

function toCreateOp(op: Extract<TransactionOp, { type: "create" }>, chroot: string): MultiOp | string {
  const options = op.options ?? {};
  const flags = createFlags(options);
  if (typeof flags === "string") return flags;
  const problem = pathProblem(op.path, isSequential(flags));
  if (problem !== null) return problem;
  const { acl = OPEN_ACL, ttlMs = 0 } = options;
  const request = { path: withChroot(op.path, chroot), data: toBytes(op.data ?? null), acl, flags };
  if (isTtl(flags)) return { type: OpCode.createTTL, ...request, ttl: ttlMs };
  return { type: flags === CreateFlags.container ? OpCode.createContainer : OpCode.create, ...request };
}
