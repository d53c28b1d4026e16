/** Elections and Zab joined, on real servers that elect by real votes. */
import { describe, expect, test, vi } from "vitest";
import { runMutant } from "../checker/mutants.ts";
import { BOTH, BREAK, CRASH, CRASH_AGAIN, LATE_WINNER, START } from "../models/joined/joined-checks.ts";
import { type JoinedModel, joinedModel } from "../models/joined/joined-model.ts";
import { JOINED_MUTANTS } from "../mutants/joined-mutants.ts";
import { replayJoined } from "./replay-file.ts";
import { randomTrace } from "./walk.ts";

const SEED = Number(process.env["REPLAY_SEED"] ?? 1);
const WALKS = Number(process.env["REPLAY_WALKS"] ?? 2);
const STEPS = 80;

vi.setConfig({ testTimeout: 120_000 });

describe("random runs of the model, from the first vote on", () => {
  test.each(Object.entries({ START, LATE_WINNER, CRASH, CRASH_AGAIN, BREAK, BOTH }))("%s", (_name, bounds) => {
    for (let seed = SEED; seed < SEED + WALKS; seed++) {
      const model = joinedModel({ bounds, liveness: false });
      const { steps, departedAt } = replayJoined(model, randomTrace(model, seed, STEPS));
      const last = departedAt === null ? [] : steps.slice(-3);
      expect(last, `REPLAY_SEED=${seed} REPLAY_WALKS=1 npx vitest run model-tests/replay/joined`).toEqual([]);
    }
  });
});

/** Seconds for the model to find. */
const SLOW = "M40 a promised epoch is voted with";

test.each(JOINED_MUTANTS.filter(({ name }) => name !== SLOW))("$name: real servers leave its trace", async (mutant) => {
  const { model, counterexample } = await runMutant(mutant);
  const { steps, departedAt } = replayJoined(model as JoinedModel, counterexample?.trace ?? []);
  expect(departedAt).not.toBeNull();
  // What the mutant does not tell, or tells wrong, is a vote.
  expect(steps.at(-1)?.differences.some((text) => /vote: /.test(text))).toBe(true);
});
