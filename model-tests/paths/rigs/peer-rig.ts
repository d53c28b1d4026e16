/**
 * The peer chart inside a real server. Its events are caused by what the world does to a server: votes of the others, packets
 * of a leader or of learners, answers of the disk, timers, sockets.
 */
import type { EventObject } from "xstate";
import type { PeerContext, PeerEvent } from "../../../spec/peer/setup.ts";
import { makeZxid, type ServerId, type Vote, type Zxid } from "../../../spec/vocabulary.ts";
import { JuteWriter } from "../../../src/protocol/jute-writer.ts";
import { NOTIFICATION_VERSION, writeInitialMessage, writeNotification } from "../../../src/protocol/notification.ts";
import { PacketType, packetName } from "../../../src/protocol/quorum-packet.ts";
import type { Effect } from "../../../src/server/io.ts";
import type { ChartEffect, ObservedStep, Reference, Rig } from "../replay.ts";
import { LeaderSide } from "./leader-side.ts";
import { LearnerSide } from "./learner-side.ts";
import { type Line, LoneServer, PacketReader, stepsIn } from "./lone-server.ts";
import type { PeerVariant } from "./peer-alphabet.ts";
import { diskWith } from "./peer-disks.ts";

const ELECTION_PORT = 3888;
const QUORUM_PORT = 2888;
/** Answers of the disk that the chart hears of. */
const DISK_ANSWERS = [
  "ACCEPTED_EPOCH_WRITTEN",
  "CURRENT_EPOCH_WRITTEN",
  "LOG_TRUNCATED",
  "SNAPSHOT_TAKEN",
  "LOG_APPENDED",
] as const;
export const TICK_MS = 2000;
const INIT_LIMIT = 5;

export class PeerRig implements Rig {
  readonly timers = "peer";
  readonly world: LoneServer;
  readonly #variant: PeerVariant;
  readonly #learner: LearnerSide;
  readonly #leader: LeaderSide;
  /** Election channels to the other servers, by id. */
  readonly #channels = new Map<number, number>();
  #leaderSocket = 0;
  /** The leader has accepted the link. */
  #linked = false;
  #fromServer = new PacketReader();
  #steps: ObservedStep[] = [];
  #outputs: string[] = [];
  /** What the chart asked to be written last. */
  #epochWanted = 0;
  /** What a preparation may tell the chart besides. */
  #aside: ReadonlySet<string> = new Set();

