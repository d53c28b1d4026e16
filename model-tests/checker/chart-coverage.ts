/**
 * Which transitions of a chart were taken. Keys are those of the diagrams: "path EVENT#index" ("always" for eventless
 * ones), so what a search counts can be drawn on the chart.
 */

import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from "xstate";
import type { Coverage } from "./model.ts";

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
    return { fired: this.taken.size - missing.length, total: this.taken.size, missing };
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
  for (const { coverage } of charts) {
    fired += coverage.fired;
    total += coverage.total;
    missing.push(...coverage.missing);
  }
  return { fired, total, missing };
}
