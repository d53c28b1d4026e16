/**
 * MC1, MC2, MC3: Zab's discovery, synchronization and broadcast, with an oracle for elections, every step of persistence by
 * itself, crashes that lose what was not synced, and links that break.
 */

import { ZAB_GOALS, ZAB_LIVENESS } from "../../../spec/invariants/zab.invariants.ts";
import type { Check } from "../../checker/check.ts";
import type { ZabProperties } from "./abstract.ts";
import type { ZabBounds } from "./layout.ts";
import { MC10, syncTable, tableBoundsText } from "./sync-table.ts";
import { ALL_PROPERTIES, boundsText, zabModel } from "./zab-model.ts";

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
  serving: 0,
  committedLog: WHOLE_LOG,
  oracle: "best",
};

/** Each reaches every goal: TRUNC, DIFF and SNAP, a deposed leader, a crash that loses an unsynced tail. */
export const MC1_CRASH: ZabBounds = { ...ONE_CRASH, txns: 2 };
export const MC1_BREAK: ZabBounds = { ...ONE_CRASH, txns: 2, crashes: 0, breaks: 1 };
/** What the window lacks is read from the log. */
export const MC1_WINDOW: ZabBounds = { ...MC1_CRASH, committedLog: 1 };
/** Whoever is elected: discovery must notice that others know more. */
export const MC1_ANYBODY: ZabBounds = { ...MC1_CRASH, oracle: "any" };
export const MC1_TWO_CRASHES: ZabBounds = { ...ONE_CRASH, txns: 2, crashes: 2, epochs: 3 };
export const MC1_SLICE: ZabBounds = { ...ONE_CRASH, txns: 2, breaks: 1 };
export const MC1_EPOCHS: ZabBounds = { ...MC1_SLICE, epochs: 3 };
export const MC1_ONE_TXN: ZabBounds = { ...ONE_CRASH, crashes: 2, breaks: 1, epochs: 3 };
export const MC1: ZabBounds = { ...ONE_CRASH, txns: 2, crashes: 2, breaks: 1, epochs: 3 };
export const MC2: ZabBounds = { ...ONE_CRASH, txns: 3, epochs: 3 };
export const MC3: ZabBounds = { ...ONE_CRASH, servers: 5 };

/** Whatever has happened, all come into step again, given one more epoch. */
export const LIVE_CRASH: ZabBounds = { ...ONE_CRASH, epochs: 3 };
export const LIVE_BREAK: ZabBounds = { ...ONE_CRASH, crashes: 0, breaks: 1, epochs: 3 };
export const LIVENESS: ZabProperties = { always: [], neverStep: [], sometimes: [], reachable: ZAB_LIVENESS };

const TWO_EPOCHS_COMMIT = "two epochs commit";

/** `beyond`: goals that the bounds are too small for. */
function check(name: string, length: Check["length"], bounds: ZabBounds, beyond: readonly string[] = []): Check {
  const properties = { ...ALL_PROPERTIES, sometimes: ZAB_GOALS.filter((goal) => !beyond.includes(goal.name)) };
  const load = async () => zabModel({ bounds, properties });
  return { name, bounds: boundsText(bounds), length, symmetry: true, load };
}

export const ZAB_CHECKS: readonly Check[] = [
  check("mc1/crash", "quick", MC1_CRASH),
  check("mc1/break", "quick", MC1_BREAK),
  check("mc1/window", "quick", MC1_WINDOW),
  check("mc1/anybody", "quick", MC1_ANYBODY),
  check("mc1/slice", "quick", MC1_SLICE),
  check("mc1/two crashes", "long", MC1_TWO_CRASHES),
  check("mc1/three epochs", "long", MC1_EPOCHS),
  check("mc1/one txn", "long", MC1_ONE_TXN, [TWO_EPOCHS_COMMIT]),
  check("mc1/whole", "long", MC1),
  check("mc2", "quick", MC2),
  {
    ...check("mc1/live crash", "quick", LIVE_CRASH),
    load: async () => zabModel({ bounds: LIVE_CRASH, properties: LIVENESS }),
  },
  {
    ...check("mc1/live break", "quick", LIVE_BREAK),
    load: async () => zabModel({ bounds: LIVE_BREAK, properties: LIVENESS }),
  },
  { name: "mc10", bounds: tableBoundsText(MC10), length: "quick", load: async () => syncTable() },
  check("mc3", "long", MC3, [TWO_EPOCHS_COMMIT]),
];
