/** Leader election among clients: the candidate that has waited longest leads. */
import type { Zxid } from "../../../spec/vocabulary.ts";
import { NoNode } from "../errors.ts";
import type { Data } from "../operations.ts";
import type { ZooKeeper } from "../zookeeper.ts";
import { child, inOrder, join, leave, persistently, sessionSignal, turn } from "./turn-queue.ts";

/** Until `resign`, or until the session ends. As with a lock, only `fence` is proof towards others (lock.ts). */
export interface Leadership {
  /** Grows from leader to leader. */
  readonly fence: Zxid;
  /** Aborted when the session is over, and the leadership with it. */
  readonly lost: AbortSignal;
  resign(): Promise<void>;
}

/**
 * Resolves when this client leads.
 * @param path parent of the candidates' nodes; created if it is not there
 * @param identity what `currentLeader` tells others, such as an address
 * @param signal withdraws the candidacy; the promise then rejects with the signal's reason
 */
export async function lead(zk: ZooKeeper, path: string, identity: Data, signal?: AbortSignal): Promise<Leadership> {
  signal?.throwIfAborted();
  const place = await join(zk, path, identity);
  try {
    await turn(zk, path, place, signal);
  } catch (error) {
    await leave(zk, place);
    throw error;
  }
  return { fence: place.fence, lost: sessionSignal(zk), resign: () => leave(zk, place) };
}

/** The leader's identity, or null while there is none. It may have changed by the time the answer is here. */
export async function currentLeader(zk: ZooKeeper, path: string): Promise<Buffer | null> {
  for (;;) {
    const children = await persistently(() => zk.getChildren(path)).catch(absent);
    const first = inOrder(children ?? [])[0];
    if (first === undefined) return null;
    const node = await persistently(() => zk.getData(child(path, first))).catch(absent);
    // Gone between the two reads: ask again.
    if (node !== null) return node.data;
  }
}

function absent(error: unknown): null {
  if (error instanceof NoNode) return null;
  throw error;
}
