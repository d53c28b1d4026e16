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
  readonly nextSocket: number;
  readonly epoch: number;
  /** Ticks since the beginning, and when this leader began. */
  readonly now: number;
  readonly ledSince: number;
  /** By session: when the leader last heard of it, and who owns it. */
  readonly heard: Readonly<Record<string, number>>;
  readonly owners: Readonly<Record<string, number>>;
  readonly spent: { readonly breaks: number; readonly leaders: number; readonly others: number; readonly torn: number };
}

/** Equal for equal states: production parts by their views. */
export function keyOf(state: SessionState): string {
  return JSON.stringify([
    state.clients.map((client) => ({ ...client, part: client.part.view })),
    state.servers.map((server) => ({ ...server, part: server.part.view })),
    state.leader.view,
    state.log.map(({ hex, via, owner, expired }) => [hex, via, owner, expired]),
    state.committed,
    state.wires,
    state.nextSocket,
    state.epoch,
    state.now,
    state.ledSince,
    state.heard,
    state.owners,
    state.spent,
  ]);
}
