/**
 * "From every reachable state a goal can still be reached", without counting on faults to help. Checked backwards: mark
 * the goal states, mark what steps into a marked state, until nothing is added; a state left unmarked is a dead end (or
 * one of a set of states that only lead to each other).
 */

import type { StateProperty } from "./model.ts";
import { EXEMPT, type RecordedGraph } from "./shard.ts";

export interface DeadEnd {
  readonly property: string;
  /** The unmarked state that is nearest to an initial state. */
  readonly state: number;
  readonly count: number;
}

/** The properties that do not hold, each with its nearest dead end. `states` is the number of states of the graph. */
export function unreachableGoals<State>(
  goals: readonly StateProperty<State>[],
  graph: RecordedGraph,
  states: number,
): DeadEnd[] {
  const reverse = reversed(graph, states);
  const found: DeadEnd[] = [];
  goals.forEach((goal, index) => {
    const marked = new Uint8Array(states);
    const work: number[] = [];
    for (let state = 0; state < states; state++) {
      if ((graph.goals.at(state) & (1 << index)) === 0) continue;
      marked[state] = 1;
      work.push(state);
    }
    for (let state = work.pop(); state !== undefined; state = work.pop()) {
      for (let edge = reverse.offsets[state] as number; edge < (reverse.offsets[state + 1] as number); edge++) {
        const source = reverse.sources[edge] as number;
        if (marked[source] === 1) continue;
        marked[source] = 1;
        work.push(source);
      }
    }
    // Numbers grow with the distance from the start, so the first unmarked one has a shortest trace.
    const isDeadEnd = (mark: number, state: number) => mark === 0 && (graph.goals.at(state) & (EXEMPT << index)) === 0;
    const nearest = marked.findIndex(isDeadEnd);
    if (nearest === -1) return;
    const count = marked.reduce((sum, mark, state) => sum + (isDeadEnd(mark, state) ? 1 : 0), 0);
    found.push({ property: goal.name, state: nearest, count });
  });
  return found;
}

interface ReverseGraph {
  readonly offsets: Uint32Array;
  readonly sources: Uint32Array;
}

function reversed(graph: RecordedGraph, states: number): ReverseGraph {
  const { offsets, targets } = graph;
  const starts = new Uint32Array(states + 1);
  for (let edge = 0; edge < targets.size; edge++) {
    const target = targets.at(edge);
    starts[target + 1] = (starts[target + 1] as number) + 1;
  }
  for (let state = 0; state < states; state++)
    starts[state + 1] = (starts[state + 1] as number) + (starts[state] as number);
  const sources = new Uint32Array(targets.size);
  const filled = starts.slice();
  for (let state = 0; state < states; state++) {
    const end = state + 1 < offsets.size ? offsets.at(state + 1) : targets.size;
    for (let edge = offsets.at(state); edge < end; edge++) {
      const target = targets.at(edge);
      const slot = filled[target] as number;
      sources[slot] = state;
      filled[target] = slot + 1;
    }
  }
  return { offsets: starts, sources };
}