  constructor(variant: PeerVariant) {
    this.#variant = variant;
    this.world = new LoneServer(variant.self, configOf(variant), diskWith(variant.disk));
    this.#learner = new LearnerSide(this.world);
    this.#leader = new LeaderSide(this.world, variant);
    this.world.input({ type: "STARTED" });
    this.#look();
    for (const id of this.#others()) if (id > variant.self) this.#callFrom(id);
  }

  mayFollow({ type }: EventObject): boolean {
    return (
      ["SETTLED", "HISTORY_LOGGED", "LEARNER_LEFT"].includes(type) || this.#aside.has(type) || this.#electsAlone(type)
    );
  }

  payloadIsOpen(type: string): boolean {
    return ["RECOVERED", "STORAGE_FAILED", "SETTLED", "LOG_APPENDED"].includes(type);
  }

  takeSteps(): ObservedStep[] {
    return this.#steps.splice(0);
  }

  takeOutputs(): string[] {
    return this.#outputs.splice(0);
  }

  mood(): string {
    const { underWay } = this.world;
    const logging = underWay.some((effect) => effect.type === "disk.write" && effect.area === "log");
    const disk = logging ? "logging" : underWay.length > 0 ? "disk busy" : "";
    return [disk, this.#learner.mood(), this.#leader.mood()].join(",");
  }

  cause(event: EventObject, chart: Reference): string | null {
    this.#aside = new Set();
    const reason = this.#cause(event as PeerEvent, chart.context as unknown as PeerContext);
    this.#look();
    return reason;
  }

  #cause(event: PeerEvent, context: PeerContext): string | null {
    const { world } = this;
    if ((event.type as string).startsWith("xstate.after")) {
      return world.fire(`peer:${event.type}`) ? null : "that timer does not run";
    }
    switch (event.type) {
      case "STORAGE_FAILED":
        if (!world.failDisk(event.code)) return "the disk is not asked for anything that could fail";
        return this.#told(event.type) ? null : "what failed belonged to a snapshot that had been given up";
      case "RECOVERED":
      case "SETTLED":
        // Whatever else the disk still has to answer comes first.
        this.#aside = new Set(DISK_ANSWERS);
        return this.#answerUntil(event.type, () => true);
      case "LOG_TRUNCATED":
        return this.#answerUntil(event.type, () => true);
      case "SNAPSHOT_TAKEN":
        return this.#answerUntil(event.type, (file) => file.includes("snapshot"));
      case "ACCEPTED_EPOCH_WRITTEN":
      case "CURRENT_EPOCH_WRITTEN": {
        const file = event.type === "ACCEPTED_EPOCH_WRITTEN" ? "acceptedEpoch" : "currentEpoch";
        return this.#answerUntil(event.type, (name) => name.includes(file));
      }
      case "HISTORY_LOGGED":
        return "it comes with the answer of the disk, in the same breath";
      case "LOG_APPENDED":
        return this.#appendLog(context);
      case "ELECTED":
        return this.#elect(event.leader);
      case "LEADER_CONNECTED":
        this.#linked = true;
        return this.#socketInput({ type: "SOCKET_CONNECTED", socket: this.#leaderSocket });
      case "LEADER_CONNECT_FAILED":
        return this.#socketInput({ type: "SOCKET_CLOSED", socket: this.#leaderSocket, error: "refused" });
      case "LEADER_LOST":
        if (!this.#linked) return "a link that does not stand yet cannot be lost";
        return this.#socketInput({ type: "SOCKET_CLOSED", socket: this.#leaderSocket, error: event.reason });
      case "LISTEN_FAILED":
        world.input({ type: "LISTEN_FAILED", port: "quorum", error: event.message });
        return null;
      case "LEARNER_JOINED":
      case "EPOCH_ACKED":
      case "NEWLEADER_ACKED":
      case "LEARNER_LEFT":
      case "QUORUM_LOST":
      case "COUNTER_EXHAUSTED":
      case "ACK":
      case "REQUEST":
      case "LEARNER_PING":
      case "LEARNER_REVALIDATE":
      case "LEARNER_CAUGHT_UP":
        return this.#leader.cause(event, context, (types) => {
          this.#aside = new Set(types);
        });
      default:
        if (this.#leaderSocket === 0) return "no leader's packet reaches a server that has closed its link";
        return this.#learner.send(event, this.#leaderSocket, context);
    }
  }

  expected(effect: ChartEffect, chart: Reference): readonly string[] {
    const context = chart.context as unknown as PeerContext;
    const { self, standalone } = this.#variant;
    switch (effect.type) {
      case "storage.recover":
        return [`recovery start null`];
      case "acceptedEpoch.write":
      case "currentEpoch.write":
        this.#epochWanted = effect["epoch"] as number;
        return [];
      case "log.truncate":
        return [`recovery start ${effect["zxid"]}`];
      case "election.start":
        // A role that has ended: what it had logged becomes part of the tree first.
        return [
          ...this.#learner.takeUncommitted(),
          ...this.#leader.takeUncommitted(),
          `election LOOK ${effect["zxid"]} ${effect["currentEpoch"]}`,
        ];
      case "leader.connect":
        return [`dial s${effect["leader"]}:${QUORUM_PORT}`];
      case "leader.disconnect":
        return ["hangup leader"];
      case "packet.send":
        return [`leader ${sentPacket(effect, self)}`];
      case "history.open":
        this.#learner.opened(effect["after"] as Zxid);
        return [];
      case "history.log":
        return this.#learner.logged();
      case "learner.open":
        return [`election EPOCH_ESTABLISHED ${effect["epoch"]}`, ...this.#learner.served(context.kind)];
      case "learner.close":
        this.#learner.closed();
        return [];
      case "learners.listen":
        return [`quorum listen ${QUORUM_PORT}`];
      case "learners.close":
        this.#leader.ended();
        return ["quorum unlisten"];
      case "learners.announceEpoch":
        return this.#leader.told("EPOCH_ANNOUNCED");
      case "learners.synchronize":
        return this.#leader.told("SYNCHRONIZE");
      case "broadcast.open":
        this.#leader.opened(effect["epoch"] as number);
        return [`election EPOCH_ESTABLISHED ${effect["epoch"]}`, ...this.#leader.told("SERVING")];
      case "standalone.open":
        this.#leader.opened(0, context.lastZxid);
        return [];
      case "server.exit":
        return [
          `process exit ${effect["code"]} ${standalone ? "" : ""}${this.#exitReason(effect["reason"] as string)}`,
        ];
      default:
        return [];
    }
  }

  /** The answer comes when the file holds what was asked for. */
  expectedOf({ type }: EventObject): readonly string[] {
    if (type === "RECOVERED" && !this.#variant.standalone)
      return [`recovered ${this.#epochOnDisk("accepted")} ${this.#epochOnDisk("current")}`];
    return type === "ACCEPTED_EPOCH_WRITTEN" || type === "CURRENT_EPOCH_WRITTEN" ? [`epoch ${this.#epochWanted}`] : [];
  }

  expectedHot(handler: string, event: EventObject): readonly string[] {
    return handler.startsWith("leader.") || handler.startsWith("standalone.")
      ? this.#leader.hot(handler)
      : this.#learner.hot(handler, event, this.#variant.kind);
  }

  /** Which file failed is the world's to say. */
  #exitReason(reason: string): string {
    return reason.split(":")[0] as string;
  }

  #electsAlone(type: string): boolean {
    return type === "ELECTED" && this.#variant.voters.length === 1;
  }

  #others(): number[] {
    return [...this.#variant.voters, ...this.#variant.observers].filter((id) => id !== this.#variant.self);
  }

  #socketInput(input: Parameters<LoneServer["input"]>[0]): string | null {
    if (this.#leaderSocket === 0) return "there is no link to a leader";
    this.world.input(input);
    return null;
  }

  #told(type: string): boolean {
    return stepsIn(this.world.lines).some(({ chart, event }) => chart === "peer" && event.type === type);
  }

  #answerUntil(type: string, chosen: (file: string) => boolean): string | null {
    const { world } = this;
    const which = (effect: { readonly type: string; readonly file?: string; readonly from?: string }) =>
      chosen(effect.file ?? effect.from ?? effect.type);
    for (;;) {
      if (this.#told(type)) return null;
      if (!world.answer(which)) return "the disk has nothing left to answer that would lead to it";
    }
  }

  #appendLog(context: PeerContext): string | null {
    const { world } = this;
    if (context.standalone && !this.#leader.writeAlone()) return "nobody has written";
    const isLog = (effect: { readonly type: string; readonly area?: string }) =>
      effect.type === "disk.write" && effect.area === "log";
    if (!world.answer(isLog as never)) return "nothing is on its way to the log";
    const told = world.lines.findLast(([, kind, fact]) => kind === "disk" && fact === "LOG_APPENDED");
    if (told === undefined) return "the log was replaced meanwhile: nobody hears of that write";
    this.#learner.durableUpTo = told[3] as Zxid;
    this.#leader.durableUpTo = told[3] as Zxid;
    return null;
  }

  #epochOnDisk(kind: string): string {
    return String(this.world.disk.files("snap").get(`${kind}Epoch`));
  }

