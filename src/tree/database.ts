import type { Id, SessionId, Zxid } from "../../spec/vocabulary.ts";
import { ZERO_ZXID } from "../../spec/vocabulary.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";
import type { Txn, TxnDigest } from "../protocol/txn.ts";
import { DataTree, type Znode } from "./data-tree.ts";
import type { WatchTriggers } from "./watch-table.ts";

const notYet = (): never => {
  throw new Error("not yet");
};

export interface DatabaseOptions {
  /** `digest.enabled`; default true. */
  readonly digest?: boolean;
  /** `zookeeper.extendedTypesEnabled` (TTL nodes); default false. */
  readonly extendedTypes?: boolean;
}

/** What a txn did; valid until the next apply. */
export class ApplyResult {
  /** ErrorCode; of a multi always OK. */
  err = 0;
  /** OpCode of the (sub-)txn: error for a failed one. */
  type = 0;
  /** Of create, delete, setData, setACL, check. */
  path: string | null = null;
  /** The node created or changed. Of a sub-txn: may be gone again by a later one, use `writeStat`. */
  node: Znode | undefined = undefined;
  /** Of a multi: one per sub-txn. */
  results: readonly ApplyResult[] | null = null;
  /** The client's Stat right after this (sub-)txn: of creates, setData, setACL. 68 bytes. */
  writeStat(_writer: JuteWriter): void {
    notYet();
  }
}

/** Everything that is replicated: znodes, sessions, the zxid they stand at (ZKDatabase, DataTree). */
export class Database {
  readonly tree: DataTree = new DataTree();
  /** Committed sessions and their timeouts in ms. */
  readonly sessions: Map<SessionId, number> = new Map();
  lastProcessedZxid: Zxid = ZERO_ZXID;
  /** Told of every change while it is applied, that is before anyone can reply. */
  watches: WatchTriggers | null = null;

  constructor(_options: DatabaseOptions = {}) {}

  /** Total, deterministic, and idempotent when a log is replayed over a fuzzy snapshot. */
  apply(_txn: Txn): ApplyResult {
    return notYet();
  }
  /** May someone with these ids do this (a `Perms` bit or several) to this node? */
  allows(_node: Znode, _perms: number, _ids: readonly Id[]): boolean {
    return notYet();
  }
  /** Paths, in no particular order. */
  ephemeralsOf(_session: SessionId): string[] {
    return notYet();
  }
  /** Sessions that own nodes, whether they are in `sessions` or not. */
  ephemeralOwners(): Iterable<SessionId> {
    return notYet();
  }
  get ephemeralCount(): number {
    return notYet();
  }
  forEachContainer(_visit: (node: Znode) => void): void {
    notYet();
  }
  forEachTtl(_visit: (node: Znode, ttlMs: number) => void): void {
    notYet();
  }
  /** As Apache counts: the root twice. */
  get nodeCount(): number {
    return notYet();
  }
  /** Bytes of paths and data. */
  get approximateDataSize(): number {
    return notYet();
  }
  /** Of the tree as it is, version 2; null when `digest` is off. */
  get digest(): TxnDigest | null {
    return notYet();
  }
  /** False: this txn's digest (of version 2) differs from the tree's. */
  agreesWith(_digest: TxnDigest | null): boolean {
    return notYet();
  }
  /** /zookeeper/config of an ensemble. `version`: the config's, becomes mzxid; `timeMs`: now. */
  setConfigText(_text: string, _version: Zxid, _timeMs: number): void {
    notYet();
  }
  /** A fresh server's tree, no sessions, zxid 0. */
  clear(): void {
    notYet();
  }
}
