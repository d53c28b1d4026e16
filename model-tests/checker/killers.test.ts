import { expect, test } from "vitest";
import { MUTANTS } from "./checks.ts";
import { FAMILIES, killersOf } from "./killers.ts";

// `npm run check:mutants` looks at what was really killed.
test("every invariant has a wrong variant that is meant for it, or a reason", () => {
  expect(killersOf(FAMILIES, () => true).bare).toEqual([]);
});

test("every mutant belongs to a family, and its killer is one of the family's invariants", () => {
  for (const mutant of MUTANTS) {
    const family = FAMILIES.find(({ mutants }) => mutants.includes(mutant));
    expect(family?.invariants, mutant.name).toContain(mutant.killer);
  }
});

test("an invariant whose only mutant survives is told", () => {
  const [family] = FAMILIES.slice(-1);
  const { lines, bare } = killersOf([family!], () => false);
  expect(bare).toEqual(["sync: SyncSeesAcknowledgedWrites"]);
  expect(lines[0]).toContain("NO REASON GIVEN");
});
