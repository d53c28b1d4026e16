/** Requests as [opcode, how to write the record], for tests that speak bytes. */
import type { Acl, Zxid } from "../../spec/vocabulary.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import { writeMultiEnd, writeMultiHeader } from "../../src/protocol/multi.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import {
  AddWatchRequest,
  AuthPacket,
  CheckVersionRequest,
  CheckWatchesRequest,
  CreateRequest,
  CreateTTLRequest,
  DeleteRequest,
  GetACLRequest,
  GetChildrenRequest,
  GetDataRequest,
  ReconfigRequest,
  SetACLRequest,
  SetDataRequest,
  SetWatches,
  SetWatches2,
  SyncRequest,
} from "../../src/protocol/records.ts";

export type RawRequest = readonly [type: number, write: (writer: JuteWriter) => void];

export const OPEN: readonly Acl[] = [{ perms: 31, scheme: "world", id: "anyone" }];

interface CreateOptions {
  readonly data?: Buffer | string | null;
  readonly acl?: readonly Acl[];
  readonly flags?: number;
  readonly type?: number;
}

const bytes = (data: Buffer | string | null | undefined): Buffer | null =>
  typeof data === "string" ? Buffer.from(data) : (data ?? null);

export const create = (path: string, options: CreateOptions = {}): RawRequest => [
  options.type ?? OpCode.create,
  (w) => {
    CreateRequest.write(w, {
      path,
      data: bytes(options.data === undefined ? "" : options.data),
      acl: options.acl ?? OPEN,
      flags: options.flags ?? 0,
    });
  },
];

export const createTtl = (path: string, flags: number, ttl: number): RawRequest => [
  OpCode.createTTL,
  (w) => CreateTTLRequest.write(w, { path, data: null, acl: OPEN, flags, ttl }),
];

export const remove = (path: string, version = -1): RawRequest => [
  OpCode.delete,
  (w) => DeleteRequest.write(w, { path, version }),
];

export const setData = (path: string, data: Buffer | string | null, version = -1): RawRequest => [
  OpCode.setData,
  (w) => SetDataRequest.write(w, { path, data: bytes(data), version }),
];

export const setAcl = (path: string, acl: readonly Acl[], version = -1): RawRequest => [
  OpCode.setACL,
  (w) => SetACLRequest.write(w, { path, acl, version }),
];

export const check = (path: string, version = -1): RawRequest => [
  OpCode.check,
  (w) => CheckVersionRequest.write(w, { path, version }),
];

export const exists = (path: string, watch = false): RawRequest => [
  OpCode.exists,
  (w) => GetDataRequest.write(w, { path, watch }),
];

export const getData = (path: string, watch = false): RawRequest => [
  OpCode.getData,
  (w) => GetDataRequest.write(w, { path, watch }),
];

export const getChildren = (path: string, watch = false, type: number = OpCode.getChildren): RawRequest => [
  type,
  (w) => GetChildrenRequest.write(w, { path, watch }),
];

export const getAcl = (path: string): RawRequest => [OpCode.getACL, (w) => GetACLRequest.write(w, { path })];

export const sync = (path: string): RawRequest => [OpCode.sync, (w) => SyncRequest.write(w, { path })];

export const plain = (type: number, path: string | null): RawRequest => [type, (w) => w.ustring(path)];

export const empty = (type: number): RawRequest => [type, () => {}];

export const ping = empty(OpCode.ping);
export const closeSession = empty(OpCode.closeSession);
export const whoAmI = empty(OpCode.whoAmI);

export const auth = (scheme: string, text: string): RawRequest => [
  OpCode.auth,
  (w) => AuthPacket.write(w, { type: 0, scheme, auth: Buffer.from(text) }),
];

export const addWatch = (path: string, mode: number): RawRequest => [
  OpCode.addWatch,
  (w) => AddWatchRequest.write(w, { path, mode }),
];

export const checkWatches = (path: string, type: number): RawRequest => [
  OpCode.checkWatches,
  (w) => CheckWatchesRequest.write(w, { path, type }),
];

export const removeWatches = (path: string, type: number): RawRequest => [
  OpCode.removeWatches,
  (w) => CheckWatchesRequest.write(w, { path, type }),
];

type Paths = readonly string[];

export const setWatches = (relativeZxid: number, data: Paths, exist: Paths, child: Paths): RawRequest => [
  OpCode.setWatches,
  (w) => {
    SetWatches.write(w, {
      relativeZxid: relativeZxid as Zxid,
      dataWatches: data,
      existWatches: exist,
      childWatches: child,
    });
  },
];

export const setWatches2 = (relativeZxid: number, lists: readonly [Paths, Paths, Paths, Paths, Paths]): RawRequest => [
  OpCode.setWatches2,
  (w) => {
    SetWatches2.write(w, {
      relativeZxid: relativeZxid as Zxid,
      dataWatches: lists[0],
      existWatches: lists[1],
      childWatches: lists[2],
      persistentWatches: lists[3],
      persistentRecursiveWatches: lists[4],
    });
  },
];

export const reconfig = (joiningServers: string): RawRequest => [
  OpCode.reconfig,
  (w) => ReconfigRequest.write(w, { joiningServers, leavingServers: null, newMembers: null, curConfigId: -1 }),
];

/** A multi, or with another type a multiRead, of any requests whatever. */
export const multi = (ops: readonly RawRequest[], type: number = OpCode.multi): RawRequest => [
  type,
  (w) => {
    for (const [op, write] of ops) {
      writeMultiHeader(w, op, -1);
      write(w);
    }
    writeMultiEnd(w);
  },
];

/** The same request with its record cut short by some bytes. */
export const cut = ([type, write]: RawRequest, by: number): RawRequest => [
  type,
  (w) => {
    const at = w.offset;
    write(w);
    w.truncate(Math.max(at, w.offset - by));
  },
];

/** The record alone. */
export function bytesOf(write: (writer: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  write(writer);
  return writer.take();
}
