/**
 * The bytes of a txn log (FileTxnLog): a 16-byte header, then records without alignment, then zeros up to the
 * preallocated size. A record is Adler-32 of the entry as a long, the entry's length as an int, the entry, and 'B'.
 */
import { NO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import { ADLER_START, adler32 } from "./adler32.ts";

export const LOG_HEADER_BYTES = 16;
/** Checksum and length, before the entry. */
export const RECORD_HEAD_BYTES = 12;
/** All that a record adds to its entry. */
export const RECORD_OVERHEAD_BYTES = RECORD_HEAD_BYTES + 1;
/** A TxnHeader alone; a shorter entry cannot be a txn. */
export const MIN_ENTRY_BYTES = 32;

const MAGIC = 0x5a4b4c47;
const VERSION = 2;
const END_OF_RECORD = 0x42;
/** Where the zxid stands in an entry: after clientId and cxid. */
const ZXID_AT = 12;
const TWO_32 = 2 ** 32;

export function logHeader(): Buffer {
  const header = Buffer.alloc(LOG_HEADER_BYTES);
  header.writeUInt32BE(MAGIC, 0);
  header.writeUInt32BE(VERSION, 4);
  return header;
}

/** Version and dbid mean nothing to any reader, so only the magic is checked, as in Java. */
export function isLogHeader(bytes: Buffer): boolean {
  return bytes.length >= LOG_HEADER_BYTES && bytes.readUInt32BE(0) === MAGIC;
}

/** A header that was cut off while it was written: nothing of this file was ever durable. */
export function isTornHeader(bytes: Buffer): boolean {
  const written = bytes.subarray(0, lengthWithoutZeros(bytes));
  return logHeader().subarray(0, written.length).equals(written);
}

/** Writes the record of `entry` into `target` at `at`, which has room for it. Returns where it ends. */
export function putRecord(target: Buffer, at: number, entry: Buffer): number {
  const length = entry.length;
  target.writeUInt32BE(0, at);
  target.writeUInt32BE(adler32(ADLER_START, entry, 0, length), at + 4);
  target.writeUInt32BE(length, at + 8);
  target.set(entry, at + RECORD_HEAD_BYTES);
  target[at + RECORD_HEAD_BYTES + length] = END_OF_RECORD;
  return at + RECORD_OVERHEAD_BYTES + length;
}

/**
 * Why a scan cannot go on in the bytes it has:
 * - more: the next record is not complete; `needed` bytes from `offset` are.
 * - zeros: padding starts here, or a record that was never written.
 * - damaged: no record, whatever follows.
 */
export type ScanStop = "more" | "zeros" | "damaged";

/** Steps through records in a chunk without allocating. The last good record is described by the fields. */
export class RecordScanner {
  /** Where the next record starts. */
  offset = 0;
  /** The current record: its place, and its entry. */
  recordAt = 0;
  entryFrom = 0;
  entryTo = 0;
  zxid: Zxid = NO_ZXID;
  /** After `next` returned false. */
  stop: ScanStop = "more";
  needed = RECORD_HEAD_BYTES;

  readonly #maxEntryBytes: number;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(maxEntryBytes: number) {
    this.#maxEntryBytes = maxEntryBytes;
  }

  reset(bytes: Buffer, offset: number): void {
    this.#bytes = bytes;
    this.offset = offset;
  }

  /** Not one byte is left. */
  get exhausted(): boolean {
    return this.offset === this.#bytes.length;
  }

  get entry(): Buffer {
    return this.#bytes.subarray(this.entryFrom, this.entryTo);
  }

  /** Moves to the next record if it is whole. */
  next(): boolean {
    const bytes = this.#bytes;
    const at = this.offset;
    const available = bytes.length - at;
    if (available < RECORD_HEAD_BYTES) return this.#stopped("more", RECORD_HEAD_BYTES);
    const high = bytes.readUInt32BE(at);
    const sum = bytes.readUInt32BE(at + 4);
    const length = bytes.readInt32BE(at + 8);
    if (length === 0 && sum === 0 && high === 0) return this.#stopped("zeros", 0);
    if (high !== 0 || length < MIN_ENTRY_BYTES || length > this.#maxEntryBytes) return this.#stopped("damaged", 0);
    const size = length + RECORD_OVERHEAD_BYTES;
    if (available < size) return this.#stopped("more", size);
    const from = at + RECORD_HEAD_BYTES;
    const to = from + length;
    if (bytes[to] !== END_OF_RECORD || adler32(ADLER_START, bytes, from, to) !== sum)
      return this.#stopped("damaged", 0);
    this.recordAt = at;
    this.entryFrom = from;
    this.entryTo = to;
    // A zxid that is no safe integer is no zxid of any log, and fails the reader's comparison with the one before.
    this.zxid = (bytes.readInt32BE(from + ZXID_AT) * TWO_32 + bytes.readUInt32BE(from + ZXID_AT + 4)) as Zxid;
    this.offset = at + size;
    return true;
  }

  #stopped(stop: ScanStop, needed: number): false {
    this.stop = stop;
    this.needed = needed;
    return false;
  }
}

