/** The models of what clients see: sessions, requests, watches; and of snapshots, on which their data rests. */

import type { Check } from "../checker/check.ts";
import { COUNTER_BOUNDS, counterBoundsText, counterModel } from "./replay/counter-model.ts";
import { QUICK_REPLAY_BOUNDS, REPLAY_BOUNDS, replayBoundsText, replayModel } from "./replay/replay-model.ts";

export const CLIENT_CHECKS: readonly Check[] = [
  {
    name: "replay/MC9",
    bounds: replayBoundsText(REPLAY_BOUNDS),
    length: "quick",
    load: async () => replayModel({ bounds: REPLAY_BOUNDS }),
  },
  {
    name: "replay/short",
    bounds: replayBoundsText(QUICK_REPLAY_BOUNDS),
    length: "quick",
    load: async () => replayModel({ bounds: QUICK_REPLAY_BOUNDS }),
  },
  {
    name: "counter",
    bounds: counterBoundsText(COUNTER_BOUNDS),
    length: "quick",
    load: async () => counterModel(COUNTER_BOUNDS),
  },
];
