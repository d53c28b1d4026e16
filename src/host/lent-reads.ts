/**
 * Reading without an allocation: all sockets that are read this way receive into the same memory, which is lent to whoever is
 * told. Otherwise Node allocates 64 KB for each read, cuts it down to what came, and leaves it to the collector.
 */
import { createServer, type Server, Socket } from "node:net";

/** Enough that even a busy connection is drained by one read; it stays in a core's cache. */
const RECEIVE_BYTES = 128 * 1024;

/** Of a connection, as libuv has it. */
interface Handle {
  readonly useUserBuffer?: unknown;
  setNoDelay?(enable: boolean): void;
}

interface Listener {
  onconnection?(failure: unknown, handle: Handle | undefined): void;
}

type SocketOptions = ConstructorParameters<typeof Socket>[0];

let received: Buffer | null = null;

/** A socket that is going to connect; `take` gets a view of the shared memory that is valid until it returns. */
export function lentSocket(take: (chunk: Buffer) => void): Socket {
  // Flowing, or its end would not be told.
  return new Socket({ onread: onread(take) } as SocketOptions).resume();
}

/** Makes the socket of a connection that was accepted; `take` as above. To be called at once. */
export type OpenAccepted = (take: (chunk: Buffer) => void) => Socket;

/**
 * A server whose connections are read the same way. Node offers `onread` only to sockets that connect; so what the kernel accepted is
 * taken before Node has made a socket of it, which would be one too many. Where Node's insides are not as expected, its sockets
 * are used, and read in its usual way.
 */
export function lentServer(accepted: (open: OpenAccepted) => void): Server {
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) =>
    accepted((take) => socket.on("data", take).resume()),
  );
  server.on("listening", () => {
    const listener = (server as unknown as { _handle: Listener | null })._handle;
    const usual = listener?.onconnection;
    if (listener === null || typeof usual !== "function") return;
    listener.onconnection = (failure, handle) => {
      if (failure || typeof handle?.useUserBuffer !== "function" || typeof handle.setNoDelay !== "function") {
        usual.call(listener, failure, handle);
        return;
      }
      handle.setNoDelay(true);
      accepted((take) => new Socket({ handle, onread: onread(take) } as SocketOptions).resume());
    };
  });
  return server;
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
