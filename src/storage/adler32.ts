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

import { type VectorAdler, vectorAdler } from "./adler32-vector.ts";

export const ADLER_START = 1;

const MODULUS = 65_521;

/** As many bytes as can be added before the sums must be reduced: 255·n·(n+1)/2 + (n+1)·65520 < 2^32 (zlib's NMAX). */
const REDUCE_EVERY = 5552 - (5552 % 16);

/** Below this the copy into the vectors' memory costs more than they save. */
const VECTORS_FROM = 256;
const VECTOR_BYTES = 16;

/** Made when it is first wanted; null: not on this machine. */
let vectors: VectorAdler | null | undefined;

/** The checksum `adler` extended by `bytes[from, to)`. */
export function adler32(adler: number, bytes: Buffer, from: number, to: number): number {
  if (to - from < VECTORS_FROM) return adler32Plain(adler, bytes, from, to);
  if (vectors === undefined) vectors = vectorAdler();
  if (vectors === null) return adler32Plain(adler, bytes, from, to);
  const { memory, extend } = vectors;
  let sum = adler;
  let at = from;
  while (to - at >= VECTOR_BYTES) {
    const all = at === 0 && to === bytes.length && to <= memory.length;
    const length = Math.min(to - at, memory.length) & -VECTOR_BYTES;
    // An entry is a buffer of its own, and a view of all of it would cost as much as its sum.
    memory.set(all ? bytes : bytes.subarray(at, at + length));
    sum = extend(sum, length);
    at += length;
  }
  return adler32Plain(sum, bytes, at, to);
}

/** In JavaScript alone, sixteen steps at a time. */
export function adler32Plain(adler: number, bytes: Buffer, from: number, to: number): number {
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
