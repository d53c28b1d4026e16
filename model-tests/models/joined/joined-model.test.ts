import { expect, test, vi } from "vitest";
import { explore } from "../../checker/explorer.ts";
import { runMutant } from "../../checker/mutants.ts";
import { verdictOf } from "../../checker/report.ts";
import { JOINED_MUTANTS, JOINED_PARTS } from "../../mutants/joined-mutants.ts";
import { PRODUCTION } from "../zab/parts.ts";
import { LIVE_CRASH, LIVENESS } from "../zab/zab-checks.ts";
import { zabModel } from "../zab/zab-model.ts";
import { START } from "./joined-checks.ts";
import { joinedModel } from "./joined-model.ts";

vi.setConfig({ testTimeout: 120_000 });

test("servers that start together elect, and come to serve, whatever their messages' order", () => {
  const report = explore(joinedModel({ bounds: START }));
  expect(verdictOf(report)).toBe("holds");
  expect(report).toMatchObject({ distinct: 47_011, generated: 137_886, depth: 78 });
});

/** Seconds; `npm run check:mutants` runs it. */
const SLOW = "M40 a promised epoch is voted with";

test.for(JOINED_MUTANTS.filter(({ name }) => name !== SLOW))(
  "$name is killed by $killer, on its shortest trace",
  async (mutant) => {
    expect(await runMutant(mutant)).toMatchObject({ killed: true });
  },
);

test("an oracle in the place of elections does not notice what a leader hides from them", () => {
  const parts = { ...PRODUCTION, ...JOINED_PARTS.leaderSilent };
  expect(explore(zabModel({ bounds: LIVE_CRASH, parts, properties: LIVENESS }), { symmetry: true }).violations).toEqual(
    [],
  );
});
