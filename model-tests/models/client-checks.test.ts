import { expect, test, vi } from "vitest";
import { explore } from "../checker/explorer.ts";
import { runMutant } from "../checker/mutants.ts";
import { verdictOf } from "../checker/report.ts";
import { CLIENT_MUTANTS } from "../mutants/client-mutants.ts";
import { CLIENT_CHECKS } from "./client-checks.ts";

// Thousands of runs of production's objects on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const SHORT = ["replay/short", "counter"];

test.for(CLIENT_CHECKS.filter(({ name }) => SHORT.includes(name)))("$name holds", async ({ load }) => {
  expect(verdictOf(explore(await load()))).toBe("holds");
});

test.for([...CLIENT_MUTANTS])("$name is killed by $killer, on its shortest trace", async (mutant) => {
  expect(await runMutant(mutant)).toMatchObject({ killed: true });
});
