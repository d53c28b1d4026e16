/**
 * A session's life at the server that tracks it: the leader, or a standalone server.
 * Source: SessionTrackerImpl and PrepRequestProcessor.checkSession. Diagram: session.
 *
 * Compiled to one integer per session; who owns it and when it expires are data of the tracker, not phases.
 * Differs from Apache ZooKeeper: there "moved" is only an owner field, and an expired session is tracked on as if it were
 * open until its closeSession is prepared (ZOOKEEPER-1208: what it creates meanwhile outlives it).
 */
import { setup } from "xstate";
import { chartActions } from "../chart-actions.ts";

export type SessionEvent =
  /** createSession was committed and applied. */
  | { readonly type: "SESSION_OPENED" }
  /** The client was heard of. */
  | { readonly type: "TOUCHED" }
  /** A write asks whether the session may still write. */
  | { readonly type: "WRITE" }
  /** The client came back through the server that owns the session, or nobody owned it (after a change of leader). */
  | { readonly type: "REATTACHED" }
  /** The client came back through another server, which owns the session now. */
  | { readonly type: "MOVED" }
  /** The tick after the deadline. */
  | { readonly type: "DEADLINE_PASSED" }
  /** closeSession was prepared: asked for by the client, or by us after the deadline. */
  | { readonly type: "CLOSE_PREPARED" }
  /** closeSession was committed and applied. */
  | { readonly type: "SESSION_CLOSED" };

export type SessionEffect =
  /** Submit closeSession for this session. */
  { readonly type: "session.requestClose" } | { readonly type: "session.forget" };

export const sessionMachine = setup({
  types: { events: {} as SessionEvent },
  actions: chartActions<SessionEffect>(),
}).createMachine({
  id: "session",
  initial: "alive",
  states: {
    alive: {
      description: "The client is heard of in time; writes of the session's owner are taken.",
      initial: "opening",
      on: {
        TOUCHED: { actions: { type: "hot", params: { handler: "session.touch" } } },
        WRITE: { actions: { type: "hot", params: { handler: "session.write" } } },
        REATTACHED: {},
        MOVED: ".moved",
        CLOSE_PREPARED: "closing",
        DEADLINE_PASSED: "expired",
      },
      states: {
        // A write may be prepared already: its txn is ordered behind createSession.
        opening: {
          description: "createSession is proposed, not yet committed.",
          on: { SESSION_OPENED: "open" },
        },
        open: {
          description:
            "One server owns the session; after a change of leader none, until the first that writes for it.",
        },
        moved: {
          description: "The client changed servers: what still arrives through the old one is answered SESSIONMOVED.",
          on: {
            // The client was faster than the commit of its own createSession.
            SESSION_OPENED: {},
          },
        },
      },
    },
    expired: {
      description: "The deadline has passed; nobody may write for the session while its closeSession is on the way.",
      entry: { type: "effect", params: { type: "session.requestClose" } },
      on: {
        // Expiry is final: a client that is heard of now was heard of too late.
        TOUCHED: {},
        SESSION_OPENED: {},
        CLOSE_PREPARED: "closing",
      },
    },
    closing: {
      description: "closeSession is proposed: every later write of the session answers SESSIONEXPIRED.",
      on: {
        TOUCHED: {},
        SESSION_OPENED: {},
        // The client closed the session in the same moment as it expired.
        CLOSE_PREPARED: {},
        // Its old place in the expiry queue.
        DEADLINE_PASSED: {},
        SESSION_CLOSED: "closed",
      },
    },
    closed: {
      description: "Session and ephemerals are gone on every server that has applied the txn.",
      type: "final",
      entry: { type: "effect", params: { type: "session.forget" } },
    },
  },
});
