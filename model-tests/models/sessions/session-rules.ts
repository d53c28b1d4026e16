/** What the session models can do wrongly. Production's way is the default; the mutants replace one entry each. */

import { Database } from "../../../src/tree/database.ts";
import type { Send } from "./client-part.ts";
import { type MakeTracker, productionTracker } from "./leader-part.ts";
import type { Hand, ServerOutput } from "./server-part.ts";

export interface SessionRules {
  readonly tracker: MakeTracker;
  readonly hand: Hand;
  readonly send: Send;
  /** What a server takes a ConnectRequest for. */
  readonly hears: (hex: string) => string;
  /** How what a server writes gets in line on its connection. */
  readonly enqueue: (waiting: readonly string[], hex: string) => readonly string[];
  readonly database: () => Database;
  /** The order in which what a server says in one turn leaves it. */
  readonly order: (outputs: readonly ServerOutput[]) => readonly ServerOutput[];
  /** Who says whether a session still exists when its client comes back. */
  readonly revalidation: "leader" | "own tree";
  /** A packet that was cut counts as received. */
  readonly tornPacketCounts: boolean;
  /** A server applies what is proposed, before it is committed. */
  readonly appliesProposals: boolean;
  /** A new leader counts silence from the beginning of time. */
  readonly leaderForgetsTime: boolean;
}

export const PRODUCTION_SESSIONS: SessionRules = {
  tracker: productionTracker,
  hand: (service, txn, result) => service.committed(txn, result),
  send: (hex) => hex,
  hears: (hex) => hex,
  enqueue: (waiting, hex) => [...waiting, hex],
  database: () => new Database(),
  order: (outputs) => outputs,
  revalidation: "leader",
  tornPacketCounts: false,
  appliesProposals: false,
  leaderForgetsTime: false,
};

/** ConnectRequest: length, protocol version, lastZxidSeen, timeOut, sessionId, passwd. */
export const isConnectRequest = (hex: string): boolean => hex.startsWith("0000002d");
export const SEEN_AT = 8;
export const SESSION_AT = 20;
export const PASSWORD_AT = 32;

/** The bytes from `at` on are replaced. */
export function patched(hex: string, at: number, bytes: string): string {
  return hex.slice(0, at * 2) + bytes + hex.slice(at * 2 + bytes.length);
}
