import type { SessionId } from "../../spec/vocabulary.ts";

/** ZooKeeperServer.superSecret. */
const SUPER_SECRET = 0xb3415c00n;
const MULTIPLIER = 0x5deece66dn;
const MASK_48 = (1n << 48n) - 1n;

export const PASSWORD_LENGTH = 16;

/**
 * The password of a session: 16 bytes of java.util.Random seeded with the id (ZooKeeperServer.generatePasswd). Every
 * server derives the same one, so nothing is stored and a session can move between servers.
 */
export function sessionPassword(id: SessionId): Buffer {
  const password = Buffer.alloc(PASSWORD_LENGTH);
  let state = (id ^ SUPER_SECRET ^ MULTIPLIER) & MASK_48;
  for (let at = 0; at < PASSWORD_LENGTH; at += 4) {
    state = (state * MULTIPLIER + 0xbn) & MASK_48;
    // Random.nextBytes gives out the low byte of each number first.
    password.writeUInt32LE(Number(state >> 16n), at);
  }
  return password;
}

/** A session can be claimed only with exactly its own password; id 0 cannot be claimed. */
export function isSessionPassword(id: SessionId, passwd: Buffer | null): boolean {
  return id !== 0n && passwd !== null && passwd.equals(sessionPassword(id));
}
