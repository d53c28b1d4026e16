import type { Zxid } from "../../spec/vocabulary.ts";
import type { ClientConnection } from "../connection/client-connection.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { JuteError, JuteReader } from "../protocol/jute-reader.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";
import { type MultiOp, readMultiRequest, writeMultiEnd, writeMultiHeader } from "../protocol/multi.ts";
import { AddWatchMode, OpCode, Perms, WatcherType } from "../protocol/opcodes.ts";
import { AclRecord, GetEphemeralsRequest, SetWatches, SetWatches2 } from "../protocol/records.ts";
import type { EventType } from "../protocol/watch-events.ts";
import type { ServerCounters } from "../runtime/counters.ts";
import { redactAcl } from "../tree/acl.ts";
import { GROUP } from "../tree/cache-warmer.ts";
import type { Znode } from "../tree/data-tree.ts";
import type { Database } from "../tree/database.ts";
import { setWatches } from "../tree/set-watches.ts";
import type { WatchSelection, WatchTable } from "../tree/watch-table.ts";
import { beginReply, endReply } from "./reply.ts";

const OPEN_ACL_KEY = -1;

/** Guesses of what answering costs in bytes, for what waits behind a write. */
const SMALL_REPLY_BYTES = 128;
const CHILD_NAME_BYTES = 24;

/** Of a frame: length, xid, op, and then often the length of a path and the path. */
const OP_OFFSET = 8;
const PATH_OFFSET = 16;
/** A few requests at once are not worth a look ahead. */
const LOOK_AHEAD_FROM_BYTES = 128;

type Emit = (watcher: ClientConnection, type: EventType, path: string, zxid: Zxid) => void;

/**
 * Requests that this server answers alone, from its own tree (the reading half of FinalRequestProcessor). getData and
 * exists work on the request's bytes: no string and no object per request.
 */
export class Reads {
  readonly #database: Database;
  readonly #watches: WatchTable<ClientConnection>;
  readonly #skipAcl: boolean;
  readonly #counters: ServerCounters;
  readonly #emit: Emit;
  readonly #reader = new JuteReader(Buffer.alloc(0));

  /** `emit`: writes a watch event. */
  constructor(
    database: Database,
    watches: WatchTable<ClientConnection>,
    skipAcl: boolean,
    counters: ServerCounters,
    emit: Emit,
  ) {
    this.#database = database;
    this.#watches = watches;
    this.#skipAcl = skipAcl;
    this.#counters = counters;
    this.#emit = emit;
  }

  /** Writes the reply to the request whose record is `bytes` from `at` to `end`, and returns its length in bytes. */
  answer(connection: ClientConnection, xid: number, op: number, bytes: Buffer, at: number, end: number): number {
    const reader = this.#reader;
    reader.reset(bytes, at, end);
    const writer = connection.output();
    // What setWatches catches up on goes out before its reply.
    const events =
      op === OpCode.setWatches || op === OpCode.setWatches2 ? this.#setWatches(connection, op) : ErrorCode.OK;
    const start = beginReply(writer, xid, this.#database.lastProcessedZxid);
    let err: number = events;
    try {
      if (err === ErrorCode.OK) err = this.#record(connection, writer, op, bytes);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      err = ErrorCode.MARSHALLINGERROR;
    }
    if (err === ErrorCode.MARSHALLINGERROR) this.#counters.malformedRequests++;
    return endReply(writer, start, err);
  }

  /**
   * Looks ahead at the frames in `bytes` from `start` to `end`, and fetches what their answers will need. Returns how many
   * frames may be taken before looking ahead is worth while again.
   */
  foresee(bytes: Buffer, start: number, end: number): number {
    const { warmer } = this.#database.tree;
    if (end - start < LOOK_AHEAD_FROM_BYTES || !warmer.worthwhile) return GROUP;
    let at = start;
    let frames = 0;
    for (; frames < GROUP && end - at >= PATH_OFFSET; frames++) {
      const frameEnd = at + 4 + bytes.readInt32BE(at);
      if (frameEnd <= at || frameEnd > end) break;
      if (startsWithPath(bytes.readInt32BE(at + OP_OFFSET))) {
        const path = at + PATH_OFFSET;
        const pathEnd = path + bytes.readInt32BE(path - 4);
        if (pathEnd >= path && pathEnd <= frameEnd) warmer.expect(bytes, path, pathEnd);
      }
      at = frameEnd;
    }
    warmer.warm();
    return frames === 0 ? GROUP : frames;
  }

  /** How many bytes the answer may take, before it is known. */
  estimate(op: number, bytes: Buffer, at: number, end: number): number {
    if (op !== OpCode.getData && op !== OpCode.getChildren && op !== OpCode.getChildren2) {
      return op === OpCode.multiRead ? (end - at) * SMALL_REPLY_BYTES : SMALL_REPLY_BYTES;
    }
    if (end - at < 4) return SMALL_REPLY_BYTES;
    const pathEnd = at + 4 + bytes.readInt32BE(at);
    if (pathEnd < at + 4 || pathEnd > end) return SMALL_REPLY_BYTES;
    const { tree } = this.#database;
    const node = tree.getByBytes(bytes, at + 4, pathEnd);
    if (node === undefined) return SMALL_REPLY_BYTES;
    if (op === OpCode.getData) return SMALL_REPLY_BYTES + tree.dataLength(node);
    return SMALL_REPLY_BYTES + CHILD_NAME_BYTES * tree.numChildren(node);
  }

  #record(connection: ClientConnection, writer: JuteWriter, op: number, bytes: Buffer): number {
    switch (op) {
      case OpCode.getData:
        return this.#getData(connection, writer, bytes);
      case OpCode.exists:
        return this.#exists(connection, writer, bytes);
      case OpCode.ping:
      case OpCode.setWatches:
      case OpCode.setWatches2:
        return ErrorCode.OK;
      case OpCode.getChildren:
      case OpCode.getChildren2:
        return this.#getChildren(connection, writer, bytes, op);
      case OpCode.getACL:
        return this.#getAcl(connection, writer, bytes);
      case OpCode.sync:
        return this.#sync(writer, bytes);
      case OpCode.multiRead:
        return this.#multiRead(connection, writer);
      case OpCode.getEphemerals:
        return this.#getEphemerals(connection, writer);
      case OpCode.getAllChildrenNumber:
        return this.#getAllChildrenNumber(connection, writer, bytes);
      case OpCode.whoAmI:
        return this.#whoAmI(connection, writer);
      case OpCode.addWatch:
        return this.#addWatch(connection, writer);
      case OpCode.checkWatches:
      case OpCode.removeWatches:
        return this.#checkOrRemoveWatches(connection, op);
      default:
        return ErrorCode.UNIMPLEMENTED;
    }
  }

