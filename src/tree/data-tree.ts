/** The replicated znodes as readers see them. Changes go through Database.apply alone. */
import type { Acl } from "../../spec/vocabulary.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";
import type { AclCache } from "./acl-cache.ts";
import { CacheWarmer } from "./cache-warmer.ts";
import { type EphemeralKind, joinHalves, kindOfOwner } from "./ephemeral-owner.ts";
import { PathBytes } from "./path-bytes.ts";
import {
  ACL,
  AVERSION,
  CHILD_COUNT,
  CONTENT_CRC,
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

/** Handle of a node: a number, no object. Valid until the node is deleted; do not keep it across an `apply`. */
export type Znode = number & { readonly __brand: "Znode" };

export type { EphemeralKind } from "./ephemeral-owner.ts";

/** What is stored (StatPersisted); clients see `cversion` as 2 * stored - numChildren. Times in ms since 1970. */
export interface StoredStat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** 0, a session id, or an encoded container or TTL owner; all 64 bits, signed. */
  readonly ephemeralOwner: bigint;
}

/** Words of the client's Stat: 68 bytes on the wire. */
export const CLIENT_STAT_WORDS = 17;

export class DataTree {
  /** For who knows of several reads before they happen. */
  readonly warmer: CacheWarmer;
  readonly #store: ZnodeStore;
  readonly #acls: AclCache;
  readonly #extendedTypes: boolean;
  readonly #path = new PathBytes();
  readonly #stat = new Int32Array(CLIENT_STAT_WORDS);

  /** `extendedTypes`: owners with top byte 0xff are TTLs, not sessions. */
  constructor(store: ZnodeStore, acls: AclCache, extendedTypes: boolean) {
    this.warmer = new CacheWarmer(store);
    this.#store = store;
    this.#acls = acls;
    this.#extendedTypes = extendedTypes;
  }

  get root(): Znode {
    return ROOT;
  }

