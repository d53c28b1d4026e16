/** The two sides of a comparison: our server in this process, and Apache's over a socket. Both take bytes and give frames. */
import { connect as connectSocket, type Socket } from "node:net";
import { FrameDecoder } from "../../src/protocol/frame-decoder.ts";
import type { RawClient, StandaloneServer } from "../support/standalone-server.ts";
import { until } from "../support/until.ts";

export interface PeerConnection {
  send(bytes: Buffer): void;
  /** The next frames, at least `count` of them unless the connection is closed first. */
  frames(count: number): Promise<Buffer[]>;
  /** Waits a moment for what is expected. */
  closes(expected: boolean): Promise<boolean>;
}

export interface Peer {
  open(): Promise<PeerConnection>;
  readonly name: string;
}

export class OwnPeer implements Peer {
  readonly name = "ours";
  readonly server: StandaloneServer;

  constructor(server: StandaloneServer) {
    this.server = server;
  }

  async open(): Promise<PeerConnection> {
    return new OwnConnection(this.server.accept());
  }
}

class OwnConnection implements PeerConnection {
  readonly #client: RawClient;

  constructor(client: RawClient) {
    this.#client = client;
  }

  send(bytes: Buffer): void {
    // Time passes, so that ctime and mtime can differ.
    this.#client.server.time.ms += 5;
    this.#client.send(bytes);
  }

  async frames(): Promise<Buffer[]> {
    return this.#client.frames();
  }

  async closes(): Promise<boolean> {
    return this.#client.closed;
  }
}

export class ApachePeer implements Peer {
  readonly name = "Apache";
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  open(): Promise<PeerConnection> {
    return new Promise((resolve, reject) => {
      const socket = connectSocket({ host: "127.0.0.1", port: this.#port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => resolve(new ApacheConnection(socket)));
    });
  }
}

const PATIENCE = { timeoutMs: 5000, everyMs: 2 };

class ApacheConnection implements PeerConnection {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder(0x7fffffff);
  #frames: Buffer[] = [];
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#decoder.push(chunk);
      while (this.#decoder.next()) {
        const { bytes, start, end } = this.#decoder;
        this.#frames.push(Buffer.from(bytes.subarray(start, end)));
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
    });
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  async frames(count: number): Promise<Buffer[]> {
    await until("frames", () => this.#frames.length >= count || this.#closed, PATIENCE).catch(() => {});
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  async closes(expected: boolean): Promise<boolean> {
    if (expected) await until("the end", () => this.#closed, PATIENCE).catch(() => {});
    return this.#closed;
  }
}
