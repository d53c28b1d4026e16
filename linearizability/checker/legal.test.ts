/** Histories of an ensemble that obeys the rules raise no alarm, in either algorithm. */
import { expect, test } from "vitest";
import type { Line } from "../histories/format.ts";
import { historyOf } from "../histories/read-history.ts";
import { LegalWorld, type WorldOptions } from "../proof/legal-world.ts";
import { everything } from "../proof/mixes.ts";
import { logOf } from "../proof/txns.ts";
import { checkBySearch } from "./search/search.ts";
import { serverLogOf } from "./witness/server-log.ts";
import { checkByWitness } from "./witness/witness.ts";

function runWorld(options: WorldOptions, operations: number) {
  const lines: Line[] = [];
  const world = new LegalWorld(options, (line) => lines.push(line));
  world.run(operations);
  return { lines, history: historyOf(lines), logs: [serverLogOf(1, [logOf(world.txns)])] };
}

test("a hundred legal histories, with broken connections and expired sessions, raise no alarm", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const mix = everything(1 + (seed % 3));
    const world = {
      seed,
      mix,
      procs: 2 + (seed % 4),
      pipeline: 1 + (seed % 5),
      breaks: 0.02,
      expires: 0.3,
      finalReads: true,
    };
    const { history, logs } = runWorld(world, 150);
    expect(history.whole).toBe(true);
    const witness = checkByWitness(history, { logs, tickTimeMs: 1000 });
    expect(witness.violations.map(({ anomaly, summary }) => `seed ${seed}: ${anomaly}: ${summary}`)).toEqual([]);
    const search = checkBySearch(history);
    expect([seed, search.result, search.violations.map(({ summary }) => summary)]).toEqual([seed, "valid", []]);
    expect(search.operations).toBeGreaterThan(40);
  }
});
