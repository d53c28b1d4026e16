/** Reads the body of a snapshot, from a file or from a leader, into a database (SerializeUtils.deserializeSnapshot). */
import type { Acl, SessionId } from "../../spec/vocabulary.ts";
import { JuteReader } from "../protocol/jute-reader.ts";
import { assert } from "../runtime/assert.ts";
import { OperatingError } from "../runtime/errors.ts";
import { OPEN_ACL_KEY } from "./acl-cache.ts";
import type { Znode } from "./data-tree.ts";
import type { Database } from "./database.ts";
import {
  ACL,
  AVERSION,
  CTIME,
  CVERSION,
  CZXID,
  MTIME,
  MZXID,
  NO_NODE,
  OWNER,
  PZXID,
  ROOT,
  VERSION,
} from "./znode-records.ts";

/**
 * `offset`: of the entry, from the start of the body; `path` where one is known.
 * - BAD_LENGTH: a length or count below -1, or above the limit.
 * - BAD_PATH: not the path of a node.
 * - MISSING_PARENT, DUPLICATE_NODE: the order of nodes is broken.
 * - OUT_OF_RANGE: a zxid or time beyond what any server writes.
 */
export class TreeLoadError extends OperatingError<
  "BAD_LENGTH" | "BAD_PATH" | "MISSING_PARENT" | "DUPLICATE_NODE" | "OUT_OF_RANGE"
> {}

const SLASH = 0x2f;
const NODES_TO_ESTIMATE_FROM = 256;
/** An estimate must not cost memory that the tree never comes to need. */
const LEAST_BYTES_PER_NODE = 128;
/** Most entries are shorter. */
const BRIDGE_BYTES = 1024;
const SESSION_BYTES = 12;
const STAT_BYTES = 60;
const DEFAULT_MAX_FIELD_BYTES = 128 * 1024 * 1024;
const MAX_ACL_ENTRIES = 100_000;
/** What a node gets whose ACL the file does not have (older fuzzy snapshots): nobody may do anything, until replay sets it. */
const LOCKED_ACL: readonly Acl[] = [{ perms: 0, scheme: "world", id: "anyone" }];
/** From here on the first half of a long tells that it may not be a safe integer. */
const SAFE_HIGH = 2 ** 21;
const NOTHING = Buffer.alloc(0);

type Part = "sessionCount" | "sessions" | "aclCount" | "acls" | "nodes" | "done";

export class TreeLoader {
  readonly #database: Database;
  readonly #maxFieldBytes: number;
  /** Keys of the file → keys of the tree. */
  readonly #keys = new Map<number, number>();
  #part: Part = "sessionCount";
  #remaining = 0;
  #rootSeen = false;
  #missingAcls = 0;
  /** Bytes not consumed yet, from `#at` on. */
  #bytes: Buffer = NOTHING;
  /** The same memory: a DataView reads a number in one instruction. */
  #view: DataView = new DataView(NOTHING.buffer, 0, 0);
  #at = 0;
  /** Chunks that wait until they are `#needed` bytes together with `#bytes`. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #needed = 4;
  #consumed = 0;
  /** Until the number of nodes has been estimated from it. */
  #expectedBytes: number;

  /** Empties the database. When `done`, the caller sets its `lastProcessedZxid`. `bodyBytes`: of the whole body, 0 if nobody knows. */
  constructor(database: Database, maxFieldBytes = DEFAULT_MAX_FIELD_BYTES, bodyBytes = 0) {
    database.empty();
    this.#expectedBytes = bodyBytes;
    this.#database = database;
    this.#maxFieldBytes = maxFieldBytes;
  }

