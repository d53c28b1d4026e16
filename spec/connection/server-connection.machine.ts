/**
 * One client's connection to a server: from the first bytes to the last.
 * Source: NIOServerCnxn, ZooKeeperServer.processConnectRequest. Diagram: server-connection.
 *
 * Compiled to one integer per connection. Output waits in the connection's buffer and leaves at the end of a turn; a
 * connection that has only its last words left is `draining`.
 */
import { setup } from "xstate";
import { chartActions } from "../chart-actions.ts";

export type ServerConnectionEvent =
  /** The first four bytes were a four-letter word, and its answer is in the buffer. */
  | { readonly type: "WORD_ANSWERED" }
  /** A ConnectRequest that asks for a new session, or for its own with the right password. */
  | { readonly type: "SESSION_REQUESTED" }
  /** createSession was committed, or the tracker confirmed the session; the ConnectResponse is in the buffer. */
  | { readonly type: "SESSION_CONFIRMED" }
  /** No such session, or a wrong password; the refusing ConnectResponse is in the buffer. */
  | { readonly type: "SESSION_REFUSED" }
  /** Bytes that mean nothing, a client from the future, or a server that does not serve: no answer. */
  | { readonly type: "BAD_BYTES" }
  | { readonly type: "REQUEST" }
  /** More is owed to this client, or in flight for it, than one connection may have. */
  | { readonly type: "HELD_BACK" }
  | { readonly type: "LET_GO" }
  /** A request after which nothing more is read: closeSession, an unknown opcode, refused credentials. */
  | { readonly type: "LAST_REQUEST" }
  /** The last answer is in the buffer, or the session ended, moved, or attached itself elsewhere. */
  | { readonly type: "ENDED" }
  /** The buffer was handed to the socket. */
  | { readonly type: "FLUSHED" }
  /** The client reads so slowly that the events it is owed exceed every bound. */
  | { readonly type: "OVERFLOWED" }
  /** Nothing was heard of the client for longer than its session lives, or than a connection may go without one. */
  | { readonly type: "SILENT" }
  /** The server stops serving: its role in the ensemble ended. */
  | { readonly type: "ROLE_ENDED" }
  /** The socket is gone. */
  | { readonly type: "LOST" };

export type ServerConnectionEffect =
  | { readonly type: "connection.pause" }
  | { readonly type: "connection.resume" }
  /** After what was written. */
  | { readonly type: "connection.close" }
  | { readonly type: "connection.destroy" };

const destroy = { type: "effect", params: { type: "connection.destroy" } } as const;
const dropped = { target: "#server-connection.closed", actions: destroy } as const;
const pause = { type: "effect", params: { type: "connection.pause" } } as const;
const resume = { type: "effect", params: { type: "connection.resume" } } as const;

export const serverConnectionMachine = setup({
  types: { events: {} as ServerConnectionEvent },
  actions: chartActions<ServerConnectionEffect>(),
}).createMachine({
  id: "server-connection",
  initial: "handshaking",
  on: {
    SILENT: dropped,
    ROLE_ENDED: dropped,
    LOST: ".closed",
  },
  states: {
    handshaking: {
      description: "Waiting for a four-letter word or a ConnectRequest.",
      on: {
        WORD_ANSWERED: "draining",
        SESSION_REQUESTED: "awaitingSession",
        SESSION_REFUSED: "draining",
        BAD_BYTES: dropped,
      },
    },
    awaitingSession: {
      description: "The session is being created or confirmed by the ensemble; what the client says meanwhile waits.",
      entry: pause,
      on: {
        SESSION_CONFIRMED: { target: "established", actions: resume },
        SESSION_REFUSED: "draining",
        // The client opened another connection for the same session.
        ENDED: "draining",
      },
    },
    established: {
      description: "The session is served: requests in, replies and watch events out.",
      initial: "reading",
      on: {
        BAD_BYTES: dropped,
        LAST_REQUEST: "finishing",
        ENDED: "draining",
        OVERFLOWED: dropped,
      },
      states: {
        reading: {
          description: "Requests are taken as they come.",
          on: {
            REQUEST: { actions: { type: "hot", params: { handler: "connection.request" } } },
            HELD_BACK: { target: "heldBack", actions: pause },
          },
        },
        heldBack: {
          description: "A slow reader, or a flood: nothing more is read until the client has taken what it is owed.",
          on: {
            LET_GO: { target: "reading", actions: resume },
          },
        },
      },
    },
    finishing: {
      description: "The last request is in: its answer and those before it are awaited, nothing more is read.",
      on: {
        ENDED: "draining",
        OVERFLOWED: dropped,
      },
    },
    draining: {
      description: "Only the last words are left to be sent.",
      on: {
        FLUSHED: { target: "closed", actions: { type: "effect", params: { type: "connection.close" } } },
        // Two reasons to end in one turn: a session's closing, and its client's other connection.
        ENDED: {},
        OVERFLOWED: dropped,
      },
    },
    closed: {
      description: "Gone. The session lives on until it expires, unless it was closed.",
      type: "final",
    },
  },
});
