/**
 * MC5: what neither elections nor Zab can tell alone. Does the elected leader come to serve? Do old votes harm? Does a server
 * that joins late, or whose leader dies, find its way?
 */

import type { Check } from "../../checker/check.ts";
import { ONE_CRASH } from "../zab/zab-checks.ts";
import { type JoinedBounds, joinedBoundsText, joinedModel } from "./joined-model.ts";

/** From nothing: all start at the same time, and elect. */
export const START: JoinedBounds = {
  ...ONE_CRASH,
  txns: 0,
  crashes: 0,
  /** Rounds limit them. */
  epochs: 63,
  rounds: 3,
  spareRounds: 1,
  late: [],
  prompt: false,
};
/** Writes begin while servers still join. */
export const START_WRITING: JoinedBounds = { ...START, txns: 1, rounds: 2 };
/** One starts some time, and joins, or is in time to vote. */
export const LATE: JoinedBounds = { ...START, late: [1] };
/** The one that wins among equals follows another one because it is late. */
export const LATE_WINNER: JoinedBounds = { ...START, late: [3] };
/** An ensemble that serves loses any of its servers, and what that one had not synced. */
export const CRASH: JoinedBounds = { ...START, serving: 3, txns: 1, crashes: 1, rounds: 2 };
/** One round more, for less freedom of messages. */
export const CRASH_AGAIN: JoinedBounds = { ...CRASH, rounds: 3, prompt: true };
/** Two serve when their link breaks; the third one starts some time. */
export const BREAK: JoinedBounds = { ...CRASH, serving: 2, late: [1], crashes: 0, breaks: 1 };
/** Crashes while the first leader is still being elected, or comes to serve. */
export const START_CRASH: JoinedBounds = { ...START, txns: 1, crashes: 1, rounds: 2 };
/** Everything at once. */
export const BOTH: JoinedBounds = { ...CRASH, breaks: 1, prompt: true };
export const WHOLE: JoinedBounds = { ...CRASH, breaks: 1 };
/** Txns of two epochs. */
export const TWO_TXNS: JoinedBounds = { ...CRASH, txns: 2, prompt: true };

const SERVED = ["all servers serve", "QuorumFollows"];
const ELECTED = [...SERVED, "ElectedAgain", "JoinsLate"];
const RECOVERED = [...ELECTED, "a txn commits", "QuorumWithoutOne", "ElectedInLaterEpoch"];

function check(name: string, bounds: JoinedBounds, goals: readonly string[], length: Check["length"] = "quick"): Check {
  const liveness = length === "quick";
  const load = async () => joinedModel({ bounds, goals, liveness });
  return { name: `mc5/${name}`, bounds: joinedBoundsText(bounds), length, load };
}

export const JOINED_CHECKS: readonly Check[] = [
  check("start", START, ELECTED),
  check("start, writing", START_WRITING, [...SERVED, "ElectedAgain", "a txn commits"]),
  check("late", LATE, [...ELECTED, "QuorumWithoutOne"]),
  check("late winner", LATE_WINNER, [...ELECTED, "QuorumWithoutOne"]),
  check("crash", CRASH, RECOVERED),
  check("crash, 3 rounds", CRASH_AGAIN, RECOVERED),
  check("break", BREAK, [...RECOVERED, "a deposed leader does not know it"]),
  check("two txns", TWO_TXNS, [...RECOVERED, "two epochs commit"], "long"),
  check("start, crash", START_CRASH, RECOVERED, "long"),
  check("crash and break", BOTH, RECOVERED, "long"),
  check("whole", WHOLE, RECOVERED, "long"),
];
