/**
 * Algorithm B: is there any order at all? Wing, Gong and Lowe's search over partitions, in turns and under growing budgets, so
 * that one hard partition does not keep the others from being judged. It looks at no zxid and shares no code with the
 * witness: a second opinion.
 */
import type { History } from "../../histories/history.ts";
import { describeOp } from "../describe.ts";
import type { Doubt, Violation } from "../violation.ts";
import { type Problem, problemOf, syncsBefore } from "./entries.ts";
import { partition } from "./partitions.ts";
import { sessionEnds } from "./session-ends.ts";
import { Search } from "./wgl.ts";
import { ZnodeModel } from "./znode-model.ts";

/** States a partition may see in each round. Beyond the last one the answer is "unknown". */
export const BUDGETS: readonly number[] = [20_000, 200_000, 2_000_000, 8_000_000];

export interface SearchVerdict {
  readonly result: "valid" | "invalid" | "unknown";
  readonly violations: readonly Violation[];
  readonly doubts: readonly Doubt[];
  readonly partitions: number;
  readonly operations: number;
  /** Of an invalid partition: the longest legal order (operations, -1: a session's end), and what could not follow it. */
  readonly stuck: Stuck | null;
}

export interface Stuck {
  readonly partition: string;
  readonly order: readonly number[];
  readonly op: number;
  /** All operations of the partition. */
  readonly ops: readonly number[];
}

export function checkBySearch(
  history: History,
  budgets: readonly number[] = BUDGETS,
  progress: (text: string) => void = () => {},
): SearchVerdict {
  const syncs = syncsBefore(history);
  const ends = sessionEnds(history);
  const problems = partition(history).map((part) => problemOf(history, part, syncs, ends));
  return new Rotation(history, problems, budgets, progress).run();
}

interface Candidate extends Rotated {
  readonly problem: Problem;
}

interface Rotated {
  readonly search: Search;
  /** The same once more, with so few optional operations in a row. */
  readonly withFew?: (mostInRow: number) => Search;
}

/** More of what was lost than this, each time that something is known again, is tried only by the whole search. */
const IN_ROW = [2, 4, 6];

/**
 * Runs searches in turns until each has a result, or the last budget is spent. Stops at the first that is invalid. Where the
 * whole search finds no end, an order in which little happened that nobody was told of may be found much sooner.
 */
export function rotate<T extends Rotated>(
  candidates: readonly T[],
  budgets: readonly number[],
  progress: (text: string) => void = () => {},
): { readonly invalid: T | null; readonly open: readonly T[] } {
  let open = candidates;
  for (const [round, budget] of budgets.entries()) {
    const next: T[] = [];
    for (const candidate of open) {
      const result = candidate.search.run(budget);
      if (result === "invalid") return { invalid: candidate, open: [] };
      if (result !== "open") continue;
      const few = IN_ROW[round];
      if (few === undefined || candidate.withFew?.(few).run(budget) !== "valid") next.push(candidate);
    }
    open = next;
    if (open.length > 0)
      progress(`${open.length} of ${candidates.length} searches have no answer after ${budget} states`);
  }
  return { invalid: null, open };
}

class Rotation {
  readonly #history: History;
  readonly #problems: readonly Problem[];
  readonly #budgets: readonly number[];
  readonly #progress: (text: string) => void;

  constructor(
    history: History,
    problems: readonly Problem[],
    budgets: readonly number[],
    progress: (text: string) => void,
  ) {
    this.#history = history;
    this.#problems = problems;
    this.#budgets = budgets;
    this.#progress = progress;
  }

  run(): SearchVerdict {
    const { operations } = this.#history;
    const judged = this.#problems.filter(({ blind, entries }) => blind === null && entries.length > 0);
    const candidates = judged.map((problem): Candidate => {
      const withFew = (mostInRow?: number): Search => {
        return new Search(problem.entries, new ZnodeModel(operations, problem.steps, problem.given), mostInRow);
      };
      const lost = problem.entries.some(({ optional }) => optional);
      return { problem, search: withFew(), ...(lost ? { withFew } : {}) };
    });
    const counts = {
      partitions: judged.length,
      operations: judged.reduce((sum, { entries }) => sum + entries.length, 0),
    };
    const { invalid, open } = rotate(candidates, this.#budgets, this.#progress);
    if (invalid !== null) {
      const stuck = stuckOf(invalid);
      return { result: "invalid", violations: [this.#violation(stuck)], doubts: [], stuck, ...counts };
    }
    const doubts = open.map(({ problem, search }): Doubt => {
      return { reason: "budget", summary: `${problem.name}: no answer after ${search.size} states.` };
    });
    return { result: open.length > 0 ? "unknown" : "valid", violations: [], doubts, stuck: null, ...counts };
  }

  #violation({ partition: name, op, order }: Stuck): Violation {
    const { operations } = this.#history;
    const what = op < 0 ? "a session's end" : describeOp(operations, op);
    const before = order.filter((i) => i >= 0).slice(-2);
    return {
      property: "C1 linearizable writes",
      rule: "search",
      anomaly: "no order",
      summary: `${name}: no order of its operations explains all answers; after ${order.length} of them ${what} cannot be placed.`,
      ops: [...(op < 0 ? [] : [op]), ...before],
      line: op < 0 ? -1 : operations.completeLine[op]!,
      zxid: -1,
      path: name,
    };
  }
}

export function stuckOf({ problem, search }: { readonly problem: Problem; readonly search: Search }): Stuck {
  const { entries, name } = problem;
  return {
    partition: name,
    order: search.order().map((index) => entries[index]!.op),
    op: search.stuckAt < 0 ? -1 : entries[search.stuckAt]!.op,
    ops: entries.map(({ op }) => op).filter((op) => op >= 0),
  };
}
