import type { Zxid } from "../../spec/vocabulary.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";
import { assert } from "../runtime/assert.ts";
import { CLIENT_STAT_WORDS, type DataTree, writeWords, type Znode } from "./data-tree.ts";

/** What a txn did; valid until the next apply. */
export class ApplyResult {
  /** ErrorCode. Of a multi always OK: its results tell. */
  err = 0;
  /** OpCode of the (sub-)txn: error for a failed one. */
  type = 0;
  /** Of create, delete, setData, setACL, check; null otherwise. */
  path: string | null = null;
  /** The node created or changed. Of a sub-txn: may be gone again by a later one, use `writeStat`. */
  node: Znode | undefined = undefined;
  /** Of a multi: one per sub-txn. */
  results: readonly ApplyResult[] | null = null;
  readonly #tree: DataTree;
  #captured: Int32Array | null = null;
  #isCaptured = false;

  constructor(tree: DataTree) {
    this.#tree = tree;
  }

  /** The client's Stat right after this (sub-)txn: of creates, setData, setACL. 68 bytes. */
  writeStat(writer: JuteWriter): void {
    if (this.#isCaptured) return writeWords(writer, this.#captured!);
    assert(this.node !== undefined, "There is a Stat where a node was created or changed.");
    this.#tree.writeStat(writer, this.node);
  }

  /** For Database: the node may change again before this is read. */
  capture(): void {
    if (this.node === undefined) return;
    this.#captured ??= new Int32Array(CLIENT_STAT_WORDS);
    this.#tree.fillStat(this.node, this.#captured);
    this.#isCaptured = true;
  }

  /** For Database. */
  set(type: number, err: number, path: string | null, node: Znode | undefined): this {
    this.type = type;
    this.err = err;
    this.path = path;
    this.node = node;
    this.results = null;
    this.#isCaptured = false;
    return this;
  }
}

/** The digests that the `hash` command lists: every 128th zxid, the last 1024 (DataTree.logZxidDigest). */
export class DigestHistory {
  readonly #entries: { readonly zxid: Zxid; readonly hi: number; readonly lo: number }[] = [];

  record(zxid: Zxid, hi: number, lo: number): void {
    if (zxid % DIGEST_INTERVAL !== 0) return;
    this.#entries.push({ zxid, hi, lo });
    if (this.#entries.length > DIGEST_LIMIT) this.#entries.shift();
  }

  entries(): readonly { readonly zxid: Zxid; readonly hi: number; readonly lo: number }[] {
    return this.#entries;
  }

  clear(): void {
    this.#entries.length = 0;
  }
}

const DIGEST_INTERVAL = 128;
const DIGEST_LIMIT = 1024;
