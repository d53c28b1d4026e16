import { expect, test, vi } from "vitest";
import { explore } from "../checker/explorer.ts";
import { runMutant } from "../checker/mutants.ts";
import { verdictOf } from "../checker/report.ts";
import { CLIENT_MUTANTS } from "../mutants/client-mutants.ts";
import { CLIENT_CHECKS } from "./client-checks.ts";

// Thousands of runs of production's objects on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const SHORT = ["replay/short", "counter", "sync"];

test.for(CLIENT_CHECKS.filter(({ name }) => SHORT.includes(name)))("$name holds", async ({ load }) => {
  expect(verdictOf(explore(await load()))).toBe("holds");
});

/** Seconds each; `npm run check:mutants` runs them all. */
const SLOW = [
  "M21 the first op of a multi takes its zxid",
  "M23 the parent's counter is counted anew",
  "M28 late writes of the old connection",
  "M30 relativeZxid is ahead of what the client saw",
  "the client does not say what it has seen",
];

test.for(CLIENT_MUTANTS.filter(({ name }) => !SLOW.includes(name)))(
  "$name is killed by $killer, on its shortest trace",
  async (mutant) => {
    expect(await runMutant(mutant)).toMatchObject({ killed: true });
  },
);
