/** MC4: fast leader election alone. What Zab makes of it is in models/zab, with an oracle in its place. */

import { ELECTION_GOALS } from "../../../spec/invariants/election.invariants.ts";
import type { Check } from "../../checker/check.ts";
import { type ElectionGoal, electionBoundsText, electionModel } from "./election-model.ts";
import type { ElectionBounds } from "./election-world.ts";

type Choice = ElectionBounds["histories"][number];

/** Epoch and zxid, 0 or 1 each. */
const ANY: Choice = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];
/** A shorter log, of an older epoch, of the newer one: the largest vote is not the one with the largest zxid. */
export const MIXED: ElectionBounds["histories"] = [[[0, 0]], [[0, 1]], [[1, 0]]];

export const CALM: ElectionBounds = {
  voters: 3,
  observers: 0,
  asleep: 0,
  histories: [ANY, ANY, ANY],
  start: "together",
  crashes: 0,
  breaks: 0,
  epochs: 0,
  rounds: 2,
  spareRounds: 1,
  patient: false,
};
const CRASH: ElectionBounds = { ...CALM, crashes: 1, patient: true };
const BREAK: ElectionBounds = { ...CALM, breaks: 1, patient: true };
const APART: ElectionBounds = { ...CALM, start: "apart", patient: true };
const NEW_EPOCH: ElectionBounds = { ...CRASH, histories: MIXED, epochs: 1 };
const OBSERVER: ElectionBounds = { ...CRASH, voters: 2, observers: 1, histories: [ANY, ANY, [[1, 1]]] };
/** All three that are up must agree. */
const THREE_OF_FIVE: ElectionBounds = {
  ...CALM,
  voters: 5,
  asleep: 2,
  histories: [...MIXED, [[0, 0]], [[0, 0]]],
  patient: true,
};
const CRASH_ANY_TIME: ElectionBounds = { ...CALM, histories: MIXED, crashes: 1 };
const FIVE: ElectionBounds = {
  ...CALM,
  voters: 5,
  histories: [[[0, 0]], [[0, 1]], [[1, 0]], [[0, 0]], [[0, 1]]],
  patient: true,
};

const { quorum, withoutOne, again, late, laterEpoch } = ELECTION_GOALS;

function check(name: string, bounds: ElectionBounds, goals: readonly ElectionGoal[], more: Partial<Check> = {}): Check {
  const title = `election/MC4 ${name}`;
  const liveness = more.maxDepth === undefined;
  const load = async () => electionModel({ name: title, bounds, goals, liveness });
  return { name: title, bounds: electionBoundsText(bounds), length: "quick", load, ...more };
}

export const ELECTION_CHECKS: readonly Check[] = [
  check("slice", { ...CRASH, histories: MIXED }, [quorum, withoutOne, again, late]),
  check("any timing", CALM, [quorum, again, late]),
  check("crash", CRASH, [quorum, withoutOne, again, late]),
  check("break", BREAK, [quorum, again, late]),
  check("apart", APART, [quorum, withoutOne, again, late]),
  check("new epoch", NEW_EPOCH, [quorum, withoutOne, again, late, laterEpoch]),
  check("observer", OBSERVER, [quorum, again, late]),
  check("three of five", THREE_OF_FIVE, [quorum, withoutOne, again]),
  check("crash, any timing", CRASH_ANY_TIME, [quorum, withoutOne, again, late], { length: "long" }),
  check("five", FIVE, [], { length: "long", maxDepth: 8 }),
];