  // --- the election

  #callFrom(id: number): void {
    const socket = this.world.accept("election");
    const writer = new JuteWriter(64);
    writeInitialMessage(writer, { sid: id as ServerId, addresses: [`s${id}:${ELECTION_PORT}`] });
    this.world.data(socket, writer.take());
    this.#channels.set(id, socket);
    this.#look();
  }

  #elect(leader: ServerId): string | null {
    const chart = this.world.server.member.election?.chart;
    if (chart === undefined) return "a server alone elects nobody";
    const { round, initialVote } = chart.context;
    const { self } = this.#variant;
    const voters = this.#variant.voters.filter((id) => id !== self);
    const vote: Vote = { ...initialVote, leader, zxid: Math.max(initialVote.zxid, 1) as Zxid, electionEpoch: round };
    for (const from of voters) {
      if (leader === self) this.#notify(from, initialVote, "LOOKING");
      else this.#notify(from, vote, from === leader ? "LEADING" : "FOLLOWING");
    }
    return null;
  }

  #notify(from: number, vote: Vote, state: "LOOKING" | "FOLLOWING" | "LEADING"): void {
    const socket = this.#channels.get(from);
    if (socket === undefined) return;
    const writer = new JuteWriter(256);
    writeNotification(writer, { state, vote, version: NOTIFICATION_VERSION, config: "" });
    this.world.data(socket, writer.take());
  }

  // --- what the server did

  #look(): void {
    for (let lines = this.world.takeLines(), effects = this.world.takeEffects(); lines.length + effects.length > 0; ) {
      this.#readLines(lines);
      for (const effect of effects) this.#readEffect(effect);
      lines = this.world.takeLines();
      effects = this.world.takeEffects();
    }
  }

  #readLines(lines: readonly Line[]): void {
    for (const { chart, event, to } of stepsIn(lines)) {
      if (chart === "peer" && event.type !== "xstate.init") {
        this.#steps.push({ event, to });
        const file = /^(ACCEPTED|CURRENT)_EPOCH_WRITTEN$/.exec(event.type)?.[1]?.toLowerCase();
        if (file !== undefined) this.#outputs.push(`epoch ${this.#epochOnDisk(file)}`);
        if (event.type === "RECOVERED" && !this.#variant.standalone) {
          const { acceptedEpoch, currentEpoch } = event as unknown as PeerContext;
          this.#outputs.push(`recovered ${acceptedEpoch} ${currentEpoch}`);
        }
      } else if (chart === "recovery" && event.type === "xstate.init") {
        const { input } = event as unknown as { input: { truncateTo: number | null } };
        this.#outputs.push(`recovery start ${input.truncateTo}`);
      } else if (chart === "election" && event.type === "LOOK") {
        const { zxid, currentEpoch } = event as unknown as { zxid: number; currentEpoch: number };
        this.#outputs.push(`election LOOK ${zxid} ${currentEpoch}`);
      } else if (chart === "election" && event.type === "EPOCH_ESTABLISHED") {
        this.#outputs.push(`election EPOCH_ESTABLISHED ${(event as unknown as { epoch: number }).epoch}`);
      } else if (chart.startsWith("learner.") && ["EPOCH_ANNOUNCED", "SYNCHRONIZE", "SERVING"].includes(event.type)) {
        this.#outputs.push(`told:${chart} ${event.type}`);
      }
    }
    for (const [, kind, zxid] of lines) if (kind === "log" || kind === "apply") this.#outputs.push(`${kind} ${zxid}`);
  }

  #readEffect(effect: Effect): void {
    switch (effect.type) {
      case "timer.set":
        if (effect.id.startsWith("peer:")) this.#outputs.push(`timer ${effect.id} ${effect.delayMs}`);
        return;
      case "timer.clear":
        if (effect.id.startsWith("peer:")) this.#outputs.push(`timer ${effect.id} off`);
        return;
      case "socket.connect":
        return this.#dialled(effect.socket, effect.host, effect.port);
      case "socket.destroy":
        if (effect.socket === this.#leaderSocket && effect.socket !== 0) {
          this.#outputs.push("hangup leader");
          this.#learner.linkClosed();
          this.#leaderSocket = 0;
        }
        return;
      case "socket.write":
        if (effect.socket === this.#leaderSocket) {
          for (const { type, zxid, data } of this.#fromServer.read(effect.bytes)) {
            this.#outputs.push(`leader ${packetName(type)} ${zxid} ${data?.toString("hex") ?? ""}`);
          }
        } else this.#leader.received(effect.socket, effect.bytes);
        return;
      case "listen":
        if (effect.port === "quorum") this.#outputs.push(`quorum listen ${effect.number}`);
        return;
      case "unlisten":
        this.#outputs.push("quorum unlisten");
        return;
      case "process.exit":
        this.#outputs.push(`process exit ${effect.code} ${this.#exitReason(effect.reason)}`);
        return;
      default:
    }
  }

  #dialled(socket: number, host: string, port: number): void {
    if (port === QUORUM_PORT) {
      this.#leaderSocket = socket;
      this.#linked = false;
      this.#fromServer = new PacketReader();
      this.#outputs.push(`dial ${host}:${port}`);
      return;
    }
    const id = Number(host.slice(1));
    if (id > this.#variant.self) return;
    this.#channels.set(id, socket);
    this.world.input({ type: "SOCKET_CONNECTED", socket });
  }
}

