import { expect, test, vi } from "vitest";
import { ZAB_INVARIANTS, ZAB_LIVENESS, ZAB_STEP_INVARIANTS } from "../../spec/invariants/zab.invariants.ts";
import { explore } from "../checker/explorer.ts";
import { runMutant } from "../checker/mutants.ts";
import { verdictOf } from "../checker/report.ts";
import { traceOf } from "../checker/trace.ts";
import { ZAB_PRODUCTION_MUTANTS } from "../mutants/zab-mutants.ts";
import { ZAB_CHECKS } from "./zab/zab-checks.ts";

// Hundreds of thousands of states on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

test.for(ZAB_CHECKS.filter(({ name }) => ["mc1/crash", "mc10"].includes(name)))("$name holds", async ({ load }) => {
  expect(verdictOf(explore(await load(), { symmetry: true }))).toBe("holds");
});

/**
 * What mc1/whole found: a truncation puts a currentEpoch right that is behind the log, and the leader is lost at that moment. The
 * choices of its 49 steps.
 */
const EPOCH_PUT_RIGHT = [
  0, 0, 5, 1, 5, 3, 5, 1, 5, 3, 5, 1, 2, 7, 1, 6, 9, 4, 0, 6, 7, 7, 4, 7, 7, 7, 2, 2, 4, 5, 1, 5, 1, 5, 4, 5, 1, 1, 4,
  6, 2, 4, 2, 4, 3, 4, 2, 2, 0, 2,
];

test("a server tells of the epoch that its disk has after a truncation", async () => {
  const model = await ZAB_CHECKS.find(({ name }) => name === "mc1/whole")!.load();
  const last = traceOf(model, EPOCH_PUT_RIGHT).at(-1)!;
  const state = model.decode(last.words, null);
  expect(model.properties.always.filter((property) => !property.holds(state)).map(({ name }) => name)).toEqual([]);
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
