/**
 * Real Server objects without an operating system: bytes move by function calls, the disk answers at once, timers fire when
 * nothing else is left to do. What remains is the cost of the server's own code.
 */
import { createHash } from "node:crypto";
import type { Environment } from "../../src/runtime/environment.ts";
import { parseConfig, withMyId } from "../../src/server/config.ts";
import type { Effect, Effects, Input, ListenPort } from "../../src/server/io.ts";
import { Server } from "../../src/server/server.ts";
import type { DiskEffect, DiskInput } from "../../src/storage/disk-io.ts";

const NO_BYTES = Buffer.alloc(0);
const CLIENT_PORT = 1000;
const QUORUM_PORT = 2000;
const ELECTION_PORT = 3000;

/** Where the bytes of a socket go: to a client, or to a socket of another member. */
interface Peer {
  readonly member: Member | null;
  readonly socket: number;
  readonly received: ((bytes: Buffer) => void) | null;
}

class Member {
  readonly server: Server;
  readonly peers = new Map<number, Peer>();
  readonly ports = new Map<number, ListenPort>();
  readonly timers = new Map<string, number>();
  inputs: Input[] = [];
  effects: Effects = [];
  nextSocket = 1;

  constructor(server: Server) {
    this.server = server;
  }
}

export class MiniWorld {
  readonly #members: Member[];
  /** Virtual time that passed while everyone waited, ms. */
  #skippedMs = 0;

  constructor(servers: number) {
    const ids = Array.from({ length: servers }, (_, i) => i + 1);
    const lines = servers === 1 ? [] : ids.map((id) => `server.${id}=m:${QUORUM_PORT + id}:${ELECTION_PORT + id}`);
    const environment: Environment = {
      monotonicMs: () => performance.now() + this.#skippedMs,
      wallMs: () => Date.now(),
      random: () => Math.random(),
      sha1: (bytes) => createHash("sha1").update(bytes).digest(),
    };
    this.#members = ids.map((id) => {
      const own = ["tickTime=2000", "initLimit=10", "syncLimit=5", "dataDir=/none", `clientPort=${CLIENT_PORT + id}`];
      const text = [...own, "maxClientCnxns=0", ...lines].join("\n");
      const { config } = withMyId(parseConfig(text, "zoo.cfg"), servers === 1 ? null : String(id));
      const host = {
        environment: () => [],
        dataDirSize: () => 0,
        logDirSize: () => 0,
        openFileDescriptors: () => 0,
        maxFileDescriptors: () => 0,
      };
      return new Member(new Server({ config, environment, host, fourLetterWords: () => () => null }));
    });
    for (const member of this.#members) member.inputs.push({ type: "STARTED" });
  }

  /** Lets time pass until every member serves. */
  start(): void {
    for (let i = 0; i < 10_000; i++) {
      this.run();
      if (this.#members.every(({ server }) => server.view.mode() !== null)) return;
      this.#skip();
    }
    throw new Error("The ensemble does not come to serve");
  }

  /** Index of the member that leads, or stands alone. */
  get leader(): number {
    return this.#members.findIndex(({ server }) => ["leader", "standalone"].includes(server.view.mode() ?? ""));
  }

  connect(index: number, received: (bytes: Buffer) => void): (chunk: Buffer) => void {
    const member = this.#members[index] as Member;
    const socket = this.#accept(member, "client", { member: null, socket: 0, received });
    return (chunk) => void member.inputs.push({ type: "SOCKET_DATA", socket, chunk });
  }

  /** Turns until nobody has anything to do. */
  run(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const member of this.#members) {
        if (member.inputs.length === 0) continue;
        busy = true;
        this.#turn(member);
      }
    }
  }

  #turn(member: Member): void {
    const { inputs, effects } = member;
    member.inputs = [];
    for (const input of inputs) member.server.step(input, effects);
    member.server.step({ type: "TURN_ENDED" }, effects);
    member.effects = [];
    for (const effect of effects) this.#perform(member, effect);
  }

  #perform(member: Member, effect: Effect): void {
    switch (effect.type) {
      case "socket.write": {
        const peer = member.peers.get(effect.socket);
        if (peer?.received) peer.received(effect.bytes);
        // As a kernel would: the other side gets memory of its own.
        else if (peer?.member) {
          peer.member.inputs.push({ type: "SOCKET_DATA", socket: peer.socket, chunk: Buffer.from(effect.bytes) });
        }
        effect.slab?.release();
        return;
      }
      case "socket.drain":
        member.inputs.push({ type: "SOCKET_DRAINED", socket: effect.socket });
        return;
      case "socket.connect":
        return this.#connect(member, effect.socket, effect.port);
      case "socket.close":
      case "socket.destroy":
        return this.#close(member, effect.socket);
      case "socket.pause":
      case "socket.resume":
      case "report":
        return;
      case "listen":
        member.ports.set(effect.number, effect.port);
        member.inputs.push({ type: "LISTENING", port: effect.port });
        return;
      case "unlisten":
        for (const [number, port] of member.ports) if (port === effect.port) member.ports.delete(number);
        return;
      case "timer.set":
        member.timers.set(effect.id, performance.now() + this.#skippedMs + effect.delayMs);
        return;
      case "timer.clear":
        member.timers.delete(effect.id);
        return;
      case "process.exit":
        throw new Error(effect.reason);
      default:
        member.inputs.push(answered(effect));
    }
  }

  #connect(from: Member, socket: number, port: number): void {
    const to = this.#members.find(({ ports }) => ports.has(port));
    if (to === undefined) {
      from.inputs.push({ type: "SOCKET_CLOSED", socket, error: "refused" });
      return;
    }
    const accepted = this.#accept(to, to.ports.get(port) as ListenPort, { member: from, socket, received: null });
    from.peers.set(socket, { member: to, socket: accepted, received: null });
    from.inputs.push({ type: "SOCKET_CONNECTED", socket });
  }

  #accept(member: Member, port: ListenPort, peer: Peer): number {
    const socket = member.nextSocket;
    member.nextSocket += 2;
    member.peers.set(socket, peer);
    member.inputs.push({ type: "SOCKET_ACCEPTED", socket, port, remote: { host: "127.0.0.1", port: socket } });
    return socket;
  }

  #close(member: Member, socket: number): void {
    const peer = member.peers.get(socket);
    member.peers.delete(socket);
    member.inputs.push({ type: "SOCKET_CLOSED", socket });
    if (peer?.member?.peers.delete(peer.socket))
      peer.member.inputs.push({ type: "SOCKET_CLOSED", socket: peer.socket });
  }

  /** To the next timer. */
  #skip(): void {
    const due = this.#members.flatMap(({ timers }) => [...timers.values()]);
    const now = performance.now() + this.#skippedMs;
    const next = Math.min(...due);
    this.#skippedMs += Math.max(0, next - now);
    for (const member of this.#members) {
      for (const [id, at] of member.timers) {
        if (at > Math.max(now, next)) continue;
        member.timers.delete(id);
        member.inputs.push({ type: "TIMER", id });
      }
    }
  }
}

function answered(effect: DiskEffect): DiskInput {
  if (effect.type === "disk.list") return { type: "DISK_DONE", id: effect.id, files: [] };
  if (effect.type === "disk.read") return { type: "DISK_DONE", id: effect.id, bytes: NO_BYTES };
  return { type: "DISK_DONE", id: effect.id };
}
