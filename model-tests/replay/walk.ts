/** Random runs of a model, as traces. */
import type { Model, Words } from "../checker/model.ts";
import type { TraceStep } from "../checker/trace.ts";
import { randomFrom } from "../simulator/clock.ts";

export function randomTrace(model: Model<unknown>, seed: number, steps: number): TraceStep[] {
  const random = randomFrom(seed);
  const initial: Words[] = [];
  model.initial((words) => initial.push(words.slice()));
  const trace: TraceStep[] = [{ action: null, words: initial[Math.floor(random() * initial.length)] as Words }];
  while (trace.length <= steps) {
    const next: TraceStep[] = [];
    model.successors((trace.at(-1) as TraceStep).words, (words, action) => next.push({ action, words: words.slice() }));
    // Faults are many in every state: most of the time something useful happens.
    const useful = next.filter(({ action }) => model.isFault?.(action as number) !== true);
    const pool = useful.length > 0 && random() < 0.85 ? useful : next;
    const chosen = pool[Math.floor(random() * pool.length)];
    if (chosen === undefined) break;
    trace.push(chosen);
  }
  return trace;
}
