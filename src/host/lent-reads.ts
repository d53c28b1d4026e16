/**
 * Reading without an allocation: all sockets that are read this way receive into the same memory, which is lent to whoever is
 * told. Otherwise Node allocates 64 KB for each read, cuts it down to what came, and leaves it to the collector.
 */
import { Socket } from "node:net";

/** Enough that even a busy connection is drained by one read; it stays in a core's cache. */
const RECEIVE_BYTES = 128 * 1024;

interface Handle {
  readonly useUserBuffer?: unknown;
}

type SocketOptions = ConstructorParameters<typeof Socket>[0];

let received: Buffer | null = null;

/**
 * The same connection as a socket that reads into shared memory; `take` gets a view of it that is valid until it returns. Node
 * offers this (`onread`) to sockets that connect; one that was accepted, and paused since, hands its connection over to a new
 * one. Where Node's insides are not as expected the socket comes back as it was, reading in Node's usual way.
 */
export function readLent(accepted: Socket, take: (chunk: Buffer) => void): Socket {
  const owner = accepted as unknown as { _handle: Handle | null };
  const handle = owner._handle;
  if (typeof handle?.useUserBuffer !== "function") {
    accepted.on("data", take);
    return accepted.resume();
  }
  owner._handle = null;
  received ??= Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  const callback = (bytes: number, memory: Uint8Array): boolean => {
    take((memory as Buffer).subarray(0, bytes));
    return true;
  };
  const socket = new Socket({ handle, onread: { buffer: received, callback } } as SocketOptions);
  // Flowing, or its end would not be told.
  return socket.resume();
}
