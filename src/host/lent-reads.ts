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

/** What of Node's insides is touched. */
interface Insides {
  _handle: Handle | null;
  /** Counts its connections, and closes when the last one has. */
  _server: unknown;
}

type SocketOptions = ConstructorParameters<typeof Socket>[0];

let received: Buffer | null = null;

/** A socket that is going to connect; `take` gets a view of the shared memory that is valid until it returns. */
export function lentSocket(take: (chunk: Buffer) => void): Socket {
  // Flowing, or its end would not be told.
  return new Socket({ onread: onread(take) } as SocketOptions).resume();
}

/**
 * The same for a connection that was accepted, and paused since. Node offers `onread` only to sockets that connect, so it is handed
 * over to a new socket. Where Node's insides are not as expected it comes back as it was, reading in Node's usual way.
 */
export function readLent(accepted: Socket, take: (chunk: Buffer) => void): Socket {
  const owner = accepted as unknown as Insides;
  const handle = owner._handle;
  if (typeof handle?.useUserBuffer !== "function") {
    accepted.on("data", take);
    return accepted.resume();
  }
  const socket = new Socket({ handle, onread: onread(take) } as SocketOptions);
  (socket as unknown as Insides)._server = owner._server;
  owner._handle = null;
  owner._server = null;
  return socket.resume();
}

function onread(take: (chunk: Buffer) => void): {
  readonly buffer: Buffer;
  callback(bytes: number, memory: Uint8Array): boolean;
} {
  received ??= Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  return {
    buffer: received,
    callback: (bytes, memory) => {
      take((memory as Buffer).subarray(0, bytes));
      return true;
    },
  };
}
