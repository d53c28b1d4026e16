/** A state of the session models: production parts, the packets between them, and what the invariants look at. */

import type { LoggedTxn } from "../../../spec/invariants/session.invariants.ts";
import type { WatchKind } from "../../../src/client/watches.ts";
import type { ClientEvent } from "./client-part.ts";
import type { LeaderEvent } from "./leader-part.ts";
import type { PartState } from "./replayed-part.ts";
import type { PlainRequest, ServerEvent } from "./server-part.ts";

/** One TCP connection between a client and a server, first in first out in both directions. */
export interface Wire {
  readonly socket: number;
  readonly client: number;
  readonly server: number;
  /** The server has accepted it. */
  readonly open: boolean;
  /** Frames to the server, to the client. */
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** The client is gone: what it sent may still arrive, nothing more reaches it. */
  readonly cut: boolean;
  /** The server has closed, behind what it wrote. */
  readonly ended: boolean;
  readonly asked: readonly number[];
  readonly answered: readonly number[];
}

export interface LogEntry extends LoggedTxn {
  readonly hex: string;
  /** Equal for equal entries. */
  readonly key: string;
}

export interface ClientState {
  readonly part: PartState<ClientEvent>;
  readonly phase: string;
  readonly session: string;
  /** Of the script. */
  readonly called: number;
  readonly waiting: number;
  readonly seenZxid: number;
  readonly wentBack: boolean;
  readonly watches: readonly { readonly path: string; readonly kind: WatchKind; readonly since: number }[];
  readonly late: boolean;
  /** Zxid of the last event on this connection. */
  readonly lastEvent: number;
  readonly disordered: boolean;
  readonly toldMoved: boolean;
  readonly honest: boolean;
  readonly surplus: boolean;
  readonly wrongKind: boolean;
}

export interface ServerState {
  readonly part: PartState<ServerEvent>;
  /** How much of the log it has applied. */
  readonly applied: number;
  /** On their way to the leader: requests, and questions about sessions. */
  readonly toLeader: readonly (PlainRequest | { readonly session: string; readonly timeout: number })[];
}

export interface SessionState {
  readonly clients: readonly ClientState[];
  readonly servers: readonly ServerState[];
  readonly leader: PartState<LeaderEvent>;
  readonly log: readonly LogEntry[];
  readonly committed: number;
  readonly wires: readonly Wire[];
  readonly epoch: number;
  /** Ticks since the beginning, and when this leader began. */
  readonly now: number;
  readonly ledSince: number;
  /** By session: when the leader last heard of it, and who owns it. */
  readonly heard: Readonly<Record<string, number>>;
  readonly owners: Readonly<Record<string, number>>;
  readonly spent: { readonly breaks: number; readonly leaders: number; readonly others: number; readonly torn: number };
}

/** Equal for equal states. Parts that a step leaves alone are shared between states, so their keys are made once. */
export function keyOf(state: SessionState): string {
  const { committed, epoch, now, ledSince } = state;
  return [
    ...state.clients.map(keyOfClient),
    ...state.servers.map(keyOfServer),
    state.leader.hash,
    keyOfLog(state.log),
    ...state.wires.map(keyOfPlain),
    keyOfPlain(state.heard),
    keyOfPlain(state.owners),
    keyOfPlain(state.spent),
    `${committed} ${epoch} ${now} ${ledSince}`,
  ].join("\n");
}

const keyOfClient = remembered((client: ClientState) => JSON.stringify({ ...client, part: client.part.hash }));
const keyOfServer = remembered((server: ServerState) => JSON.stringify({ ...server, part: server.part.hash }));
const keyOfLog = remembered((log: SessionState["log"]) => log.map(({ key }) => key).join());
const keyOfPlain = remembered(JSON.stringify);

function remembered<T extends object>(make: (value: T) => string): (value: T) => string {
  const known = new WeakMap<T, string>();
  return (value) => {
    const key = known.get(value) ?? make(value);
    known.set(value, key);
    return key;
  };
}
