import type { StoredStat } from "./data-tree.ts";

const notYet = (): never => {
  throw new Error("not yet");
};

/** CRC-32 over path ("" for the root) and data. */
export function contentCrc(_path: string, _data: Buffer | null): number {
  return notYet();
}
/** CRC-32 of a node (digest version 2), continuing from `contentCrc`. */
export function nodeDigest(_contentCrc: number, _stat: StoredStat): number {
  return notYet();
}
/** Nodes below /zookeeper do not count; /zookeeper itself does. */
export function countsInDigest(_path: string): boolean {
  return notYet();
}
/** A sum of node digests modulo 2^64, as two unsigned halves. */
export class TreeDigest {
  hi = 0;
  lo = 0;
  add(_crc: number): void {
    notYet();
  }
  subtract(_crc: number): void {
    notYet();
  }
}
