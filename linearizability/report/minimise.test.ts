/** A fault planted in a long legal history is shown by a few operations. */
import { expect, test } from "vitest";
import { checkHistory } from "../checker/check-history.ts";
import { describeOp } from "../checker/describe.ts";
import type { Line } from "../histories/format.ts";
import { historyOf } from "../histories/read-history.ts";
import { LegalWorld } from "../proof/legal-world.ts";
import { everything } from "../proof/mixes.ts";
import { historyLines } from "./history-lines.ts";
import { minimise } from "./minimise.ts";

const TICK_MS = 1000;

interface Loose {
  kind: string;
  op?: string;
  id: number;
  zxid: number;
  res: { data?: string; children?: string[]; path?: string; stat?: { version: number; mzxid: number } };
}

type Plant = (line: Loose, asked: Loose) => boolean;

/** Each alters one reply, late in the history, and says whether it could. */
const PLANTS: Readonly<Record<string, Plant>> = {
  "a value that nobody wrote": ({ res }, { op }) => {
    if (op !== "getData") return false;
    res.data = "ghost";
    return true;
  },
  "a version that is skipped": ({ res }, { op }) => {
    if (op !== "setData") return false;
    res.stat!.version++;
    return true;
  },
  "a reply from long ago": (line, { op }) => {
    if (op !== "exists") return false;
    line.zxid -= 40;
    return true;
  },
  "a child that nobody made": ({ res }, { op }) => {
    if (op !== "getChildren") return false;
    res.children!.push("ghost");
    return true;
  },
  "a sequence number used twice": ({ res }, { op }) => {
    if (op !== "create" || !/n-\d+$/.test(res.path!)) return false;
    res.path = "/q/n-0000000000";
    return true;
  },
};

test.each(Object.entries(PLANTS))("%s", (_, plant) => {
  const sizes: number[] = [];
  for (let seed = 1; seed <= 3; seed++) {
    const history = historyOf(planted(seed, plant));
    const { violations, witness } = checkHistory(history, { logs: null, tickTimeMs: TICK_MS });
    const target = violations[0]!;
    const { history: small, ops, shown } = minimise(history, witness!.timeline, target, TICK_MS);
    expect(shown).toBe(true);
    // Written down, it is judged alike.
    const written = checkHistory(historyOf(historyLines(small)), {
      logs: null,
      tickTimeMs: TICK_MS,
      budgets: [20_000],
    });
    expect(written.violations.map(({ property }) => property)).toContain(target.property);
    expect(ops.map((i) => describeOp(history.operations, i)).length).toBe(small.operations.count);
    const again = checkHistory(small, { logs: null, tickTimeMs: TICK_MS });
    expect(again.violations.map(({ property }) => property)).toContain(target.property);
    sizes.push(ops.length);
  }
  sizes.sort((a, b) => a - b);
  expect(sizes[1]).toBeLessThanOrEqual(8);
});

function planted(seed: number, plant: Plant): Line[] {
  const lines: Line[] = [];
  const world = new LegalWorld({ seed, mix: everything(3), procs: 4, pipeline: 3 }, (line) => lines.push(line));
  world.run(500);
  const asked = new Map<number, Loose>();
  const loose = structuredClone(lines) as unknown as Loose[];
  for (const line of loose) if (line.kind === "invoke") asked.set(line.id, line);
  for (const line of loose.slice(loose.length / 2)) {
    if (line.kind === "ok" && plant(line, asked.get(line.id)!)) break;
  }
  return loose as unknown as Line[];
}
