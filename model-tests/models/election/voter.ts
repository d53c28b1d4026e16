/**
 * Production's election chart as a memoised part: what an event makes of it, what it sends, and what it had heard when it
 * settled. What `ElectionRole` adds to the chart (src/server/election-role.ts) is here too: who an effect goes to, and in
 * which state the sender says it is.
 */

import type { AnyStateMachine } from "xstate";
import type {
  ElectionContext,
  ElectionEffect,
  ElectionEvent,
  electionMachine,
} from "../../../spec/election/election.machine.ts";
import { MIN_NOTIFICATION_INTERVAL_MS } from "../../../spec/election/election.machine.ts";
import type { Ballot } from "../../../spec/election/vote-order.ts";
import type { Decision, ElectionServer, Heard } from "../../../spec/invariants/election.invariants.ts";
import { isVoter, type QuorumConfig } from "../../../spec/quorum.ts";
import type { PeerState, ServerId, Vote } from "../../../spec/vocabulary.ts";
import { assert } from "../../../src/runtime/assert.ts";
import {
  ChartMachine,
  type ChartOutput,
  type ChartState,
  type Refine,
  type TimerFired,
} from "../../checker/chart-machine.ts";
import { InternPool } from "../../checker/intern-pool.ts";

/** What one server has last sent to another. */
export interface Message {
  readonly state: PeerState;
  readonly vote: Vote;
}

/** What a step does to the world. */
export interface VoterStep {
  readonly next: number;
  readonly sends: readonly { readonly to: ServerId; readonly message: number }[];
  /** Number of the decision that was taken, or 0. */
  readonly decision: number;
}

type Noted = ElectionEffect | { readonly type: "model.decided"; readonly decision: Decision };
export type ElectionChart = typeof electionMachine;

export class Voters {
  readonly chart: ChartMachine<ElectionChart, Noted>;
  readonly messages = new InternPool<Message | null>("messages", JSON.stringify);
  readonly #decisions = new InternPool<Decision | null>("decisions", JSON.stringify);
  readonly #quorum: QuorumConfig;
  readonly #steps: VoterStep[] = [];
  readonly #views: ElectionServer[] = [];
  readonly #timers: (readonly { readonly id: string; readonly event: number }[])[] = [];
  /** Notification events by sender and message. */
  readonly #notifications = new Map<number, number>();

  constructor(machine: ElectionChart, quorum: QuorumConfig) {
    this.#quorum = quorum;
    this.chart = new ChartMachine<ElectionChart, Noted>(machine as AnyStateMachine as ElectionChart, REFINE);
    // Number 0 of each: nothing was sent, nothing decided.
    this.messages.intern(null);
    this.#decisions.intern(null);
  }

  /** A server that has not started. */
  idle(self: ServerId): number {
    return this.chart.initial({ self, quorum: this.#quorum }).state;
  }

  event(event: ElectionEvent): number {
    return this.chart.parts.events.intern(event);
  }

  notification(from: ServerId, message: number): number {
    const key = message * 64 + from;
    const known = this.#notifications.get(key);
    if (known !== undefined) return known;
    const { vote, state } = this.messages.get(message) as Message;
    const made = this.event({ type: "NOTIFICATION", from, vote, state });
    this.#notifications.set(key, made);
    return made;
  }

  decision(number: number): Decision | null {
    return this.#decisions.get(number);
  }

  /** Timers that may fire now. */
  timers(state: number): readonly { readonly id: string; readonly event: number }[] {
    const known = this.#timers[state];
    if (known !== undefined) return known;
    const { events } = this.chart.parts;
    const made = this.chart.state(state).armed.map(({ id }) => {
      const event: TimerFired = { type: "TIMER_FIRED", id };
      return { id, event: events.intern(event) };
    });
    this.#timers[state] = made;
    return made;
  }

  unreachable(state: number): readonly ServerId[] {
    return contextOf(this.chart.state(state)).unreachable;
  }

  view(state: number): ElectionServer {
    const known = this.#views[state];
    if (known !== undefined) return known;
    const chart = this.chart.state(state);
    const { self, round, proposal, ballots, outOfElection } = contextOf(chart);
    const made: ElectionServer = {
      self,
      phase: phaseOf(chart),
      round,
      vote: proposal,
      votedFor: heardOf(ballots),
      words: heardOf(outOfElection),
    };
    this.#views[state] = made;
    return made;
  }

  step(state: number, event: number): VoterStep {
    const { parts } = this.chart;
    const transition = parts.step(state, event);
    const known = this.#steps[transition];
    if (known !== undefined) return known;
    const made = this.#compiled(parts.next(transition), parts.outputs(transition));
    this.#steps[transition] = made;
    return made;
  }

  #compiled(next: number, outputs: readonly ChartOutput<Noted>[]): VoterStep {
    const { self } = contextOf(this.chart.state(next));
    const sends: { to: ServerId; message: number }[] = [];
    let decision = 0;
    for (const output of outputs) {
      assert(output.type === "effect", "The election lists every event, and has no hot ones.");
      const { effect } = output;
      if (effect.type === "model.decided") decision = this.#decisions.intern(effect.decision);
      if (effect.type === "notification.broadcast") {
        const message = this.messages.intern({ state: "LOOKING", vote: effect.vote });
        for (const to of this.#quorum.voters) if (to !== self) sends.push({ to, message });
      }
      if (effect.type === "notification.answer") {
        const state = effect.settled ? this.#settledState(self, effect.vote) : "LOOKING";
        sends.push({ to: effect.to, message: this.messages.intern({ state, vote: effect.vote }) });
      }
    }
    return { next, sends, decision };
  }

  #settledState(self: ServerId, vote: Vote): PeerState {
    if (vote.leader === self) return "LEADING";
    return isVoter(this.#quorum, self) ? "FOLLOWING" : "OBSERVING";
  }
}

function contextOf(state: ChartState): ElectionContext {
  return state.context as ElectionContext;
}

function phaseOf({ value }: ChartState): ElectionServer["phase"] {
  if (value === "idle" || value === "settled") return value;
  return "looking";
}

function heardOf(ballots: Readonly<Record<number, Ballot>>): Heard[] {
  return Object.entries(ballots).map(([from, { state, vote }]) => ({ from: Number(from) as ServerId, state, vote }));
}

/**
 * Notes what a server had heard when it decided, then drops what nothing reads any more: how long it waits, in which order
 * channels went down, and in a settled server all that it had heard.
 */
const REFINE: Refine<Noted> = ({ next, outputs }) => {
  const context = contextOf(next);
  const noted = outputs.flatMap((output): ChartOutput<Noted>[] => {
    if (output.type !== "effect" || output.effect.type !== "election.decided") return [output];
    const { self, round, ballots, outOfElection } = context;
    const { vote } = output.effect;
    const decision = { self, round, vote, ballots: heardOf(ballots), words: heardOf(outOfElection) };
    return [output, { type: "effect", effect: { type: "model.decided", decision } }];
  });
  const settled = phaseOf(next) !== "looking";
  const kept: ElectionContext = {
    ...context,
    intervalMs: MIN_NOTIFICATION_INTERVAL_MS,
    unreachable: [...context.unreachable].sort(),
    // Which round it entered with is overwritten wherever it is read.
    initialVote: { ...(settled ? context.proposal : context.initialVote), electionEpoch: 0 },
    ...(settled ? { ballots: {}, outOfElection: {} } : {}),
  };
  return { next: { ...next, context: kept }, outputs: noted };
};
