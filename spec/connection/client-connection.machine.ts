/**
 * The life of a client's session as the client sees it, across all the connections it takes. Source: ClientCnxn.SendThread
 * and ClientCnxn.States of Apache ZooKeeper. Diagram: client-connection.
 *
 * Two clocks run while a connection serves: every T/3 a ping keeps the session alive, and 2T/3 after the *last answer* the
 * client moves to another server, which leaves T/3 to reach one before the ensemble gives the session up. Only an answer of
 * a server ends a session here (S9): a client that is merely cut off keeps trying.
 *
 * Differs from Apache ZooKeeper:
 * - `handshaking`, `disconnected` and `closing` are states, where ClientCnxn has flags and queues.
 * - Requests made while there is no connection wait for one full round through the servers before they fail, where
 *   ClientCnxn fails them at the first server that cannot be reached. A request that was sent never waits.
 */
import { assign, setup } from "xstate";
import { chartActions } from "../chart-actions.ts";

export interface ClientConnectionInput {
  /** Session timeout to ask for, ms. */
  readonly timeoutMs: number;
  /** Length of the server list. */
  readonly servers: number;
}

export interface ClientConnectionContext extends ClientConnectionInput {
  /** Session timeout T, ms: what was asked for, from the first session on what the server granted. */
  readonly timeoutMs: number;
  /** Connections tried since the last one that served. */
  readonly attempts: number;
}

export type ClientConnectionEvent =
  | { readonly type: "SOCKET_CONNECTED" }
  /** Ended, reset, or never connected. */
  | { readonly type: "SOCKET_CLOSED" }
  /** A frame while the handshake waits for its answer. */
  | { readonly type: "CONNECT_RESPONSE" }
  | { readonly type: "SESSION_ESTABLISHED"; readonly timeoutMs: number; readonly readOnly: boolean }
  /** The server answered with session id 0: expired, closed, or a wrong password. */
  | { readonly type: "SESSION_REFUSED" }
  /** The application asks for an operation. */
  | { readonly type: "SEND" }
  | { readonly type: "REPLY" }
  | { readonly type: "WATCH_EVENT" }
  /** The server refused the credentials of addAuth. */
  | { readonly type: "AUTH_REFUSED" }
  /** Bytes that no server should send: a bad length, a reply out of order, a record that does not parse. */
  | { readonly type: "PROTOCOL_VIOLATED" }
  | { readonly type: "BACKOFF_PASSED" }
  /** While read-only: another server says that it takes writes. */
  | { readonly type: "WRITABLE_SERVER_FOUND" }
  | { readonly type: "CLOSE_REQUESTED" }
  /** The server confirmed closeSession. */
  | { readonly type: "SESSION_CLOSED" };

/** Why requests that are still waiting get no reply. */
export type RequestFailure = "CONNECTIONLOSS" | "SESSIONEXPIRED" | "AUTHFAILED" | "CLOSING";

export type ClientConnectionEffect =
  /** Open a socket to the next server of the list. */
  | { readonly type: "socket.open" }
  | { readonly type: "socket.drop" }
  /** Send the ConnectRequest: session id and password, lastZxid, T. */
  | { readonly type: "handshake.send" }
  /** Send credentials, setWatches and the requests that waited, in this order. */
  | { readonly type: "session.resume" }
  | { readonly type: "ping.send" }
  /** Ask the next server of the list whether it takes writes (`isro`). */
  | { readonly type: "writable.search" }
  | { readonly type: "closeSession.send" }
  /** End every request that waits for a reply or for a connection, in the order they were made. */
  | { readonly type: "requests.fail"; readonly failure: RequestFailure }
  /** Bring BACKOFF_PASSED after a random delay that grows with the attempts. */
  | { readonly type: "backoff.start"; readonly attempts: number }
  | { readonly type: "backoff.stop" }
  /** Tell the application that the state changed. */
  | { readonly type: "state.announce" };

const fail = (failure: RequestFailure) => ({ type: "requests.fail", failure }) as const;

/** A connection that served is gone: what was sent may or may not have happened, and only the application can find out. */
const connectionLost = {
  target: "#client-connection.disconnected",
  actions: { type: "effect", params: [fail("CONNECTIONLOSS"), { type: "state.announce" }] },
} as const;