  #getData(connection: ClientConnection, writer: JuteWriter, bytes: Buffer): number {
    const reader = this.#reader;
    const length = reader.skip();
    const pathEnd = reader.offset;
    const watch = reader.bool();
    if (length < 0) return ErrorCode.MARSHALLINGERROR;
    const { tree } = this.#database;
    const node = tree.getByBytes(bytes, pathEnd - length, pathEnd);
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#allows(connection, node, Perms.READ)) return ErrorCode.NOAUTH;
    if (watch) this.#watches.add(connection, bytes.toString("utf8", pathEnd - length, pathEnd), "data");
    tree.writeData(writer, node);
    tree.writeStat(writer, node);
    return ErrorCode.OK;
  }

  /** A missing node is watched all the same, for its creation. No permission is asked for, as up to 3.8.3. */
  #exists(connection: ClientConnection, writer: JuteWriter, bytes: Buffer): number {
    const reader = this.#reader;
    const length = reader.skip();
    const pathEnd = reader.offset;
    const watch = reader.bool();
    if (length < 0) return ErrorCode.MARSHALLINGERROR;
    const { tree } = this.#database;
    const node = tree.getByBytes(bytes, pathEnd - length, pathEnd);
    if (node === undefined && hasNul(bytes, pathEnd - length, pathEnd)) return ErrorCode.BADARGUMENTS;
    if (watch) this.#watches.add(connection, bytes.toString("utf8", pathEnd - length, pathEnd), "data");
    if (node === undefined) return ErrorCode.NONODE;
    tree.writeStat(writer, node);
    return ErrorCode.OK;
  }

  #getChildren(connection: ClientConnection, writer: JuteWriter, bytes: Buffer, op: number): number {
    const reader = this.#reader;
    const length = reader.skip();
    const pathEnd = reader.offset;
    const watch = reader.bool();
    if (length < 0) return ErrorCode.MARSHALLINGERROR;
    const { tree } = this.#database;
    const node = tree.getByBytes(bytes, pathEnd - length, pathEnd);
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#allows(connection, node, Perms.READ)) return ErrorCode.NOAUTH;
    if (watch) this.#watches.add(connection, bytes.toString("utf8", pathEnd - length, pathEnd), "child");
    tree.writeChildren(writer, node);
    if (op === OpCode.getChildren2) tree.writeStat(writer, node);
    return ErrorCode.OK;
  }

  /** READ or ADMIN; without ADMIN the hashes of digest ids are not shown. */
  #getAcl(connection: ClientConnection, writer: JuteWriter, bytes: Buffer): number {
    const node = this.#nodeOfPath(bytes);
    if (typeof node === "string") return ErrorCode.MARSHALLINGERROR;
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#allows(connection, node, Perms.READ | Perms.ADMIN)) return ErrorCode.NOAUTH;
    const { tree } = this.#database;
    const acl = this.#allows(connection, node, Perms.ADMIN) ? tree.acl(node) : redactAcl(tree.acl(node));
    writer.vectorCount(acl.length);
    for (const entry of acl) AclRecord.write(writer, entry);
    tree.writeStat(writer, node);
    return ErrorCode.OK;
  }

  /** Echoes the path; whether it exists, or may be read, is not asked. */
  #sync(writer: JuteWriter, bytes: Buffer): number {
    const length = this.#reader.skip();
    const end = this.#reader.offset;
    writer.int(length);
    if (length > 0) writer.rawRange(bytes, end - length, end);
    return ErrorCode.OK;
  }

  /** Each read succeeds or fails on its own. */
  #multiRead(connection: ClientConnection, writer: JuteWriter): number {
    const ops = readMultiRequest(this.#reader);
    if (ops.some(({ type }) => type !== OpCode.getData && type !== OpCode.getChildren)) {
      return ErrorCode.MARSHALLINGERROR;
    }
    for (const op of ops) this.#readOfMulti(connection, writer, op);
    writeMultiEnd(writer);
    return ErrorCode.OK;
  }

  #readOfMulti(connection: ClientConnection, writer: JuteWriter, op: MultiOp): void {
    const { tree } = this.#database;
    const node = tree.get(op.path);
    if (node === undefined || !this.#allows(connection, node, Perms.READ)) {
      const err = node === undefined ? ErrorCode.NONODE : ErrorCode.NOAUTH;
      writeMultiHeader(writer, OpCode.error, err);
      writer.int(err);
      return;
    }
    writeMultiHeader(writer, op.type, ErrorCode.OK);
    if (op.type === OpCode.getChildren) return tree.writeChildren(writer, node);
    tree.writeData(writer, node);
    tree.writeStat(writer, node);
  }

  #getEphemerals(connection: ClientConnection, writer: JuteWriter): number {
    const prefix = GetEphemeralsRequest.read(this.#reader).prefixPath ?? "";
    const all = prefix.trim() === "" || prefix === "/";
    const paths = this.#database.ephemeralsOf(connection.sessionId).filter((path) => all || path.startsWith(prefix));
    writer.vectorCount(paths.length);
    for (const path of paths) writer.ustring(path);
    return ErrorCode.OK;
  }

  #getAllChildrenNumber(connection: ClientConnection, writer: JuteWriter, bytes: Buffer): number {
    const node = this.#nodeOfPath(bytes);
    if (typeof node === "string") return ErrorCode.MARSHALLINGERROR;
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#allows(connection, node, Perms.READ)) return ErrorCode.NOAUTH;
    writer.int(this.#database.tree.descendantCount(node));
    return ErrorCode.OK;
  }

  #whoAmI(connection: ClientConnection, writer: JuteWriter): number {
    writer.vectorCount(connection.authInfo.length);
    for (const { scheme, id } of connection.authInfo) {
      writer.ustring(scheme);
      // The part after the colon is a hash of the password.
      writer.ustring(scheme === "digest" ? id.slice(0, id.indexOf(":")) : id);
    }
    return ErrorCode.OK;
  }

  #addWatch(connection: ClientConnection, writer: JuteWriter): number {
    const path = this.#reader.ustring();
    const mode = this.#reader.int();
    if (path === null) return ErrorCode.MARSHALLINGERROR;
    if (mode === AddWatchMode.persistent) this.#watches.add(connection, path, "persistent");
    else if (mode === AddWatchMode.persistentRecursive) this.#watches.add(connection, path, "persistentRecursive");
    else return ErrorCode.MARSHALLINGERROR;
    writer.int(ErrorCode.OK);
    return ErrorCode.OK;
  }

  #checkOrRemoveWatches(connection: ClientConnection, op: number): number {
    const path = this.#reader.ustring();
    const selection = selectionOf(this.#reader.int());
    if (path === null || selection === null) return ErrorCode.MARSHALLINGERROR;
    const watches = this.#watches;
    const found =
      op === OpCode.checkWatches
        ? watches.has(connection, path, selection)
        : watches.remove(connection, path, selection);
    return found ? ErrorCode.OK : ErrorCode.NOWATCHER;
  }

  #setWatches(connection: ClientConnection, op: number): number {
    try {
      const lists = op === OpCode.setWatches ? SetWatches.read(this.#reader) : SetWatches2.read(this.#reader);
      setWatches(this.#database.tree, this.#watches, connection, lists, this.#emit);
      return ErrorCode.OK;
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      return ErrorCode.MARSHALLINGERROR;
    }
  }

  /** The node of a request that is only a path; "null" for the null path, which no node has. */
  #nodeOfPath(bytes: Buffer): Znode | undefined | "null" {
    const length = this.#reader.skip();
    const end = this.#reader.offset;
    return length < 0 ? "null" : this.#database.tree.getByBytes(bytes, end - length, end);
  }

  #allows(connection: ClientConnection, node: Znode, perms: number): boolean {
    if (this.#database.tree.aclKey(node) === OPEN_ACL_KEY || this.#skipAcl) return true;
    return this.#database.allows(node, perms, connection.authInfo);
  }
}

function startsWithPath(op: number): boolean {
  return op === OpCode.getData || op === OpCode.exists || op === OpCode.setData;
}

function hasNul(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === 0) return true;
  return false;
}

function selectionOf(type: number): WatchSelection | null {
  switch (type) {
    case WatcherType.children:
      return "child";
    case WatcherType.data:
      return "data";
    case WatcherType.any:
      return "any";
    default:
      return null;
  }
}
