import type { Acl } from "../../spec/vocabulary.ts";
import type { TxnDigest } from "../protocol/txn.ts";
import type { DataTree, StoredStat, Znode } from "../tree/data-tree.ts";
import type { Database } from "../tree/database.ts";
import { contentCrc, countsInDigest, nodeDigest, TreeDigest } from "../tree/digest.ts";

const DIGEST_VERSION = 2;
/** What no record of the tree has: the path's node is not there. */
const NO_OWNER = 0n;

/** A node as it will be when the txns prepared so far are applied (PrepRequestProcessor's ChangeRecord). */
export class ChangeRecord implements StoredStat {
  readonly path: string;
  /** The txn that last changed it. */
  zxid: number;
  /** False: deleted. */
  exists = true;
  acl: readonly Acl[];
  czxid = 0;
  mzxid = 0;
  pzxid = 0;
  ctime = 0;
  mtime = 0;
  version = 0;
  cversion = 0;
  aversion = 0;
  ephemeralOwner = NO_OWNER;
  childCount = 0;
  dataLength = 0;
  /** CRC-32 of path and data, and with the stat as it counts in the tree's digest; 0 when digests are off. */
  contentCrc = 0;
  digestCrc = 0;

  constructor(path: string, zxid: number, acl: readonly Acl[]) {
    this.path = path;
    this.zxid = zxid;
    this.acl = acl;
  }

  /**
   * The record to change for the txn `zxid`. A copy, unless this one was made from the tree just now (its zxid is 0): then
   * nobody else has it, and it may change itself.
   */
  next(zxid: number): ChangeRecord {
    if (this.zxid === 0) {
      this.zxid = zxid;
      return this;
    }
    const copy = new ChangeRecord(this.path, zxid, this.acl);
    copy.exists = this.exists;
    copy.czxid = this.czxid;
    copy.mzxid = this.mzxid;
    copy.pzxid = this.pzxid;
    copy.ctime = this.ctime;
    copy.mtime = this.mtime;
    copy.version = this.version;
    copy.cversion = this.cversion;
    copy.aversion = this.aversion;
    copy.ephemeralOwner = this.ephemeralOwner;
    copy.childCount = this.childCount;
    copy.dataLength = this.dataLength;
    copy.contentCrc = this.contentCrc;
    copy.digestCrc = this.digestCrc;
    return copy;
  }
}

/** Where a multi began, to go back to when one of its ops fails. */
interface Checkpoint {
  readonly length: number;
  readonly hi: number;
  readonly lo: number;
  /** What each path's record was before; undefined: none. */
  readonly before: Map<string, ChangeRecord | undefined>;
}

/**
 * The tree as it will be: records of what prepared txns change, on top of the database. A record lives until its txn is
 * applied. Paths are canonical: the root is "/".
 */
export class ChangeRecords {
  readonly #database: Database;
  readonly #digesting: boolean;
  readonly #byPath = new Map<string, ChangeRecord>();
  /** In zxid order; those before `#first` are applied. */
  #queue: ChangeRecord[] = [];
  #first = 0;
  readonly #digest = new TreeDigest();
  #checkpoint: Checkpoint | null = null;
  /** What `contentCrc` returned last. */
  lastContentCrc = 0;

  constructor(database: Database, digesting: boolean) {
    this.#database = database;
    this.#digesting = digesting;
  }

  /** The node as it will be; undefined if there will be none. Not to be changed: see `change`. */
  get(path: string): ChangeRecord | undefined {
    const record = this.#byPath.get(path);
    if (record !== undefined) return record.exists ? record : undefined;
    const { tree } = this.#database;
    const node = tree.get(path);
    return node === undefined ? undefined : this.#fromTree(tree, node, path);
  }

  /** Notes a new or changed node; its fields are final, but for the digest, which is still that of the node as it was. */
  put(record: ChangeRecord): void {
    if (this.#digesting && countsInDigest(record.path)) {
      this.#startDigest();
      // 0 for a new node.
      this.#digest.subtract(record.digestCrc);
      record.digestCrc = nodeDigest(record.contentCrc, record);
      this.#digest.add(record.digestCrc);
    }
    this.#append(record);
  }

