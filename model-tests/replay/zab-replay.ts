/**
 * A run of the Zab model, made again by real servers: each of the model's steps is an input to one of them, and after each
 * step both must say the same: states, epochs on disk, what the tree holds, packets under way.
 */

import type { Epoch } from "../../spec/vocabulary.ts";
import type { Model } from "../checker/model.ts";
import type { TraceStep } from "../checker/trace.ts";
import { changesOf } from "../checker/trace-changes.ts";
import {
  ACTION_KINDS,
  type ActionKind,
  kindOfAction,
  parameterOfAction,
  peerOfAction,
  serverOfAction,
} from "../models/zab/layout.ts";
import { diskWith, EMPTY } from "../paths/rigs/peer-disks.ts";
import { randomFrom } from "../simulator/clock.ts";
import { FakeDisk } from "../simulator/fake-disk.ts";
import { RealLink, type Way } from "./real-link.ts";
import { isLogCut, isLogWrite, QUORUM_PORT, RealMember } from "./real-member.ts";
import { channelsOf, differences } from "./zab-differences.ts";

export interface ReplayedStep {
  readonly text: string;
  /** What the model's step changed. */
  readonly changed: string;
  /** What the real servers say otherwise; empty while they agree. */
  readonly differences: readonly string[];
}

export interface ReplayResult {
  readonly steps: readonly ReplayedStep[];
  /** Index of the first step at which the real servers differ from the model; null: they went all the way. */
  readonly departedAt: number | null;
}

/** What the model's bounds say of the servers. */
export interface RealBounds {
  readonly servers: number;
  readonly history: number;
  readonly committedLog: number;
  readonly serving: number;
}

/** "N=3, 1 txns, …, 2 txns before, 3 serve, commitLog 1" (models/zab/zab-model.ts). */
export function realBounds(text: string): RealBounds {
  const number = (pattern: RegExp, otherwise: number): number => Number(pattern.exec(text)?.[1] ?? otherwise);
  return {
    servers: number(/N=(\d+)/, 3),
    history: number(/(\d+) txns before/, 0),
    committedLog: number(/commitLog (\d+)/, 500),
    serving: number(/(\d+) serve/, 0),
  };
}

export class ZabReplay {
  readonly #members: RealMember[] = [];
  #links: RealLink[] = [];

  /** Session → number of the write that opened it, which is what the model says of it. */
  readonly #values = new Map<bigint, number>();

  constructor({ servers, history, committedLog, serving }: RealBounds) {
    for (let id = 1; id <= servers; id++) {
      const lines = ["tickTime=2000", "initLimit=5", "syncLimit=2", "dataDir=/data", "clientPort=2181"];
      lines.push("preAllocSize=64", "standaloneEnabled=false", "db.autocreate=false", `commitLogCount=${committedLog}`);
      for (let other = 1; other <= servers; other++) lines.push(`server.${other}=s${other}:${QUORUM_PORT}:3888`);
      this.#members.push(new RealMember(id, servers, lines, initialDisk(history)));
    }
    if (serving > 0) this.#bringUp(serving);
  }

