/**
 * The queue behind locks and elections: whoever wants a turn creates an ephemeral sequential node and watches only the one
 * before it, so that an end of a turn wakes one waiter and not the whole herd (Hunt et al., ATC 2010, section 2.4).
 */
import type { Zxid } from "../../../spec/vocabulary.ts";
import { ErrorCode } from "../../protocol/error-codes.ts";
import { ConnectionLoss, errorFor, NodeExists, NoNode } from "../errors.ts";
import type { Data } from "../operations.ts";
import type { ZooKeeper } from "../zookeeper.ts";

/** One place in the queue. */
export interface Place {
  /** Full path of the node. */
  readonly path: string;
  /** zxid of its creation: grows from turn to turn, so that a store can refuse writes of whoever had an earlier one. */
  readonly fence: Zxid;
}

let places = 0;

/**
 * Joins the queue below `parent`, which is created if need be. A ConnectionLoss leaves open whether the node was made, so
 * its name holds what nobody else has, and is looked for before another is made.
 */
export async function join(zk: ZooKeeper, parent: string, data: Data): Promise<Place> {
  await ensurePath(zk, parent);
  await zk.connected();
  const prefix = `x-${BigInt.asUintN(64, zk.sessionId).toString(16)}-${++places}-`;
  for (;;) {
    try {
      const created = await zk.create2(child(parent, prefix), data, { ephemeral: true, sequential: true });
      return { path: created.path, fence: created.stat.czxid };
    } catch (error) {
      if (!(error instanceof ConnectionLoss)) throw error;
    }
    // The lost request may be on its way to a server that is behind; sync waits for all that the leader took before.
    await persistently(() => zk.sync(parent));
    const name = (await persistently(() => zk.getChildren(parent))).find((one) => one.startsWith(prefix));
    const stat = name === undefined ? null : await persistently(() => zk.exists(child(parent, name)));
    if (name !== undefined && stat !== null) return { path: child(parent, name), fence: stat.czxid };
  }
}

/**
 * Resolves when the place is the first of the queue. Rejects with what ended the session, with NoNode if the node was
 * removed by somebody, or with the signal's reason.
 */
export async function turn(zk: ZooKeeper, parent: string, place: Place, signal?: AbortSignal): Promise<void> {
  const own = place.path.slice(place.path.lastIndexOf("/") + 1);
  for (;;) {
    signal?.throwIfAborted();
    const queue = inOrder(await persistently(() => zk.getChildren(parent)));
    const position = queue.indexOf(own);
    if (position < 0) throw errorFor(ErrorCode.NONODE, place.path);
    if (position === 0) return;
    await vanished(zk, child(parent, queue[position - 1]!), signal);
  }
}

/** Gives the place up. That it is gone already is as good. */
export async function leave(zk: ZooKeeper, place: Place): Promise<void> {
  try {
    await persistently(() => zk.delete(place.path));
  } catch (error) {
    if (!(error instanceof NoNode) && !isOver(zk)) throw error;
  }
}

/** Repeats what may be repeated until a server answers. Each attempt has been through the whole list of servers. */
export async function persistently<T>(operation: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof ConnectionLoss)) throw error;
    }
  }
}

/** Names by their sequence numbers, whatever stands before these. */
export function inOrder(names: readonly string[]): readonly string[] {
  const numbered = names.filter((name) => /\d{10}$/.test(name));
  return numbered.sort((a, b) => (a.slice(-10) < b.slice(-10) ? -1 : 1));
}

export function child(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

/** Aborted as soon as the session, and with it the place, is over for good. */
export function sessionSignal(zk: ZooKeeper): AbortSignal {
  const over = new AbortController();
  if (isOver(zk)) over.abort();
  const stop = zk.onState((state) => {
    if (state !== "Expired" && state !== "AuthFailed" && state !== "Closed") return;
    stop();
    over.abort();
  });
  return over.signal;
}

function isOver(zk: ZooKeeper): boolean {
  return zk.state === "expired" || zk.state === "authFailed" || zk.state === "closing" || zk.state === "closed";
}

async function ensurePath(zk: ZooKeeper, path: string): Promise<void> {
  for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
    const part = end < 0 ? path : path.slice(0, end);
    try {
      await persistently(() => zk.create(part));
    } catch (error) {
      if (!(error instanceof NodeExists)) throw error;
    }
    if (end < 0) return;
  }
}

/** Resolves when the node is gone, or when anything else happened that calls for another look. */
async function vanished(zk: ZooKeeper, path: string, signal: AbortSignal | undefined): Promise<void> {
  let wake: () => void = () => {};
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  signal?.addEventListener("abort", wake, { once: true });
  try {
    const stat = await persistently(() => zk.exists(path, wake));
    if (stat !== null) await woken;
  } finally {
    signal?.removeEventListener("abort", wake);
  }
}
