/**
 * The four ways in which a txn changes the tree, each total and idempotent under replay over a fuzzy snapshot (one whose
 * nodes are of different ages). Keeps digest, ACL uses, owners and quota usage in step. Returns ErrorCodes.
 */
import type { Acl } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { type AclCache, OPEN_ACL } from "./acl-cache.ts";
import type { Znode } from "./data-tree.ts";
import type { TreeDigest } from "./digest.ts";
import { highHalf, lowHalf } from "./ephemeral-owner.ts";
import type { OwnedNodes } from "./owned-nodes.ts";
import { PathBytes } from "./path-bytes.ts";
import type { Quotas } from "./quota.ts";
import {
  ACL,
  AVERSION,
  CTIME,
  CVERSION,
  CZXID,
  DATA_LENGTH,
  DIGEST,
  MTIME,
  MZXID,
  NO_NODE,
  OWNER,
  PZXID,
  ROOT,
  VERSION,
} from "./znode-records.ts";
import type { ZnodeStore } from "./znode-store.ts";

export class TreeEdits {
  /** The node that the last successful edit created or changed. */
  node: Znode = NO_NODE;
  /** Of the node that was deleted last: who may hear of it. */
  deletedAcl: readonly Acl[] = OPEN_ACL;
  readonly #store: ZnodeStore;
  readonly #acls: AclCache;
  readonly #owned: OwnedNodes;
  readonly #quotas: Quotas;
  readonly #digest: TreeDigest | null;
  readonly #path = new PathBytes();

  constructor(store: ZnodeStore, acls: AclCache, owned: OwnedNodes, quotas: Quotas, digest: TreeDigest | null) {
    this.#store = store;
    this.#acls = acls;
    this.#owned = owned;
    this.#quotas = quotas;
    this.#digest = digest;
  }

