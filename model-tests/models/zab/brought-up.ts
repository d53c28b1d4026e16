/** Where a search may begin: the first server leads, and others follow it, with nothing under way. */

import { assert } from "../../../src/runtime/assert.ts";
import type { EmitSuccessor, Words } from "../../checker/model.ts";
import {
  ACTION_KINDS,
  type ActionKind,
  kindOfAction,
  parameterOfAction,
  serverOfAction,
  type ZabBounds,
} from "./layout.ts";

/** What happens by itself once somebody leads. */
const ON_ITS_WAY: readonly ActionKind[] = [
  "connect",
  "log synced",
  "epoch written",
  "log truncated",
  "snapshot step",
  "leader takes",
  "learner takes",
  "hear",
  "wait's end",
];

const LEADER = 0;

/** Runs the model itself, from the state in `words`: an election, who joins, and whatever follows until nothing is left. */
export function broughtUp(
  words: Words,
  { servers, serving }: ZabBounds,
  successors: (words: Words, emit: EmitSuccessor) => void,
  taken: (words: Words, action: number) => void,
): void {
  const quorum = Math.floor(servers / 2) + 1;
  assert(serving >= quorum, "Less than a quorum cannot serve.");
  let elected = false;
  const isWanted = (action: number): boolean => {
    const kind = ACTION_KINDS[kindOfAction(action)] as ActionKind;
    if (kind === "elect")
      return !elected && serverOfAction(action) === LEADER && parameterOfAction(action) === (1 << quorum) - 1;
    if (kind === "join") return serverOfAction(action) < serving;
    return ON_ITS_WAY.includes(kind);
  };
  const next = new Int32Array(words.length);
  for (;;) {
    let found = -1;
    successors(words, (successor, action) => {
      if (found !== -1 || !isWanted(action)) return;
      found = action;
      if (ACTION_KINDS[kindOfAction(action)] === "elect") elected = true;
      next.set(successor);
    });
    if (found === -1) return;
    words.set(next);
    taken(words, found);
  }
}
