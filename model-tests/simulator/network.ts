/**
 * A network of byte streams between named hosts: FIFO and lossless inside a connection, which may be cut anywhere; what was
 * under way when it breaks is lost from an arbitrary point on. Delays and the cuts of chunks come from the seed.
 */
import type { VirtualClock } from "./clock.ts";

export interface StreamEnd {
  /** Whose it is: faults are between hosts. */
  readonly host: string;
  connected(): void;
  data(chunk: Buffer): void;
  closed(error?: string): void;
}

interface Connection {
  readonly ends: [StreamEnd, StreamEnd | null];
  /** Time before which nothing may arrive at each end: keeps the stream in order. */
  readonly arrivesAfterMs: [number, number];
  open: boolean;
  readonly paused: [boolean, boolean];
  readonly held: [Buffer[], Buffer[]];
  /** On its way to each end, in order. */
  readonly wire: [Buffer[], Buffer[]];
}

export interface NetworkOptions {
  readonly clock: VirtualClock;
  readonly random: () => number;
  /** One-way delay, ms. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** Chunks come in shreds, and a stream that breaks does so inside of one. Otherwise what was under way is lost as a whole. */
  readonly torn?: boolean;
}

export class SimNetwork {
  readonly #options: NetworkOptions;
  readonly #listeners = new Map<
    string,
    { readonly host: string; readonly accept: (peer: string, stream: SimStream) => StreamEnd }
  >();
  readonly #connections = new Set<Connection>();
  /** Directed pairs that nothing passes between. */
  readonly #cut = new Set<string>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** `address`: `host:port`. */
  listen(address: string, host: string, accept: (peer: string, stream: SimStream) => StreamEnd): boolean {
    if (this.#listeners.has(address)) return false;
    this.#listeners.set(address, { host, accept });
    return true;
  }

  unlisten(address: string): void {
    this.#listeners.delete(address);
  }

  connect(address: string, end: StreamEnd): SimStream {
    const connection: Connection = {
      ends: [end, null],
      arrivesAfterMs: [0, 0],
      open: true,
      paused: [false, false],
      held: [[], []],
      wire: [[], []],
    };
    this.#connections.add(connection);
    const { clock } = this.#options;
    clock.after(this.#delay(), () => {
      if (!connection.open) return;
      const listener = this.#listeners.get(address);
      // A cut link swallows the handshake: the caller's own timeout ends the attempt.
      if (listener !== undefined && this.#isCut(end.host, listener.host)) return;
      if (listener === undefined) {
        this.#break(connection, "connection refused");
        return;
      }
      connection.ends[1] = listener.accept(end.host, new SimStream(this, connection, 1));
      clock.after(this.#delay(), () => {
        if (connection.open) end.connected();
      });
    });
    return new SimStream(this, connection, 0);
  }

  /** Nothing passes from `a` to `b` until `heal`. Streams stay open: TCP would notice only after minutes. */
  cut(a: string, b: string): void {
    this.#cut.add(`${a}>${b}`);
  }

