import { expect, test, vi } from "vitest";
import { ZAB_INVARIANTS, ZAB_LIVENESS, ZAB_STEP_INVARIANTS } from "../../spec/invariants/zab.invariants.ts";
import { explore } from "../checker/explorer.ts";
import { runMutant } from "../checker/mutants.ts";
import { verdictOf } from "../checker/report.ts";
import { ZAB_PRODUCTION_MUTANTS } from "../mutants/zab-mutants.ts";
import { ZAB_CHECKS } from "./zab/zab-checks.ts";

// Hundreds of thousands of states on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

test.for(ZAB_CHECKS.filter(({ name }) => ["mc1/crash", "mc10"].includes(name)))("$name holds", async ({ load }) => {
  expect(verdictOf(explore(await load(), { symmetry: true }))).toBe("holds");
});

test("each of Zab's invariants is what notices some wrong variant", () => {
  const killers = new Set(ZAB_PRODUCTION_MUTANTS.map(({ killer }) => killer));
  const names = [...ZAB_INVARIANTS, ...ZAB_STEP_INVARIANTS, ...ZAB_LIVENESS].map(({ id, name }) => `${id} ${name}`);
  expect(names.filter((name) => !killers.has(name))).toEqual([]);
});

/** Seconds; `npm run check:mutants` runs them all. */
const SLOW = [
  "M03 currentEpoch is written before the history",
  "M38 a proposal is acknowledged before the fsync",
  "uncommitted txns are applied in the next role",
];

test.for(ZAB_PRODUCTION_MUTANTS.filter(({ name }) => !SLOW.includes(name)))(
  "$name is killed by $killer, on its shortest trace",
  async (mutant) => {
    expect(await runMutant(mutant)).toMatchObject({ killed: true });
  },
);
