/** One server of the simulated world: the production `Server` object between a simulated network, disk and clock. */
import { createHash } from "node:crypto";
import type { Slab } from "../../src/protocol/slab.ts";
import type { Report } from "../../src/runtime/environment.ts";
import type { ServerConfig } from "../../src/server/config.ts";
import type { Effect, Effects, Input } from "../../src/server/io.ts";
import { Server } from "../../src/server/server.ts";
import type { HostFacts } from "../../src/server/view.ts";
import type { Happening, VirtualClock } from "./clock.ts";
import type { FakeDisk } from "./fake-disk.ts";
import type { SimNetwork, SimStream, StreamEnd } from "./network.ts";
import { LateWrites, PoisonedEntryMemory, SPOILT } from "./poisoned-memory.ts";

export interface SimServerOptions {
  readonly config: ServerConfig;
  readonly clock: VirtualClock;
  readonly network: SimNetwork;
  readonly disk: FakeDisk;
  readonly random: () => number;
  /** The kernel takes some writes only after a while, so that their memory is read late. */
  readonly lateWrites?: boolean;
  /** How long one effect takes on this server's disk, ms. */
  diskDelayMs(): number;
  report(server: SimServer, report: Report): void;
  /** Everything a server was given and asked for, for transcripts and determinism checks. */
  observed?(server: SimServer, input: Input, effects: readonly Effect[]): void;
  /** Takes the lines of its trace. */
  traced?(server: number, line: string): void;
}

const NO_FACTS: HostFacts = {
  environment: () => [],
  dataDirSize: () => 0,
  logDirSize: () => 0,
  openFileDescriptors: () => -1,
  maxFileDescriptors: () => -1,
};

/** 2026-01-01, so that times in the tree look like times. */
const WALL_CLOCK_START_MS = 1_767_225_600_000;
const LATE_SHARE = 0.2;
const LATE_MS = 5;

export class SimServer {
  readonly name: string;
  readonly disk: FakeDisk;
  readonly #options: SimServerOptions;
  #server: Server | null = null;
  /** Counts lives: what was scheduled in an earlier one does not happen. */
  #life = 0;
  #effects: Effects = [];
  #turnEndDue = false;
  #paused = false;
  #missed: Input[] = [];
  /** Who is at the other end of each socket of this life: `s2`, `c1`. */
  readonly peers = new Map<number, string>();
  readonly #streams = new Map<number, SimStream>();
  readonly #writes = new Map<number, LateWrites>();
  readonly #listening = new Map<string, string>();
  readonly #timers = new Map<string, Happening>();
  #nextAccepted = 1;
  #diskBusy = false;
  /** Why the server ended by itself, if it did. */
  exit: { readonly code: number; readonly reason: string } | null = null;
  readonly reports: Report[] = [];

  constructor(options: SimServerOptions) {
    this.#options = options;
    this.disk = options.disk;
    this.name = `s${options.config.serverId}`;
  }

  get id(): number {
    return this.#options.config.serverId;
  }

  get running(): boolean {
    return this.#server !== null;
  }

  /** The production object; null while the process is down. */
  get server(): Server | null {
    return this.#server;
  }

