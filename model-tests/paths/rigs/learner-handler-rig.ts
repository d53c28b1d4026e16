/** The learner-handler chart inside a real LeaderRole: one learner's packets in, packets and facts out. */
import type { AnyMachineSnapshot, EventObject } from "xstate";
import type { LearnerHandlerContext, LearnerHandlerEvent } from "../../../spec/ensemble/learner-handler.machine.ts";
import { type Epoch, makeZxid, NO_ZXID, type ServerId, type Zxid } from "../../../spec/vocabulary.ts";
import { JuteWriter } from "../../../src/protocol/jute-writer.ts";
import { PacketType, packetName } from "../../../src/protocol/quorum-packet.ts";
import { LearnerInfo } from "../../../src/protocol/records.ts";
import type { Effects } from "../../../src/server/io.ts";
import { LeaderRole } from "../../../src/server/leader-role.ts";
import { listedIn } from "../pair-graph.ts";
import type { ChartEffect, ObservedStep, Reference, Rig } from "../replay.ts";
import { LoneServer, PacketReader, packet } from "./lone-server.ts";
import { diskWith, EMPTY } from "./peer-disks.ts";

export interface HandlerVariant {
  readonly epochAnnounced: Epoch | null;
  readonly synchronizing: boolean;
  readonly serving: boolean;
}

export const HANDLER_INIT_LIMIT_MS = 20_000;
const SYNC_LIMIT_MS = 10_000;
const EPOCH = 3 as Epoch;
const SOCKET = 1;
/** Where the leader's history ends. */
const LAST = makeZxid(2, 5);
const NAME = `learner.${SOCKET}`;
const CONFIG = "server.1=s1:2888:3888\nversion=0";

export function handlerAlphabet(snapshot: AnyMachineSnapshot): readonly EventObject[] {
  const { epoch } = snapshot.context as LearnerHandlerContext;
  return listedIn(snapshot).flatMap((type): EventObject[] => {
    switch (type) {
      case "FOLLOWERINFO":
        return [0, 2].map((acceptedEpoch) => ({ type, sid: 2, acceptedEpoch }) as EventObject);
      case "OBSERVERINFO":
        return [{ type, sid: 4, acceptedEpoch: 1 } as EventObject];
      case "ACKEPOCH":
        return [LAST, LAST + 1, NO_ZXID].map((lastZxid) => ({ type, currentEpoch: 2, lastZxid }) as EventObject);
      case "ACK":
        return [makeZxid(epoch ?? 0, 0), makeZxid(epoch ?? 0, 7), LAST].map((zxid) => ({ type, zxid }) as EventObject);
      case "BAD_PACKET":
        return [{ type, reason: "a learner sent DIFF" } as EventObject];
      case "EPOCH_ANNOUNCED":
        return [{ type, epoch: EPOCH } as EventObject];
      case "LINK_CLOSED":
        return [{ type, reason: "reset" } as EventObject];
      default:
        return [{ type }];
    }
  });
}

export class LearnerHandlerRig implements Rig {
  readonly timers = NAME;
  readonly #world = new LoneServer(1, ["dataDir=/data", "clientPort=2181"], diskWith(EMPTY));
  readonly #role: LeaderRole;
  readonly #steps: ObservedStep[] = [];
  readonly #outputs: string[] = [];
  readonly #armed = new Set<string>();
  readonly #reader = new PacketReader();
  /** A raw tree is on the link: nothing behind it is read. */
  #raw = false;

