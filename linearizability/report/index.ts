/** The report of a run: a page for people, a story for terminals, JSON for machines, and the smallest history of a violation. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Judgement } from "../checker/check-run.ts";
import { describeOp } from "../checker/describe.ts";
import { type Explanation, explain } from "./explain.ts";
import { historyLines } from "./history-lines.ts";
import { pageOf } from "./page.ts";

export const PAGE_FILE = "index.html";
export const JSON_FILE = "report.json";
export const STORY_FILE = "story.txt";
/** The smallest history of a violation that clients alone can see. */
export const SMALLEST_FILE = "smallest.jsonl";

/** Writes into `folder` and makes it if need be. Returns the path of the page. */
export function writeReport(judgement: Judgement, folder: string): string {
  const explanation = explain(judgement);
  mkdirSync(folder, { recursive: true });
  const page = join(folder, PAGE_FILE);
  writeFileSync(page, pageOf(judgement, explanation));
  writeFileSync(join(folder, JSON_FILE), `${JSON.stringify(dataOf(judgement, explanation), null, 2)}\n`);
  const story = [...storyOf(judgement, explanation)];
  const smallest = join(folder, SMALLEST_FILE);
  rmSync(smallest, { force: true });
  if (explanation?.minimal.shown === true) {
    const lines = historyLines(explanation.minimal.history);
    writeFileSync(smallest, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const command = `npm run check:linearizability -- --black-box ${relative(process.cwd(), smallest) || smallest}`;
    story.push(`${story.pop()} Judge these operations alone: ${command}`);
  }
  writeFileSync(join(folder, STORY_FILE), `${story.join("\n")}\n`);
  return page;
}

function storyOf(
  { verdict, doubts, figures, manifest }: Judgement,
  explanation: Explanation | null,
): readonly string[] {
  if (explanation !== null) return explanation.story;
  const { operations, ok, failed, unknown, faults, leaderChanges } = figures;
  return [
    `${manifest.name}: ${verdict}.`,
    `${operations} operations: ${ok} answered, ${failed} refused, ${unknown} unknown; ${faults} faults, ${leaderChanges} leader changes.`,
    ...doubts.slice(0, 7).map(({ reason, summary }) => `Doubt, ${reason}: ${summary}`),
  ];
}

/** Operations are named by their ids in the history. */
function dataOf(judgement: Judgement, explanation: Explanation | null): object {
  const { verdict, manifest, figures, violations, doubts, remarks, took, history } = judgement;
  const { operations } = history;
  const name = (i: number): object => ({
    id: operations.id[i],
    lines: [operations.invokeLine[i]! + 1, operations.completeLine[i]! + 1],
    is: describeOp(operations, i),
  });
  return {
    verdict,
    run: manifest,
    figures,
    tookMs: took,
    violations: violations.map((violation) => ({ ...violation, ops: violation.ops.map(name) })),
    doubts,
    remarks,
    explanation:
      explanation === null
        ? null
        : {
            property: explanation.violation.property,
            anomaly: explanation.violation.anomaly,
            why: explanation.why,
            story: explanation.story,
            refusedAlone: explanation.minimal.shown,
            smallest: explanation.minimal.ops.map(name),
            order: explanation.order.map(({ op, zxid, fits }) => ({ ...name(op), zxid, fits })),
          },
  };
}
