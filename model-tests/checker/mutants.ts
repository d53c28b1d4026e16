/** Runs wrong variants of models: each must be noticed, by the property that is meant to notice it. */

import type { Mutant } from "./check.ts";
import { explore } from "./explorer.ts";
import type { Model } from "./model.ts";
import { group } from "./report.ts";
import type { Counterexample } from "./trace.ts";

export interface MutantResult {
  readonly mutant: Mutant;
  /** What failed first, more than one property may fail in the same state; or the goals that were not reached. */
  readonly failed: readonly string[];
  readonly depth: number;
  readonly distinct: number;
  readonly seconds: number;
  readonly killed: boolean;
  readonly model: Model<unknown>;
  /** What failed, with its trace; the killer's if it is among them. */
  readonly counterexample: Counterexample | null;
}

export async function runMutant(mutant: Mutant): Promise<MutantResult> {
  const model = await mutant.load();
  const report = explore(model, { symmetry: mutant.symmetry ?? false });
  const { violations, distinct, seconds, sometimes } = report;
  if (sometimes.some(({ name }) => name === mutant.killer)) {
    const missed = report.complete ? sometimes.filter(({ reached }) => !reached).map(({ name }) => name) : [];
    const killed = missed.includes(mutant.killer) && report.depth === mutant.depth;
    return { mutant, failed: missed, depth: report.depth, distinct, seconds, killed, model, counterexample: null };
  }
  const failed = violations.map(({ property }) => property);
  const counterexample = violations.find(({ property }) => property === mutant.killer) ?? violations[0] ?? null;
  const depth = counterexample?.trace.length ?? 0;
  const killed = counterexample?.property === mutant.killer && depth === mutant.depth;
  return { mutant, failed, depth, distinct, seconds, killed, model, counterexample };
}

/** Prints a line for each and the score; returns those that were killed as expected. `tell` may tell more of each. */
export async function runMutants(
  mutants: readonly Mutant[],
  print: (line: string) => void,
  tell: (result: MutantResult) => void = () => {},
): Promise<ReadonlySet<Mutant>> {
  const killed = new Set<Mutant>();
  for (const mutant of mutants) {
    const result = await runMutant(mutant);
    if (result.killed) killed.add(mutant);
    tell(result);
    const noticed = result.failed.length === 0 ? "nothing" : `${result.failed.join(", ")} at depth ${result.depth}`;
    print(
      `${result.killed ? "killed  " : "SURVIVED"}  ${mutant.name.padEnd(46)} ${mutant.killer.padEnd(21)} ` +
        `depth ${String(mutant.depth).padStart(2)}  ${group(result.distinct).padStart(9)} states  ` +
        `${result.seconds.toFixed(1)} s${result.killed ? "" : `  but noticed: ${noticed}`}`,
    );
  }
  // Several variants may stand for one of the list of known bugs.
  const known = new Set([...killed].map(({ name }) => /^M\d\d/.exec(name)?.[0]).filter((bug) => bug !== undefined));
  print(`${killed.size} of ${mutants.length} mutants killed, ${known.size} of the 41 known bugs among them`);
  return killed;
}
