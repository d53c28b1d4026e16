import type { ServerId, SessionId } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import type { Txn } from "../protocol/txn.ts";

/**
 * The sessions of the whole ensemble, as the leader (or a standalone server) keeps them: who is alive, who owns whom
 * (SessionTrackerImpl). Times are monotonic ms, given by the caller.
 */
export class SessionTracker {
  constructor(options: { readonly tickTimeMs: number }) {
    void options;
  }

  /** Sessions tracked, closing ones included. */
  get size(): number {
    return 0;
  }

  /** A leader starts: every committed session gets its full timeout again, and no owner yet. */
  restart(sessions: Iterable<readonly [SessionId | bigint, number]>, nowMs: number): void {
    void [sessions, nowMs];
  }

  /** createSession is prepared. */
  create(id: SessionId, timeoutMs: number, owner: ServerId, nowMs: number): void {
    void [id, timeoutMs, owner, nowMs];
  }

  /** A txn was applied: createSession opens its session, closeSession forgets it, others do nothing. */
  applied(txn: Txn): void {
    void txn;
  }

  /** The client was heard of. False when there is no such session, or when it is closing. */
  touch(id: SessionId, timeoutMs: number, nowMs: number): boolean {
    void [id, timeoutMs, nowMs];
    return false;
  }

  /** May this server write for this session? OK, SESSIONEXPIRED or SESSIONMOVED. */
  check(id: SessionId, owner: ServerId): ErrorCode {
    void [id, owner];
    return ErrorCode.SESSIONEXPIRED;
  }

  /** A client came back through `owner`, which owns the session from now on. False when the session is gone or closing. */
  revalidate(id: SessionId, timeoutMs: number, owner: ServerId, nowMs: number): boolean {
    void [id, timeoutMs, owner, nowMs];
    return false;
  }

  /** closeSession is prepared. */
  setClosing(id: SessionId): void {
    void id;
  }

  /** Sessions whose deadline has passed, each told once: submit closeSession with cxid 0 for each. */
  expire(nowMs: number): readonly SessionId[] {
    void nowMs;
    return [];
  }
}
