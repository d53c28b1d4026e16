/**
 * Digest of the tree, version 2 (DigestCalculator, AdHash): the sum modulo 2^64 of a CRC-32 per node over path, data and
 * stored stat. Servers that applied the same txns have the same sum, so a divergence shows at the next txn.
 */
import { crc32, crc32Words } from "./crc32.ts";
import type { StoredStat } from "./data-tree.ts";
import { highHalf, lowHalf } from "./ephemeral-owner.ts";
import { PathBytes } from "./path-bytes.ts";
import { AVERSION, CTIME, CVERSION, CZXID, MTIME, MZXID, OWNER, PZXID, STAT_WORDS, VERSION } from "./znode-records.ts";

export const DIGEST_VERSION = 2;

const scratchPath = new PathBytes();
const scratchStat = new Int32Array(STAT_WORDS);

/** CRC-32 over path ("/" counts as "") and data; signed. */
export function contentCrc(path: string, data: Uint8Array | null): number {
  scratchPath.set(path === "/" ? "" : path);
  const pathCrc = crc32(scratchPath.bytes, 0, scratchPath.length, 0);
  return data === null ? pathCrc : crc32(data, 0, data.length, pathCrc);
}

/** CRC-32 of a node, from its `contentCrc`; signed. */
export function nodeDigest(content: number, stat: StoredStat): number {
  putLong(CZXID, stat.czxid);
  putLong(MZXID, stat.mzxid);
  putLong(PZXID, stat.pzxid);
  putLong(CTIME, stat.ctime);
  putLong(MTIME, stat.mtime);
  scratchStat[VERSION] = stat.version;
  scratchStat[CVERSION] = stat.cversion;
  scratchStat[AVERSION] = stat.aversion;
  scratchStat[OWNER] = highHalf(stat.ephemeralOwner);
  scratchStat[OWNER + 1] = lowHalf(stat.ephemeralOwner);
  return crc32Words(scratchStat, 0, STAT_WORDS, content);
}

/** Nodes below /zookeeper do not count; /zookeeper itself does. */
export function countsInDigest(path: string): boolean {
  return !path.startsWith("/zookeeper/");
}

/** A sum of node digests modulo 2^64, as two unsigned halves. */
export class TreeDigest {
  hi = 0;
  lo = 0;

  add(crc: number): void {
    const lo = this.lo + (crc >>> 0);
    this.lo = lo >>> 0;
    if (lo >= TWO_32) this.hi = (this.hi + 1) >>> 0;
  }

  clear(): void {
    this.hi = 0;
    this.lo = 0;
  }

  subtract(crc: number): void {
    const lo = this.lo - (crc >>> 0);
    this.lo = lo >>> 0;
    if (lo < 0) this.hi = (this.hi - 1) >>> 0;
  }
}

const TWO_32 = 2 ** 32;

function putLong(at: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  scratchStat[at] = high;
  scratchStat[at + 1] = value - high * TWO_32;
}
