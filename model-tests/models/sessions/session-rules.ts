/** What the session models can do wrongly. Production's way is the default; the mutants replace one entry each. */

import type { Send } from "./client-part.ts";
import { type MakeTracker, productionTracker } from "./leader-part.ts";
import type { Hand, ServerOutput } from "./server-part.ts";

export interface SessionRules {
  readonly tracker: MakeTracker;
  readonly hand: Hand;
  readonly send: Send;
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
  order: (outputs) => outputs,
  revalidation: "leader",
  tornPacketCounts: false,
  appliesProposals: false,
  leaderForgetsTime: false,
};
