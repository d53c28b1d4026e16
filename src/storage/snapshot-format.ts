/**
 * The frame of a snapshot file around its body (FileSnap, SnapStream): a 16-byte header, then the body, then a seal (the
 * Adler-32 of all bytes before it, and "/"), a digest section with a seal, and since 3.9 the last zxid with a seal.
 * The sections do not describe themselves, but their lengths tell them apart.
 */
import { ZERO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import type { TxnDigest } from "../protocol/txn.ts";
import { adler32 } from "./adler32.ts";

export const SNAPSHOT_HEADER_BYTES = 16;
/** A file that ends otherwise was never finished. */
export const SNAPSHOT_END = Buffer.from([0, 0, 0, 1, 0x2f]);
export const MIN_SNAPSHOT_BYTES = 10;

const MAGIC = 0x5a4b534e;
const VERSION = 2;
const DBID = 0xffffffff;
const SEAL_BYTES = 8 + SNAPSHOT_END.length;
const DIGEST_BYTES = 8 + 4 + 8;
const LAST_ZXID_BYTES = 8;
const TWO_32 = 2 ** 32;

/** Digest section: what the tree's digest is once replay has reached `zxid`, from where on the tree is no longer fuzzy. */
export interface SnapshotDigest {
  readonly zxid: Zxid;
  readonly digest: TxnDigest;
}

/** More than any trailer has. */
export const MAX_TRAILER_BYTES = 4096;

export function snapshotHeader(): Buffer {
  const header = Buffer.alloc(SNAPSHOT_HEADER_BYTES);
  header.writeUInt32BE(MAGIC, 0);
  header.writeUInt32BE(VERSION, 4);
  header.writeUInt32BE(DBID, 8);
  header.writeUInt32BE(DBID, 12);
  return header;
}

export function isSnapshotHeader(bytes: Buffer): boolean {
  return bytes.length >= SNAPSHOT_HEADER_BYTES && bytes.readUInt32BE(0) === MAGIC;
}

/** What follows the body. `sum`: Adler-32 of header and body. */
export function snapshotTrailer(sum: number, digest: SnapshotDigest | null): Buffer {
  const trailer = Buffer.alloc(digest === null ? SEAL_BYTES : SEAL_BYTES + DIGEST_BYTES + SEAL_BYTES);
  putSeal(trailer, 0, sum);
  if (digest === null) return trailer;
  const at = SEAL_BYTES;
  trailer.writeUInt32BE(Math.floor(digest.zxid / TWO_32), at);
  trailer.writeUInt32BE(digest.zxid % TWO_32, at + 4);
  trailer.writeUInt32BE(digest.digest.version, at + 8);
  trailer.writeUInt32BE(digest.digest.hi, at + 12);
  trailer.writeUInt32BE(digest.digest.lo, at + 16);
  putSeal(trailer, at + DIGEST_BYTES, adler32(sum, trailer, 0, at + DIGEST_BYTES));
  return trailer;
}

export type Trailer =
  | { readonly valid: true; readonly digest: SnapshotDigest | null }
  | { readonly valid: false; readonly reason: string };

/** Checks every seal. `sum`: Adler-32 of header and body. */
export function readTrailer(trailer: Buffer, sum: number): Trailer {
  if (!isSeal(trailer, 0, sum)) return { valid: false, reason: "the checksum after the nodes does not match" };
  let at = SEAL_BYTES;
  let digest: SnapshotDigest | null = null;
  const left = trailer.length - at;
  if (left === 0) return { valid: true, digest };
  if (left !== LAST_ZXID_BYTES + SEAL_BYTES) {
    const size = digestSectionBytes(trailer, at);
    if (!isSeal(trailer, at + size, adler32(sum, trailer, 0, at + size))) {
      return { valid: false, reason: "the checksum after the digest does not match" };
    }
    digest = readDigest(trailer, at);
    at += size + SEAL_BYTES;
    if (at === trailer.length) return { valid: true, digest };
  }
  // The last zxid says no more than the file's name, but its seal covers the whole file once more.
  at += LAST_ZXID_BYTES;
  if (at + SEAL_BYTES !== trailer.length || !isSeal(trailer, at, adler32(sum, trailer, 0, at))) {
    return { valid: false, reason: "the last checksum does not match" };
  }
  return { valid: true, digest };
}

/** Digest versions before 2 are hexadecimal text. */
function digestSectionBytes(trailer: Buffer, at: number): number {
  if (trailer.length < at + DIGEST_BYTES || trailer.readInt32BE(at + 8) >= 2) return DIGEST_BYTES;
  return 8 + 4 + 4 + Math.max(0, trailer.readInt32BE(at + 12));
}

function readDigest(trailer: Buffer, at: number): SnapshotDigest | null {
  const version = trailer.readInt32BE(at + 8);
  const zxid = (trailer.readUInt32BE(at) * TWO_32 + trailer.readUInt32BE(at + 4)) as Zxid;
  // Zero: no txn was applied before the snapshot, and the writer knew no digest.
  if (version < 2 || zxid === ZERO_ZXID) return null;
  return { zxid, digest: { version, hi: trailer.readUInt32BE(at + 12), lo: trailer.readUInt32BE(at + 16) } };
}

function putSeal(target: Buffer, at: number, sum: number): void {
  target.writeUInt32BE(0, at);
  target.writeUInt32BE(sum, at + 4);
  SNAPSHOT_END.copy(target, at + 8);
}

function isSeal(bytes: Buffer, at: number, sum: number): boolean {
  if (at + SEAL_BYTES > bytes.length) return false;
  const end = at + SEAL_BYTES;
  return (
    bytes.readUInt32BE(at) === 0 &&
    bytes.readUInt32BE(at + 4) === sum &&
    bytes.compare(SNAPSHOT_END, 0, SNAPSHOT_END.length, at + 8, end) === 0
  );
}