  run<State>(model: Model<State>, trace: readonly TraceStep[]): ReplayResult {
    const changes = changesOf(model, trace);
    const steps: ReplayedStep[] = [];
    let departedAt: number | null = null;
    const first = trace[0];
    if (first !== undefined) {
      const differences = this.#differences(model, first);
      if (differences.length > 0) {
        return { steps: [{ text: "at the start", changed: "", differences }], departedAt: 0 };
      }
    }
    for (const [at, step] of trace.slice(1).entries()) {
      const { text, facts, sent, lost } = changes[at] as (typeof changes)[number];
      const told = [
        ...facts.map(({ name, from, to }) => `${name} ${from} → ${to}`),
        ...sent.map((move) => `sends ${move.packet}`),
        ...lost.map((move) => `loses ${move.packet}`),
      ];
      const impossible = this.#perform(step.action as number);
      this.#align(model, step);
      const differences = [...(impossible === null ? [] : [impossible]), ...this.#differences(model, step)];
      steps.push({ text, changed: told.join("; "), differences });
      if (differences.length > 0) {
        departedAt = at;
        break;
      }
    }
    return { steps, departedAt };
  }

  #differences<State>(model: Model<State>, step: TraceStep): string[] {
    return differences(model, step, { members: this.#members, links: this.#links, values: this.#values });
  }

  #member(index: number): RealMember {
    return this.#members[index] as RealMember;
  }

  // --- the model's steps

  /** @returns what real servers cannot do. */
  #perform(action: number): string | null {
    const kind = ACTION_KINDS[kindOfAction(action)] as ActionKind;
    const server = serverOfAction(action);
    const peer = peerOfAction(action);
    const parameter = parameterOfAction(action);
    const member = this.#member(server);
    switch (kind) {
      case "elect":
        member.elect(server + 1);
        this.#gather();
        for (let other = 0; other < this.#members.length; other++) {
          if (other === server || (parameter & (1 << other)) === 0) continue;
          this.#member(other).elect(server + 1);
          this.#gather();
        }
        return null;
      case "join":
        member.elect(peer + 1);
        return this.#gather();
      case "connect":
        return this.#connect(server);
      case "give up connecting":
        while (member.path.includes("connecting") || member.path.includes("retrying")) {
          if (member.path.includes("retrying")) member.fire("peer:xstate.after.connectRetry");
          else if (member.dialled !== null) {
            member.input({ type: "SOCKET_CLOSED", socket: member.dialled.socket, error: "refused" });
          } else break;
        }
        return this.#gather();
      case "log synced":
        member.answer(isLogWrite, (lines) =>
          lines.some(([, what, fact]) => what === "disk" && fact === "LOG_APPENDED"),
        );
        return this.#gather();
      case "epoch written":
        member.answer(
          (effect) => ("file" in effect ? effect.file : "from" in effect ? effect.from : "").includes("Epoch"),
          (lines) => lines.some(([, what, fact]) => what === "disk" && fact === "EPOCH_WRITTEN"),
        );
        return this.#gather();
      case "log truncated":
        member.answer(
          () => true,
          (lines) => lines.some(([, what, fact]) => what === "disk" && fact === "RECOVERED"),
        );
        return this.#gather();
      case "snapshot step":
        this.#snapshotStep(member);
        return this.#gather();
      case "propose":
        this.#values.set(member.propose(), this.#values.size + 1);
        return this.#gather();
      case "quorum lost":
        for (let i = 0; i < 2 && member.path === "leading.broadcast"; i++) member.fire("tick");
        return this.#gather();
      case "leader loses patience":
        return member.fire("peer:xstate.after.initLimit") ? this.#gather() : "its timer does not run";
      case "leader takes":
        return this.#takes(peer, server, "up");
      case "learner takes":
        return this.#takes(server, peer, "down");
      case "leader notices":
        return this.#notices(peer, server, "leader");
      case "learner notices":
        return this.#notices(server, peer, "learner");
      case "crash":
      case "wipe":
        return this.#crash(server, kind === "wipe" ? null : parameter);
      case "cut":
        for (const link of this.#between(server, peer)) {
          this.#broken.add(link);
        }
        return null;
      case "append lost":
        return "a disk that fails stops its server: no append is reported that is not durable";
      case "start":
      case "hear":
      case "repeat":
      case "wait's end":
        return "votes are not replayed: here an oracle elects";
    }
  }

  /** Cut, and at least one end has not noticed yet. */
  readonly #broken = new Set<RealLink>();

