/** The session chart inside a real SessionTracker, where it is an integer. */
import type { AnyMachineSnapshot, EventObject } from "xstate";
import type { SessionEvent } from "../../../spec/session/session.machine.ts";
import type { ServerId, SessionId, Zxid } from "../../../spec/vocabulary.ts";
import { errorName } from "../../../src/protocol/error-codes.ts";
import { OpCode } from "../../../src/protocol/opcodes.ts";
import { makeTxn } from "../../../src/protocol/txn.ts";
import { SessionTracker } from "../../../src/session/session-tracker.ts";
import { listedIn } from "../pair-graph.ts";
import type { ChartEffect, ObservedStep, Reference, Rig } from "../replay.ts";

const SESSION = 77n as SessionId;
const TIMEOUT_MS = 6000;
const TICK_MS = 2000;

export const sessionAlphabet = (snapshot: AnyMachineSnapshot): readonly EventObject[] =>
  listedIn(snapshot).map((type) => ({ type }));

export class SessionRig implements Rig {
  readonly timers = null;
  readonly #tracker: SessionTracker;
  readonly #steps: ObservedStep[] = [];
  readonly #outputs: string[] = [];
  #owner = 1 as ServerId;
  #nowMs = 0;

  constructor() {
    this.#tracker = new SessionTracker({
      tickTimeMs: TICK_MS,
      unexpected: (state, event) => this.#outputs.push(`unexpected ${event} in ${state}`),
    });
    this.#tracker.create(SESSION, TIMEOUT_MS, this.#owner, this.#nowMs);
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

  cause(event: EventObject, chart: Reference): string | null {
    const reason = this.#cause(event as SessionEvent);
    // An integer tells no steps: the state that it says now is what there is to compare.
    if (reason === null && chart.hot(event.type) === undefined) this.#steps.push({ event, to: this.#state });
    return reason;
  }

  get #state(): string {
    return [...this.#tracker.views()][0]?.state ?? "closed";
  }

  #cause({ type }: SessionEvent): string | null {
    const tracker = this.#tracker;
    switch (type) {
      case "SESSION_OPENED":
      case "SESSION_CLOSED": {
        const op = type === "SESSION_OPENED" ? OpCode.createSession : OpCode.closeSession;
        const body = op === OpCode.createSession ? { type: op, timeOut: TIMEOUT_MS } : { type: op, paths: null };
        tracker.applied(makeTxn(SESSION, 0, 1 as Zxid, 0, body as never, null));
        if (this.#state === "closed") this.#outputs.push("effect forget");
        return null;
      }
      case "TOUCHED":
        this.#nowMs += 100;
        this.#outputs.push(`touched ${tracker.touch(SESSION, TIMEOUT_MS, this.#nowMs)}`);
        return null;
      case "WRITE":
        this.#outputs.push(`write ${errorName(tracker.check(SESSION, this.#owner))}`);
        this.#outputs.push(`write ${errorName(tracker.check(SESSION, 9 as ServerId))}`);
        return null;
      case "REATTACHED":
        tracker.revalidate(SESSION, TIMEOUT_MS, this.#owner, this.#nowMs);
        return null;
      case "MOVED":
        this.#owner = (3 - this.#owner) as ServerId;
        tracker.revalidate(SESSION, TIMEOUT_MS, this.#owner, this.#nowMs);
        return null;
      case "CLOSE_PREPARED":
        tracker.setClosing(SESSION);
        return null;
      case "DEADLINE_PASSED": {
        const before = this.#deadlineMs;
        if (before <= this.#nowMs) return "its deadline has passed already: it stands in no queue";
        this.#nowMs = before + TICK_MS;
        for (const id of tracker.expire(this.#nowMs)) this.#outputs.push(`effect requestClose ${id}`);
        return null;
      }
    }
  }

  get #deadlineMs(): number {
    return [...this.#tracker.views()][0]?.deadlineMs ?? 0;
  }

  expected(effect: ChartEffect): readonly string[] {
    return effect.type === "session.requestClose" ? [`effect requestClose ${SESSION}`] : ["effect forget"];
  }

  expectedOf({ type }: EventObject): readonly string[] {
    return type === "TOUCHED" ? ["touched false"] : [];
  }

  expectedHot(handler: string): readonly string[] {
    return handler === "session.touch" ? ["touched true"] : ["write OK", "write SESSIONMOVED"];
  }
}