/**
 * What follows the last good record of a file:
 * - clean: nothing, or padding.
 * - torn: the beginning of a write that was never finished, so nobody was told that it had been: may be cut off.
 * - corrupt: a record that had been written as a whole is damaged, or good ones follow: must not be cut off.
 */
export type Tail = "clean" | "torn" | "corrupt";

/**
 * Judges the bytes after the last good record up to the end of the file. A crash in the middle of a write leaves a prefix of it,
 * so a tear misses its end: the claimed record is longer than what is there. Damage that fits neither that nor padding is
 * corruption, and a length field that lies must not make good records after it look like a tear.
 */
export function judgeTail(tail: Buffer, lastZxid: Zxid, maxEntryBytes: number): Tail {
  const end = lengthWithoutZeros(tail);
  if (end === 0) return "clean";
  if (holdsRecord(tail.subarray(0, end), lastZxid, maxEntryBytes)) return "corrupt";
  if (end < RECORD_HEAD_BYTES) return "torn";
  const length = tail.readInt32BE(8);
  if (tail.readUInt32BE(0) !== 0 || length < 0 || length > maxEntryBytes) return "corrupt";
  return RECORD_OVERHEAD_BYTES + length > end ? "torn" : "corrupt";
}

/** The first `n` bytes of all these are not zero-filled to the end; 0 when they are. */
export function lengthWithoutZeros(bytes: Buffer): number {
  let end = bytes.length;
  while (end >= ZEROS.length && bytes.compare(ZEROS, 0, ZEROS.length, end - ZEROS.length, end) === 0)
    end -= ZEROS.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

const ZEROS = Buffer.alloc(65_536);

/** Is there a whole record anywhere, or one at the very start whose length field alone is wrong? */
function holdsRecord(bytes: Buffer, lastZxid: Zxid, maxEntryBytes: number): boolean {
  if (bytes.length >= RECORD_OVERHEAD_BYTES && isWholeButForItsLength(bytes, maxEntryBytes)) return true;
  const scanner = new RecordScanner(maxEntryBytes);
  const last = bytes.length - RECORD_OVERHEAD_BYTES - MIN_ENTRY_BYTES;
  for (let at = 1; at <= last; at++) {
    // The upper half of the checksum is zero in every record: most places fail here.
    if (bytes[at] !== 0 || bytes[at + 3] !== 0) continue;
    scanner.reset(bytes, at);
    if (scanner.next() && scanner.zxid > lastZxid) return true;
  }
  return false;
}

function isWholeButForItsLength(bytes: Buffer, maxEntryBytes: number): boolean {
  const wanted = bytes.readUInt32BE(4);
  const end = Math.min(bytes.length, RECORD_HEAD_BYTES + maxEntryBytes + 1);
  let sum = ADLER_START;
  let from = RECORD_HEAD_BYTES;
  for (let at = bytes.indexOf(END_OF_RECORD, from); at >= 0 && at < end; at = bytes.indexOf(END_OF_RECORD, at + 1)) {
    sum = adler32(sum, bytes, from, at);
    from = at;
    if (sum === wanted) return true;
  }
  return false;
}
