/** The election chart inside a real ElectionRole: votes come and go as bytes on election channels. */
import type { AnyMachineSnapshot, EventObject } from "xstate";
import type { ElectionContext, ElectionEvent } from "../../../spec/election/election.machine.ts";
import type { QuorumConfig } from "../../../spec/quorum.ts";
import { type Epoch, NO_ZXID, type PeerState, type ServerId, type Vote, type Zxid } from "../../../spec/vocabulary.ts";
import { JuteWriter } from "../../../src/protocol/jute-writer.ts";
import {
  ElectionDecoder,
  NOTIFICATION_VERSION,
  writeInitialMessage,
  writeNotification,
} from "../../../src/protocol/notification.ts";
import { Tracer } from "../../../src/runtime/tracer.ts";
import { parseConfig, withMyId } from "../../../src/server/config.ts";
import { ElectionRole } from "../../../src/server/election-role.ts";
import type { Effect } from "../../../src/server/io.ts";
import { listedIn } from "../pair-graph.ts";
import type { ChartEffect, ObservedStep, Reference, Rig } from "../replay.ts";

export interface ElectionVariant {
  readonly self: number;
  readonly voters: readonly number[];
  readonly observers: readonly number[];
  /** What LOOK says of the own history. */
  readonly zxid: number;
}

/** Rounds that this server begins, and one that others are in. */
const ROUNDS = 2;
const LATER_ROUND = 7;

export function electionAlphabet(variant: ElectionVariant): (snapshot: AnyMachineSnapshot) => readonly EventObject[] {
  const { self, voters, observers } = variant;
  const others = voters.filter((id) => id !== self);
  return (snapshot) => {
    const { round, proposal } = snapshot.context as ElectionContext;
    const vote = (leader: number, zxid: number, electionEpoch: number): Vote =>
      ({ leader, zxid, electionEpoch, peerEpoch: 1 }) as Vote;
    const told = (from: number, state: PeerState, cast: Vote) =>
      ({ type: "NOTIFICATION", from, vote: cast, state }) as unknown as EventObject;
    const observer = observers.find((id) => id !== self);
    return listedIn(snapshot).flatMap((type): EventObject[] => {
      switch (type) {
        case "LOOK":
          return round >= ROUNDS ? [] : [{ type, zxid: variant.zxid, currentEpoch: 1 } as EventObject];
        case "CHANNEL_UP":
        case "CHANNEL_DOWN":
          return others.map((peer) => ({ type, peer }) as EventObject);
        case "EPOCH_ESTABLISHED":
          return [{ type, epoch: 2 } as EventObject];
        case "NOTIFICATION":
          return [
            ...others.flatMap((from) => [
              told(from, "LOOKING", vote(from, 4, round)),
              told(from, "LOOKING", vote(from, 6, round)),
              told(from, "LOOKING", { ...proposal, electionEpoch: round }),
              ...(round > ROUNDS ? [] : [told(from, "LOOKING", vote(from, 4, round + 1))]),
              told(from, "LOOKING", vote(from, 9, round - 1)),
              told(from, "LOOKING", vote(from, NO_ZXID, round)),
              told(from, "LEADING", vote(from, 6, round)),
              told(from, "FOLLOWING", vote(others[0] as number, 6, round)),
              told(from, "LEADING", vote(from, 6, LATER_ROUND)),
              told(from, "FOLLOWING", vote(others[0] as number, 6, LATER_ROUND)),
            ]),
            ...(observer === undefined
              ? []
              : [told(observer, "LOOKING", vote(1, 4, round)), told(observer, "OBSERVING", vote(1, 4, round))]),
          ];
        default:
          return [{ type }];
      }
    });
  };
}

interface Channel {
  readonly socket: number;
  readonly decoder: ElectionDecoder;
}

