/** The two sides of a comparison: our server in this process, and Apache's over a socket. Both take bytes and give frames. */
import { connect as connectSocket, type Socket } from "node:net";
import { FrameDecoder } from "../../src/protocol/frame-decoder.ts";
import type { RawClient, StandaloneServer } from "../support/standalone-server.ts";

export interface PeerConnection {
  send(bytes: Buffer): void;
  /** The next frames, at least `count` of them unless the connection is closed first. */
  frames(count: number): Promise<Buffer[]>;
  /** Waits a moment for what is expected. */
  closes(expected: boolean): Promise<boolean>;
  /** Goes away without a word. */
  drop(): void;
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

  drop(): void {
    if (!this.#client.closed) this.#client.hangUp();
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

const PATIENCE_MS = 5000;

class ApacheConnection implements PeerConnection {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder(0x7fffffff);
  #frames: Buffer[] = [];
  #closed = false;
  /** Something came, or the end did. */
  #changed: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#decoder.push(chunk);
      while (this.#decoder.next()) {
        const { bytes, start, end } = this.#decoder;
        this.#frames.push(Buffer.from(bytes.subarray(start, end)));
      }
      this.#changed();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
      this.#changed();
    });
  }

  drop(): void {
    this.#socket.destroy();
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  async frames(count: number): Promise<Buffer[]> {
    await this.#until(() => this.#frames.length >= count || this.#closed);
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  async closes(expected: boolean): Promise<boolean> {
    if (expected) await this.#until(() => this.#closed);
    return this.#closed;
  }

  /** Waits for what is expected, but not forever: the comparison tells what did not come. */
  async #until(condition: () => boolean): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (!condition() && performance.now() < endMs) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, endMs - performance.now());
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
