/** A lock that the whole ensemble agrees on, fair: waiters get it in the order in which they asked. */
import type { Zxid } from "../../../spec/vocabulary.ts";
import type { ZooKeeper } from "../zookeeper.ts";
import { join, leave, sessionSignal, turn } from "./turn-queue.ts";

/**
 * Held until `release`, or until the session ends. While the client is cut off it cannot know which: what must never be
 * written by two holders has to check `fence` where it is stored.
 */
export interface Lease {
  /** Grows from holder to holder. */
  readonly fence: Zxid;
  /** Aborted when the session is over, and the lock with it. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * ```ts
 * const lease = await acquireLock(zk, "/locks/backup");
 * try { … } finally { await lease.release(); }
 * ```
 * @param path parent of the waiters' nodes; created if it is not there
 * @param signal gives up waiting; the promise then rejects with the signal's reason
 */
export async function acquireLock(zk: ZooKeeper, path: string, signal?: AbortSignal): Promise<Lease> {
  signal?.throwIfAborted();
  const place = await join(zk, path, null);
  try {
    await turn(zk, path, place, signal);
  } catch (error) {
    await leave(zk, place);
    throw error;
  }
  return { fence: place.fence, lost: sessionSignal(zk), release: () => leave(zk, place) };
}
