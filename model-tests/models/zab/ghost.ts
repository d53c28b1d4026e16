/** The history of the whole run, kept by the model because no server remembers it. */

import { type GhostView, holds, isPrefix, lastZxid } from "../../../spec/invariants/zab-view.ts";
import { formatZxid } from "../../../spec/vocabulary.ts";
import { LocalMachine } from "../../checker/memo.ts";
import type { GhostOutput } from "./outputs.ts";

export const EMPTY_GHOST: GhostView = { committed: [], broadcast: [], established: [], alarms: [] };

export function ghostMachine(): LocalMachine<GhostView, GhostOutput, never> {
  return new LocalMachine({
    name: "ghosts",
    snapshotKey: JSON.stringify,
    eventKey: JSON.stringify,
    step: (ghost, output) => ({ next: step(ghost, output), outputs: [] }),
  });
}

function step(ghost: GhostView, output: GhostOutput): GhostView {
  switch (output.type) {
    case "broadcast": {
      const broadcast = [...ghost.broadcast, output.txn].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      return { ...ghost, broadcast };
    }
    case "established": {
      const { epoch, leader } = output;
      if (ghost.established.some(([e, l]) => e === epoch && l === leader)) return ghost;
      const established = [...ghost.established, [epoch, leader] as const].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      return { ...ghost, established };
    }
    case "committed": {
      const { history } = output;
      if (isPrefix(history, ghost.committed)) return ghost;
      if (isPrefix(ghost.committed, history)) return { ...ghost, committed: history };
      const lost = ghost.committed.filter((txn) => !holds(history, txn)).map(([zxid]) => formatZxid(zxid));
      const last = formatZxid(lastZxid(history));
      return alarmed(ghost, `I2: a leader commits ${last} without ${lost.join(", ")}, which was committed`);
    }
    case "alarm":
      return alarmed(ghost, output.text);
  }
}

function alarmed(ghost: GhostView, text: string): GhostView {
  if (ghost.alarms.includes(text)) return ghost;
  return { ...ghost, alarms: [...ghost.alarms, text].sort() };
}

/** A pre-existing history counts as broadcast and committed. */
export const ghostWith = (history: GhostView["committed"]): GhostView => ({
  ...EMPTY_GHOST,
  committed: history,
  broadcast: history,
});
