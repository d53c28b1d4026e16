/**
 * Adler-32 (RFC 1950), incremental. Every txn that is logged and every byte of a snapshot goes through here, and node:zlib
 * exports no such function.
 *
 * ```ts
 * let sum = ADLER_START;
 * sum = adler32(sum, first, 0, first.length);
 * sum = adler32(sum, second, 0, second.length); // the checksum of both, as an unsigned 32-bit number
 * ```
 */

export const ADLER_START = 1;

const MODULUS = 65_521;

/** As many bytes as can be added before the sums must be reduced: 255·n·(n+1)/2 + (n+1)·65520 < 2^32 (zlib's NMAX). */
const REDUCE_EVERY = 5552 - (5552 % 16);

/** As many 4-byte words as fit in 16-bit lanes of running sums of sums: 255·n·(n+1)/2 < 2^16. */
const WORDS_PER_BLOCK = 20;

/** Below this the set-up of the word-wise loop costs more than it saves. */
const WORD_WISE_FROM = 512;

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** The checksum `adler` extended by `bytes[from, to)`. */
export function adler32(adler: number, bytes: Buffer, from: number, to: number): number {
  if (to - from < WORD_WISE_FROM || !LITTLE_ENDIAN) return byteWise(adler, bytes, from, to);
  const aligned = from + (-(bytes.byteOffset + from) & 3);
  const words = (to - aligned) >> 2;
  const end = aligned + words * 4;
  const { buffer, byteOffset } = bytes;
  if (buffer !== wordsOf) {
    wordsOf = buffer;
    allWords = new Int32Array(buffer, 0, buffer.byteLength >> 2);
  }
  const sum = byteWise(adler, bytes, from, aligned);
  const first = (byteOffset + aligned) >> 2;
  return byteWise(wordWise(sum, allWords, first, first + words), bytes, end, to);
}

/** The memory last seen, as words: entries follow each other in slabs, and a view for each would cost more than its sum. */
let allWords: Int32Array = new Int32Array(0);
let wordsOf: ArrayBufferLike = allWords.buffer;

/** 1.5 GB/s: sixteen steps at a time. */
function byteWise(adler: number, bytes: Buffer, from: number, to: number): number {
  let a = adler & 0xffff;
  let b = adler >>> 16;
  let at = from;
  while (at < to) {
    const end = Math.min(at + REDUCE_EVERY, to);
    const unrolled = at + ((end - at) & ~15);
    for (; at < unrolled; at += 16) {
      a += bytes[at]!;
      b += a;
      a += bytes[at + 1]!;
      b += a;
      a += bytes[at + 2]!;
      b += a;
      a += bytes[at + 3]!;
      b += a;
      a += bytes[at + 4]!;
      b += a;
      a += bytes[at + 5]!;
      b += a;
      a += bytes[at + 6]!;
      b += a;
      a += bytes[at + 7]!;
      b += a;
      a += bytes[at + 8]!;
      b += a;
      a += bytes[at + 9]!;
      b += a;
      a += bytes[at + 10]!;
      b += a;
      a += bytes[at + 11]!;
      b += a;
      a += bytes[at + 12]!;
      b += a;
      a += bytes[at + 13]!;
      b += a;
      a += bytes[at + 14]!;
      b += a;
      a += bytes[at + 15]!;
      b += a;
    }
    for (; at < end; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= MODULUS;
    b %= MODULUS;
  }
  return ((b << 16) | a) >>> 0;
}

/**
 * 3 GB/s: each word is split into two pairs of 16-bit lanes, so two additions count four bytes. With n words, byte j of word
 * k weighs 4·(n - k) - j in the second sum; the lanes of `u` and `v` (sums of the running sums) hold Σ (n - k)·byte.
 */
function wordWise(adler: number, words: Int32Array, from: number, to: number): number {
  let a = adler & 0xffff;
  let b = adler >>> 16;
  for (let at = from; at < to; ) {
    const end = Math.min(at + WORDS_PER_BLOCK, to);
    const n = end - at;
    let s = 0;
    let t = 0;
    let u = 0;
    let v = 0;
    for (; at < end; at++) {
      const word = words[at]!;
      s += word & 0x00ff00ff;
      t += (word >>> 8) & 0x00ff00ff;
      u = (u + s) | 0;
      v = (v + t) | 0;
    }
    const byte0 = s & 0xffff;
    const byte2 = s >>> 16;
    const byte1 = t & 0xffff;
    const byte3 = t >>> 16;
    const weighted = (u & 0xffff) + (u >>> 16) + (v & 0xffff) + (v >>> 16);
    b = (b + 4 * n * a + 4 * weighted - byte1 - 2 * byte2 - 3 * byte3) % MODULUS;
    a = (a + byte0 + byte1 + byte2 + byte3) % MODULUS;
  }
  return ((b << 16) | a) >>> 0;
}
