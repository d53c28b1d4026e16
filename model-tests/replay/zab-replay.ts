/**
 * A run of the Zab model, made again by real servers: each of the model's steps is an input to one of them, and after each
 * step both must say the same: states, epochs on disk, what the tree holds, packets under way.
 */

import type { Epoch } from "../../spec/vocabulary.ts";
import type { Model } from "../checker/model.ts";
import type { TraceStep } from "../checker/trace.ts";
import { changesOf } from "../checker/trace-changes.ts";
import type { VoteBounds } from "../models/joined/voted-elections.ts";
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
import { RealBallots } from "./real-ballots.ts";
import { type Direction, RealEnsemble } from "./real-ensemble.ts";
import type { RealLink } from "./real-link.ts";
import { isLogCut, isLogWrite, type RealMember } from "./real-member.ts";
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
  readonly #ensemble: RealEnsemble;
  /** Session → number of the write that opened it, which is what the model says of it. */
  readonly #values = new Map<bigint, number>();

  /** Where real votes elect. */
  readonly #ballots: RealBallots | null;
  #prompt = false;

  /** `votes`: the servers elect by themselves. */
  constructor({ servers, history, committedLog, serving }: RealBounds, votes: VoteBounds | null = null) {
    const config = ["initLimit=5", "syncLimit=2", `commitLogCount=${committedLog}`];
    const ballots = votes === null ? null : new RealBallots(() => this.#ensemble.members);
    this.#ballots = ballots;
    this.#ensemble = new RealEnsemble({ servers, config, disk: () => initialDisk(history) }, (...said) =>
      ballots?.said(...said),
    );
    if (ballots === null) {
      if (serving > 0) this.#ensemble.bringUp(0, [...this.#members.keys()].slice(1, serving));
      return;
    }
    this.#gather();
    for (const id of votes?.late ?? []) ballots.isLate(id - 1);
    this.#prompt = votes?.prompt ?? false;
  }

  get #members(): readonly RealMember[] {
    return this.#ensemble.members;
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
      if (this.#prompt) this.#hearAtOnce();
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
    return differences(
      model,
      step,
      { members: this.#members, links: this.#ensemble.links, values: this.#values },
      this.#ballots,
    );
  }

  #member(index: number): RealMember {
    return this.#ensemble.member(index);
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
        for (const link of this.#ensemble.between(server, peer)) this.#ensemble.cut(link);
        return null;
      case "append lost":
        return "a disk that fails stops its server: no append is reported that is not durable";
      case "start":
        this.#ballots?.starts(server, () => this.#gather());
        return this.#gather();
      case "hear":
        return this.#ballots?.hears(server, peer) ?? this.#gather();
      case "repeat":
        return member.fire("election:xstate.after.interval") ? this.#gather() : "it has nothing to repeat";
      case "wait's end":
        return member.fire("election:xstate.after.finalizeWait") ? this.#gather() : "it does not wait";
    }
  }

  #snapshotStep(member: RealMember): void {
    const { underWay } = member.world;
    const taken = (lines: readonly (readonly unknown[])[]) =>
      lines.some(([, what, fact]) => what === "disk" && fact === "SNAPSHOT_TAKEN");
    if (underWay.some(isLogCut)) member.answer(isLogCut);
    else member.answer(() => true, taken);
  }

  #takes(learner: number, leader: number, way: Direction): string | null {
    const delivered = this.#ensemble.between(learner, leader).some((link) => this.#ensemble.deliver(link, way));
    return delivered ? this.#gather() : `nothing is under way from ${way === "up" ? "the learner" : "the leader"}`;
  }

  #notices(learner: number, leader: number, end: "learner" | "leader"): string | null {
    const ended = this.#ensemble.between(learner, leader).find((link) => this.#ensemble.hasEnded(link, end));
    if (ended === undefined) return "no link between the two has ended";
    this.#ensemble.close(ended, end);
    return this.#gather();
  }

  #crash(server: number, kept: number | null): string | null {
    this.#ensemble.died(server);
    this.#ballots?.dies(server);
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
    return this.#ensemble.connect(learner);
  }

  #gather(): null {
    return this.#ensemble.gather();
  }

  // --- what the model does within a step

  /** What is said to servers that have settled. */
  #hearAtOnce(): void {
    for (const [to, member] of this.#members.entries()) {
      if (this.#ballots?.isRunning(to) !== true || member.ballot.phase !== "settled") continue;
      for (const from of this.#members.keys()) {
        if (this.#ballots.underWay(from, to) === null) continue;
        this.#ballots.hears(to, from);
        this.#gather();
      }
    }
  }

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
    const ways = this.#ensemble.links.flatMap((link): [RealLink, Direction][] =>
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
    this.#ensemble.deliver(...next);
    this.#gather();
    return true;
  }
}

function initialDisk(history: number): FakeDisk {
  if (history > 0) return diskWith({ txns: history, acceptedEpoch: 1 as Epoch, currentEpoch: 1 as Epoch });
  const disk = diskWith(EMPTY);
  disk.put("data", "initialize", Buffer.alloc(0));
  return disk;
}
