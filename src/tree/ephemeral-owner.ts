/** EphemeralType: what a stored owner means. */
export const CONTAINER_OWNER = -(2n ** 63n);

/** 1 … 2^40 - 1 ms. */
export const MAX_TTL_MS = 2 ** 40 - 1;

export function ttlOwner(ttlMs: number): bigint {
  return BigInt.asIntN(64, (0xffn << 56n) | BigInt(ttlMs));
}
