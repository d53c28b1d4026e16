/**
 * Judges a history in memory: the witness (A) and the search (B), and whether they agree. They share no code: should one be
 * wrong, the other says so.
 */
import type { History } from "../histories/history.ts";
import { BUDGETS, checkBySearch, type SearchVerdict } from "./search/search.ts";
import type { Doubt, Violation } from "./violation.ts";
import type { ServerLog } from "./witness/server-log.ts";
import { checkByWitness, type WitnessVerdict } from "./witness/witness.ts";

export type Result = "valid" | "violation" | "unknown";

export interface CheckOptions {
  /** What the servers left on their disks (white box); null: nothing is known but what clients saw (black box). */
  readonly logs: readonly ServerLog[] | null;
  readonly tickTimeMs: number;
  /** One algorithm alone: for whoever asks many times, as minimisation does. */
  readonly only?: "witness" | "search";
  /** States that each partition of the search may see, round by round. */
  readonly budgets?: readonly number[];
  /** Told how far it has come: large histories take minutes. */
  readonly progress?: (text: string) => void;
}

export interface Verdict {
  readonly verdict: Result;
  /** Of both, the witness's first; of each anomaly the first few. */
  readonly violations: readonly Violation[];
  /** Why it is no evidence. With a violation it is still a violation. */
  readonly doubts: readonly Doubt[];
  /** On the evidence, such as a log that could not be read to its end. Sentences. */
  readonly remarks: readonly string[];
  /** null where only the other was asked for. */
  readonly witness: WitnessVerdict | null;
  readonly search: SearchVerdict | null;
  /** ms. */
  readonly took: { readonly witness: number; readonly search: number };
}

/** Floors and vacuity are not asked for here: see `floors.ts`. */
export function checkHistory(history: History, options: CheckOptions): Verdict {
  const { logs, tickTimeMs, only, budgets = BUDGETS, progress = () => {} } = options;
  const started = performance.now();
  const witness = only === "search" ? null : checkByWitness(history, { logs, tickTimeMs });
  const witnessed = performance.now();
  if (witness !== null) progress(`the witness is done after ${((witnessed - started) / 1000).toFixed(1)} s`);
  const search = only === "witness" ? null : checkBySearch(history, budgets, progress);
  const searched = performance.now();
  const violations = [...(witness?.violations ?? []), ...(search?.violations ?? [])];
  const doubts = [...(witness?.doubts ?? []), ...(search?.doubts ?? [])];
  if (logs?.length === 0) {
    doubts.push({ reason: "incomplete logs", summary: "The servers left no logs, though the run says that they did." });
  }
  // Without logs, or all of them, the witness leaves to the search what it cannot know.
  const disagree =
    logs !== null &&
    witness?.log?.gaps.length === 0 &&
    witness?.violations.length === 0 &&
    search?.result === "invalid";
  if (disagree) {
    const summary = "The search finds no order where the witness has one: one of the checkers is wrong.";
    doubts.push({ reason: "disagreement", summary });
  }
  return {
    verdict: disagree ? "unknown" : resultOf(violations, doubts),
    violations,
    doubts,
    remarks: (logs ?? []).flatMap(({ damage }) => damage),
    witness,
    search,
    took: { witness: witnessed - started, search: searched - witnessed },
  };
}

/** A violation stands whatever else is in doubt. */
export function resultOf(violations: readonly Violation[], doubts: readonly Doubt[]): Result {
  if (violations.length > 0) return "violation";
  return doubts.length > 0 ? "unknown" : "valid";
}
