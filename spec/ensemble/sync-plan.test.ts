import { expect, test } from "vitest";
import { makeZxid, type Zxid } from "../vocabulary.ts";
import { planSync, planWithin } from "./sync-plan.ts";

const z = makeZxid;
const window = [z(1, 3), z(1, 4), z(1, 5), z(2, 1), z(2, 2)];
const history = { lastProcessed: z(2, 2), committed: window, logUsable: true };

test.each<[string, Zxid, object]>([
  ["is up to date", z(2, 2), { kind: "DIFF", after: z(2, 2) }],
  ["lacks the last txn", z(2, 1), { kind: "DIFF", after: z(2, 1) }],
  ["stands at the beginning of the window", z(1, 3), { kind: "DIFF", after: z(1, 3) }],
  ["is ahead in the same epoch", z(2, 7), { kind: "TRUNC", to: z(2, 2) }],
  ["is ahead in a later epoch", z(3, 1), { kind: "TRUNC", to: z(2, 2) }],
  ["led an epoch without writing in it", z(3, 0), { kind: "SNAP" }],
  ["has a txn of the old epoch that we lack", z(1, 6), { kind: "TRUNC", to: z(1, 5) }],
  ["started our epoch before its first txn", z(2, 0), { kind: "DIFF", after: z(2, 0) }],
  ["is older than the window", z(1, 1), { kind: "LOG", after: z(1, 1) }],
])("a learner that %s", (_, learner, plan) => {
  expect(planSync(learner, history)).toEqual({ upTo: z(2, 2), ...plan });
});

test("without a txn log an old learner gets a snapshot", () => {
  expect(planSync(z(1, 1), { ...history, logUsable: false }).kind).toBe("SNAP");
});

test("an empty window knows only the leader's own position", () => {
  const empty = { lastProcessed: z(1, 9), committed: [], logUsable: false };
  expect(planSync(z(1, 9), empty)).toEqual({ kind: "DIFF", after: z(1, 9), upTo: z(1, 9) });
  expect(planSync(z(1, 12), empty)).toEqual({ kind: "TRUNC", to: z(1, 9), upTo: z(1, 9) });
  expect(planSync(z(1, 2), empty).kind).toBe("SNAP");
});

test("a txn that we lack between two of different epochs is too risky to cut", () => {
  expect(planWithin(z(2, 5), [z(1, 5), z(3, 1)], z(3, 1)).kind).toBe("SNAP");
});
