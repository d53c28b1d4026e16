import { expect, test } from "vitest";
import { checkNamed } from "../checks.ts";
import { explore } from "../explorer.ts";
import { runMutant } from "../mutants.ts";
import { printTrace } from "../print-trace.ts";
import { ZAB_COUNTS } from "./zab-counts.ts";
import { ZAB_INVARIANTS } from "./zab-invariants.ts";
import { createModel, MAX_EPOCH } from "./zab-model.ts";
import { ZAB_MUTANTS } from "./zab-mutants.ts";
import { SPECIFIED } from "./zab-rules.ts";
import { permutations } from "./zab-symmetry.ts";

const small = ZAB_COUNTS.filter(({ bounds, length }) => bounds[0] === 2 && length === "quick");

test.each(small)("Zab.tla at $bounds ($text, symmetry $symmetry) has TLC's counts", (row) => {
  const [servers, txns, timeouts, restarts] = row.bounds;
  const rules = { ...SPECIFIED, restartNeedsTimeoutBudget: row.text === "apache" };
  const model = createModel({ bounds: { servers, txns, timeouts, restarts, epochs: row.epochs }, rules });
  const { distinct, generated, depth, complete, violations } = explore(model, { symmetry: row.symmetry });
  expect({ distinct, generated, depth, complete, violations }).toEqual({
    distinct: row.distinct,
    generated: row.generated,
    depth: row.depth,
    complete: true,
    violations: [],
  });
});

test("with three servers and symmetry too, and every goal is reached", async () => {
  const { load, expected } = checkNamed("zab-tla/3,2,1,0 symmetry");
  const report = explore(await load(), { symmetry: true });
  expect(report).toMatchObject({ ...expected, complete: true });
  expect(report.violations).toEqual([]);
  expect(report.sometimes.filter(({ reached }) => !reached)).toEqual([]);
});

test.each(ZAB_MUTANTS)("$killer notices: $name", async (mutant) => {
  const result = await runMutant(mutant);
  expect({ failed: result.failed, depth: result.depth }).toEqual({
    failed: expect.arrayContaining([mutant.killer]),
    depth: mutant.depth,
  });
});

test("every invariant kills some mutant, so none is vacuous", () => {
  const killers = new Set(ZAB_MUTANTS.map(({ killer }) => killer));
  expect(ZAB_INVARIANTS.map(({ name }) => name).filter((name) => !killers.has(name))).toEqual([]);
});

test("the trace of M33 is told in 22 lines", async () => {
  const mutant = ZAB_MUTANTS[0]!;
  const model = await mutant.load();
  const [violation] = explore(model, { symmetry: true }).violations;
  const lines = printTrace(model, violation!);
  expect(lines).toHaveLength(22);
  expect(lines[16]).toContain("LeaderBroadcastPROPOSE s1           sends PROPOSE(1.1) s1→s2");
  expect(lines.at(-1)).toContain("s3.committed 0 → 1; flag - → proposalInconsistent");
});

test("a renaming and its inverse give the state back", () => {
  const model = createModel({ bounds: { servers: 3, txns: 2, timeouts: 1, restarts: 0, epochs: MAX_EPOCH } });
  const orders = permutations(3);
  const inverse = orders.map((to) => orders.findIndex((back) => back.every((server, i) => to[server] === i)));
  let now = new Int32Array(model.width);
  model.initial((words) => now.set(words));
  const there = new Int32Array(model.width);
  const back = new Int32Array(model.width);
  for (let step = 0; step < 30; step++) {
    orders.forEach((_, permutation) => {
      model.symmetry?.permute(now, permutation, there);
      model.symmetry?.permute(there, inverse[permutation] as number, back);
      expect(back).toEqual(now);
    });
    let count = 0;
    let next = now;
    model.successors(now, (words) => {
      if (count++ === (step * 7) % 3) next = words.slice();
    });
    now = next;
  }
});