  #snapshotStep(member: RealMember): void {
    const { underWay } = member.world;
    const taken = (lines: readonly (readonly unknown[])[]) =>
      lines.some(([, what, fact]) => what === "disk" && fact === "SNAPSHOT_TAKEN");
    if (underWay.some(isLogCut)) member.answer(isLogCut);
    else member.answer(() => true, taken);
  }

  #between(learner: number, leader: number): RealLink[] {
    return this.#links.filter((link) => link.learner === learner && link.leader === leader);
  }

  #takes(learner: number, leader: number, way: "up" | "down"): string | null {
    for (const link of this.#between(learner, leader)) {
      if (link[way].underWay.length === 0) continue;
      this.#deliver(link, way);
      return this.#gather();
    }
    return `nothing is under way from ${way === "up" ? "the learner" : "the leader"}`;
  }

  #deliver(link: RealLink, way: "up" | "down"): void {
    const parcel = link[way].underWay.shift();
    if (parcel === undefined) return;
    const [end, socket, open] =
      way === "up"
        ? [link.leader, link.leaderSocket, link.leaderOpen]
        : [link.learner, link.learnerSocket, link.learnerOpen];
    if (open) this.#member(end).input({ type: "SOCKET_DATA", socket, chunk: parcel.bytes });
  }

  #notices(learner: number, leader: number, end: "learner" | "leader"): string | null {
    for (const link of this.#between(learner, leader)) {
      const ended = this.#broken.has(link) || !(end === "leader" ? link.learnerOpen : link.leaderOpen);
      if (!ended || !(end === "leader" ? link.leaderOpen : link.learnerOpen)) continue;
      this.#close(link, end);
      return this.#gather();
    }
    return "no link between the two has ended";
  }

  #close(link: RealLink, end: "learner" | "leader"): void {
    if (end === "leader") {
      link.leaderOpen = false;
      link.up.underWay.length = 0;
      this.#member(link.leader).input({ type: "SOCKET_CLOSED", socket: link.leaderSocket, error: "reset" });
    } else {
      link.learnerOpen = false;
      link.down.underWay.length = 0;
      this.#member(link.learner).input({ type: "SOCKET_CLOSED", socket: link.learnerSocket, error: "reset" });
    }
  }

  #crash(server: number, kept: number | null): string | null {
    for (const link of this.#links) {
      if (link.learner === server) {
        link.learnerOpen = false;
        link.down.underWay.length = 0;
      } else if (link.leader === server) {
        link.leaderOpen = false;
        link.up.underWay.length = 0;
      }
    }
    const member = this.#member(server);
    if (kept === null) {
      member.wipe(new FakeDisk({ random: randomFrom(1) }));
      return this.#gather();
    }
    const written = member.crash(kept);
    this.#gather();
    return written < kept ? `${kept} txns were kept, but only ${written} had been handed to the disk` : null;
  }

  #connect(learner: number): string | null {
    const member = this.#member(learner);
    const { dialled } = member;
    if (dialled === null) return "it has not asked for a connection";
    const leader = dialled.leader - 1;
    member.dialled = null;
    const accepted = this.#member(leader).world.accept("quorum");
    this.#links.push(new RealLink(learner, leader, dialled.socket, accepted));
    this.#member(leader).look();
    member.input({ type: "SOCKET_CONNECTED", socket: dialled.socket });
    return this.#gather();
  }

  /** What the servers have written to their links, or closed. */
  #gather(): null {
    for (const [index, member] of this.#members.entries()) {
      for (const effect of member.effects.splice(0)) {
        if (effect.type === "socket.write") this.#wayOf(index, effect.socket)?.write(effect.bytes);
        else if (effect.type === "socket.destroy" || effect.type === "socket.close")
          this.#closedBy(index, effect.socket);
      }
    }
    this.#links = this.#links.filter((link) => link.learnerOpen || link.leaderOpen);
    return null;
  }

  #wayOf(server: number, socket: number): Way | undefined {
    for (const link of this.#links) {
      // A server that has restarted counts its sockets anew.
      if (link.learner === server && link.learnerSocket === socket && link.learnerOpen) {
        return this.#broken.has(link) || !link.leaderOpen ? undefined : link.up;
      }
      if (link.leader === server && link.leaderSocket === socket && link.leaderOpen) {
        return this.#broken.has(link) || !link.learnerOpen ? undefined : link.down;
      }
    }
    return undefined;
  }

  #closedBy(server: number, socket: number): void {
    for (const link of this.#links) {
      if (link.learner === server && link.learnerSocket === socket && link.learnerOpen) {
        link.learnerOpen = false;
        link.down.underWay.length = 0;
      } else if (link.leader === server && link.leaderSocket === socket && link.leaderOpen) {
        link.leaderOpen = false;
        link.up.underWay.length = 0;
      }
    }
  }

  // --- what the model does within a step

  /** Connections that stand at once, packets that are taken at once, disks that are waited for. */
  #align<State>(model: Model<State>, step: TraceStep): void {
    const state = model.decode(step.words, undefined);
    const facts = model.storyboard.facts(state);
    const kind = ACTION_KINDS[kindOfAction(step.action as number)] as ActionKind;
    for (let round = 0; round < 20; round++) {
      let moved = false;
      for (const [index, member] of this.#members.entries()) {
        const wanted = facts.get(`s${index + 1}`) ?? "";
        const { path } = member;
        if (path === wanted) continue;
        if (path.endsWith("discovery.connecting") && member.dialled !== null) this.#connect(index);
        else if (path === "settling" || path === "recovering") member.answerAll();
        else continue;
        this.#gather();
        moved = true;
      }
      for (const { from, to, packets } of channelsOf(model, state)) {
        moved =
          this.#alignWay(from, to, packets.length, kind === "cut" || kind === "crash" || kind === "wipe") || moved;
      }
      if (!moved) return;
    }
  }

  #alignWay(from: number, to: number, count: number, drops: boolean): boolean {
    const ways = this.#links.flatMap((link): [RealLink, "up" | "down"][] =>
      link.learner === from && link.leader === to
        ? [[link, "up"]]
        : link.leader === from && link.learner === to
          ? [[link, "down"]]
          : [],
    );
    const total = () => ways.reduce((sum, [link, way]) => sum + link[way].underWay.length, 0);
    if (total() <= count) return false;
    if (drops) {
      for (const [link, way] of [...ways].reverse()) while (total() > count && link[way].underWay.pop() !== undefined);
      return false;
    }
    const next = ways.find(([link, way]) => link[way].underWay.length > 0);
    if (next === undefined) return false;
    this.#deliver(...next);
    this.#gather();
    return true;
  }

  #bringUp(serving: number): void {
    const quorum = Math.floor(this.#members.length / 2) + 1;
    for (let index = 0; index < serving; index++) {
      this.#member(index).elect(1);
      this.#gather();
      if (index + 1 >= quorum) this.#runOut();
    }
  }

  /** Whatever is under way, until nothing is. */
  #runOut(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const [index, member] of this.#members.entries()) {
        if (member.dialled !== null) {
          this.#connect(index);
          moved = true;
        }
        if (member.world.underWay.length > 0) {
          member.answerAll();
          this.#gather();
          moved = true;
        }
      }
      for (const link of [...this.#links]) {
        for (const way of ["up", "down"] as const) {
          while (link[way].underWay.length > 0) {
            this.#deliver(link, way);
            this.#gather();
            moved = true;
          }
        }
      }
    }
  }
}

function initialDisk(history: number): FakeDisk {
  if (history > 0) return diskWith({ txns: history, acceptedEpoch: 1 as Epoch, currentEpoch: 1 as Epoch });
  const disk = diskWith(EMPTY);
  disk.put("data", "initialize", Buffer.alloc(0));
  return disk;
}
