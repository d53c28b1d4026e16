/** A server as a memoised part of the model: its local states are interned, each of its steps is computed once. */

import type { History } from "../../../spec/invariants/zab-view.ts";
import type { PeerContext } from "../../../spec/peer/setup.ts";
import type { QuorumConfig } from "../../../spec/quorum.ts";
import { NO_ZXID, type ServerId, ZERO_ZXID } from "../../../spec/vocabulary.ts";
import { ChartMachine, type ChartState } from "../../checker/chart-machine.ts";
import { hashText } from "../../checker/fingerprint.ts";
import { LocalMachine } from "../../checker/memo.ts";
import type { LearnerLinkState } from "./leader-part.ts";
import { type DiskState, WIPED_DISK } from "./model-disk.ts";
import type { ServerOutput } from "./outputs.ts";
import type { ZabParts } from "./parts.ts";
import type { MemberSetting, ServerEvent, ServerState } from "./server-state.ts";

export interface ServerMachineOptions {
  readonly parts: ZabParts;
  readonly quorum: QuorumConfig;
  readonly committedLogLimit: number;
}

export class ServerMachine {
  readonly setting: MemberSetting;
  readonly machine: LocalMachine<ServerState, ServerEvent, ServerOutput>;

  constructor({ parts, quorum, committedLogLimit }: ServerMachineOptions) {
    const charts = {
      peer: new ChartMachine(parts.peer),
      handler: new ChartMachine(parts.handler),
      recovery: new ChartMachine(parts.recovery),
    } as MemberSetting["charts"];
    this.setting = { parts, charts, quorum, committedLogLimit };
    this.machine = new LocalMachine({
      name: "servers",
      snapshotKey: serverKey,
      eventKey: JSON.stringify,
      step: (state, event) => this.#step(state, event),
    });
  }

  /** The id of a server that has just started with this disk. */
  started(self: ServerId, disk: DiskState): number {
    return this.machine.snapshots.intern(this.#start(self, disk).next);
  }

  #step(state: ServerState, event: ServerEvent): { next: ServerState; outputs: readonly ServerOutput[] } {
    const { Member, Disk } = this.setting.parts;
    if (event.type === "CRASH" || event.type === "WIPE") {
      const { connections } = new Member(this.setting, state);
      const disk = new Disk(event.type === "WIPE" ? WIPED_DISK : state.disk, this.setting.charts.recovery);
      if (event.type === "CRASH") disk.crash(event.kept);
      const { next, outputs } = this.#start(state.self, disk.state);
      // It has a voice in elections again when it is back, which is a step of its own.
      const heard = outputs.filter(({ type }) => type !== "looks");
      return { next, outputs: [...connections, ...heard, { type: "dies" }] };
    }
    return this.#run(state, event);
  }

  #start(self: ServerId, disk: DiskState) {
    const { charts, quorum } = this.setting;
    const { state } = charts.peer.initial({ self, kind: "participant", standalone: false, quorum, initLimitMs: 0 });
    return this.#run({ ...BLANK, self, disk, peer: charts.peer.state(state) }, { type: "START" });
  }

  #run(state: ServerState, event: ServerEvent) {
    const member = new this.setting.parts.Member(this.setting, state);
    member.run(event);
    return { next: this.#tidied(withoutDeadMemory(member.state, member.peer.path)), outputs: member.outputs };
  }

  /** With the charts' states as the pools hold them: those are numbered without a look at their contents. */
  #tidied(state: ServerState): ServerState {
    const { peer, handler } = this.setting.charts;
    const { leader } = state;
    const learners = leader?.learners.map((learner) => ({ ...learner, chart: handler.own(learner.chart) }));
    return {
      ...state,
      peer: peer.own(state.peer),
      leader: leader === null ? null : { ...leader, learners: learners ?? [] },
    };
  }
}

const NOTHING: History = [];

const BLANK: Omit<ServerState, "self" | "disk" | "peer"> = {
  tree: NOTHING,
  window: NOTHING,
  emptyAt: ZERO_ZXID,
  lastLogged: NO_ZXID,
  durableUpTo: NO_ZXID,
  settling: false,
  uncommitted: NOTHING,
  receivedSnapshot: null,
  leader: null,
  learner: null,
  stopped: false,
};

/**
 * Leaves out what nothing can read any more, and orders what is a set: it would only tell equal futures apart.
 * - who joined and who acked is asked in discovery and synchronization only;
 * - where a learner stood is asked when its history is sent, and what it acked before UPTODATE when it is caught up.
 */
function withoutDeadMemory(state: ServerState, path: string): ServerState {
  const context = state.peer.context as PeerContext;
  const gathering = path.startsWith("leading.discovery");
  const synchronizing = gathering || path.startsWith("leading.synchronization");
  const peer: ChartState = {
    ...state.peer,
    context: {
      ...context,
      joined: gathering ? [...context.joined].sort() : [],
      epochAcked: gathering ? [...context.epochAcked].sort() : [],
      synced: synchronizing ? [...context.synced].sort() : [],
    },
  };
  const { leader } = state;
  return {
    ...state,
    peer,
    leader: leader === null ? null : { ...leader, learners: leader.learners.map(withoutDeadAcks) },
  };
}

function withoutDeadAcks(learner: LearnerLinkState): LearnerLinkState {
  const waiting = learner.chart.value === "awaitingSynchronization";
  const streaming = learner.chart.value === "streaming";
  const context = learner.chart.context as { readonly learnerZxid: number };
  return {
    ...learner,
    chart: waiting ? learner.chart : { ...learner.chart, context: { ...context, learnerZxid: ZERO_ZXID } },
    highestAck: streaming ? NO_ZXID : learner.highestAck,
  };
}

/** The charts stand as hashes: they are the long part, and few. */
function serverKey(state: ServerState): string {
  const { peer, leader, ...rest } = state;
  const learners = leader?.learners.map((learner) => ({ ...learner, chart: chartHash(learner.chart) }));
  return JSON.stringify([rest, chartHash(peer), leader === null ? null : { ...leader, learners }]);
}

const LO = new Int32Array(1);
const HI = new Int32Array(1);
const hashes = new WeakMap<ChartState, string>();

function chartHash(chart: ChartState): string {
  const known = hashes.get(chart);
  if (known !== undefined) return known;
  hashText(JSON.stringify(chart), LO, HI, 0);
  const hash = `${LO[0]}.${HI[0]}`;
  hashes.set(chart, hash);
  return hash;
}