  /** Notes that the node will be gone. */
  remove(before: ChangeRecord, zxid: number): void {
    if (this.#digesting && countsInDigest(before.path)) {
      this.#startDigest();
      this.#digest.subtract(before.digestCrc);
    }
    const record = new ChangeRecord(before.path, zxid, before.acl);
    record.exists = false;
    this.#append(record);
  }

  /** CRC-32 of what a record is made of, where digests are on. */
  contentCrc(path: string, data: Buffer | null): number {
    if (!this.#digesting) return 0;
    this.lastContentCrc = contentCrc(path === "/" ? "" : path, data);
    return this.lastContentCrc;
  }

  /** Of the tree after everything prepared so far. */
  digest(): TxnDigest | null {
    if (!this.#digesting) return null;
    this.#startDigest();
    return { version: DIGEST_VERSION, hi: this.#digest.hi, lo: this.#digest.lo };
  }

  /** Paths of ephemerals that prepared txns create for this session, and of nodes that they delete. */
  forEachPending(visit: (record: ChangeRecord) => void): void {
    for (const record of this.#byPath.values()) visit(record);
  }

  /** The database has applied everything up to `zxid`. */
  applied(zxid: number): void {
    const queue = this.#queue;
    while (this.#first < queue.length) {
      const record = queue[this.#first] as ChangeRecord;
      if (record.zxid > zxid) break;
      if (this.#byPath.get(record.path) === record) this.#byPath.delete(record.path);
      this.#first++;
    }
    if (this.#first === queue.length) {
      queue.length = 0;
      this.#first = 0;
    } else if (this.#first > 4096) {
      this.#queue = queue.slice(this.#first);
      this.#first = 0;
    }
  }

  reset(): void {
    this.#byPath.clear();
    this.#queue = [];
    this.#first = 0;
    this.#checkpoint = null;
  }

  /** From here on changes can be taken back, until `keep` or `rollBack`. */
  begin(): void {
    if (this.#digesting) this.#startDigest();
    const { hi, lo } = this.#digest;
    this.#checkpoint = { length: this.#queue.length, hi, lo, before: new Map() };
  }

  keep(): void {
    this.#checkpoint = null;
  }

  rollBack(): void {
    const checkpoint = this.#checkpoint;
    if (checkpoint === null) return;
    this.#checkpoint = null;
    this.#queue.length = checkpoint.length;
    this.#digest.hi = checkpoint.hi;
    this.#digest.lo = checkpoint.lo;
    for (const [path, record] of checkpoint.before) {
      if (record === undefined) this.#byPath.delete(path);
      else this.#byPath.set(path, record);
    }
  }

  #append(record: ChangeRecord): void {
    const { path } = record;
    const checkpoint = this.#checkpoint;
    if (checkpoint !== null && !checkpoint.before.has(path)) checkpoint.before.set(path, this.#byPath.get(path));
    this.#byPath.set(path, record);
    this.#queue.push(record);
  }

  /** With nothing outstanding, the tree as it will be is the tree as it is. */
  #startDigest(): void {
    if (this.#queue.length > 0) return;
    const digest = this.#database.digest;
    if (digest === null) return;
    this.#digest.hi = digest.hi;
    this.#digest.lo = digest.lo;
  }

  #fromTree(tree: DataTree, node: Znode, path: string): ChangeRecord {
    const record = new ChangeRecord(path, 0, tree.acl(node));
    record.czxid = tree.czxid(node);
    record.mzxid = tree.mzxid(node);
    record.pzxid = tree.pzxid(node);
    record.ctime = tree.ctime(node);
    record.mtime = tree.mtime(node);
    record.version = tree.version(node);
    record.cversion = tree.cversion(node);
    record.aversion = tree.aversion(node);
    record.ephemeralOwner = tree.ephemeralOwner(node);
    record.childCount = tree.numChildren(node);
    record.dataLength = tree.dataLength(node);
    if (this.#digesting) {
      record.contentCrc = tree.contentCrc(node);
      record.digestCrc = tree.digestOf(node);
    }
    return record;
  }
}
