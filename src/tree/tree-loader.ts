/** Reads the body of a snapshot, from a file or from a leader, into a database (SerializeUtils.deserializeSnapshot). */
import type { Acl, SessionId } from "../../spec/vocabulary.ts";
import { JuteReader } from "../protocol/jute-reader.ts";
import { assert } from "../runtime/assert.ts";
import { OperatingError } from "../runtime/errors.ts";
import { OPEN_ACL_KEY } from "./acl-cache.ts";
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
const SESSION_BYTES = 12;
const STAT_BYTES = 60;
const DEFAULT_MAX_FIELD_BYTES = 128 * 1024 * 1024;
const MAX_ACL_ENTRIES = 100_000;
/** What a node gets whose ACL the file does not have (older fuzzy snapshots): nobody may do anything, until replay sets it. */
const LOCKED_ACL: readonly Acl[] = [{ perms: 0, scheme: "world", id: "anyone" }];
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
  #at = 0;
  /** Chunks that wait until they are `#needed` bytes together with `#bytes`. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #needed = 4;
  #consumed = 0;

  /** Empties the database. When `done`, the caller sets its `lastProcessedZxid`. */
  constructor(database: Database, maxFieldBytes = DEFAULT_MAX_FIELD_BYTES) {
    database.empty();
    this.#database = database;
    this.#maxFieldBytes = maxFieldBytes;
  }

  /** Throws TreeLoadError; the database is then of no use until it is cleared. Keeps no part of the chunk once it returns done. */
  push(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    // An entry is looked at again only when it can be longer: small chunks of a large node cost no copies.
    if (this.#waitingBytes < this.#needed && this.#part !== "done") return;
    this.#bytes = this.#waiting.length === 1 ? chunk : Buffer.concat(this.#waiting, this.#waitingBytes);
    this.#at = 0;
    while (this.#part !== "done" && this.#readEntry()) this.#needed = 1;
    const rest = this.#bytes.subarray(this.#at);
    this.#waiting = [rest];
    this.#waitingBytes = rest.length;
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
      end = this.#endOfField(end + 4, {});
      if (end > 0) end = this.#endOfField(end, {});
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
    const pathEnd = this.#endOfField(0, {});
    if (pathEnd < 0) return false;
    const pathLength = pathEnd - 4;
    if (pathLength === 1 && this.#bytes[this.#at + 4] === SLASH) {
      this.#consume(pathEnd);
      this.#finish();
      return this.#enter("done");
    }
    const path = this.#bytes.subarray(this.#at + 4, this.#at + pathEnd);
    const dataEnd = this.#endOfField(pathEnd, { path });
    if (dataEnd < 0 || !this.#has(dataEnd + 8 + STAT_BYTES)) return false;
    const isNull = this.#bytes.readInt32BE(this.#at + pathEnd) < 0;
    const data = isNull ? null : this.#bytes.subarray(this.#at + pathEnd + 4, this.#at + dataEnd);
    this.#insert(path, data, dataEnd);
    this.#consume(dataEnd + 8 + STAT_BYTES);
    return true;
  }

  /** `entry`: where ACL key and stat start, relative to `#at`. */
  #insert(given: Buffer, data: Buffer | null, entry: number): void {
    const { store, acls, owned, edits } = this.#database;
    // What Java wrote need not be well-formed; nodes have names that survive a change to text and back.
    const path = isAscii(given) ? given : Buffer.from(given.toString("utf8"));
    const slash = path.lastIndexOf(SLASH);
    let node = ROOT;
    if (path.length === 0) {
      if (this.#rootSeen) throw this.#error("DUPLICATE_NODE", { path: "" });
      this.#rootSeen = true;
      store.setData(ROOT, data);
    } else {
      if (path[0] !== SLASH || slash === path.length - 1) throw this.#error("BAD_PATH", { path });
      const parent = store.find(path, 0, slash);
      if (parent === NO_NODE) throw this.#error("MISSING_PARENT", { path });
      if (store.findChild(parent, path, slash, path.length) !== NO_NODE) throw this.#error("DUPLICATE_NODE", { path });
      node = store.insert(parent, path, slash, path.length, data);
    }
    const stat = entry + 8;
    store.setLong(node, CZXID, this.#checkedLong(stat, path));
    store.setLong(node, MZXID, this.#checkedLong(stat + 8, path));
    store.setLong(node, CTIME, this.#checkedLong(stat + 16, path));
    store.setLong(node, MTIME, this.#checkedLong(stat + 24, path));
    store.setWord(node, VERSION, this.#int(stat + 32));
    store.setWord(node, CVERSION, this.#int(stat + 36));
    store.setWord(node, AVERSION, this.#int(stat + 40));
    store.setWord(node, OWNER, this.#int(stat + 44));
    store.setWord(node, OWNER + 1, this.#int(stat + 48));
    store.setLong(node, PZXID, this.#checkedLong(stat + 52, path));
    const key = this.#keyOf(this.#long(entry));
    acls.retain(key);
    store.setWord(node, ACL, key);
    owned.add(node);
    edits.redigest(node);
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

  /** End, relative to `#at`, of a length-prefixed field that starts at `start`; -1: not all there yet. */
  #endOfField(start: number, known: { path?: Buffer }): number {
    if (!this.#has(start + 4)) return -1;
    const length = this.#bytes.readInt32BE(this.#at + start);
    if (length < -1 || length > this.#maxFieldBytes) throw this.#error("BAD_LENGTH", { ...known, length });
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

  #int(offset: number): number {
    return this.#bytes.readInt32BE(this.#at + offset);
  }

  #long(offset: number): number {
    return this.#int(offset) * 2 ** 32 + (this.#int(offset + 4) >>> 0);
  }

  #checkedLong(offset: number, path: Buffer): number {
    const value = this.#long(offset);
    if (!Number.isSafeInteger(value)) throw this.#error("OUT_OF_RANGE", { path, value });
    return value;
  }

  #error(
    code: TreeLoadError["code"],
    facts: { path?: Buffer | string; length?: number; value?: number },
  ): TreeLoadError {
    const { path, ...others } = facts;
    const named = path === undefined ? {} : { path: path.toString() };
    return new TreeLoadError({ code, offset: this.#consumed, ...named, ...others });
  }
}

function isAscii(bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]! >= 0x80) return false;
  }
  return true;
}