  heal(): void {
    this.#cut.clear();
    for (const connection of [...this.#connections]) {
      // What was sent into the cut is lost, so the streams that lived through it are broken.
      if (connection.held[0].length > 0 || connection.held[1].length > 0) this.#break(connection, "connection reset");
    }
  }

  /** The host is gone: its listeners stop, its streams break. */
  crash(host: string): void {
    for (const [address, listener] of this.#listeners) if (listener.host === host) this.#listeners.delete(address);
    for (const connection of [...this.#connections]) {
      const [a, b] = connection.ends;
      if (a.host === host || b?.host === host) this.#break(connection, "connection reset", host);
    }
  }

  /** Breaks every stream between two hosts. */
  reset(a: string, b: string): void {
    for (const connection of [...this.#connections]) {
      const hosts = connection.ends.map((end) => end?.host);
      if (hosts.includes(a) && hosts.includes(b)) this.#break(connection, "connection reset");
    }
  }

  send(connection: Connection, from: 0 | 1, bytes: Buffer): void {
    const to = from === 0 ? 1 : 0;
    const { clock, random } = this.#options;
    for (const part of cutAnywhere(bytes, random, this.#options.torn === true)) {
      const copy = Buffer.from(part);
      const at = Math.max(connection.arrivesAfterMs[to], clock.nowMs + this.#delay());
      connection.arrivesAfterMs[to] = at;
      connection.wire[to].push(copy);
      clock.after(at - clock.nowMs, () => this.#arrive(connection, to));
    }
  }

  /** Graceful: what was sent arrives first. */
  end(connection: Connection, from: 0 | 1): void {
    const to = from === 0 ? 1 : 0;
    const { clock } = this.#options;
    const at = Math.max(connection.arrivesAfterMs[to], clock.nowMs + this.#delay());
    clock.after(at - clock.nowMs, () => this.#break(connection));
  }

  destroy(connection: Connection, from: 0 | 1): void {
    if (!connection.open) return;
    connection.open = false;
    this.#connections.delete(connection);
    const own = connection.ends[from];
    const other = connection.ends[from === 0 ? 1 : 0];
    const { clock } = this.#options;
    clock.after(0, () => own?.closed());
    if (other !== null && own !== null && !this.#isCut(own.host, other.host)) {
      this.#tear(connection, from === 0 ? 1 : 0);
      clock.after(this.#delay(), () => other.closed("connection reset"));
    } else if (other !== null) {
      // The other side learns of it when the network lets it: modelled as a late reset.
      clock.after(LATE_RESET_MS, () => other.closed("connection reset"));
    }
  }

  pause(connection: Connection, side: 0 | 1, paused: boolean): void {
    connection.paused[side] = paused;
    if (paused) return;
    this.#options.clock.after(0, () => this.#release(connection, side));
  }

  #arrive(connection: Connection, to: 0 | 1): void {
    if (!connection.open) return;
    const chunk = connection.wire[to].shift() as Buffer;
    const end = connection.ends[to];
    const from = connection.ends[to === 0 ? 1 : 0];
    if (end === null || from === null) return;
    if (connection.held[to].length > 0 || connection.paused[to] || this.#isCut(from.host, end.host)) {
      connection.held[to].push(chunk);
    } else end.data(chunk);
  }

  #release(connection: Connection, side: 0 | 1): void {
    const end = connection.ends[side];
    const held = connection.held[side];
    while (connection.open && end !== null && held.length > 0 && !connection.paused[side])
      end.data(held.shift() as Buffer);
  }

  #break(connection: Connection, error?: string, without?: string): void {
    if (!connection.open) return;
    connection.open = false;
    this.#connections.delete(connection);
    for (const [side, end] of connection.ends.entries()) {
      if (end === null || end.host === without) continue;
      this.#tear(connection, side as 0 | 1);
      this.#options.clock.after(this.#delay(), () => end.closed(error));
    }
  }

  /** The stream breaks: of what was on its way to this end some first bytes still come, torn at any of them. */
  #tear(connection: Connection, to: 0 | 1): void {
    const end = connection.ends[to];
    const from = connection.ends[to === 0 ? 1 : 0];
    const bytes = Buffer.concat(connection.wire[to].splice(0));
    if (this.#options.torn !== true || bytes.length === 0 || end === null || from === null) return;
    if (connection.held[to].length > 0 || connection.paused[to] || this.#isCut(from.host, end.host)) return;
    const { clock, random } = this.#options;
    const left = bytes.subarray(0, Math.floor(random() * (bytes.length + 1)));
    if (left.length > 0) clock.after(0, () => end.data(left));
  }

  #isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from}>${to}`);
  }

  #delay(): number {
    const { random, minDelayMs, maxDelayMs } = this.#options;
    return minDelayMs + random() * (maxDelayMs - minDelayMs);
  }
}

const LATE_RESET_MS = 5000;
const CUT = 0.2;
const SHREDDED = 0.05;
const SHREDS = 6;

/** The stream may be cut into chunks anywhere: mostly nowhere, often once, sometimes into shreds of a packet. */
function cutAnywhere(bytes: Buffer, random: () => number, torn: boolean): Buffer[] {
  const luck = bytes.length > 1 ? random() : 1;
  if (luck >= CUT) return [bytes];
  const parts: Buffer[] = [];
  let rest = bytes;
  for (let cuts = torn && luck < SHREDDED ? SHREDS : 1; cuts > 0 && rest.length > 1; cuts--) {
    const at = 1 + Math.floor(random() * (rest.length - 1));
    parts.push(rest.subarray(0, at));
    rest = rest.subarray(at);
  }
  return [...parts, rest];
}

/** One side of a connection. */
export class SimStream {
  readonly #network: SimNetwork;
  readonly #connection: Connection;
  readonly #side: 0 | 1;

  constructor(network: SimNetwork, connection: Connection, side: 0 | 1) {
    this.#network = network;
    this.#connection = connection;
    this.#side = side;
  }

  write(bytes: Buffer): void {
    if (this.#connection.open) this.#network.send(this.#connection, this.#side, bytes);
  }

  end(): void {
    this.#network.end(this.#connection, this.#side);
  }

  destroy(): void {
    this.#network.destroy(this.#connection, this.#side);
  }

  pause(paused: boolean): void {
    this.#network.pause(this.#connection, this.#side, paused);
  }
}
