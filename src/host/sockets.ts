/**
 * TCP sockets of one server process: effects in, inputs out. Reads are handed over as they come; writes go out in the order of
 * the effects. Addresses of the sockets that the host accepts are odd numbers, those the server asks for are even.
 */
import type { Socket, Server as TcpServer } from "node:net";
import type { Slab } from "../protocol/slab.ts";
import type { Effect, Input, ListenPort, SocketId } from "../server/io.ts";
import { lentServer, lentSocket, type OpenAccepted } from "./lent-reads.ts";

type ListenEffect = Extract<Effect, { type: "listen" }>;
type ConnectEffect = Extract<Effect, { type: "socket.connect" }>;

export interface SocketsOptions {
  readonly deliver: (input: Input) => void;
  /** Listen backlog of the client port; -1: the system's. */
  readonly clientBacklog: number;
  /** How often a port of the ensemble that is still busy is tried again, a second apart (electionPortBindRetry); 0: for ever. */
  readonly bindRetries: number;
}

const BIND_RETRY_MS = 1000;

export class Sockets {
  readonly #deliver: (input: Input) => void;
  readonly #options: SocketsOptions;
  readonly #sockets = new Map<SocketId, Socket>();
  readonly #listeners = new Map<ListenPort, TcpServer>();
  #nextAccepted = 1;

  constructor(options: SocketsOptions) {
    this.#options = options;
    this.#deliver = options.deliver;
  }

  listen(effect: ListenEffect, attempt = 0): void {
    const { port, host, number } = effect;
    this.unlisten(port);
    const server = lentServer((open) => this.#accept(port, open));
    this.#listeners.set(port, server);
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#listeners.get(port) !== server) return;
      // A predecessor on this port may not have gone yet; clients can wait for an operator, an ensemble cannot.
      const { bindRetries } = this.#options;
      if (error.code === "EADDRINUSE" && port !== "client" && (bindRetries === 0 || attempt < bindRetries)) {
        setTimeout(() => {
          if (this.#listeners.get(port) === server) this.listen(effect, attempt + 1);
        }, BIND_RETRY_MS).unref();
        return;
      }
      this.#deliver({ type: "LISTEN_FAILED", port, error: describe(error) });
    });
    server.on("listening", () => {
      if (this.#listeners.get(port) === server) this.#deliver({ type: "LISTENING", port });
    });
    const backlog =
      port === "client" && this.#options.clientBacklog > 0 ? { backlog: this.#options.clientBacklog } : {};
    server.listen({ port: number, ...(host === null ? {} : { host }), ...backlog });
  }

  unlisten(port: ListenPort): void {
    const server = this.#listeners.get(port);
    this.#listeners.delete(port);
    server?.close();
  }

  connect({ socket: id, host, port, timeoutMs }: ConnectEffect): void {
    const socket = lentSocket((chunk) => this.#deliver({ type: "SOCKET_DATA", socket: id, chunk }));
    socket.setNoDelay(true);
    this.#adopt(id, socket);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    socket.once("connect", () => {
      socket.setTimeout(0);
      this.#deliver({ type: "SOCKET_CONNECTED", socket: id });
    });
    socket.connect({ host, port });
  }

  /** `slab`: the memory of `bytes`, to be released when the kernel has taken them. */
  write(id: SocketId, bytes: Buffer, slab: Slab | null): void {
    const socket = this.#sockets.get(id);
    if (socket === undefined) {
      slab?.release();
      return;
    }
    if (slab === null) socket.write(bytes);
    else if (socket.writableLength > 0) socket.write(bytes, slab.release);
    else {
      socket.write(bytes);
      // Nearly always the kernel takes it at once. A slab it has not taken is left to the collector: a callback for each
      // write, which only tells when it is too late to be asked for, would cost all the others.
      if (socket.writableLength === 0) slab.release();
    }
  }

  /** Answers once everything written so far has been taken by the kernel. */
  drain(id: SocketId): void {
    const socket = this.#sockets.get(id);
    if (socket === undefined) return;
    const drained = (): void => {
      if (this.#sockets.has(id)) this.#deliver({ type: "SOCKET_DRAINED", socket: id });
    };
    if (socket.writableLength === 0) setImmediate(drained);
    else socket.write(NOTHING, drained);
  }

  close(id: SocketId): void {
    const socket = this.#sockets.get(id);
    if (socket === undefined) return;
    socket.end();
    // What the other side still sends is of no interest; without a reader its FIN would never be seen.
    socket.resume();
  }

  destroy(id: SocketId): void {
    const socket = this.#sockets.get(id);
    if (socket === undefined) return;
    // Flushes what the kernel takes at once, so that an answer written just before is not lost, then resets nothing.
    socket.destroy();
  }

  pause(id: SocketId): void {
    this.#sockets.get(id)?.pause();
  }

  resume(id: SocketId): void {
    this.#sockets.get(id)?.resume();
  }

  closeAll(): void {
    for (const port of [...this.#listeners.keys()]) this.unlisten(port);
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #accept(port: ListenPort, open: OpenAccepted): void {
    const id = this.#nextAccepted;
    this.#nextAccepted += 2;
    const socket = open((chunk) => this.#deliver({ type: "SOCKET_DATA", socket: id, chunk }));
    this.#adopt(id, socket);
    const remote = { host: plainAddress(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
    this.#deliver({ type: "SOCKET_ACCEPTED", socket: id, port, remote });
  }

  #adopt(id: SocketId, socket: Socket): void {
    this.#sockets.set(id, socket);
    let error: string | undefined;
    socket.on("error", (cause) => {
      error = describe(cause);
    });
    socket.on("close", () => {
      this.#sockets.delete(id);
      this.#deliver(
        error === undefined ? { type: "SOCKET_CLOSED", socket: id } : { type: "SOCKET_CLOSED", socket: id, error },
      );
    });
  }
}

const NOTHING = Buffer.alloc(0);

function describe(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "EADDRINUSE":
      return "the port is in use";
    case "EACCES":
      return "permission denied";
    case "EADDRNOTAVAIL":
      return "the address is not one of this machine";
    default:
      return error.message;
  }
}

/** IPv4 clients of a dual-stack listener look like `::ffff:1.2.3.4`; ACLs and operators mean `1.2.3.4`. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}
