/**
 * The body of a snapshot, which is also what a leader streams to a learner that is too far behind: sessions, ACL map,
 * nodes, end marker (SerializeUtils.serializeSnapshot). Taken in slices while txns go on being applied, so it is fuzzy:
 * nodes show the state of the moment they were reached. Replaying the txns after `zxid` makes it whole.
 */
import type { Zxid } from "../../spec/vocabulary.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { assert } from "../runtime/assert.ts";
import type { Znode } from "./data-tree.ts";
import type { Database } from "./database.ts";
import {
  ACL,
  AVERSION,
  CTIME,
  CVERSION,
  CZXID,
  DATA_LENGTH,
  MTIME,
  MZXID,
  NO_NODE,
  OWNER,
  PZXID,
  ROOT,
  VERSION,
} from "./znode-records.ts";
import type { TreeCursor, ZnodeStore } from "./znode-store.ts";

export { TreeLoadError, TreeLoader } from "./tree-loader.ts";

const SLICE_BYTES = 1024 * 1024;
const FIRST_ALLOCATION = 64 * 1024;
/** Two lengths, the ACL's key, the stat. */
const FIXED_NODE_BYTES = 4 + 4 + 8 + 60;
const END_MARKER = Buffer.from([0, 0, 0, 1, 0x2f]);

/** StatPersisted's fields in the order of the file; longs first half, then second. */
const STAT_ORDER = [
  CZXID,
  CZXID + 1,
  MZXID,
  MZXID + 1,
  CTIME,
  CTIME + 1,
  MTIME,
  MTIME + 1,
  VERSION,
  CVERSION,
  AVERSION,
  OWNER,
  OWNER + 1,
  PZXID,
  PZXID + 1,
];

export class TreeSnapshotter implements TreeCursor {
  /** The database's lastProcessedZxid when the snapshot started: replay goes on after it. */
  readonly zxid: Zxid;
  readonly #store: ZnodeStore;
  readonly #serial: number;
  /** Sessions and ACLs as of the start; null once they are handed over. */
  #head: Buffer | null;
  /** The node to be written next. */
  #next: Znode = ROOT;
  #state: "running" | "ended" | "closed" | "abandoned" = "running";
  /** ACL keys, as of the start, of nodes whose ACL was replaced since: the map that was written knows no newer ones. */
  readonly #aclAtStart = new Map<Znode, number>();
  #out = Buffer.alloc(0);
  #used = 0;

  constructor(database: Database) {
    this.zxid = database.lastProcessedZxid;
    this.#store = database.store;
    this.#serial = ++database.store.snapshotsStarted;
    this.#head = writeHead(database);
    database.store.cursors.push(this);
  }

  /** The next bytes: about `budgetNodes` nodes or 1 MiB, whichever comes first; null after the end marker. */
  next(budgetNodes: number): Buffer | null {
    assert(this.#state === "running" || this.#state === "ended", "A snapshot that was given up has no next bytes.");
    const head = this.#head;
    if (head !== null) {
      this.#head = null;
      return head;
    }
    if (this.#state === "ended") return null;
    for (let nodes = 0; nodes < budgetNodes && this.#used < SLICE_BYTES && this.#next !== NO_NODE; nodes++) {
      this.#step();
    }
    if (this.#next === NO_NODE) {
      this.#reserve(END_MARKER.length);
      END_MARKER.copy(this.#out, this.#used);
      this.#used += END_MARKER.length;
      this.close();
      this.#state = "ended";
    }
    const slice = this.#out.subarray(0, this.#used);
    this.#out = Buffer.alloc(0);
    this.#used = 0;
    return slice;
  }

  /** Gives up before the end. The tree must hear of it, or it would tell this snapshot of changes for ever. */
  close(): void {
    const at = this.#store.cursors.indexOf(this);
    if (at >= 0) this.#store.cursors.splice(at, 1);
    this.#state = "closed";
  }

  /** The end marker was handed over: the tree as it is now is the latest that any node shows. */
  get ended(): boolean {
    return this.#state === "ended";
  }

  /** The database was emptied; what was written so far is of no use. */
  get abandoned(): boolean {
    return this.#state === "abandoned";
  }

  removing(node: Znode): void {
    if (node === this.#next) this.#next = this.#store.after(node);
  }

  replacingAcl(node: Znode, oldKey: number): void {
    if (!this.#aclAtStart.has(node)) this.#aclAtStart.set(node, oldKey);
  }

  abandon(): void {
    this.#state = "abandoned";
  }

  /** Nodes created since the start are left out, with all below them: replay creates them. */
  #step(): void {
    const node = this.#next;
    if (this.#store.bornAfter(node) >= this.#serial) {
      this.#next = this.#store.after(node);
      return;
    }
    this.#writeNode(node);
    const child = this.#store.firstChild(node);
    this.#next = child === NO_NODE ? this.#store.after(node) : child;
  }

  #writeNode(node: Znode): void {
    const store = this.#store;
    const page = store.page(node);
    const words = store.at(node);
    const pathLength = store.pathBytes(node);
    const dataLength = page[words + DATA_LENGTH]!;
    this.#reserve(FIXED_NODE_BYTES + pathLength + Math.max(0, dataLength));
    const out = this.#out;
    let at = out.writeInt32BE(pathLength, this.#used) + pathLength;
    store.writePathBefore(node, out, at);
    at = out.writeInt32BE(dataLength, at);
    if (dataLength > 0) {
      const from = store.dataOffset(node);
      at += store.cellBytes(node).copy(out, at, from, from + dataLength);
    }
    const acl = this.#aclAtStart.get(node) ?? page[words + ACL]!;
    at = out.writeInt32BE(acl < 0 ? -1 : 0, at);
    at = out.writeInt32BE(acl, at);
    for (let i = 0; i < STAT_ORDER.length; i++) at = out.writeInt32BE(page[words + STAT_ORDER[i]!]!, at);
    this.#used = at;
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#out.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#out.length * 2, FIRST_ALLOCATION));
    this.#out.copy(grown, 0, 0, this.#used);
    this.#out = grown;
  }
}

function writeHead(database: Database): Buffer {
  const writer = new JuteWriter();
  writer.int(database.sessions.size);
  for (const [id, timeoutMs] of database.sessions) {
    writer.int64(id);
    writer.int(timeoutMs);
  }
  writer.int(database.acls.size);
  database.acls.forEach((key, acl) => {
    writer.long(key);
    writer.vectorCount(acl.length);
    for (const { perms, scheme, id } of acl) {
      writer.int(perms);
      writer.ustring(scheme);
      writer.ustring(id);
    }
  });
  return writer.take();
}