  /** `parentCVersion`: the parent's after this create; -1 = one more than it is. `contentCrc`: see Txn. */
  create(
    path: string,
    data: Buffer | null,
    acl: readonly Acl[],
    owner: bigint,
    parentCVersion: number,
    zxid: number,
    time: number,
    contentCrc = 0,
  ): number {
    const store = this.#store;
    const { bytes, length, slash } = this.#split(path);
    const parent = this.#parent(bytes, slash);
    if (parent === NO_NODE) return ErrorCode.NONODE;
    if (slash === length - 1) return length === 1 ? ErrorCode.NODEEXISTS : ErrorCode.BADARGUMENTS;
    // A replayed create must not take back what a later one, already in the snapshot, did to the parent.
    const cversion = store.word(parent, CVERSION);
    const reached = parentCVersion === -1 ? cversion + 1 : parentCVersion;
    const existing = store.findChild(parent, bytes, slash, length);
    if (existing !== NO_NODE) {
      // Replay: the snapshot caught the node, perhaps not yet its parent's change nor, from an older server, its ACL.
      this.#raiseParent(parent, reached, zxid);
      this.#replaceAcl(existing, acl);
      return ErrorCode.NODEEXISTS;
    }
    const node = store.insert(parent, bytes, slash, length, data, contentCrc);
    store.setWord(node, ACL, this.#acls.use(acl));
    store.setLong(node, CZXID, zxid);
    store.setLong(node, MZXID, zxid);
    store.setLong(node, PZXID, zxid);
    store.setLong(node, CTIME, time);
    store.setLong(node, MTIME, time);
    if (owner !== 0n) {
      store.setWord(node, OWNER, highHalf(owner));
      store.setWord(node, OWNER + 1, lowHalf(owner));
      this.#owned.add(node);
    }
    this.#raiseParent(parent, reached, zxid);
    this.redigest(node);
    if (store.isSystem(node)) this.#quotas.created(node);
    this.#quotas.used(bytes, length, data === null ? 0 : data.length, 1);
    this.node = node;
    return ErrorCode.OK;
  }

  delete(path: string, zxid: number): number {
    const store = this.#store;
    const { bytes, length, slash } = this.#split(path);
    const parent = this.#parent(bytes, slash);
    if (parent === NO_NODE) return ErrorCode.NONODE;
    if (slash === length - 1) return ErrorCode.BADARGUMENTS;
    // Also when the snapshot no longer had the node: its parent may still be the one from before.
    if (zxid > store.long(parent, PZXID)) {
      store.setLong(parent, PZXID, zxid);
      this.redigest(parent);
    }
    const node = store.findChild(parent, bytes, slash, length);
    if (node === NO_NODE) return ErrorCode.NONODE;
    this.deletedAcl = this.#acls.list(store.word(node, ACL));
    if (store.firstChild(node) !== NO_NODE) {
      this.#removeBelow(node);
    } else {
      this.#quotas.used(bytes, length, -Math.max(0, store.word(node, DATA_LENGTH)), -1);
      this.#remove(node);
    }
    return ErrorCode.OK;
  }

  /** `version`: the new one. */
  setData(path: string, data: Buffer | null, version: number, zxid: number, time: number, contentCrc = 0): number {
    const store = this.#store;
    const { bytes, length } = this.#split(path);
    const node = store.find(bytes, 0, length);
    if (node === NO_NODE) return ErrorCode.NONODE;
    const growth = (data === null ? 0 : data.length) - Math.max(0, store.word(node, DATA_LENGTH));
    store.setData(node, data, contentCrc);
    store.setLong(node, MZXID, zxid);
    store.setLong(node, MTIME, time);
    store.setWord(node, VERSION, version);
    this.redigest(node);
    this.#quotas.used(bytes, length, growth, 0);
    this.node = node;
    return ErrorCode.OK;
  }

  /** `aversion`: the new one. */
  setAcl(path: string, acl: readonly Acl[], aversion: number): number {
    const { bytes, length } = this.#split(path);
    const node = this.#store.find(bytes, 0, length);
    if (node === NO_NODE) return ErrorCode.NONODE;
    this.#replaceAcl(node, acl);
    this.#store.setWord(node, AVERSION, aversion);
    this.redigest(node);
    this.node = node;
    return ErrorCode.OK;
  }

  /** After the node's stat or data changed: brings its part of the digest up to date. */
  redigest(node: Znode): void {
    if (this.#digest === null || this.#store.isSystem(node)) return;
    const before = this.#store.word(node, DIGEST);
    const now = this.#store.digestOf(node);
    this.#store.setWord(node, DIGEST, now);
    this.#digest.subtract(before);
    this.#digest.add(now);
  }

  #split(path: string): PathBytes {
    this.#path.set(path);
    return this.#path;
  }

  #parent(bytes: Buffer, slash: number): Znode {
    return slash < 0 ? NO_NODE : this.#store.find(bytes, 0, slash);
  }

  #raiseParent(parent: Znode, cversion: number, zxid: number): void {
    if (cversion <= this.#store.word(parent, CVERSION)) return;
    this.#store.setWord(parent, CVERSION, cversion);
    this.#store.setLong(parent, PZXID, zxid);
    this.redigest(parent);
  }

  #replaceAcl(node: Znode, acl: readonly Acl[]): void {
    const old = this.#store.word(node, ACL);
    const key = this.#acls.use(acl);
    if (key !== old) {
      for (const cursor of this.#store.cursors) cursor.replacingAcl(node, old);
      this.#store.setWord(node, ACL, key);
    }
    this.#acls.release(old);
  }

  #remove(node: Znode): void {
    this.#owned.remove(node);
    this.#acls.release(this.#store.word(node, ACL));
    this.#digest?.subtract(this.#store.word(node, DIGEST));
    this.#store.remove(node);
  }

  /**
   * Only in replay: the snapshot caught children of a later node of the same name. The txns that follow create that node
   * and them again.
   */
  #removeBelow(top: Znode): void {
    const store = this.#store;
    for (let node = top; ; ) {
      const child = store.firstChild(node);
      if (child !== NO_NODE) {
        node = child;
        continue;
      }
      const parent = store.parent(node);
      this.#remove(node);
      if (node === top || parent === ROOT) break;
      node = parent;
    }
    this.#quotas.recountAll();
  }
}
