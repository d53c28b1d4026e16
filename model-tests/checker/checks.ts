/** Every check and mutant that the command line and the workers can name. New models are listed here. */

import { CLIENT_CHECKS } from "../models/client-checks.ts";
import { ELECTION_CHECKS } from "../models/election/election-checks.ts";
import { JOINED_CHECKS } from "../models/joined/joined-checks.ts";
import { ZAB_CHECKS } from "../models/zab/zab-checks.ts";
import { CLIENT_MUTANTS } from "../mutants/client-mutants.ts";
import { ELECTION_MUTANTS } from "../mutants/election-mutants.ts";
import { JOINED_MUTANTS } from "../mutants/joined-mutants.ts";
import { ZAB_PRODUCTION_MUTANTS } from "../mutants/zab-mutants.ts";
import type { Check, Mutant } from "./check.ts";
import { ZAB_COUNTS } from "./zab-tla/zab-counts.ts";
import { boundsText, createModel } from "./zab-tla/zab-model.ts";
import { ZAB_MUTANTS } from "./zab-tla/zab-mutants.ts";
import { SPECIFIED } from "./zab-tla/zab-rules.ts";

/** ZooKeeper's protocol specification; its counts prove the explorer. */
const zabTla: Check[] = ZAB_COUNTS.map(({ bounds, epochs, text, symmetry, length, distinct, generated, depth }) => {
  const [servers, txns, timeouts, restarts] = bounds;
  const zabBounds = { servers, txns, timeouts, restarts, epochs };
  const rules = { ...SPECIFIED, restartNeedsTimeoutBudget: text === "apache" };
  const variant = [bounds.join(","), ...(text === "both" ? [] : [text]), ...(symmetry ? ["symmetry"] : [])].join(" ");
  return {
    name: `zab-tla/${variant}`,
    bounds: boundsText(zabBounds),
    length,
    symmetry,
    load: async () => createModel({ bounds: zabBounds, rules }),
    expected: { distinct, generated, depth },
  };
});

export const CHECKS: readonly Check[] = [
  ...zabTla,
  ...ZAB_CHECKS,
  ...ELECTION_CHECKS,
  ...JOINED_CHECKS,
  ...CLIENT_CHECKS,
];

export const MUTANTS: readonly Mutant[] = [
  ...ZAB_MUTANTS,
  ...ZAB_PRODUCTION_MUTANTS,
  ...ELECTION_MUTANTS,
  ...JOINED_MUTANTS,
  ...CLIENT_MUTANTS,
];

export function checkNamed(name: string): Check {
  const check = CHECKS.find((candidate) => candidate.name === name);
  if (check === undefined) throw new Error(`There is no check named ${name}.`);
  return check;
}
