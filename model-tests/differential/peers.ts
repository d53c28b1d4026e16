/** The two sides of a comparison: our server in this process, and Apache's over a socket. Both take bytes and give frames. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FrameDecoder } from "../../src/protocol/frame-decoder.ts";
import { freePorts } from "../support/ports.ts";
import { ServerProcess } from "../support/server-process.ts";
import { type RawClient, StandaloneServer } from "../support/standalone-server.ts";
import { SESSION_TIMEOUT_MS } from "./dialogue.ts";

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

/** Both, set up alike. */
export class Sides {
  readonly own: StandaloneServer = new StandaloneServer({ maxSessionTimeoutMs: SESSION_TIMEOUT_MS });
  readonly peers: readonly Peer[];
  /** Where Apache's server keeps its data. */
  readonly directory: string;
  readonly #apache: ServerProcess;

  private constructor(apache: ServerProcess, directory: string, clientPort: number) {
    this.#apache = apache;
    this.directory = directory;
    this.peers = [new OwnPeer(this.own), new ApachePeer(clientPort)];
  }

  /** `settings`: further lines of Apache's zoo.cfg. */
  static async start(settings: readonly string[] = []): Promise<Sides> {
    const [clientPort] = (await freePorts(1)) as [number];
    const directory = mkdtempSync(join(tmpdir(), "zoetrope-differential-"));
    const zooCfg = [
      `dataDir=${directory}`,
      `clientPort=${clientPort}`,
      "clientPortAddress=127.0.0.1",
      "tickTime=2000",
      "minSessionTimeout=4000",
      `maxSessionTimeout=${SESSION_TIMEOUT_MS}`,
      "maxClientCnxns=0",
      "admin.enableServer=false",
      "4lw.commands.whitelist=*",
      ...settings,
      "",
    ].join("\n");
    const sides = new Sides(
      new ServerProcess({ kind: "apache", id: 1, clientPort, directory, zooCfg }),
      directory,
      clientPort,
    );
    sides.#apache.start();
    await sides.#apache.serves(60_000).catch(async (error) => {
      await sides.end();
      throw error;
    });
    return sides;
  }

  async end(): Promise<void> {
    await this.#apache.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
