/** Bad histories, each with its legal twin: the one is refused by the rule it breaks, the other passes. */
import { describe, expect, test } from "vitest";
import { checkHistory } from "../checker/check-history.ts";
import type { ServerLog } from "../checker/witness/server-log.ts";
import type { Line } from "../histories/format.ts";
import { historyOf } from "../histories/read-history.ts";
import { ANSWERS } from "./pairs/answers.ts";
import { LOGS } from "./pairs/logs.ts";
import { ORDER } from "./pairs/order.ts";
import type { Pair } from "./pairs/pair.ts";
import { SESSIONS } from "./pairs/sessions.ts";
import { WATCHES } from "./pairs/watches.ts";
import { play } from "./script.ts";

const PAIRS: Readonly<Record<string, readonly Pair[]>> = {
  order: ORDER,
  answers: ANSWERS,
  logs: LOGS,
  watches: WATCHES,
  sessions: SESSIONS,
};

for (const [name, pairs] of Object.entries(PAIRS)) {
  describe(name, () => {
    test.each(pairs.map((pair) => [pair.name, pair] as const))("%s", (_, pair) => judge(pair));
  });
}

test("there are more than two hundred of them, and no two have one name", () => {
  const names = Object.values(PAIRS).flatMap((pairs) => pairs.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThan(200);
});

function judge({ script, property, black = property, search = false }: Pair): void {
  const legal = play(script, "legal");
  expect(findings(legal.lines, legal.logs), "the legal twin, with logs").toEqual([]);
  expect(findings(legal.lines, null), "the legal twin, without logs").toEqual([]);
  const bad = play(script, "bad");
  expect(findings(bad.lines, bad.logs), "the bad twin, with logs").toContainEqual(
    expect.stringMatching(`^${property} `),
  );
  if (black !== null) {
    expect(findings(bad.lines, null), "the bad twin, without logs").toContainEqual(expect.stringMatching(`^${black} `));
  }
  if (search)
    expect(checkHistory(historyOf(bad.lines), { logs: null, tickTimeMs: 1000, only: "search" }).search?.result).toBe(
      "invalid",
    );
}

/** Properties with what is said of them, and doubts. */
function findings(lines: readonly Line[], logs: readonly ServerLog[] | null): string[] {
  const { violations, doubts } = checkHistory(historyOf(lines), { logs, tickTimeMs: 1000 });
  return [
    ...violations.map(({ property, anomaly, summary }) => `${property}: ${anomaly}: ${summary}`),
    ...doubts.map(({ reason, summary }) => `doubt: ${reason}: ${summary}`),
  ];
}
