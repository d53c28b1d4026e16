/**
 * A TCP proxy between one side and one port of a server. Whoever is to be disturbed on its way to that port is told this port
 * instead; both directions can be disturbed, each on its own.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { Pipe } from "./pipe.ts";
import type { Random } from "./random.ts";
import { Wire } from "./wire.ts";

export type LinkKind = "client" | "quorum" | "election";

export interface LinkOptions {
  /** Server id; 0 for clients. */
  readonly from: number;
  readonly to: number;
  readonly kind: LinkKind;
  readonly listenPort: number;
  readonly targetPort: number;
  readonly random: Random;
  /** Changes the first bytes of a connection. */
  readonly rewrite?: ((first: Buffer) => Buffer) | undefined;
}

const HOST = "127.0.0.1";
/**
 * A proxy accepts before it knows whether anybody listens behind it, and could only reset what a kernel would have refused. A
 * server that was connected and reset thinks that its leader is gone; one that is refused tries again. Leaders listen a moment
 * after they are elected, so links to quorum ports keep trying in its stead.
 */
const PATIENCE_MS: Readonly<Record<LinkKind, number>> = { quorum: 1000, election: 60, client: 60 };
const RETRY_MS = 10;

export class Link {
  readonly from: number;
  readonly to: number;
  readonly kind: LinkKind;
  readonly port: number;
  /** From the side that connects to the server. */
  readonly forth = new Wire();
  readonly back = new Wire();
  readonly #options: LinkOptions;
  readonly #relays = new Set<Relay>();
  readonly #server: Server;
  /** Connections taken so far. */
  accepted = 0;

  constructor(options: LinkOptions) {
    this.from = options.from;
    this.to = options.to;
    this.kind = options.kind;
    this.port = options.listenPort;
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: HOST, port: this.port }, resolve);
    });
  }

  /** Connections that run through it now. */
  get connections(): number {
    return this.#relays.size;
  }

  /** Resets every connection. @returns how many */
  reset(): number {
    const count = this.#relays.size;
    for (const relay of [...this.#relays]) relay.reset();
    return count;
  }

  close(): Promise<void> {
    this.reset();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(near: Socket): void {
    this.accepted++;
    // Errors end in "close", which is what counts.
    near.on("error", () => {});
    if (this.forth.refuse || this.back.refuse) {
      near.resetAndDestroy();
      return;
    }
    const { targetPort, random, rewrite } = this.#options;
    const { forth, back } = this;
    const ended = (): void => void this.#relays.delete(relay);
    const patienceMs = PATIENCE_MS[this.kind];
    const relay = new Relay({ near, forth, back, targetPort, random, rewrite, patienceMs, ended });
    this.#relays.add(relay);
    relay.start();
  }
}

interface RelayOptions {
  readonly near: Socket;
  readonly forth: Wire;
  readonly back: Wire;
  readonly targetPort: number;
  readonly random: Random;
  readonly rewrite?: ((first: Buffer) => Buffer) | undefined;
  readonly patienceMs: number;
  readonly ended: () => void;
}

/** One connection and its continuation. */
class Relay {
  readonly #options: RelayOptions;
  readonly #forth: Pipe;
  #back: Pipe | null = null;
  #far: Socket | null = null;
  readonly #halfOpen: boolean;
  readonly #giveUpAtMs: number;
  #retry: NodeJS.Timeout | null = null;
  #finished = 0;
  #over = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { near, forth, back } = options;
    this.#halfOpen = forth.halfOpen || back.halfOpen;
    this.#giveUpAtMs = performance.now() + options.patienceMs;
    this.#forth = this.#pipe(near, forth, options.rewrite);
    // Whoever gives up before it got through leaves nothing behind.
    const gaveUp = (): void => {
      if (this.#far !== null) return;
      this.#end();
      near.destroy();
    };
    near.once("end", gaveUp).once("close", gaveUp);
  }

  start(): void {
    const { forth, back } = this.#options;
    forth.watch(this.#proceed);
    back.watch(this.#proceed);
    this.#proceed();
  }

  reset(): void {
    if (this.#over) return;
    this.#end();
    this.#options.near.resetAndDestroy();
    this.#far?.resetAndDestroy();
  }

  /** Connects onwards as soon as nothing is in the way. */
  readonly #proceed = (): void => {
    const { near, forth, back, targetPort } = this.#options;
    if (this.#over || this.#far !== null) return;
    if (this.#halfOpen) {
      if (!forth.halfOpen && !back.halfOpen) this.reset();
      return;
    }
    // A handshake needs both directions.
    if (forth.hold || back.hold) return;
    const far = connect({ host: HOST, port: targetPort, noDelay: true, allowHalfOpen: true });
    this.#far = far;
    far.on("error", () => {});
    const refused = (): void => this.#refused();
    far.once("close", refused);
    far.once("connect", () => {
      far.off("close", refused);
      this.#back = this.#pipe(far, back);
      this.#forth.connect(far);
      this.#back.connect(near);
    });
  };

  #refused(): void {
    if (this.#over) return;
    this.#far = null;
    if (performance.now() < this.#giveUpAtMs) this.#retry = setTimeout(this.#proceed, RETRY_MS);
    else this.reset();
  }

  #pipe(source: Socket, wire: Wire, rewrite?: (first: Buffer) => Buffer): Pipe {
    const { random } = this.#options;
    const finished = (): void => this.#pipeFinished();
    return new Pipe({ source, wire, random, rewrite, cut: () => this.reset(), finished });
  }

  #pipeFinished(): void {
    this.#finished++;
    if (this.#finished === 2) this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    const { forth, back, ended } = this.#options;
    forth.unwatch(this.#proceed);
    back.unwatch(this.#proceed);
    this.#forth.close();
    this.#back?.close();
    if (this.#retry !== null) clearTimeout(this.#retry);
    ended();
  }
}
