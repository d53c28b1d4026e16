/** What sessions under load ask for, and the znodes that this needs. */
import { writeMultiEnd, writeMultiHeader } from "../../src/protocol/multi.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import {
  CheckVersionRequest,
  CreateRequest,
  DeleteRequest,
  GetChildrenRequest,
  GetDataRequest,
  SetDataRequest,
  SyncRequest,
} from "../../src/protocol/records.ts";
import {
  dataOf,
  type Mix,
  mixedRing,
  nodePath,
  OPEN_ACL,
  preparingRing,
  type RequestRing,
  randomNumbers,
  ring,
  writesInRing,
} from "./requests.ts";

/**
 * - mix: getData and setData.
 * - children: getChildren of a node that has 10,000.
 * - ephemerals: create and delete in turns. sequential: create only.
 * - multi: a check and two setData in one request.
 * - sync-read: sync and getData in turns.
 */
export type WorkKind = "mix" | "exists" | "children" | "ephemerals" | "sequential" | "multi" | "sync-read";

export interface Work extends Mix {
  readonly kind: WorkKind;
}

export const CHILDREN = 10_000;
const PARENT_OF_MANY = "/bench-children";
const PARENT_OF_EPHEMERALS = "/bench-ephemerals";
const PARENT_OF_SEQUENCE = "/bench-sequence";
const EPHEMERAL = 1;
const PERSISTENT_SEQUENTIAL = 2;
/** Pairs of a create and a delete that one session goes round. */
const PAIRS = 128;

/** Whether each session has a ring of its own: its znodes are. */
export function isPrivate(kind: WorkKind): boolean {
  return kind === "ephemerals";
}

export function ringOf(work: Work, session: number): RequestRing {
  const { kind, valueBytes, nodes } = work;
  const random = randomNumbers(session + 1);
  const value = dataOf(valueBytes);
  const anyPath = () => nodePath(random() % nodes);
  switch (kind) {
    case "mix":
      return mixedRing(work, session + 1);
    case "exists":
      return ring(4096, (writer) => {
        writer.int(OpCode.exists);
        GetDataRequest.write(writer, { path: anyPath(), watch: false });
        return false;
      });
    case "children":
      return ring(128, (writer) => {
        writer.int(OpCode.getChildren);
        GetChildrenRequest.write(writer, { path: PARENT_OF_MANY, watch: false });
        return false;
      });
    case "ephemerals":
      return ring(2 * PAIRS, (writer, xid) => {
        const path = `${PARENT_OF_EPHEMERALS}/${session}-${xid >> 1}`;
        writer.int(xid % 2 === 0 ? OpCode.create : OpCode.delete);
        if (xid % 2 === 0) CreateRequest.write(writer, { path, data: value, acl: OPEN_ACL, flags: EPHEMERAL });
        else DeleteRequest.write(writer, { path, version: -1 });
        return true;
      });
    case "sequential":
      return ring(writesInRing(valueBytes), (writer) => {
        writer.int(OpCode.create);
        const path = `${PARENT_OF_SEQUENCE}/n-`;
        CreateRequest.write(writer, { path, data: value, acl: OPEN_ACL, flags: PERSISTENT_SEQUENTIAL });
        return true;
      });
    case "multi":
      return ring(writesInRing(2 * valueBytes), (writer) => {
        writer.int(OpCode.multi);
        writeMultiHeader(writer, OpCode.check, -1);
        CheckVersionRequest.write(writer, { path: anyPath(), version: -1 });
        for (let i = 0; i < 2; i++) {
          writeMultiHeader(writer, OpCode.setData, -1);
          SetDataRequest.write(writer, { path: anyPath(), data: value, version: -1 });
        }
        writeMultiEnd(writer);
        return true;
      });
    case "sync-read":
      return ring(4096, (writer, xid) => {
        const path = anyPath();
        writer.int(xid % 2 === 0 ? OpCode.sync : OpCode.getData);
        if (xid % 2 === 0) SyncRequest.write(writer, { path });
        else GetDataRequest.write(writer, { path, watch: false });
        return xid % 2 === 0;
      });
  }
}

/** Requests that bring the znodes about; what is there already answers with NODEEXISTS, and gets its value all the same. */
export function preparationOf({ kind, valueBytes, nodes, readPercent }: Work): RequestRing[] {
  const rings = [preparingRing({ valueBytes, nodes, readPercent }), valuesRing({ valueBytes, nodes })];
  if (kind === "children") rings.push(childrenRing());
  if (kind === "ephemerals") rings.push(parentRing(PARENT_OF_EPHEMERALS));
  if (kind === "sequential") rings.push(parentRing(PARENT_OF_SEQUENCE));
  return rings;
}

/** A write of each znode. */
export function valuesRing({ valueBytes, nodes }: Pick<Mix, "valueBytes" | "nodes">): RequestRing {
  const value = dataOf(valueBytes);
  return ring(nodes, (writer, xid) => {
    writer.int(OpCode.setData);
    SetDataRequest.write(writer, { path: nodePath(xid), data: value, version: -1 });
    return true;
  });
}

function childrenRing(): RequestRing {
  return ring(CHILDREN + 1, (writer, xid) => {
    const path = xid === 0 ? PARENT_OF_MANY : `${PARENT_OF_MANY}/child-${xid}`;
    writer.int(OpCode.create);
    CreateRequest.write(writer, { path, data: null, acl: OPEN_ACL, flags: 0 });
    return true;
  });
}

function parentRing(path: string): RequestRing {
  return ring(1, (writer) => {
    writer.int(OpCode.create);
    CreateRequest.write(writer, { path, data: null, acl: OPEN_ACL, flags: 0 });
    return true;
  });
}
