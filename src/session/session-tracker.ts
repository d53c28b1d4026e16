import { type SessionEffect, type SessionEvent, sessionMachine } from "../../spec/session/session.machine.ts";
import type { ServerId, SessionId } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { OpCode } from "../protocol/opcodes.ts";
import type { Txn } from "../protocol/txn.ts";
import { assert } from "../runtime/assert.ts";
import { compileTable, UNEXPECTED } from "../runtime/compiled-table.ts";
import { type Expiring, ExpiryQueue } from "./expiry-queue.ts";

const table = compileTable(sessionMachine);
const { events } = table;
const OPEN = table.state("alive.open");
const admitsTouch = table.states.map((_, state) => table.admitted(state)["TOUCHED"] !== undefined);
const admitsWrite = table.states.map((_, state) => table.admitted(state)["WRITE"] !== undefined);

/** No server has written for the session since this leader started. */
const NOBODY = -1;

class TrackedSession implements Expiring {
  readonly id: SessionId;
  /** State of the session chart. */
  state: number;
  timeoutMs: number;
  owner: number;
  deadlineMs = 0;
  bucketMs = -1;
  slot = -1;

  constructor(id: SessionId, state: number, timeoutMs: number, owner: number) {
    this.id = id;
    this.state = state;
    this.timeoutMs = timeoutMs;
    this.owner = owner;
  }
}

/** What `dump` and the dashboard show of one session. */
export interface SessionView {
  readonly id: SessionId;
  /** State of the session chart. */
  readonly state: string;
  readonly timeoutMs: number;
  /** Monotonic ms; a multiple of the tick. */
  readonly deadlineMs: number;
  readonly owner: ServerId | null;
}

export interface SessionTrackerOptions {
  readonly tickTimeMs: number;
  /** An event that the session's state does not list. */
  readonly unexpected?: (state: string, event: string) => void;
}

/**
 * The sessions of the whole ensemble, as the leader (or a standalone server) keeps them: who is alive, who owns whom
 * (SessionTrackerImpl). Times are monotonic ms, given by the caller.
 */
export class SessionTracker {
  readonly #sessions = new Map<SessionId, TrackedSession>();
  readonly #queue: ExpiryQueue<TrackedSession>;
  readonly #unexpected: (state: string, event: string) => void;
  #due: SessionId[] = [];

  constructor(options: SessionTrackerOptions) {
    this.#queue = new ExpiryQueue(options.tickTimeMs);
    this.#unexpected = options.unexpected ?? (() => {});
  }

  /** Sessions tracked, closing ones included. */
  get size(): number {
    return this.#sessions.size;
  }

  /** A leader starts: every committed session gets its full timeout again, and no owner yet (S7). */
  restart(sessions: Iterable<readonly [bigint, number]>, nowMs: number): void {
    this.#sessions.clear();
    this.#queue.clear();
    this.#due = [];
    for (const [id, timeoutMs] of sessions) this.#track(id as SessionId, OPEN, timeoutMs, NOBODY, nowMs);
  }

  /** createSession is prepared. */
  create(id: SessionId, timeoutMs: number, owner: ServerId, nowMs: number): void {
    // A session id is never given out twice; a request that says so changes nothing.
    if (!this.#sessions.has(id)) this.#track(id, table.initial, timeoutMs, owner, nowMs);
  }

  /** A txn was applied: createSession opens its session, closeSession forgets it, others do nothing. */
  applied(txn: Txn): void {
    if (txn.type !== OpCode.createSession && txn.type !== OpCode.closeSession) return;
    const session = this.#sessions.get(txn.sessionId);
    // Closed twice: by its client and, in the same moment, by expiry.
    if (session === undefined) return;
    this.#step(session, txn.type === OpCode.createSession ? "SESSION_OPENED" : "SESSION_CLOSED");
  }

  /** The client was heard of. False when there is no such session, or when it is closing. O(1). */
  touch(id: SessionId, timeoutMs: number, nowMs: number): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined || !admitsTouch[session.state]) return false;
    session.timeoutMs = timeoutMs;
    this.#queue.touch(session, timeoutMs, nowMs);
    return true;
  }

  /** May this server write for this session? OK, SESSIONEXPIRED or SESSIONMOVED. */
  check(id: SessionId, owner: ServerId): ErrorCode {
    const session = this.#sessions.get(id);
    if (session === undefined || !admitsWrite[session.state]) return ErrorCode.SESSIONEXPIRED;
    if (session.owner === NOBODY) session.owner = owner;
    return session.owner === owner ? ErrorCode.OK : ErrorCode.SESSIONMOVED;
  }

  /** A client came back through `owner`, which owns the session from now on. False when the session is gone or closing. */
  revalidate(id: SessionId, timeoutMs: number, owner: ServerId, nowMs: number): boolean {
    if (!this.touch(id, timeoutMs, nowMs)) return false;
    const session = this.#sessions.get(id);
    assert(session !== undefined, "What was touched is there.");
    this.#step(session, session.owner === owner || session.owner === NOBODY ? "REATTACHED" : "MOVED");
    session.owner = owner;
    return true;
  }

  /** closeSession is prepared. */
  setClosing(id: SessionId): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#step(session, "CLOSE_PREPARED");
  }

  /** Sessions whose deadline has passed, each told once: submit closeSession with cxid 0 for each. */
  expire(nowMs: number): readonly SessionId[] {
    this.#queue.expire(nowMs, this.#deadlinePassed);
    const due = this.#due;
    this.#due = [];
    return due;
  }

  *views(): Generator<SessionView> {
    for (const { id, state, timeoutMs, deadlineMs, owner } of this.#sessions.values()) {
      const known = owner === NOBODY ? null : (owner as ServerId);
      yield { id, state: table.states[state] as string, timeoutMs, deadlineMs, owner: known };
    }
  }

  readonly #deadlinePassed = (session: TrackedSession): void => this.#step(session, "DEADLINE_PASSED");

  #track(id: SessionId, state: number, timeoutMs: number, owner: number, nowMs: number): void {
    const session = new TrackedSession(id, state, timeoutMs, owner);
    this.#sessions.set(id, session);
    this.#queue.touch(session, timeoutMs, nowMs);
  }

  #step(session: TrackedSession, type: SessionEvent["type"]): void {
    const from = session.state;
    const next = table.next(from, events[type]);
    if (next === UNEXPECTED) return this.#unexpected(table.states[from] as string, type);
    session.state = next;
    for (const effect of table.effects(from, events[type])) this.#perform(session, effect);
  }

  #perform(session: TrackedSession, effect: SessionEffect): void {
    switch (effect.type) {
      case "session.requestClose":
        this.#due.push(session.id);
        return;
      case "session.forget":
        this.#queue.remove(session);
        this.#sessions.delete(session.id);
    }
  }
}
