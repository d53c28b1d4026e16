/**
 * One production server whose surroundings do only what a test says: each disk operation is answered when told, each socket
 * opens, speaks and breaks when told, no time passes by itself. Everything that it does is written down.
 */
import { createHash } from "node:crypto";
import type { EventObject } from "xstate";
import type { Zxid } from "../../../spec/vocabulary.ts";
import { JuteWriter } from "../../../src/protocol/jute-writer.ts";
import {
  PacketType,
  type QuorumPacket,
  QuorumPacketDecoder,
  writeQuorumPacket,
} from "../../../src/protocol/quorum-packet.ts";
import { parseConfig, withMyId } from "../../../src/server/config.ts";
import type { Effect, Effects, Input } from "../../../src/server/io.ts";
import { Server } from "../../../src/server/server.ts";
import type { DiskEffect, DiskInput } from "../../../src/storage/disk-io.ts";
import type { FakeDisk } from "../../simulator/fake-disk.ts";

export type Line = readonly [number, string, ...unknown[]];

export interface ChartLine {
  readonly chart: string;
  readonly event: EventObject;
  readonly to: string;
}

export class LoneServer {
  readonly server: Server;
  readonly disk: FakeDisk;
  nowMs = 1000;
  /** Disk operations that wait for their answer, oldest first. */
  readonly underWay: DiskEffect[] = [];
  /** How many were answered. */
  answered = 0;
  readonly timers = new Map<string, number>();
  readonly effects: Effect[] = [];
  readonly lines: Line[] = [];
  /** Sockets that the server has asked for: socket → "host:port". */
  readonly dialled = new Map<number, string>();
  #answer: DiskInput | null = null;
  #nextAccepted = 1;

  constructor(id: number, config: readonly string[], disk: FakeDisk) {
    this.disk = disk;
    disk.attach((input) => {
      this.#answer = input;
    });
    this.server = new Server({
      config: withMyId(parseConfig(config.join("\n"), "zoo.cfg"), String(id)).config,
      host: {
        environment: () => [],
        dataDirSize: () => 0,
        logDirSize: () => 0,
        openFileDescriptors: () => -1,
        maxFileDescriptors: () => -1,
      },
      fourLetterWords: () => () => null,
      traced: (line) => void this.lines.push(JSON.parse(line) as Line),
      environment: {
        monotonicMs: () => this.nowMs,
        wallMs: () => 1_767_225_600_000 + this.nowMs,
        random: () => 0.5,
        sha1: (bytes) => createHash("sha1").update(bytes).digest(),
      },
    });
  }

  /** One input and the end of its turn. */
  input(input: Input): void {
    const effects: Effects = [];
    this.server.step(input, effects);
    this.server.step({ type: "TURN_ENDED" }, effects);
    for (const effect of effects) this.#perform(effect);
  }

  /** Answers the oldest operation that `which` chooses. @returns false when there is none */
  answer(which: (effect: DiskEffect) => boolean = () => true): boolean {
    const at = this.underWay.findIndex(which);
    const effect = this.underWay[at];
    if (effect === undefined) return false;
    this.underWay.splice(at, 1);
    this.disk.perform(effect);
    this.disk.step();
    this.answered++;
    const answer = this.#answer;
    this.#answer = null;
    if (answer !== null) this.input(answer);
    return true;
  }

  /** The oldest operation fails. @returns false when there is none */
  failDisk(code: string): boolean {
    const effect = this.underWay.shift();
    if (effect === undefined) return false;
    this.input({ type: "DISK_FAILED", id: effect.id, code, message: "injected" });
    return true;
  }

  accept(port: "client" | "election" | "quorum"): number {
    const socket = this.#nextAccepted;
    this.#nextAccepted += 2;
    this.input({ type: "SOCKET_ACCEPTED", socket, port, remote: { host: "127.0.0.1", port: 40_000 + socket } });
    return socket;
  }

  data(socket: number, ...chunks: readonly Buffer[]): void {
    for (const chunk of chunks) this.input({ type: "SOCKET_DATA", socket, chunk });
  }

  /** @returns whether the timer was set. */
  fire(id: string): boolean {
    if (!this.timers.delete(id)) return false;
    this.input({ type: "TIMER", id });
    return true;
  }

  takeEffects(): Effect[] {
    return this.effects.splice(0);
  }

  takeLines(): Line[] {
    return this.lines.splice(0);
  }

  #perform(effect: Effect): void {
    this.effects.push(effect);
    switch (effect.type) {
      case "timer.set":
        this.timers.set(effect.id, effect.delayMs);
        return;
      case "timer.clear":
        this.timers.delete(effect.id);
        return;
      case "socket.connect":
        this.dialled.set(effect.socket, `${effect.host}:${effect.port}`);
        return;
      case "disk.list":
      case "disk.read":
      case "disk.write":
      case "disk.rename":
      case "disk.remove":
      case "disk.truncate":
        this.underWay.push(effect);
        return;
      default:
    }
  }
}

export function stepsIn(lines: readonly Line[]): ChartLine[] {
  return lines
    .filter(([, kind]) => kind === "step")
    .map((line) => ({ chart: line[2] as string, event: line[4] as EventObject, to: line[5] as string }));
}

export function packet(type: number, zxid: number, data: Buffer | null = null): Buffer {
  const writer = new JuteWriter(64);
  writeQuorumPacket(writer, type, zxid as Zxid, data, null);
  return writer.take();
}

/** The packets in what was written to one socket. */
export class PacketReader {
  readonly #decoder = new QuorumPacketDecoder();

  read(bytes: Buffer): QuorumPacket[] {
    this.#decoder.push(Buffer.from(bytes));
    const packets: QuorumPacket[] = [];
    for (let next = this.#decoder.next(); next !== null; next = this.#decoder.next()) {
      packets.push(next);
      // A raw tree follows.
      if (next.type === PacketType.SNAP) break;
    }
    return packets;
  }
}