function sentPacket(effect: ChartEffect, self: number): string {
  const epoch = effect["epoch"] as number;
  const packet = effect["packet"] as string;
  if (packet === "ACK") return `ACK ${makeZxid(epoch, 0)} `;
  const data = Buffer.alloc(packet === "ACKEPOCH" ? 4 : 20);
  if (packet === "ACKEPOCH") {
    data.writeInt32BE(epoch);
    return `ACKEPOCH ${effect["zxid"]} ${data.toString("hex")}`;
  }
  data.writeBigInt64BE(BigInt(self));
  data.writeInt32BE(0x10000, 8);
  return `${packet} ${makeZxid(epoch, 0)} ${data.toString("hex")}`;
}

function configOf({ self, standalone, voters, observers }: PeerVariant): string[] {
  const lines = [`tickTime=${TICK_MS}`, `initLimit=${INIT_LIMIT}`, "syncLimit=2", "dataDir=/data", "clientPort=2181"];
  lines.push("preAllocSize=64");
  if (standalone) return lines;
  lines.push("standaloneEnabled=false");
  for (const id of voters) lines.push(`server.${id}=s${id}:${QUORUM_PORT}:${ELECTION_PORT}`);
  for (const id of observers) lines.push(`server.${id}=s${id}:${QUORUM_PORT}:${ELECTION_PORT}:observer`);
  if (observers.includes(self)) lines.push("peerType=observer");
  return lines;
}

export const INIT_LIMIT_MS = INIT_LIMIT * TICK_MS;
export { PacketType };