const attemptFailed = [
  {
    guard: "roundFailed",
    target: "#client-connection.disconnected",
    actions: { type: "effect", params: fail("CONNECTIONLOSS") },
  },
  { target: "#client-connection.disconnected" },
] as const;

/** Closing ends in `closed` whatever happens; what the server has not answered by then stays open. */
const closedUnanswered = {
  target: "#client-connection.closed",
  actions: { type: "effect", params: fail("CONNECTIONLOSS") },
} as const;

export const clientConnectionMachine = setup({
  types: {
    context: {} as ClientConnectionContext,
    events: {} as ClientConnectionEvent,
    input: {} as ClientConnectionInput,
  },
  actions: chartActions<ClientConnectionEffect>(),
  guards: {
    isReadOnly: ({ event }) => event.type === "SESSION_ESTABLISHED" && event.readOnly,
    /** Every server of the list had its turn. */
    roundFailed: ({ context }) => context.attempts % context.servers === 0,
  },
  delays: {
    /** Within T every server of the list gets a chance (ClientCnxn.connectTimeout). */
    connectTimeout: ({ context }) => Math.max(1, Math.floor(context.timeoutMs / context.servers)),
    oneThird: ({ context }) => Math.floor(context.timeoutMs / 3),
    /** Counted from the last answer: the core puts off the running timer whenever the server says something. */
    silence: ({ context }) => Math.floor((context.timeoutMs * 2) / 3),
  },
}).createMachine({
  id: "client-connection",
  context: ({ input }) => ({ ...input, attempts: 0 }),
  initial: "connecting",
  states: {
    connecting: {
      description: "On the way to one server of the list. Requests wait.",
      initial: "opening",
      after: { connectTimeout: attemptFailed },
      on: {
        SEND: { actions: { type: "hot", params: { handler: "client.hold" } } },
        SOCKET_CLOSED: attemptFailed,
        // No session to close yet, or one that the ensemble lets expire: this server has not taken it up.
        CLOSE_REQUESTED: "closed",
      },
      states: {
        opening: {
          description: "The socket is being opened.",
          entry: [
            assign({ attempts: ({ context }) => context.attempts + 1 }),
            { type: "effect", params: { type: "socket.open" } },
          ],
          on: { SOCKET_CONNECTED: "handshaking" },
        },
        handshaking: {
          description: "ConnectRequest sent: the server opens a session, or takes up the one we have.",
          entry: { type: "effect", params: { type: "handshake.send" } },
          on: {
            CONNECT_RESPONSE: { actions: { type: "hot", params: { handler: "client.handshake" } } },
            SESSION_ESTABLISHED: [
              {
                guard: "isReadOnly",
                target: "#client-connection.readOnly",
                actions: assign({ timeoutMs: ({ event }) => event.timeoutMs }),
              },
              {
                target: "#client-connection.connected",
                actions: assign({ timeoutMs: ({ event }) => event.timeoutMs }),
              },
            ],
            SESSION_REFUSED: "#client-connection.expired",
            PROTOCOL_VIOLATED: attemptFailed,
          },
        },
      },
    },
    connected: {
      description: "The session is served: requests, replies and watch events flow through the core.",
      initial: "beating",
      entry: [
        assign({ attempts: 0 }),
        { type: "effect", params: [{ type: "state.announce" }, { type: "session.resume" }] },
      ],
      after: { silence: connectionLost },
      on: {
        SEND: { actions: { type: "hot", params: { handler: "client.send" } } },
        REPLY: { actions: { type: "hot", params: { handler: "client.reply" } } },
        WATCH_EVENT: { actions: { type: "hot", params: { handler: "client.watchEvent" } } },
        SOCKET_CLOSED: connectionLost,
        PROTOCOL_VIOLATED: connectionLost,
        AUTH_REFUSED: "authFailed",
        CLOSE_REQUESTED: "closing",
      },
      states: {
        beating: {
          description: "A ping every T/3 keeps the session alive and the server talking.",
          after: {
            oneThird: {
              target: "beating",
              reenter: true,
              actions: { type: "effect", params: { type: "ping.send" } },
            },
          },
        },
      },
    },
    readOnly: {
      description: "Served by a server without a quorum: reads only, while we look for one that takes writes.",
      initial: "searching",
      entry: [
        assign({ attempts: 0 }),
        { type: "effect", params: [{ type: "state.announce" }, { type: "session.resume" }] },
      ],
      after: { silence: connectionLost },
      on: {
        SEND: { actions: { type: "hot", params: { handler: "client.send" } } },
        REPLY: { actions: { type: "hot", params: { handler: "client.reply" } } },
        WATCH_EVENT: { actions: { type: "hot", params: { handler: "client.watchEvent" } } },
        WRITABLE_SERVER_FOUND: {
          target: "connecting",
          actions: {
            type: "effect",
            params: [{ type: "socket.drop" }, fail("CONNECTIONLOSS"), { type: "state.announce" }],
          },
        },
        SOCKET_CLOSED: connectionLost,
        PROTOCOL_VIOLATED: connectionLost,
        AUTH_REFUSED: "authFailed",
        CLOSE_REQUESTED: "closing",
      },
      states: {
        searching: {
          description: "As `beating`; each beat also asks another server whether it takes writes.",
          after: {
            oneThird: {
              target: "searching",
              reenter: true,
              actions: { type: "effect", params: [{ type: "ping.send" }, { type: "writable.search" }] },
            },
          },
        },
      },
    },
    disconnected: {
      description:
        "No connection; a moment of patience before the next server, so that a crowd does not arrive at once.",
      entry: [
        { type: "effect", params: { type: "socket.drop" } },
        { type: "effect", params: ({ context }) => ({ type: "backoff.start", attempts: context.attempts }) },
      ],
      exit: { type: "effect", params: { type: "backoff.stop" } },
      on: {
        SEND: { actions: { type: "hot", params: { handler: "client.hold" } } },
        BACKOFF_PASSED: "connecting",
        CLOSE_REQUESTED: "closed",
      },
    },
    closing: {
      description: "closeSession sent; the replies before its own still come in.",
      entry: { type: "effect", params: { type: "closeSession.send" } },
      after: { oneThird: closedUnanswered },
      on: {
        SEND: { actions: { type: "hot", params: { handler: "client.refuseClosed" } } },
        REPLY: { actions: { type: "hot", params: { handler: "client.reply" } } },
        WATCH_EVENT: { actions: { type: "hot", params: { handler: "client.watchEvent" } } },
        SESSION_CLOSED: "closed",
        SOCKET_CLOSED: closedUnanswered,
        PROTOCOL_VIOLATED: closedUnanswered,
        // Credentials sent just before the close; the session ends anyway.
        AUTH_REFUSED: {},
        // The search of the read-only state was under way; it is no longer of interest.
        WRITABLE_SERVER_FOUND: {},
        // Closing twice is closing once.
        CLOSE_REQUESTED: {},
      },
    },
    closed: {
      description: "The application is done with this session.",
      entry: {
        type: "effect",
        params: [{ type: "socket.drop" }, fail("CLOSING"), { type: "state.announce" }],
      },
      on: {
        SEND: { actions: { type: "hot", params: { handler: "client.refuseClosed" } } },
        CLOSE_REQUESTED: {},
      },
    },
    expired: {
      description: "A server said that the session is gone, and its ephemerals and watches with it.",
      entry: {
        type: "effect",
        params: [{ type: "socket.drop" }, fail("SESSIONEXPIRED"), { type: "state.announce" }],
      },
      on: {
        SEND: { actions: { type: "hot", params: { handler: "client.refuseExpired" } } },
        CLOSE_REQUESTED: "closed",
      },
    },
    authFailed: {
      description: "A server refused our credentials: every further request would run without them.",
      entry: {
        type: "effect",
        params: [{ type: "socket.drop" }, fail("AUTHFAILED"), { type: "state.announce" }],
      },
      on: {
        SEND: { actions: { type: "hot", params: { handler: "client.refuseAuthFailed" } } },
        CLOSE_REQUESTED: "closed",
      },
    },
  },
});
