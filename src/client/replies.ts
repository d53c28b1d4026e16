/** Bodies of replies as the values that operations resolve with; paths are the client's again. */
import type { Acl } from "../../spec/vocabulary.ts";
import type { JuteReader } from "../protocol/jute-reader.ts";
import { readMultiResponse, type MultiResult as WireResult } from "../protocol/multi.ts";
import { OpCode } from "../protocol/opcodes.ts";
import {
  Create2Response,
  CreateResponse,
  GetACLResponse,
  GetAllChildrenNumberResponse,
  GetChildren2Response,
  GetChildrenResponse,
  GetEphemeralsResponse,
  type RecordOf,
  Stat as StatRecord,
  WhoAmIResponse,
} from "../protocol/records.ts";

/** A node's metadata; times in ms since 1970, `ephemeralOwner` 0n for nodes that are not ephemeral. */
export type Stat = RecordOf<typeof StatRecord>;

export interface DataResult {
  /** A copy of its own; null if the node was created with null. */
  readonly data: Buffer | null;
  readonly stat: Stat;
}

export interface ChildrenResult {
  /** In no particular order. */
  readonly children: readonly string[];
  readonly stat: Stat;
}

export interface AclResult {
  readonly acl: readonly Acl[];
  readonly stat: Stat;
}

export interface CreateResult {
  /** With its sequence number. */
  readonly path: string;
  readonly stat: Stat;
}

/** What the ops of a multi resolve with, each in its place. */
export type MultiResult =
  /** Servers give a Stat for containers and TTL nodes only. */
  | { readonly type: "create"; readonly path: string; readonly stat: Stat | null }
  | { readonly type: "delete" }
  | { readonly type: "setData"; readonly stat: Stat }
  | { readonly type: "check" };

/** Codes of the ops of a failed multi; null if it succeeded. */
export function failedResults(results: readonly WireResult[]): readonly number[] | null {
  if (!results.some((result) => result.type === OpCode.error)) return null;
  return results.map((result) => (result.type === OpCode.error ? result.err : 0));
}

export function multiResults(results: readonly WireResult[], chroot: string): MultiResult[] {
  return results.map((result) => {
    switch (result.type) {
      case OpCode.create:
        return { type: "create", path: withoutChroot(result.path, chroot), stat: null };
      case OpCode.create2:
        return { type: "create", path: withoutChroot(result.path, chroot), stat: result.stat };
      case OpCode.setData:
        return { type: "setData", stat: result.stat };
      case OpCode.check:
        return { type: "check" };
      default:
        return { type: "delete" };
    }
  });
}

/** Reads the body of a successful reply. Throws JuteError if it is not what the operation's answer looks like. */
export function readReply(op: number, reader: JuteReader, chroot: string): unknown {
  switch (op) {
    case OpCode.getData:
      return readData(reader);
    case OpCode.exists:
    case OpCode.setData:
    case OpCode.setACL:
      return StatRecord.read(reader);
    case OpCode.create:
      return withoutChroot(CreateResponse.read(reader).path, chroot);
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL: {
      const { path, stat } = Create2Response.read(reader);
      return { path: withoutChroot(path, chroot), stat };
    }
    case OpCode.getChildren:
      return GetChildrenResponse.read(reader).children;
    case OpCode.getChildren2:
      return GetChildren2Response.read(reader);
    case OpCode.getACL:
      return GetACLResponse.read(reader);
    case OpCode.multi:
      return readMultiResponse(reader);
    case OpCode.getEphemerals:
      return GetEphemeralsResponse.read(reader).ephemerals.map((path) => withoutChroot(path, chroot));
    case OpCode.getAllChildrenNumber:
      return GetAllChildrenNumberResponse.read(reader).totalNumber;
    case OpCode.whoAmI:
      return WhoAmIResponse.read(reader).clientInfo;
    default:
      // delete, sync, addWatch, removeWatches, setWatches, closeSession: that it worked is all there is to say.
      return undefined;
  }
}

function readData(reader: JuteReader): DataResult {
  const view = reader.buffer();
  // Copied: a view would keep the whole received chunk in memory for as long as the application keeps one value.
  const data = view === null ? null : Buffer.from(view);
  return { data, stat: StatRecord.read(reader) };
}

export function withChroot(path: string, chroot: string): string {
  if (chroot === "") return path;
  return path === "/" ? chroot : chroot + path;
}

/** A path outside the chroot (which no server should answer with) stays as it is. */
export function withoutChroot(path: string, chroot: string): string {
  if (chroot === "") return path;
  if (path === chroot) return "/";
  return path.startsWith(`${chroot}/`) ? path.slice(chroot.length) : path;
}