export class ElectionRig implements Rig {
  readonly timers = "election";
  readonly #variant: ElectionVariant;
  readonly #role: ElectionRole;
  readonly #steps: ObservedStep[] = [];
  readonly #outputs: string[] = [];
  readonly #effects: Effect[] = [];
  readonly #armed = new Set<string>();
  /** Sockets that the role has asked for and that are not open yet, by peer. */
  readonly #dialled = new Map<number, number>();
  readonly #channels = new Map<number, Channel>();
  /** What each peer should have heard last. */
  readonly #latest = new Map<number, string>();
  /** Peers that are being called. */
  readonly #asked = new Set<number>();
  #nextOwn = 2;
  #nextAccepted = 1;

  constructor(variant: ElectionVariant) {
    this.#variant = variant;
    const { self, voters, observers } = variant;
    const quorum: QuorumConfig = { voters: voters as readonly ServerId[] };
    const lines = ["dataDir=/data", "clientPort=2181", "initLimit=5", "syncLimit=2", "standaloneEnabled=false"];
    for (const id of voters) lines.push(`server.${id}=s${id}:2888:3888`);
    for (const id of observers) lines.push(`server.${id}=s${id}:2888:3888:observer`);
    this.#role = new ElectionRole({
      config: withMyId(parseConfig(lines.join("\n"), "zoo.cfg"), String(self)).config,
      quorum,
      configText: "",
      report: () => {},
      environment: { monotonicMs: () => 0, wallMs: () => 0, random: () => 0.5, sha1: (bytes) => bytes },
      effects: () => this.#effects,
      newSocket: () => {
        this.#nextOwn += 2;
        return this.#nextOwn;
      },
      timer: (id, delayMs) => {
        if (delayMs === null) this.#armed.delete(id);
        else this.#armed.add(id);
        this.#outputs.push(`timer ${id} ${delayMs ?? "off"}`);
      },
      unexpected: (_chart, state, event) => this.#outputs.push(`unexpected ${event} in ${state}`),
      decided: (leader) => this.#outputs.push(`decided ${leader}`),
      tracer: new Tracer((line) => {
        const [, kind, to, state, leader, zxid, round, epoch] = JSON.parse(line) as [number, string, ...unknown[]];
        if (kind === "vote") this.#outputs.push(`vote:${to} ${state} ${leader} ${zxid} ${round} ${epoch}`);
      }),
      stepped: (_chart, _from, event, to) => {
        if (event.type !== "xstate.init") this.#steps.push({ event: { ...event } as EventObject, to });
      },
    });
    this.#role.start();
    this.#perform();
  }

  takeSteps(): ObservedStep[] {
    return this.#steps.splice(0);
  }

  takeOutputs(): string[] {
    return this.#outputs.splice(0);
  }

  mayFollow(): boolean {
    return false;
  }

  payloadIsOpen(): boolean {
    return false;
  }

  mood(): string {
    return [...this.#channels.keys()].sort().join(",");
  }

  cause(event: EventObject): string | null {
    const reason = this.#cause(event as ElectionEvent);
    this.#perform();
    return reason;
  }

  #cause(event: ElectionEvent): string | null {
    if ((event.type as string).startsWith("xstate.after")) {
      if (!this.#armed.delete(`election:${event.type}`)) return "that timer does not run";
      this.#role.chart.fire(`election:${event.type}`);
      return null;
    }
    switch (event.type) {
      case "LOOK":
        this.#role.look(event.zxid, event.currentEpoch);
        return null;
      case "EPOCH_ESTABLISHED":
        this.#role.established(event.epoch);
        return null;
      case "CHANNEL_UP":
        return this.#open(event.peer);
      case "CHANNEL_DOWN":
        return this.#close(event.peer);
      case "NOTIFICATION":
        return this.#notify(event.from, event.vote, event.state);
    }
  }

  #open(peer: number): string | null {
    if (peer > this.#variant.self) {
      const socket = this.#nextAccepted;
      this.#nextAccepted += 2;
      this.#role.channels.accepted(socket);
      const hello = new JuteWriter(64);
      writeInitialMessage(hello, { sid: peer as ServerId, addresses: [`s${peer}:3888`] });
      this.#channels.set(peer, { socket, decoder: new ElectionDecoder("initiator") });
      this.#role.channels.data(socket, hello.take());
      return null;
    }
    const socket = this.#dialled.get(peer);
    if (socket === undefined) return "nobody has called that server yet, or the channel stands";
    this.#dialled.delete(peer);
    this.#asked.delete(peer);
    this.#channels.set(peer, { socket, decoder: new ElectionDecoder("acceptor") });
    this.#role.channels.connected(socket);
    return null;
  }

  #close(peer: number): string | null {
    const socket = this.#channels.get(peer)?.socket ?? this.#dialled.get(peer);
    if (socket === undefined) return "there is no connection to that server";
    if (!this.#channels.delete(peer)) {
      this.#dialled.delete(peer);
      this.#asked.delete(peer);
    }
    this.#role.channels.closed(socket);
    return null;
  }

  #notify(from: number, vote: Vote, state: PeerState): string | null {
    const channel = this.#channels.get(from);
    if (channel === undefined) return "there is no channel from that server";
    const writer = new JuteWriter(256);
    writeNotification(writer, { state, vote, version: NOTIFICATION_VERSION, config: "" });
    this.#role.channels.data(channel.socket, writer.take());
    return null;
  }

  #perform(): void {
    for (const effect of this.#effects.splice(0)) {
      if (effect.type === "socket.connect") {
        const peer = Number(effect.host.slice(1));
        this.#dialled.set(peer, effect.socket);
        this.#outputs.push(`dial ${peer}`);
      } else if (effect.type === "socket.write") {
        for (const [peer, channel] of this.#channels) {
          if (channel.socket === effect.socket) this.#read(peer, channel, effect.bytes);
        }
      }
    }
  }

  #read(peer: number, { decoder }: Channel, bytes: Buffer): void {
    decoder.push(Buffer.from(bytes));
    for (let message = decoder.next(); message !== null; message = decoder.next()) {
      if (message.type !== "NOTIFICATION") continue;
      const { state, vote } = message.notification;
      this.#outputs.push(`wire:${peer} ${state} ${textOf(vote)}`);
    }
  }

  expectedOf(event: EventObject): readonly string[] {
    if (event.type !== "CHANNEL_UP") return [];
    const { peer } = event as unknown as { peer: number };
    const latest = this.#latest.get(peer);
    return latest === undefined ? [] : [`wire:${peer} ${latest}`];
  }

  expected(effect: ChartEffect, chart: Reference): readonly string[] {
    const { self, voters } = this.#variant;
    const others = voters.filter((id) => id !== self);
    switch (effect.type) {
      case "channels.connect":
        return others.flatMap((peer) => this.#dials(peer));
      case "notification.broadcast":
        return others.flatMap((peer) => this.#sends(peer, effect["vote"] as Vote, "LOOKING"));
      case "notification.answer": {
        const vote = effect["vote"] as Vote;
        const settled = vote.leader === self ? "LEADING" : voters.includes(self) ? "FOLLOWING" : "OBSERVING";
        return this.#sends(effect["to"] as number, vote, effect["settled"] === true ? settled : "LOOKING");
      }
      case "election.decided":
        return [`decided ${(chart.context["proposal"] as Vote).leader}`];
      default:
        return [];
    }
  }

  #dials(peer: number): string[] {
    if (this.#channels.has(peer) || this.#asked.has(peer)) return [];
    this.#asked.add(peer);
    return [`dial ${peer}`];
  }

  #sends(to: number, vote: Vote, state: PeerState): string[] {
    const text = `${state} ${textOf(vote)}`;
    this.#latest.set(to, text);
    const wire = this.#channels.has(to) ? [`wire:${to} ${text}`] : this.#dials(to);
    return [`vote:${to} ${text}`, ...wire];
  }
}

const textOf = ({ leader, zxid, electionEpoch, peerEpoch }: Vote): string =>
  `${leader} ${zxid as Zxid} ${electionEpoch} ${peerEpoch as Epoch}`;
