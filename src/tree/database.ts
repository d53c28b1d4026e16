/** Everything that is replicated: znodes, sessions, and the zxid they stand at (ZKDatabase, DataTree.processTxn). */
import { type Acl, type Id, type SessionId, ZERO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { OpCode, Perms } from "../protocol/opcodes.ts";
import type { Txn, TxnBody, TxnDigest } from "../protocol/txn.ts";
import { EventType } from "../protocol/watch-events.ts";
import { assert } from "../runtime/assert.ts";
import { checkAcl } from "./acl.ts";
import { AclCache, OPEN_ACL, OPEN_ACL_KEY } from "./acl-cache.ts";
import { ApplyResult, DigestHistory } from "./apply-result.ts";
import { DataTree, type Znode } from "./data-tree.ts";
import { DIGEST_VERSION, TreeDigest } from "./digest.ts";
import { CONTAINER_OWNER, isValidTtl, ttlOwner } from "./ephemeral-owner.ts";
import { OwnedNodes } from "./owned-nodes.ts";
import { Quotas } from "./quota.ts";
import { TreeEdits } from "./tree-edits.ts";
import type { WatchTriggers } from "./watch-table.ts";
import { NO_NODE, ROOT } from "./znode-records.ts";
import { ZnodeStore } from "./znode-store.ts";

export { ApplyResult } from "./apply-result.ts";

export interface DatabaseOptions {
  /** `digest.enabled`; default true. */
  readonly digest?: boolean;
  /** `zookeeper.extendedTypesEnabled` (TTL nodes); default false. */
  readonly extendedTypes?: boolean;
}

const CONFIG_PATH = "/zookeeper/config";
const CONFIG_ACL: readonly Acl[] = [{ perms: Perms.READ, scheme: "world", id: "anyone" }];
const EMPTY = Buffer.alloc(0);

export class Database {
  readonly tree: DataTree;
  /** Committed sessions and their timeouts in ms. */
  readonly sessions: Map<SessionId, number> = new Map();
  lastProcessedZxid: Zxid = ZERO_ZXID;
  /** Told of every change while it is applied, that is before anyone can reply. */
  watches: WatchTriggers | null = null;
  /** For this room only (loading and taking snapshots). */
  readonly store: ZnodeStore;
  readonly acls: AclCache = new AclCache();
  readonly owned: OwnedNodes;
  readonly edits: TreeEdits;
  /**
   * The tree is what the txns up to `lastProcessedZxid` make it. Not so while a fuzzy snapshot is caught up with: its digests
   * are those of no zxid then, and are not kept.
   */
  exact = true;
  readonly #quotas: Quotas;
  readonly #digest: TreeDigest | null;
  readonly #history = new DigestHistory();
  readonly #result: ApplyResult;
  /** Results of sub-txns, used again by the next multi. */
  readonly #subResults: ApplyResult[] = [];

  constructor(options: DatabaseOptions = {}) {
    const { digest = true, extendedTypes = false } = options;
    this.store = new ZnodeStore(digest);
    this.owned = new OwnedNodes(this.store, extendedTypes);
    this.tree = new DataTree(this.store, this.acls, extendedTypes);
    this.#quotas = new Quotas(this.store);
    this.#digest = digest ? new TreeDigest() : null;
    this.edits = new TreeEdits(this.store, this.acls, this.owned, this.#quotas, this.#digest);
    this.#result = new ApplyResult(this.tree);
    this.#plant();
  }

  /**
   * Total, deterministic, and idempotent when a log is replayed over a fuzzy snapshot. What cannot be done (a node that
   * replay finds gone already) is an `err` in the result, never an exception.
   */
  apply(txn: Txn): ApplyResult {
    const body = txn.body;
    const result = this.#result;
    if (body.type === OpCode.multi) this.#applyMulti(txn, body.txns, result);
    else this.#applyOne(txn, body, result);
    // Only now, and for a multi once: a snapshot that starts here contains all of the txn or nothing of it.
    if (txn.zxid > this.lastProcessedZxid) this.lastProcessedZxid = txn.zxid;
    const digest = this.#digest;
    if (digest !== null && this.exact) this.#history.record(txn.zxid, digest.hi, digest.lo);
    return result;
  }

  /** May someone with these ids do this (a `Perms` bit, or any of several) to this node? */
  allows(node: Znode, perms: number, ids: readonly Id[]): boolean {
    const key = this.tree.aclKey(node);
    return key === OPEN_ACL_KEY || checkAcl(this.acls.list(key), perms, ids);
  }

  /**
   * May someone with these ids read the node that an event is about? To be asked while the event is told: a deleted node's
   * ACL is not kept any longer.
   */
  allowsEvent(type: EventType, path: string, ids: readonly Id[]): boolean {
    if (type === EventType.deleted) return checkAcl(this.edits.deletedAcl, Perms.READ, ids);
    const node = this.tree.get(path);
    return node === undefined || this.allows(node, Perms.READ, ids);
  }

  /** Would this write break a hard limit (QUOTAEXCEEDED)? `bytes`, `count`: by how much it adds to what is there. */
  exceedsQuota(path: string, bytes: number, count: number): boolean {
    return this.#quotas.exceeds(path, bytes, count);
  }

  /** Paths, in no particular order. */
  ephemeralsOf(session: SessionId): string[] {
    const paths: string[] = [];
    let node = this.owned.firstOf(session);
    for (; node !== NO_NODE; node = this.owned.next(node)) paths.push(this.tree.path(node));
    return paths;
  }

  /** Sessions that own nodes, whether they are in `sessions` or not. */
  ephemeralOwners(): Iterable<SessionId> {
    return this.owned.sessions();
  }

  get ephemeralCount(): number {
    return this.owned.ephemeralCount;
  }

  forEachContainer(visit: (node: Znode) => void): void {
    this.owned.forEachContainer(visit);
  }

  forEachTtl(visit: (node: Znode, ttlMs: number) => void): void {
    this.owned.forEachTtl(visit);
  }

  /** As Apache counts: the root twice. */
  get nodeCount(): number {
    return this.store.count + 1;
  }

  /** Bytes of paths and data; the root counts as "" and as "/". */
  get approximateDataSize(): number {
    return this.store.bytes + 1;
  }

  /** Of the tree as it is, version 2; null when `digest` is off. */
  get digest(): TxnDigest | null {
    const digest = this.#digest;
    return digest === null ? null : { version: DIGEST_VERSION, hi: digest.hi, lo: digest.lo };
  }

  /** False: this digest, of version 2, is not the tree's. Nothing to compare counts as agreement. */
  agreesWith(digest: TxnDigest | null): boolean {
    const own = this.#digest;
    if (digest === null || own === null || digest.version !== DIGEST_VERSION) return true;
    return own.hi === digest.hi >>> 0 && own.lo === digest.lo >>> 0;
  }

  /** What the `hash` command lists, oldest first. */
  digestHistory(): readonly { readonly zxid: Zxid; readonly hi: number; readonly lo: number }[] {
    return this.#history.entries();
  }

  /** /zookeeper/config of an ensemble. `version`: the config's, becomes mzxid; `timeMs`: now, becomes mtime. */
  setConfigText(text: string, version: Zxid, timeMs: number): void {
    this.edits.setData(CONFIG_PATH, Buffer.from(text), -1, version, timeMs);
  }

  /** Back to a fresh server's tree, without sessions, at zxid 0. Snapshots under way are abandoned. */
  clear(): void {
    this.empty();
    this.#plant();
  }

  /** For the loader: not even the nodes that every tree has. */
  empty(): void {
    this.store.reset();
    this.acls.clear();
    this.owned.reset();
    this.#digest?.clear();
    this.#history.clear();
    this.sessions.clear();
    this.lastProcessedZxid = ZERO_ZXID;
  }

  /** For the loader: the nodes are in. */
  loaded(): void {
    this.#plant();
    this.#quotas.recountAll();
  }

  #applyOne(txn: Txn, body: TxnBody, result: ApplyResult): void {
    switch (body.type) {
      case OpCode.create:
      case OpCode.create2:
        return this.#create(txn, body, body.ephemeral ? txn.sessionId : 0n, result);
      case OpCode.createContainer:
        return this.#create(txn, body, CONTAINER_OWNER, result);
      case OpCode.createTTL:
        if (isValidTtl(body.ttl)) return this.#create(txn, body, ttlOwner(body.ttl), result);
        result.set(body.type, ErrorCode.BADARGUMENTS, body.path, undefined);
        return;
      case OpCode.delete:
      case OpCode.deleteContainer:
        result.set(body.type, this.#delete(body.path, txn.zxid), body.path, undefined);
        return;
      case OpCode.setData:
      case OpCode.reconfig: {
        const err = this.edits.setData(body.path, body.data, body.version, txn.zxid, txn.time, txn.contentCrc);
        this.#finish(result, body.type, err, body.path);
        if (err === ErrorCode.OK) this.watches?.nodeDataChanged(body.path, txn.zxid);
        return;
      }
      case OpCode.setACL:
        this.#finish(result, body.type, this.edits.setAcl(body.path, body.acl, body.version), body.path);
        return;
      case OpCode.check:
        // It held when the multi was prepared.
        result.set(body.type, ErrorCode.OK, body.path, undefined);
        return;
      case OpCode.error:
        result.set(body.type, body.err, null, undefined);
        return;
      case OpCode.createSession:
        this.sessions.set(txn.sessionId, body.timeOut);
        result.set(body.type, ErrorCode.OK, null, undefined);
        return;
      case OpCode.closeSession:
        this.#closeSession(txn, body.paths);
        result.set(body.type, ErrorCode.OK, null, undefined);
        return;
      case OpCode.multi:
        // The codec refuses a multi inside a multi.
        result.set(body.type, ErrorCode.MARSHALLINGERROR, null, undefined);
    }
  }

  #create(txn: Txn, body: CreateBody, owner: bigint, result: ApplyResult): void {
    const { path, data, acl, parentCVersion } = body;
    const err = this.edits.create(path, data, acl, owner, parentCVersion, txn.zxid, txn.time, txn.contentCrc);
    this.#finish(result, body.type, err, path);
    if (err === ErrorCode.OK) this.watches?.nodeCreated(path, txn.zxid);
  }

  #delete(path: string, zxid: Zxid): number {
    const err = this.edits.delete(path, zxid);
    if (err === ErrorCode.OK) this.watches?.nodeDeleted(path, zxid);
    return err;
  }

  #finish(result: ApplyResult, type: number, err: number, path: string): void {
    result.set(type, err, path, err === ErrorCode.OK ? this.edits.node : undefined);
  }

  /** The listed paths, then whatever the session still owns: the list may come from a server that was behind. */
  #closeSession(txn: Txn, paths: readonly string[] | null): void {
    if (paths !== null) {
      for (const path of paths) this.#delete(path, txn.zxid);
    }
    for (let node = this.owned.firstOf(txn.sessionId); node !== NO_NODE; node = this.owned.firstOf(txn.sessionId)) {
      const err = this.#delete(this.tree.path(node), txn.zxid);
      assert(err === ErrorCode.OK, "What a session owns is in the tree.");
    }
    this.sessions.delete(txn.sessionId);
  }

  /** One zxid for all. A failed one was logged as errors throughout: 0 before the culprit, -2 after it. */
  #applyMulti(txn: Txn, subs: readonly TxnBody[], result: ApplyResult): void {
    const failed = subs.some((sub) => sub.type === OpCode.error);
    const results: ApplyResult[] = [];
    let culpritSeen = false;
    for (let i = 0; i < subs.length; i++) {
      const sub = subs[i]!;
      const own = this.#subResult(i);
      if (failed && sub.type !== OpCode.error) {
        own.set(OpCode.error, culpritSeen ? ErrorCode.RUNTIMEINCONSISTENCY : ErrorCode.OK, null, undefined);
      } else {
        culpritSeen ||= sub.type === OpCode.error;
        this.#applyOne(txn, sub, own);
        own.capture();
      }
      results.push(own);
    }
    result.set(OpCode.multi, ErrorCode.OK, null, undefined);
    result.results = results;
  }

  #subResult(index: number): ApplyResult {
    const known = this.#subResults[index];
    if (known !== undefined) return known;
    const added = new ApplyResult(this.tree);
    this.#subResults.push(added);
    return added;
  }

  /** What every tree has. After a load: what the snapshot lacked (config, in old ones). */
  #plant(): void {
    if (this.store.count === 1) this.edits.redigest(ROOT);
    this.#plantNode("/zookeeper", OPEN_ACL);
    this.#plantNode("/zookeeper/quota", OPEN_ACL);
    if (this.#plantNode(CONFIG_PATH, CONFIG_ACL)) this.edits.setAcl(CONFIG_PATH, CONFIG_ACL, -1);
  }

  #plantNode(path: string, acl: readonly Acl[]): boolean {
    if (this.tree.get(path) !== undefined) return false;
    // Nobody created these: zeros throughout, and their parents do not count them.
    return this.edits.create(path, EMPTY, acl, 0n, 0, 0, 0) === ErrorCode.OK;
  }
}

type CreateBody = Extract<TxnBody, { readonly parentCVersion: number }>;
