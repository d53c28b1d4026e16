/**
 * What a stored owner means (EphemeralType): 0, a session, a container, or a TTL. The tree keeps the 64 bits as two signed
 * words; everybody else sees a signed bigint.
 */

export type EphemeralKind = "persistent" | "ephemeral" | "container" | "ttl";

/** 0x8000000000000000 */
export const CONTAINER_OWNER = -(2n ** 63n);

/** ms; 40 bits, some 34 years. A TTL is at least 1. */
export const MAX_TTL_MS = 2 ** 40 - 1;

export function isValidTtl(ttlMs: number): boolean {
  return ttlMs >= 1 && ttlMs <= MAX_TTL_MS;
}

/** 0xff00000000000000 | ttl: extended type 0. */
export function ttlOwner(ttlMs: number): bigint {
  return BigInt.asIntN(64, (0xffn << 56n) | BigInt(ttlMs));
}

/** `extendedTypes`: without it an owner whose top byte is 0xff is a session like any other. */
export function kindOfOwner(high: number, low: number, extendedTypes: boolean): EphemeralKind {
  if (high === 0 && low === 0) return "persistent";
  if (high === -0x80000000 && low === 0) return "container";
  return extendedTypes && high >>> 8 === 0xff0000 ? "ttl" : "ephemeral";
}

/** Of an owner of kind "ttl". */
export function ttlOf(high: number, low: number): number {
  return (high & 0xff) * 2 ** 32 + (low >>> 0);
}

const big = new BigInt64Array(1);
const halves = new Int32Array(big.buffer);
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const LOW = LITTLE_ENDIAN ? 0 : 1;
const HIGH = 1 - LOW;

export function joinHalves(high: number, low: number): bigint {
  halves[HIGH] = high;
  halves[LOW] = low;
  return big[0]!;
}

/** Signed; the low half is `lowHalf` of the same call. */
export function highHalf(value: bigint): number {
  big[0] = value;
  return halves[HIGH]!;
}

export function lowHalf(value: bigint): number {
  big[0] = value;
  return halves[LOW]!;
}
