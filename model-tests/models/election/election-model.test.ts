import { expect, test, vi } from "vitest";
import { explore } from "../../checker/explorer.ts";
import { runMutant } from "../../checker/mutants.ts";
import { verdictOf } from "../../checker/report.ts";
import { ELECTION_MUTANTS } from "../../mutants/election-mutants.ts";
import { CALM, MIXED } from "./election-checks.ts";
import { electionModel } from "./election-model.ts";
import { type ElectionBounds, orderOf } from "./election-world.ts";

vi.setConfig({ testTimeout: 120_000 });

const ONE_ROUND: ElectionBounds = { ...CALM, rounds: 1, spareRounds: 0, patient: true };

test("three servers settle, whatever their messages' order", () => {
  const model = electionModel({ name: "calm", bounds: { ...CALM, histories: MIXED, patient: true } });
  const report = explore(model);
  expect(verdictOf(report)).toBe("holds");
  expect(report).toMatchObject({ distinct: 20_945, generated: 70_201, depth: 29 });
});

// The model tries one of each order; this is why that is enough. The orders differ in the servers' names alone.
test("histories in one order make one graph, and other orders make graphs of the same size", () => {
  const values = [0, 1].flatMap((epoch) => [0, 1].map((zxid) => [epoch, zxid] as const));
  const orders = new Set<string>();
  const sizes = new Set<string>();
  for (const one of values) {
    for (const two of values) {
      for (const three of values) {
        const bounds = { ...ONE_ROUND, histories: [[one], [two], [three]] };
        const { distinct, generated, depth } = explore(electionModel({ name: "one", bounds, liveness: false }));
        orders.add(orderOf([one, two, three]));
        sizes.add(`${distinct} ${generated} ${depth}`);
      }
    }
  }
  expect(orders.size).toBe(6);
  expect([...sizes]).toHaveLength(1);
});

const SLOW = ["M40 the word of followers is enough", "M40 followers do not tell of the new epoch"];

test.for(ELECTION_MUTANTS.filter(({ name }) => !SLOW.includes(name)))(
  "$name is killed by $killer, on its shortest trace",
  async (mutant) => {
    expect(await runMutant(mutant)).toMatchObject({ killed: true });
  },
);
