/**
 * Known bugs of synchronization, recovery and broadcast (M01 to M20, M33 to M39) and some of our own, as variants of
 * production's charts and cores or of the model's disk and wiring, each with the invariant that notices it.
 */

import { ZAB_LIVENESS } from "../../spec/invariants/zab.invariants.ts";
import type { Mutant } from "../checker/check.ts";
import type { ZabProperties } from "../models/zab/abstract.ts";
import type { ZabBounds } from "../models/zab/layout.ts";
import { PRODUCTION, type ZabParts } from "../models/zab/parts.ts";
import { ONE_CRASH } from "../models/zab/zab-checks.ts";
import { ALL_PROPERTIES, boundsText, zabModel } from "../models/zab/zab-model.ts";
import { BROADCAST_MUTANTS } from "./zab-broadcast-mutants.ts";
import { EPOCH_MUTANTS } from "./zab-epoch-mutants.ts";
import { PLAN_MUTANTS } from "./zab-plan-mutants.ts";
import { RECOVERY_MUTANTS } from "./zab-recovery-mutants.ts";
import { SYNC_MUTANTS } from "./zab-sync-mutants.ts";

export interface ZabMutant {
  readonly name: string;
  readonly story: string;
  readonly parts: Partial<ZabParts>;
  /** Beside one crash, one txn, two epochs. */
  readonly bounds?: Partial<ZabBounds>;
  readonly killer: string;
  readonly depth: number;
  /** Look for the killer alone, where another invariant notices first. */
  readonly only?: boolean;
}

export const ZAB_CORE_MUTANTS: readonly ZabMutant[] = [
  ...SYNC_MUTANTS,
  ...RECOVERY_MUTANTS,
  ...EPOCH_MUTANTS,
  ...BROADCAST_MUTANTS,
];

function withKillerOnly(killer: string): ZabProperties {
  const isKiller = ({ id, name }: { readonly id: string; readonly name: string }) => `${id} ${name}` === killer;
  const { always, neverStep } = ALL_PROPERTIES;
  return {
    always: always.filter(isKiller),
    neverStep: neverStep.filter(isKiller),
    sometimes: [],
    reachable: ZAB_LIVENESS.filter(isKiller),
  };
}

const CORE_MUTANTS: readonly Mutant[] = ZAB_CORE_MUTANTS.map((mutant) => {
  const { name, story, killer, depth, only = false } = mutant;
  const bounds = { ...ONE_CRASH, ...mutant.bounds };
  const properties = only ? withKillerOnly(killer) : ALL_PROPERTIES;
  const parts = { ...PRODUCTION, ...mutant.parts };
  const load = async () => zabModel({ bounds, parts, properties });
  return { name, story, killer, depth, bounds: boundsText(bounds), symmetry: true, load };
});

export const ZAB_PRODUCTION_MUTANTS: readonly Mutant[] = [...CORE_MUTANTS, ...PLAN_MUTANTS];