  /** Throws TreeLoadError; the database is then of no use until it is cleared. Keeps no part of the chunk once it returns done. */
  push(chunk: Buffer): void {
    assert(this.#part !== "done", "What follows the end marker is not the loader's.");
    const waited = this.#waitingBytes;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    // An entry is looked at again only when it can be longer: small chunks of a large node cost no copies.
    if (this.#waitingBytes < this.#needed) return;
    const from = waited === 0 ? 0 : this.#bridge(chunk, waited);
    if (from >= 0) {
      this.#lookAt(chunk);
      this.#at = from;
      this.#readEntries(chunk.length);
    }
    if (this.#expectedBytes > 0 && this.#database.store.count >= NODES_TO_ESTIMATE_FROM) this.#estimate();
    const rest = this.#bytes.subarray(this.#at);
    this.#waiting = rest.length === 0 ? [] : [rest];
    this.#waitingBytes = rest.length;
  }

  /**
   * Reads the entry that began in what waits, joined with only as much of the chunk as it takes. Returns where the chunk goes on;
   * -1 when all of it was not enough.
   */
  #bridge(chunk: Buffer, waited: number): number {
    const before = this.#waiting.slice(0, -1);
    let borrowed = 0;
    let at = 0;
    while (borrowed < chunk.length) {
      borrowed = Math.min(chunk.length, Math.max(borrowed * 4, at + this.#needed - waited, BRIDGE_BYTES));
      this.#lookAt(Buffer.concat([...before, chunk.subarray(0, borrowed)], waited + borrowed));
      this.#at = at;
      this.#readEntries(waited);
      if (this.#at >= waited) return this.#at - waited;
      at = this.#at;
    }
    return -1;
  }

  /** If the rest of the nodes are like these, so many will come. */
  #estimate(): void {
    const { store } = this.#database;
    const nodes = (this.#expectedBytes / this.#consumed) * store.count;
    store.expectNodes(Math.min(nodes, this.#expectedBytes / LEAST_BYTES_PER_NODE));
    this.#expectedBytes = 0;
  }

  #lookAt(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Entries that begin before `end`, as far as they are whole. */
  #readEntries(end: number): void {
    while (this.#part !== "done" && this.#at < end && this.#readEntry()) this.#needed = 1;
  }

  /** The end marker was read. */
  get done(): boolean {
    return this.#part === "done";
  }

  /** Length of the body as far as it was read. */
  get bodyBytes(): number {
    return this.#consumed;
  }

  /** ACLs that nodes named but the file does not have, so far: their nodes are locked until replay sets others. */
  get missingAcls(): number {
    return this.#missingAcls;
  }

  /** What followed the end marker. */
  rest(): Buffer {
    assert(this.done, "Before the end marker there is no rest.");
    return this.#bytes.subarray(this.#at);
  }

  /** False: the bytes end inside the entry, `#needed` says how many it takes at least. */
  #readEntry(): boolean {
    switch (this.#part) {
      case "sessionCount":
        return this.#readCount("sessions");
      case "sessions":
        if (this.#remaining === 0) return this.#enter("aclCount");
        return this.#readSession();
      case "aclCount":
        return this.#readCount("acls");
      case "acls":
        if (this.#remaining === 0) return this.#enter("nodes");
        return this.#readAcl();
      default:
        return this.#readNode();
    }
  }

  #enter(part: Part): boolean {
    this.#part = part;
    return true;
  }

  #readCount(next: Part): boolean {
    if (!this.#has(4)) return false;
    const count = this.#bytes.readInt32BE(this.#at);
    if (count < 0) throw this.#error("BAD_LENGTH", { length: count });
    this.#remaining = count;
    this.#consume(4);
    return this.#enter(next);
  }

  #readSession(): boolean {
    if (!this.#has(SESSION_BYTES)) return false;
    const id = this.#bytes.readBigInt64BE(this.#at) as SessionId;
    this.#database.sessions.set(id, this.#bytes.readInt32BE(this.#at + 8));
    this.#remaining--;
    this.#consume(SESSION_BYTES);
    return true;
  }

  #readAcl(): boolean {
    if (!this.#has(12)) return false;
    const entries = this.#bytes.readInt32BE(this.#at + 8);
    if (entries < -1 || entries > MAX_ACL_ENTRIES) throw this.#error("BAD_LENGTH", { length: entries });
    let end = 12;
    for (let i = 0; i < entries; i++) {
      end = this.#endOfField(end + 4, -1);
      if (end > 0) end = this.#endOfField(end, -1);
      if (end < 0) return false;
    }
    const reader = new JuteReader(this.#bytes, this.#at + 12, this.#at + end);
    const acl: Acl[] = [];
    for (let i = 0; i < entries; i++) {
      acl.push({ perms: reader.int(), scheme: reader.ustring() ?? "", id: reader.ustring() ?? "" });
    }
    // Used once by the loader itself, until the nodes are in.
    const fileKey = this.#long(0);
    const known = this.#keys.get(fileKey);
    if (known !== undefined) this.#database.acls.release(known);
    this.#keys.set(fileKey, this.#database.acls.use(acl));
    this.#remaining--;
    this.#consume(end);
    return true;
  }

  #readNode(): boolean {
    const pathEnd = this.#endOfField(0, -1);
    if (pathEnd < 0) return false;
    if (pathEnd === 5 && this.#bytes[this.#at + 4] === SLASH) {
      this.#consume(pathEnd);
      this.#finish();
      return this.#enter("done");
    }
    const dataEnd = this.#endOfField(pathEnd, pathEnd);
    if (dataEnd < 0 || !this.#has(dataEnd + 8 + STAT_BYTES)) return false;
    this.#insert(pathEnd, dataEnd);
    this.#consume(dataEnd + 8 + STAT_BYTES);
    return true;
  }

  /** Ends are relative to `#at`; where the data ends, ACL key and stat start. */
  #insert(pathEnd: number, dataEnd: number): void {
    const { store, acls, owned, edits } = this.#database;
    const view = this.#view;
    const dataFrom = this.#at + pathEnd + 4;
    const entry = this.#at + dataEnd;
    const hasData = view.getInt32(dataFrom - 4) >= 0;
    const node = this.#place(pathEnd, dataFrom, hasData ? entry : -1);
    const page = store.page(node);
    const at = store.at(node);
    const stat = entry + 8;
    this.#copyLong(stat, page, at + CZXID, pathEnd);
    this.#copyLong(stat + 8, page, at + MZXID, pathEnd);
    this.#copyLong(stat + 16, page, at + CTIME, pathEnd);
    this.#copyLong(stat + 24, page, at + MTIME, pathEnd);
    page[at + VERSION] = view.getInt32(stat + 32);
    page[at + CVERSION] = view.getInt32(stat + 36);
    page[at + AVERSION] = view.getInt32(stat + 40);
    page[at + OWNER] = view.getInt32(stat + 44);
    page[at + OWNER + 1] = view.getInt32(stat + 48);
    this.#copyLong(stat + 52, page, at + PZXID, pathEnd);
    const key = this.#keyOf(this.#long(dataEnd));
    acls.retain(key);
    page[at + ACL] = key;
    owned.add(node);
    edits.redigest(node);
  }

  /** The new node: its path ends at `pathEnd`, relative to `#at`; its data lies from `dataFrom` to `dataEnd`, which is -1 for null. */
  #place(pathEnd: number, dataFrom: number, dataEnd: number): Znode {
    const { store } = this.#database;
    let start = this.#at + 4;
    let end = this.#at + pathEnd;
    if (start === end) {
      if (this.#rootSeen) throw this.#error("DUPLICATE_NODE", { pathEnd });
      this.#rootSeen = true;
      store.setData(ROOT, dataEnd < 0 ? null : this.#bytes.subarray(dataFrom, dataEnd));
      return ROOT;
    }
    let path = this.#bytes;
    if (!isAscii(path, start, end)) {
      // What Java wrote need not be well-formed; nodes have names that survive a change to text and back.
      path = Buffer.from(path.toString("utf8", start, end));
      start = 0;
      end = path.length;
    }
    let slash = end - 1;
    while (slash > start && path[slash] !== SLASH) slash--;
    if (path[start] !== SLASH || slash === end - 1) throw this.#error("BAD_PATH", { pathEnd });
    const parent = store.find(path, start, slash);
    if (parent === NO_NODE) throw this.#error("MISSING_PARENT", { pathEnd });
    const node = store.insertNew(parent, path, slash, end, this.#bytes, dataFrom, dataEnd);
    if (node === NO_NODE) throw this.#error("DUPLICATE_NODE", { pathEnd });
    return node;
  }

  #keyOf(fileKey: number): number {
    if (fileKey === OPEN_ACL_KEY) return OPEN_ACL_KEY;
    let key = this.#keys.get(fileKey);
    if (key === undefined) {
      this.#missingAcls++;
      key = this.#database.acls.use(LOCKED_ACL);
      this.#keys.set(fileKey, key);
    }
    return key;
  }

  /** ACLs that no node turned out to have are dropped. */
  #finish(): void {
    for (const key of this.#keys.values()) this.#database.acls.release(key);
    this.#keys.clear();
    this.#database.loaded();
  }

  /** End, relative to `#at`, of a length-prefixed field that starts at `start`; -1: not all there yet. `pathEnd`: where known, else -1. */
  #endOfField(start: number, pathEnd: number): number {
    if (!this.#has(start + 4)) return -1;
    const length = this.#view.getInt32(this.#at + start);
    if (length < -1 || length > this.#maxFieldBytes) throw this.#error("BAD_LENGTH", { pathEnd, length });
    const end = start + 4 + Math.max(0, length);
    return this.#has(end) ? end : -1;
  }

  #has(bytes: number): boolean {
    if (this.#bytes.length - this.#at >= bytes) return true;
    this.#needed = bytes;
    return false;
  }

  #consume(bytes: number): void {
    this.#at += bytes;
    this.#consumed += bytes;
  }

  #long(offset: number): number {
    const at = this.#at + offset;
    return this.#view.getInt32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }

  /** From `from` of the bytes to two words of a record; must be a safe integer. */
  #copyLong(from: number, words: Int32Array, to: number, pathEnd: number): void {
    const high = this.#view.getInt32(from);
    if (high >= SAFE_HIGH || high <= -SAFE_HIGH) {
      const value = this.#long(from - this.#at);
      if (!Number.isSafeInteger(value)) throw this.#error("OUT_OF_RANGE", { pathEnd, value });
    }
    words[to] = high;
    words[to + 1] = this.#view.getInt32(from + 4);
  }

  /** `pathEnd`: of the entry at `#at`, where its path is known, else -1. */
  #error(
    code: TreeLoadError["code"],
    facts: { readonly pathEnd?: number; readonly length?: number; readonly value?: number },
  ): TreeLoadError {
    const { pathEnd = -1, ...others } = facts;
    const path = pathEnd < 0 ? {} : { path: this.#bytes.toString("utf8", this.#at + 4, this.#at + pathEnd) };
    return new TreeLoadError({ code, offset: this.#consumed, ...path, ...others });
  }
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i]! >= 0x80) return false;
  }
  return true;
}
