/**
 * MC1, MC2, MC3: Zab's discovery, synchronization and broadcast, with an oracle for elections, every step of persistence by
 * itself, crashes that lose what was not synced, and links that break.
 */

import type { Check } from "../../checker/check.ts";
import type { ZabBounds } from "./layout.ts";
import { boundsText, zabModel } from "./zab-model.ts";

/** Every txn since the start is in memory: learners get DIFF where it can be. */
const WHOLE_LOG = 500;

export const ONE_CRASH: ZabBounds = {
  servers: 3,
  txns: 1,
  crashes: 1,
  breaks: 0,
  wipes: 0,
  epochs: 2,
  history: 0,
  committedLog: WHOLE_LOG,
  oracle: "best",
};

export const MC1_SMALL: ZabBounds = { ...ONE_CRASH, history: 1 };

const check = (name: string, length: Check["length"], bounds: ZabBounds): Check => ({
  name,
  bounds: boundsText(bounds),
  length,
  symmetry: true,
  load: async () => zabModel({ bounds }),
});

export const ZAB_CHECKS: readonly Check[] = [check("mc1/small", "quick", MC1_SMALL)];
