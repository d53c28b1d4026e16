/**
 * Which transitions of a chart were taken. Keys are those of the diagrams: "path EVENT#index" ("always" for eventless
 * ones), so what a search counts can be drawn on the chart.
 */

import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from "xstate";
import { watchTransitions } from "../../src/runtime/chart-step.ts";
import type { Coverage, FiredCounts } from "./model.ts";

export class ChartCoverage {
  readonly chart: string;
  /** Times each transition was taken, by key; memoised steps count once. */
  readonly taken = new Map<string, number>();
  readonly #keys = new Map<AnyTransitionDefinition, string>();

  constructor(machine: AnyStateMachine) {
    this.chart = machine.id;
    this.#enter(machine.root);
  }

  /** Undefined for a transition of another chart. */
  keyOf(transition: AnyTransitionDefinition): string | undefined {
    return this.#keys.get(transition);
  }

  /** Transitions of other charts are ignored. */
  note(transitions: readonly AnyTransitionDefinition[]): void {
    for (const transition of transitions) {
      const key = this.#keys.get(transition);
      if (key !== undefined) this.taken.set(key, (this.taken.get(key) ?? 0) + 1);
    }
  }

  get coverage(): Coverage {
    const missing = [...this.taken].filter(([, count]) => count === 0).map(([key]) => `${this.chart}: ${key}`);
    const counts = { [this.chart]: Object.fromEntries(this.taken) };
    return { fired: this.taken.size - missing.length, total: this.taken.size, missing, counts };
  }

  #enter(node: AnyStateNode): void {
    const path = node.path.join(".");
    for (const [eventType, transitions] of [...node.transitions, ["always", node.always ?? []] as const]) {
      for (const [index, transition] of transitions.entries()) {
        const key = `${path} ${eventType}#${index}`;
        this.#keys.set(transition, key);
        this.taken.set(key, 0);
      }
    }
    for (const child of Object.values(node.states)) this.#enter(child);
  }
}

/** The coverage of several charts as one. */
export function coverageOf(charts: Iterable<ChartCoverage>): Coverage {
  let fired = 0;
  let total = 0;
  const missing: string[] = [];
  let counts: FiredCounts = {};
  for (const { coverage } of charts) {
    counts = summed(counts, coverage.counts);
    fired += coverage.fired;
    total += coverage.total;
    missing.push(...coverage.missing);
  }
  return { fired, total, missing, counts };
}

export function summed(a: FiredCounts, b: FiredCounts): FiredCounts {
  const sum: Record<string, Record<string, number>> = {};
  for (const [chart, transitions] of [...Object.entries(a), ...Object.entries(b)]) {
    sum[chart] ??= {};
    const known = sum[chart];
    for (const [key, count] of Object.entries(transitions)) known[key] = (known[key] ?? 0) + count;
  }
  return sum;
}

/** Whatever any chart of the process does while something runs. */
export class LiveCoverage {
  readonly #charts: ReadonlyMap<string, ChartCoverage>;

  constructor(machines: readonly AnyStateMachine[]) {
    this.#charts = new Map(machines.map((machine) => [machine.id, new ChartCoverage(machine)]));
  }

  async during<T>(run: () => T | Promise<T>): Promise<T> {
    const watch = watchTransitions((transitions: readonly AnyTransitionDefinition[]) => {
      const chart = transitions[0]?.source.machine.id;
      if (chart !== undefined) this.#charts.get(chart)?.note(transitions);
    });
    try {
      return await run();
    } finally {
      watch.unsubscribe();
    }
  }

  get counts(): FiredCounts {
    return coverageOf(this.#charts.values()).counts;
  }
}
