/** The client's sockets. */
import { connect, type Socket } from "node:net";
import type { ClientSocketId, ServerAddress } from "./io.ts";

export interface SocketListener {
  socketConnected(socket: ClientSocketId): void;
  socketData(socket: ClientSocketId, chunk: Buffer): void;
  /** The last word about a socket, and only about one that was not destroyed from here. */
  socketClosed(socket: ClientSocketId, error?: string): void;
}

export class Sockets {
  readonly #open = new Map<ClientSocketId, Socket>();
  readonly #listener: SocketListener;

  constructor(listener: SocketListener) {
    this.#listener = listener;
  }

  connect(id: ClientSocketId, address: ServerAddress): void {
    const listener = this.#listener;
    const socket = connect({ host: address.host, port: address.port, noDelay: true });
    let error: string | undefined;
    this.#open.set(id, socket);
    socket.on("connect", () => listener.socketConnected(id));
    socket.on("data", (chunk) => listener.socketData(id, chunk));
    socket.on("error", (cause) => {
      error = cause.message;
    });
    socket.on("close", () => {
      // A destroyed socket closes too, but nobody asks for it any more.
      if (this.#open.delete(id)) listener.socketClosed(id, error);
    });
  }

  write(id: ClientSocketId, bytes: Buffer): void {
    this.#open.get(id)?.write(bytes);
  }

  destroy(id: ClientSocketId): void {
    const socket = this.#open.get(id);
    this.#open.delete(id);
    socket?.destroy();
  }
}
