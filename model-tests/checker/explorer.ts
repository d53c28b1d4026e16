/**
 * `explore(model)`: every reachable state of a model, breadth first on one thread, so that the first counterexample of a
 * property is a shortest one. `partitioned.ts` does the same on several threads.
 */

import { unreachableGoals } from "./liveness.ts";
import type { Model } from "./model.ts";
import { type Report, reportOf } from "./report.ts";
import { Shard } from "./shard.ts";
import { NO_PARENT } from "./state-store.ts";
import { counterexampleAt } from "./trace.ts";

export interface ExploreOptions {
  /** Count states that are the same up to a renaming of servers once. Default false. */
  readonly symmetry?: boolean;
  /** Note the first violation of each property, instead of ending at the first. Default false. */
  readonly keepGoing?: boolean;
  /** Stop, incomplete, at so many distinct states, seconds or levels. Default: no limit. */
  readonly maxStates?: number;
  readonly maxSeconds?: number;
  readonly maxDepth?: number;
  /** Called every few seconds. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly depth: number;
  readonly distinct: number;
  readonly generated: number;
  readonly queue: number;
  readonly seconds: number;
}

const SLICE = 8192;
const PROGRESS_SECONDS = 5;

export function explore<State>(model: Model<State>, options: ExploreOptions = {}): Report {
  const { symmetry = false, keepGoing = false, maxStates, maxSeconds, maxDepth, onProgress } = options;
  const recordGraph = model.properties.reachable.length > 0;
  const shard = new Shard<State>(
    model,
    { index: 0, shards: 1, symmetry, keepGoing, maxStates: maxStates ?? Number.POSITIVE_INFINITY, recordGraph },
    null,
  );
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  let nextProgress = PROGRESS_SECONDS;
  let cut = false;

  shard.seed();
  while (!cut && !shard.halted && shard.advance() > 0) {
    if (maxDepth !== undefined && shard.depth >= maxDepth) {
      cut = true;
      break;
    }
    while (!shard.expand(SLICE)) {
      const seconds = elapsed();
      if (maxSeconds !== undefined && seconds > maxSeconds) {
        cut = true;
        break;
      }
      if (onProgress !== undefined && seconds > nextProgress) {
        nextProgress = seconds + PROGRESS_SECONDS;
        const { depth, distinct, generated, queue } = shard;
        onProgress({ depth, distinct, generated, queue, seconds });
      }
    }
  }

  const complete = !cut && !shard.halted;
  const violations = shard.findings.map(({ property, kind, parent, ordinal }) =>
    counterexampleAt(model, property, kind, [...ordinalsTo(shard, parent), ordinal]),
  );
  if (complete && shard.graph !== null) {
    for (const { property, state } of unreachableGoals(model.properties.reachable, shard.graph, shard.distinct))
      violations.push(counterexampleAt(model, property, "reachable", ordinalsTo(shard, state)));
  }
  const tally = {
    complete,
    distinct: shard.distinct,
    generated: shard.generated,
    depth: shard.depth,
    queue: complete ? 0 : shard.queue,
    terminal: shard.terminal,
    bytes: shard.bytes,
    taken: [...shard.taken],
    reached: shard.reached,
    coverage: model.coverage?.() ?? null,
    seconds: elapsed(),
    workers: 1,
    symmetry: symmetry && model.symmetry !== undefined,
  };
  return reportOf(model, tally, violations);
}

/** The choices that lead to a state (none, for NO_PARENT): which initial state, then which successor each time. */
function ordinalsTo<State>(shard: Shard<State>, state: number): number[] {
  const ordinals: number[] = [];
  for (let at = state; at !== NO_PARENT; at = shard.ancestry.parent(at)) ordinals.push(shard.ancestry.ordinal(at));
  return ordinals.reverse();
}
