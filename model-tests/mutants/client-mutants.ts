/** The known bugs of sessions, clients, watches and replay, M21–M32 and M41. */

import type { Mutant } from "../checker/check.ts";
import { SYNC_BOUNDS, syncBoundsText, syncModel } from "../models/sync/sync-model.ts";
import { REPLAY_MUTANTS } from "./replay-mutants.ts";
import { SESSION_MUTANTS } from "./session-mutants.ts";

export const DEPOSED_SYNC: Mutant = {
  name: "M41 sync is answered without asking a quorum",
  story: "ZOOKEEPER-1675: a leader that was deposed and does not know answers from its old tree.",
  bounds: syncBoundsText(SYNC_BOUNDS),
  killer: "SyncSeesAcknowledgedWrites",
  depth: 5,
  load: async () => syncModel(SYNC_BOUNDS, false),
};

export const CLIENT_MUTANTS: readonly Mutant[] = [...REPLAY_MUTANTS, ...SESSION_MUTANTS, DEPOSED_SYNC];
