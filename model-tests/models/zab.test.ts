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

/** A second or so each; `npm run check:mutants` runs them all. */
const QUICK = ["M02", "M04", "M06", "M08", "M09", "M10", "M17", "M19", "M33", "M34", "M35", "M36", "M37", "M39", "a "];

test.for(ZAB_PRODUCTION_MUTANTS.filter(({ name }) => QUICK.some((start) => name.startsWith(start))))(
  "$name is killed by $killer, on its shortest trace",
  async (mutant) => {
    expect(await runMutant(mutant)).toMatchObject({ killed: true });
  },
);
