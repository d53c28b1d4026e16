/**
 * Quotas: what is below a path may be limited in number and bytes. The limits and the usage are znodes themselves, below
 * /zookeeper/quota<path>, and so the quota subtree is the index by which the quota of a path is found. (Apache keeps a
 * trie of the same shape beside it.) Usage is derived: no txn says it, each server counts while applying.
 */
import { crc32 } from "./crc32.ts";
import type { Znode } from "./data-tree.ts";
import { PathBytes } from "./path-bytes.ts";
import { DATA_LENGTH, NO_NODE, ROOT } from "./znode-records.ts";
import type { ZnodeStore } from "./znode-store.ts";

const QUOTA_ROOT = Buffer.from("/zookeeper/quota");
const QUOTA_ROOT_CRC = crc32(QUOTA_ROOT, 0, QUOTA_ROOT.length, 0);
const LIMITS = Buffer.from("/zookeeper_limits");
const STATS = Buffer.from("/zookeeper_stats");
const SLASH = 0x2f;

/** What `zookeeper_limits` and `zookeeper_stats` hold (StatsTrack). -1: no limit. */
export interface StatsTrack {
  count: number;
  bytes: number;
  readonly countHardLimit: number;
  readonly byteHardLimit: number;
}

/** `count=N,bytes=N`, optionally followed by `=;byteHardLimit=N;countHardLimit=N`. Unreadable numbers are no limit. */
export function parseStats(text: string): StatsTrack {
  const values = new Map<string, number>();
  for (const pair of text.split(/[,;]+/)) {
    const [key = "", value = ""] = pair.split("=");
    values.set(key, /^[+-]?\d+$/.test(value) ? Number(value) : -1);
  }
  return {
    count: values.get("count") ?? -1,
    bytes: values.get("bytes") ?? -1,
    countHardLimit: values.get("countHardLimit") ?? -1,
    byteHardLimit: values.get("byteHardLimit") ?? -1,
  };
}

/** Usage as it is stored. */
export function formatUsage(count: number, bytes: number): string {
  return `count=${count},bytes=${bytes}`;
}

export class Quotas {
  readonly #store: ZnodeStore;
  readonly #path = new PathBytes();
  #top = NO_NODE;

  constructor(store: ZnodeStore) {
    this.#store = store;
  }

  /** Would this write break a hard limit? `bytes` and `count`: by how much usage grows. */
  exceeds(path: string, bytes: number, count: number): boolean {
    this.#path.set(path);
    const quota = this.#find(this.#path.bytes, this.#path.length);
    if (quota === NO_NODE) return false;
    const limits = this.#read(quota, LIMITS);
    const usage = this.#read(quota, STATS);
    if (limits === null || usage === null) return false;
    if (count !== 0 && limits.countHardLimit > -1 && usage.count + count > limits.countHardLimit) return true;
    return bytes !== 0 && limits.byteHardLimit > -1 && usage.bytes + bytes > limits.byteHardLimit;
  }

  /** A node was created (count 1), deleted (-1) or changed (0). Only the longest path with a quota counts it. */
  used(path: Uint8Array, length: number, bytes: number, count: number): void {
    if (bytes === 0 && count === 0) return;
    const quota = this.#find(path, length);
    if (quota === NO_NODE) return;
    const usage = this.#read(quota, STATS);
    if (usage !== null) this.#writeUsage(quota, usage.count + count, usage.bytes + bytes);
  }

  /** `zookeeper_stats` of a quota was created: count what is there. The name of the node tells whether it is one. */
  created(node: Znode): void {
    const quota = this.#store.parent(node);
    if (this.#store.findChild(quota, STATS, 0, STATS.length) !== node) return;
    if (this.#isQuota(quota)) this.#recount(quota);
  }

  /** After a snapshot was loaded: its usage may be older or newer than its nodes. */
  recountAll(): void {
    const store = this.#store;
    const top = this.#findTop();
    if (top === NO_NODE) return;
    const end = store.after(top);
    for (let node = store.firstChild(top); node !== NO_NODE && node !== end; ) {
      if (this.#child(node, LIMITS) !== NO_NODE) this.#recount(node);
      const child = store.firstChild(node);
      node = child === NO_NODE ? store.after(node) : child;
    }
  }

  /** /zookeeper/quota, which every write asks for: remembered as long as the record is still its own. */
  #findTop(): Znode {
    const store = this.#store;
    if (this.#top === NO_NODE || store.pathCrc(this.#top) !== QUOTA_ROOT_CRC) {
      this.#top = store.find(QUOTA_ROOT, 0, QUOTA_ROOT.length);
    }
    return this.#top;
  }

  /** The node below /zookeeper/quota that stands for the longest prefix of this path with limits. */
  #find(path: Uint8Array, length: number): Znode {
    const store = this.#store;
    let node = this.#findTop();
    if (node === NO_NODE || store.firstChild(node) === NO_NODE) return NO_NODE;
    let longest = NO_NODE;
    for (let slash = 0; slash < length && node !== NO_NODE; ) {
      let end = slash + 1;
      while (end < length && path[end] !== SLASH) end++;
      node = store.findChild(node, path, slash, end);
      if (node !== NO_NODE && this.#child(node, LIMITS) !== NO_NODE) longest = node;
      slash = end;
    }
    return longest;
  }

  /** Strictly below /zookeeper/quota: the root itself has no quota. */
  #isQuota(node: Znode): boolean {
    const store = this.#store;
    const top = this.#findTop();
    for (let here = node === top ? NO_NODE : node; here !== NO_NODE; here = store.parent(here)) {
      if (here === top) return true;
    }
    return false;
  }

  #recount(quota: Znode): void {
    if (this.#child(quota, STATS) === NO_NODE) return;
    const store = this.#store;
    const length = store.pathBytes(quota);
    const path = Buffer.allocUnsafe(length);
    store.writePathBefore(quota, path, length);
    const top = store.find(path, QUOTA_ROOT.length, length);
    let count = 0;
    let bytes = 0;
    const end = top === NO_NODE || top === ROOT ? NO_NODE : store.after(top);
    for (let node = top; node !== NO_NODE && node !== end; ) {
      count++;
      bytes += Math.max(0, store.word(node, DATA_LENGTH));
      const child = store.firstChild(node);
      node = child === NO_NODE ? store.after(node) : child;
    }
    this.#writeUsage(quota, count, bytes);
  }

  #writeUsage(quota: Znode, count: number, bytes: number): void {
    this.#store.setData(this.#child(quota, STATS), Buffer.from(formatUsage(count, bytes)));
  }

  #read(quota: Znode, name: Buffer): StatsTrack | null {
    const node = this.#child(quota, name);
    if (node === NO_NODE) return null;
    const from = this.#store.dataOffset(node);
    const length = Math.max(0, this.#store.word(node, DATA_LENGTH));
    return parseStats(this.#store.cellBytes(node).toString("utf8", from, from + length));
  }

  #child(node: Znode, name: Buffer): Znode {
    return this.#store.findChild(node, name, 0, name.length);
  }
}
