import type { Acl, SessionId } from "../../spec/vocabulary.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";

/** Handle of a node: a number, no object. Valid until the node is deleted; do not keep it across an `apply`. */
export type Znode = number & { readonly __brand: "Znode" };

export type EphemeralKind = "persistent" | "ephemeral" | "container" | "ttl";

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

const notYet = (): never => {
  throw new Error("not yet");
};

/** The replicated znodes. Reads only; changes go through Database.apply. */
export class DataTree {
  get root(): Znode {
    return notYet();
  }
  get(_path: string): Znode | undefined {
    return notYet();
  }
  /** Straight from request bytes: no string is made. "" and "/" are the root. */
  getByBytes(_bytes: Buffer, _start: number, _end: number): Znode | undefined {
    return notYet();
  }
  path(_node: Znode): string {
    return notYet();
  }
  name(_node: Znode): string {
    return notYet();
  }
  parent(_node: Znode): Znode | undefined {
    return notYet();
  }
  /** A view into the tree's memory, valid until the next apply. */
  data(_node: Znode): Buffer | null {
    return notYet();
  }
  /** 0 for null, too. */
  dataLength(_node: Znode): number {
    return notYet();
  }
  /** -1 = world:anyone ALL. */
  aclKey(_node: Znode): number {
    return notYet();
  }
  acl(_node: Znode): readonly Acl[] {
    return notYet();
  }
  version(_node: Znode): number {
    return notYet();
  }
  /** Stored: creates only. */
  cversion(_node: Znode): number {
    return notYet();
  }
  aversion(_node: Znode): number {
    return notYet();
  }
  czxid(_node: Znode): number {
    return notYet();
  }
  mzxid(_node: Znode): number {
    return notYet();
  }
  pzxid(_node: Znode): number {
    return notYet();
  }
  ctime(_node: Znode): number {
    return notYet();
  }
  mtime(_node: Znode): number {
    return notYet();
  }
  numChildren(_node: Znode): number {
    return notYet();
  }
  ephemeralKind(_node: Znode): EphemeralKind {
    return notYet();
  }
  /** As stored. */
  ephemeralOwner(_node: Znode): bigint {
    return notYet();
  }
  stat(_node: Znode): StoredStat {
    return notYet();
  }
  /** CRC-32 of path and data, the part of the digest that a change of the stat leaves alone. */
  contentCrc(_node: Znode): number {
    return notYet();
  }
  /** CRC-32 of the node as it counts in the tree's digest; 0 for nodes below /zookeeper. */
  digestOf(_node: Znode): number {
    return notYet();
  }
  forEachChild(_node: Znode, _visit: (child: Znode) => void): void {
    notYet();
  }
  childNames(_node: Znode): string[] {
    return notYet();
  }
  /** All nodes below. */
  descendantCount(_node: Znode): number {
    return notYet();
  }
  /** The client's Stat, 68 bytes. */
  writeStat(_writer: JuteWriter, _node: Znode): void {
    notYet();
  }
  /** Length and bytes; null is -1. */
  writeData(_writer: JuteWriter, _node: Znode): void {
    notYet();
  }
  /** Vector of names. */
  writeChildren(_writer: JuteWriter, _node: Znode): void {
    notYet();
  }
  ephemeralsOf(_session: SessionId): string[] {
    return notYet();
  }
}