  start(): void {
    const { config, clock, random, traced } = this.#options;
    this.#life++;
    this.exit = null;
    this.#server = new Server({
      config,
      host: NO_FACTS,
      fourLetterWords: () => () => null,
      ...(traced === undefined ? {} : { traced: (line) => traced(config.serverId, line) }),
      environment: {
        monotonicMs: () => clock.nowMs,
        wallMs: () => WALL_CLOCK_START_MS + Math.floor(clock.nowMs),
        random,
        sha1: (bytes) => createHash("sha1").update(bytes).digest(),
      },
    });
    Object.assign(this.#server.replica.committedLog, { memory: new PoisonedEntryMemory() });
    const life = this.#life;
    this.disk.attach((input) => {
      if (life === this.#life) this.input(input);
    });
    this.input({ type: "STARTED" });
  }

  /** kill -9; `power`: the machine dies too, and what was not synced is lost from some point on. */
  crash(power: boolean): void {
    if (this.#server === null) return;
    this.#server = null;
    this.#life++;
    this.#effects = [];
    this.#turnEndDue = false;
    this.#diskBusy = false;
    this.#paused = false;
    this.#missed = [];
    for (const timer of this.#timers.values()) timer.cancelled = true;
    this.#timers.clear();
    this.#streams.clear();
    this.#writes.clear();
    this.#listening.clear();
    this.peers.clear();
    if (power) this.disk.crash();
    else this.disk.kill();
    this.#options.network.crash(this.name);
  }

  /** SIGSTOP and SIGCONT: nothing happens in between; what came in meanwhile comes in afterwards. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const missed = this.#missed.splice(0);
    for (const input of missed) this.input(input);
  }

  input(input: Input): void {
    const server = this.#server;
    if (server === null) return;
    if (this.#paused) {
      this.#missed.push(input);
      return;
    }
    const before = this.#effects.length;
    this.#step(server, input);
    this.#options.observed?.(this, input, this.#effects.slice(before));
    if (this.#turnEndDue) return;
    this.#turnEndDue = true;
    const life = this.#life;
    this.#options.clock.after(0, () => {
      if (life === this.#life) this.#endTurn();
    });
  }

  /** Chunks are lent for one step: what the server keeps of them without copying is spoilt. */
  #step(server: Server, input: Input): void {
    if (input.type !== "SOCKET_DATA") return server.step(input, this.#effects);
    const lent = Buffer.from(input.chunk);
    server.step({ ...input, chunk: lent }, this.#effects);
    lent.fill(SPOILT);
  }

  #endTurn(): void {
    const server = this.#server;
    this.#turnEndDue = false;
    if (server === null) return;
    const before = this.#effects.length;
    server.step({ type: "TURN_ENDED" }, this.#effects);
    this.#options.observed?.(this, { type: "TURN_ENDED" }, this.#effects.slice(before));
    const effects = this.#effects;
    this.#effects = [];
    for (const effect of effects) if (this.#server === server) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    const { clock, network } = this.#options;
    switch (effect.type) {
      case "socket.connect": {
        const { socket, host, port, timeoutMs } = effect;
        this.peers.set(socket, host);
        let answered = false;
        const end = this.#end(socket, () => {
          answered = true;
        });
        const stream = network.connect(`${host}:${port}`, end);
        this.#streams.set(socket, stream);
        clock.after(timeoutMs, () => {
          if (!answered && this.#streams.get(socket) === stream) stream.destroy();
        });
        return;
      }
      case "socket.write":
        return this.#write(effect.socket, effect.bytes, effect.slab ?? null);
      case "socket.drain": {
        const life = this.#life;
        clock.after(1, () => {
          if (life === this.#life && this.#streams.has(effect.socket)) {
            this.#writes.get(effect.socket)?.flush();
            this.input({ type: "SOCKET_DRAINED", socket: effect.socket });
          }
        });
        return;
      }
      case "socket.close":
        this.#writes.get(effect.socket)?.flush();
        return this.#streams.get(effect.socket)?.end();
      case "socket.destroy":
        return this.#streams.get(effect.socket)?.destroy();
      case "socket.pause":
        return this.#streams.get(effect.socket)?.pause(true);
      case "socket.resume":
        return this.#streams.get(effect.socket)?.pause(false);
      case "listen":
        return this.#listen(effect);
      case "unlisten": {
        const address = this.#listening.get(effect.port);
        if (address !== undefined) network.unlisten(address);
        this.#listening.delete(effect.port);
        return;
      }
      case "timer.set":
        return this.#setTimer(effect.id, effect.delayMs);
      case "timer.clear": {
        const timer = this.#timers.get(effect.id);
        if (timer !== undefined) timer.cancelled = true;
        this.#timers.delete(effect.id);
        return;
      }
      case "report":
        this.reports.push(effect.report);
        return this.#options.report(this, effect.report);
      case "process.exit":
        this.crash(false);
        this.exit = { code: effect.code, reason: effect.reason };
        return;
      default:
        this.disk.perform(effect);
        this.#driveDisk();
    }
  }

  #write(socket: number, bytes: Buffer, slab: Slab | null): void {
    const stream = this.#streams.get(socket);
    if (stream === undefined) return;
    let writes = this.#writes.get(socket);
    if (writes === undefined) {
      writes = new LateWrites((taken) => stream.write(taken));
      this.#writes.set(socket, writes);
    }
    const { clock, random, lateWrites = false } = this.#options;
    const pending = writes;
    if (writes.write(bytes, slab, lateWrites && random() < LATE_SHARE))
      clock.after(random() * LATE_MS, () => pending.flush());
  }

  #driveDisk(): void {
    if (this.#diskBusy) return;
    this.#diskBusy = true;
    const life = this.#life;
    this.#options.clock.after(this.#options.diskDelayMs(), () => {
      // A later life drives its disk itself.
      if (life !== this.#life) return;
      this.#diskBusy = false;
      if (this.disk.step()) this.#driveDisk();
    });
  }

  #setTimer(id: string, delayMs: number): void {
    const earlier = this.#timers.get(id);
    if (earlier !== undefined) earlier.cancelled = true;
    const life = this.#life;
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(id);
      if (life !== this.#life || this.#effects.some((effect) => "id" in effect && effect.id === id)) return;
      this.input({ type: "TIMER", id });
    });
    this.#timers.set(id, timer);
  }

  #listen({ port, number }: Extract<Effect, { type: "listen" }>): void {
    const { network } = this.#options;
    const address = `${this.name}:${number}`;
    const life = this.#life;
    const listening = network.listen(address, this.name, (peer, stream) => {
      const socket = this.#nextAccepted;
      this.#nextAccepted += 2;
      this.#streams.set(socket, stream);
      this.peers.set(socket, peer);
      if (life === this.#life) {
        this.input({ type: "SOCKET_ACCEPTED", socket, port, remote: { host: "127.0.0.1", port: socket } });
      }
      return this.#end(socket, () => {});
    });
    this.#listening.set(port, address);
    if (listening) this.input({ type: "LISTENING", port });
    else this.input({ type: "LISTEN_FAILED", port, error: "the port is in use" });
  }

  #end(socket: number, connected: () => void): StreamEnd {
    const life = this.#life;
    const alive = (): boolean => life === this.#life;
    return {
      host: this.name,
      connected: () => {
        connected();
        if (alive()) this.input({ type: "SOCKET_CONNECTED", socket });
      },
      data: (chunk) => {
        if (alive() && this.#streams.has(socket)) this.input({ type: "SOCKET_DATA", socket, chunk });
      },
      closed: (error) => {
        if (!alive() || !this.#streams.delete(socket)) return;
        this.#writes.delete(socket);
        this.input(error === undefined ? { type: "SOCKET_CLOSED", socket } : { type: "SOCKET_CLOSED", socket, error });
      },
    };
  }
}
