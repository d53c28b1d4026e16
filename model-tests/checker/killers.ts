/**
 * Which wrong variant each invariant catches. An invariant that no variant offends might be vacuous: it says nothing until
 * somebody has shown that it can fail, or has written down why nothing can make it.
 */

import { CLIENT_INVARIANTS } from "../../spec/invariants/client.invariants.ts";
import {
  ELECTION_GOALS,
  ELECTION_INVARIANTS,
  ELECTION_STEP_INVARIANTS,
  EVERYONE_SETTLES,
} from "../../spec/invariants/election.invariants.ts";
import { SYNC_INVARIANTS } from "../../spec/invariants/leadership.invariants.ts";
import { COUNTER_INVARIANTS, REPLAY_INVARIANTS } from "../../spec/invariants/replay.invariants.ts";
import { SESSION_INVARIANTS } from "../../spec/invariants/session.invariants.ts";
import { WATCH_INVARIANTS } from "../../spec/invariants/watch.invariants.ts";
import {
  ZAB_INVARIANTS as PRODUCTION_INVARIANTS,
  ZAB_LIVENESS,
  ZAB_STEP_INVARIANTS,
} from "../../spec/invariants/zab.invariants.ts";
import { CLIENTS_GO_ON } from "../models/sessions/session-model.ts";
import { DEPOSED_SYNC } from "../mutants/client-mutants.ts";
import { ELECTION_MUTANTS } from "../mutants/election-mutants.ts";
import { JOINED_MUTANTS } from "../mutants/joined-mutants.ts";
import { REPLAY_MUTANTS } from "../mutants/replay-mutants.ts";
import { SESSION_MUTANTS } from "../mutants/session-mutants.ts";
import { ZAB_PRODUCTION_MUTANTS } from "../mutants/zab-mutants.ts";
import type { Mutant } from "./check.ts";
import { ZAB_INVARIANTS } from "./zab-tla/zab-invariants.ts";
import { ZAB_MUTANTS } from "./zab-tla/zab-mutants.ts";

export interface Family {
  readonly name: string;
  readonly invariants: readonly string[];
  readonly mutants: readonly Mutant[];
  /** Of invariants that no mutant offends: why. */
  readonly reasons?: Readonly<Record<string, string>>;
}

const titles = (list: readonly { readonly id: string; readonly name: string }[]) =>
  list.map(({ id, name }) => `${id} ${name}`);
const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);

export const FAMILIES: readonly Family[] = [
  { name: "zab-tla", invariants: names(ZAB_INVARIANTS), mutants: ZAB_MUTANTS },
  {
    name: "zab",
    invariants: titles([...PRODUCTION_INVARIANTS, ...ZAB_STEP_INVARIANTS, ...ZAB_LIVENESS]),
    mutants: ZAB_PRODUCTION_MUTANTS,
  },
  {
    name: "election",
    invariants: titles([
      ...ELECTION_INVARIANTS,
      ...ELECTION_STEP_INVARIANTS,
      EVERYONE_SETTLES,
      ELECTION_GOALS.withoutOne,
    ]),
    mutants: ELECTION_MUTANTS,
  },
  // The invariants are those of elections and of Zab: these are what the two of them notice only together.
  { name: "joined", invariants: ["E3 ElectedIsMostRecent", "L1 AllInStep"], mutants: JOINED_MUTANTS },
  {
    name: "sessions",
    invariants: [...names([...SESSION_INVARIANTS, ...CLIENT_INVARIANTS, ...WATCH_INVARIANTS]), CLIENTS_GO_ON],
    mutants: SESSION_MUTANTS,
  },
  { name: "replay", invariants: names([...REPLAY_INVARIANTS, ...COUNTER_INVARIANTS]), mutants: REPLAY_MUTANTS },
  { name: "sync", invariants: names(SYNC_INVARIANTS), mutants: [DEPOSED_SYNC] },
];

/** Lines to print, and the invariants that have neither a killed mutant nor a reason. */
export function killersOf(
  families: readonly Family[],
  isKilled: (mutant: Mutant) => boolean,
): { readonly lines: readonly string[]; readonly bare: readonly string[] } {
  const lines: string[] = [];
  const bare: string[] = [];
  for (const { name, invariants, mutants, reasons = {} } of families) {
    for (const invariant of invariants) {
      const killed = mutants.filter((mutant) => mutant.killer === invariant && isKilled(mutant));
      const reason = reasons[invariant];
      if (killed.length === 0 && reason === undefined) bare.push(`${name}: ${invariant}`);
      const [first, ...others] = killed;
      const more = others.length === 0 ? "" : ` and ${others.length} more`;
      const text = first === undefined ? `no mutant: ${reason ?? "NO REASON GIVEN"}` : `${first.name}${more}`;
      lines.push(`${name.padEnd(9)} ${invariant.padEnd(30)} ${text}`);
    }
  }
  return { lines, bare };
}
