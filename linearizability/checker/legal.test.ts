/** Histories of an ensemble that obeys the rules raise no alarm, in either algorithm, with logs or without. */
import { expect, test } from "vitest";
import type { Line } from "../histories/format.ts";
import { historyOf } from "../histories/read-history.ts";
import { LegalWorld, type WorldOptions } from "../proof/legal-world.ts";
import { everything } from "../proof/mixes.ts";
import { logOf } from "../proof/txns.ts";
import { checkHistory, type Verdict } from "./check-history.ts";
import { serverLogOf } from "./witness/server-log.ts";
import { checkByWitness } from "./witness/witness.ts";

const TICK_MS = 1000;

function runWorld(options: WorldOptions, operations: number) {
  const lines: Line[] = [];
  const world = new LegalWorld(options, (line) => lines.push(line));
  world.run(operations);
  return { history: historyOf(lines), logs: [serverLogOf(1, [logOf(world.txns)])] };
}

function worldOf(seed: number): WorldOptions {
  const mix = everything(1 + (seed % 3));
  const load = { mix, procs: 2 + (seed % 4), pipeline: 1 + (seed % 5) };
  return { seed, ...load, breaks: 0.02, expires: 0.3, finalReads: true };
}

function alarms({ violations, doubts }: Pick<Verdict, "violations" | "doubts">): string[] {
  return [
    ...violations.map(({ anomaly, summary }) => `${anomaly}: ${summary}`),
    ...doubts.map(({ summary }) => summary),
  ];
}

test("a hundred legal histories, with broken connections and expired sessions, raise no alarm", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const { history, logs } = runWorld(worldOf(seed), 150);
    expect(history.whole).toBe(true);
    const verdict = checkHistory(history, { logs, tickTimeMs: TICK_MS });
    expect([seed, alarms(verdict)]).toEqual([seed, []]);
    expect(verdict.search!.operations).toBeGreaterThan(40);
  }
});

test("two hundred legal histories raise no alarm where no logs are at hand", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const { history } = runWorld(worldOf(seed), 150);
    const verdict = checkByWitness(history, { logs: null, tickTimeMs: TICK_MS });
    expect([seed, alarms(verdict)]).toEqual([seed, []]);
  }
});