  get(path: string): Znode | undefined {
    this.#path.set(path);
    return orUndefined(this.#store.find(this.#path.bytes, 0, this.#path.length));
  }

  /** Straight from request bytes: no string is made. "" and "/" are the root. */
  getByBytes(bytes: Buffer, start: number, end: number): Znode | undefined {
    return orUndefined(this.#store.find(bytes, start, end));
  }

  path(node: Znode): string {
    if (node === ROOT) return "/";
    const length = this.#store.pathBytes(node);
    const bytes = Buffer.allocUnsafe(length);
    this.#store.writePathBefore(node, bytes, length);
    return bytes.toString("utf8");
  }

  /** The last component; "" for the root. */
  name(node: Znode): string {
    return this.#store.name(node);
  }

  parent(node: Znode): Znode | undefined {
    return orUndefined(this.#store.parent(node));
  }

  /** A view into the tree's memory, valid until the next apply. */
  data(node: Znode): Buffer | null {
    const length = this.#store.word(node, DATA_LENGTH);
    if (length < 0) return null;
    const from = this.#store.dataOffset(node);
    return this.#store.cellBytes(node).subarray(from, from + length);
  }

  /** 0 for null, too. */
  dataLength(node: Znode): number {
    return Math.max(0, this.#store.word(node, DATA_LENGTH));
  }

  /** -1 = world:anyone ALL. */
  aclKey(node: Znode): number {
    return this.#store.word(node, ACL);
  }

  acl(node: Znode): readonly Acl[] {
    return this.#acls.list(this.aclKey(node));
  }

  version(node: Znode): number {
    return this.#store.word(node, VERSION);
  }

  /** Stored: counts creates only. */
  cversion(node: Znode): number {
    return this.#store.word(node, CVERSION);
  }

  aversion(node: Znode): number {
    return this.#store.word(node, AVERSION);
  }

  czxid(node: Znode): number {
    return this.#store.long(node, CZXID);
  }

  mzxid(node: Znode): number {
    return this.#store.long(node, MZXID);
  }

  pzxid(node: Znode): number {
    return this.#store.long(node, PZXID);
  }

  ctime(node: Znode): number {
    return this.#store.long(node, CTIME);
  }

  mtime(node: Znode): number {
    return this.#store.long(node, MTIME);
  }

  numChildren(node: Znode): number {
    return this.#store.word(node, CHILD_COUNT);
  }

  ephemeralKind(node: Znode): EphemeralKind {
    const store = this.#store;
    return kindOfOwner(store.word(node, OWNER), store.word(node, OWNER + 1), this.#extendedTypes);
  }

  /** As stored: containers and TTL nodes have one, too. */
  ephemeralOwner(node: Znode): bigint {
    return joinHalves(this.#store.word(node, OWNER), this.#store.word(node, OWNER + 1));
  }

  stat(node: Znode): StoredStat {
    return {
      czxid: this.czxid(node),
      mzxid: this.mzxid(node),
      pzxid: this.pzxid(node),
      ctime: this.ctime(node),
      mtime: this.mtime(node),
      version: this.version(node),
      cversion: this.cversion(node),
      aversion: this.aversion(node),
      ephemeralOwner: this.ephemeralOwner(node),
    };
  }

  /** CRC-32 of path and data: the part of the digest that a change of the stat leaves alone. */
  contentCrc(node: Znode): number {
    return this.#store.word(node, CONTENT_CRC);
  }

  /** CRC-32 of the node as it counts in the tree's digest; 0 for nodes below /zookeeper. */
  digestOf(node: Znode): number {
    return this.#store.word(node, DIGEST);
  }

  forEachChild(node: Znode, visit: (child: Znode) => void): void {
    const store = this.#store;
    for (let child = store.firstChild(node); child !== NO_NODE; child = store.nextSibling(child)) visit(child);
  }

  childNames(node: Znode): string[] {
    const names: string[] = [];
    this.forEachChild(node, (child) => names.push(this.#store.name(child)));
    return names;
  }

  /** All nodes below. */
  descendantCount(node: Znode): number {
    const store = this.#store;
    if (node === ROOT) return store.count - 1;
    const end = store.after(node);
    let count = 0;
    for (let here = store.firstChild(node); here !== NO_NODE && here !== end; count++) {
      const child = store.firstChild(here);
      here = child === NO_NODE ? store.after(here) : child;
    }
    return count;
  }

  /** The client's Stat, 68 bytes. */
  writeStat(writer: JuteWriter, node: Znode): void {
    this.fillStat(node, this.#stat);
    writeWords(writer, this.#stat);
  }

  /** The client's Stat as big-endian words. Containers and TTL nodes show no owner. */
  fillStat(node: Znode, words: Int32Array): void {
    const page = this.#store.page(node);
    const at = this.#store.at(node);
    const children = page[at + CHILD_COUNT]!;
    const ownerHigh = page[at + OWNER]!;
    const ownerLow = page[at + OWNER + 1]!;
    const isSession = kindOfOwner(ownerHigh, ownerLow, this.#extendedTypes) === "ephemeral";
    const length = page[at + DATA_LENGTH]!;
    words[0] = page[at + CZXID]!;
    words[1] = page[at + CZXID + 1]!;
    words[2] = page[at + MZXID]!;
    words[3] = page[at + MZXID + 1]!;
    words[4] = page[at + CTIME]!;
    words[5] = page[at + CTIME + 1]!;
    words[6] = page[at + MTIME]!;
    words[7] = page[at + MTIME + 1]!;
    words[8] = page[at + VERSION]!;
    words[9] = page[at + CVERSION]! * 2 - children;
    words[10] = page[at + AVERSION]!;
    words[11] = isSession ? ownerHigh : 0;
    words[12] = isSession ? ownerLow : 0;
    words[13] = Math.max(0, length);
    words[14] = children;
    words[15] = page[at + PZXID]!;
    words[16] = page[at + PZXID + 1]!;
  }

  /** Length and bytes; null is -1. */
  writeData(writer: JuteWriter, node: Znode): void {
    const length = this.#store.word(node, DATA_LENGTH);
    writer.int(length);
    if (length <= 0) return;
    const from = this.#store.dataOffset(node);
    writer.rawRange(this.#store.cellBytes(node), from, from + length);
  }

  /** Vector of the children's names, in no particular order. */
  writeChildren(writer: JuteWriter, node: Znode): void {
    const store = this.#store;
    writer.vectorCount(store.word(node, CHILD_COUNT));
    for (let child = store.firstChild(node); child !== NO_NODE; child = store.nextSibling(child)) {
      const length = store.nameLength(child);
      const from = store.cellOffset(child);
      writer.int(length);
      writer.rawRange(store.cellBytes(child), from, from + length);
    }
  }
}

export function writeWords(writer: JuteWriter, words: Int32Array): void {
  for (let i = 0; i < words.length; i++) writer.int(words[i]!);
}

function orUndefined(node: Znode): Znode | undefined {
  return node === NO_NODE ? undefined : node;
}