  constructor({ epochAnnounced, synchronizing, serving }: HandlerVariant) {
    const { server } = this.#world;
    server.database.lastProcessedZxid = LAST;
    this.#role = new LeaderRole({
      self: 1 as ServerId,
      quorum: { voters: [1, 2, 3] as ServerId[] },
      tickTimeMs: 2000,
      containerCheckIntervalMs: 60_000,
      initLimitMs: HANDLER_INIT_LIMIT_MS,
      syncLimitMs: SYNC_LIMIT_MS,
      snapshotSizeFactorBytes: () => 1 << 20,
      configText: CONFIG,
      replica: server.replica,
      serving: server.config,
      environment: {
        monotonicMs: () => this.#world.nowMs,
        wallMs: () => this.#world.nowMs,
        random: () => 0.5,
        sha1: (bytes) => bytes,
      },
      counters: server.counters,
      report: () => {},
      peer: ({ type, ...payload }) => void this.#outputs.push(`peer ${type} ${JSON.stringify(payload)}`),
      // What the handler hands on to the leader's cores is the peer chart's business.
      admits: (type) => {
        this.#outputs.push(`asked ${type}`);
        return false;
      },
      destroy: (socket) => void this.#outputs.push(`destroy ${socket}`),
      timer: (id, delayMs) => {
        if (delayMs === null) this.#armed.delete(id);
        else this.#armed.add(id);
        if (!id.endsWith(":history")) this.#outputs.push(`timer ${id} ${delayMs ?? "off"}`);
      },
      unexpected: (_chart, state, event) => void this.#outputs.push(`unexpected ${event} in ${state}`),
      tracer: null,
      stepped: (chart, _from, event, to) => {
        if (chart === NAME && event.type !== "xstate.init") this.#steps.push({ event: event as EventObject, to });
      },
    });
    if (epochAnnounced !== null) this.#role.announceEpoch(epochAnnounced);
    if (synchronizing) this.#role.synchronize();
    if (serving) this.#role.open(EPOCH);
    this.#role.accepted(SOCKET);
  }

  takeSteps(): ObservedStep[] {
    return this.#steps.splice(0);
  }

  takeOutputs(): string[] {
    return this.#outputs.splice(0);
  }

  /** A short history is sent in the same breath. */
  mayFollow({ type }: EventObject): boolean {
    return type === "HISTORY_SENT";
  }

  payloadIsOpen(): boolean {
    return false;
  }

  mood(): string {
    return this.#raw ? "tree" : "";
  }

  cause(event: EventObject, _chart: Reference): string | null {
    const reason = this.#cause(event as LearnerHandlerEvent);
    const effects: Effects = [];
    this.#role.flush(effects);
    for (const effect of effects) {
      if (effect.type !== "socket.write" || this.#raw) continue;
      for (const { type, zxid, data } of this.#reader.read(effect.bytes)) {
        this.#outputs.push(`packet ${packetName(type)} ${zxid} ${data?.toString("hex") ?? ""}`);
        if (type === PacketType.SNAP) this.#raw = true;
      }
    }
    return reason;
  }

  #cause(event: LearnerHandlerEvent): string | null {
    const role = this.#role;
    if ((event.type as string).startsWith("xstate.after")) {
      if (!this.#armed.delete(`${NAME}:${event.type}`)) return "that timer does not run";
      role.timer(`${NAME}:${event.type}`);
      return null;
    }
    switch (event.type) {
      case "FOLLOWERINFO":
      case "OBSERVERINFO": {
        const info = new JuteWriter(32);
        LearnerInfo.write(info, { serverid: event.sid, protocolVersion: 0x10000, configVersion: 0 });
        role.data(SOCKET, packet(PacketType[event.type], makeZxid(event.acceptedEpoch, 0), info.take()));
        return null;
      }
      case "ACKEPOCH": {
        const data = Buffer.alloc(4);
        data.writeInt32BE(event.currentEpoch);
        role.data(SOCKET, packet(PacketType.ACKEPOCH, event.lastZxid, data));
        return null;
      }
      case "ACK":
        role.data(SOCKET, packet(PacketType.ACK, event.zxid));
        return null;
      case "REQUEST":
      case "PING":
      case "REVALIDATE":
        role.data(SOCKET, packet(PacketType[event.type], -1, Buffer.alloc(20)));
        return null;
      case "BAD_PACKET":
        role.data(SOCKET, packet(PacketType.DIFF, 0));
        return null;
      case "EPOCH_ANNOUNCED":
        role.announceEpoch(event.epoch);
        return null;
      case "SYNCHRONIZE":
        role.synchronize();
        return null;
      case "SERVING":
        role.open(EPOCH);
        return null;
      case "HISTORY_SENT": {
        const id = `${NAME}:history`;
        while (this.#armed.delete(id)) role.timer(id);
        return this.#steps.length > 0 ? null : "it was sent in the same breath as the plan";
      }
      case "LEARNER_SILENT":
        this.#world.nowMs += HANDLER_INIT_LIMIT_MS + 1;
        role.tick(false);
        return null;
      case "LINK_CLOSED":
        role.closed(SOCKET, event.reason);
        return null;
    }
  }

  expected(effect: ChartEffect, chart: Reference): readonly string[] {
    const { sid, kind } = chart.context as unknown as LearnerHandlerContext;
    const about = { from: sid ?? -1, voter: kind === "participant" && sid !== null };
    switch (effect.type) {
      case "joined.tell":
        return [told("LEARNER_JOINED", { ...about, acceptedEpoch: effect["acceptedEpoch"] })];
      case "epochAcked.tell":
        return [told("EPOCH_ACKED", { ...about, currentEpoch: effect["currentEpoch"], lastZxid: effect["lastZxid"] })];
      case "newLeaderAcked.tell":
        return [told("NEWLEADER_ACKED", about)];
      case "caughtUp.tell":
        return ["asked LEARNER_CAUGHT_UP"];
      case "left.tell":
        return [told("LEARNER_LEFT", { from: about.from })];
      case "history.send":
        return [this.#plan(effect["learnerZxid"] as Zxid)];
      case "packet.send":
        return this.#sent(effect);
      case "link.close":
        return [`destroy ${SOCKET}`];
      default:
        return [];
    }
  }

  /** With nothing in the leader's window: the same history, one that is longer, one that is not known. */
  #plan(learnerZxid: Zxid): string {
    if (learnerZxid === LAST) return `packet DIFF ${LAST} `;
    return learnerZxid > LAST ? `packet TRUNC ${LAST} ` : `packet SNAP ${LAST} `;
  }

  #sent(effect: ChartEffect): string[] {
    if (this.#raw) return [];
    const zxid = effect["packet"] === "UPTODATE" ? -1 : makeZxid(effect["epoch"] as number, 0);
    const data = { LEADERINFO: "00010000", NEWLEADER: Buffer.from(CONFIG).toString("hex"), UPTODATE: "" };
    return [`packet ${effect["packet"]} ${zxid} ${data[effect["packet"] as keyof typeof data]}`];
  }

  expectedHot(_handler: string, { type }: EventObject): readonly string[] {
    const asked: Readonly<Record<string, string>> = { PING: "LEARNER_PING", REVALIDATE: "LEARNER_REVALIDATE" };
    return [`asked ${asked[type] ?? type}`];
  }
}

const told = (type: string, payload: object): string => `peer ${type} ${JSON.stringify(payload)}`;
