/**
 * What a chart can do: the transitions that a step takes, by name, and the shortest ways to each of its states
 * (`xstate/graph`), which the generated tests begin with.
 */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import { getShortestPaths } from "xstate/graph";
import { initialStep, step, watchTransitions } from "../../src/runtime/chart-step.ts";
import { compileHotTable } from "../../src/runtime/hot-table.ts";
import { ChartCoverage } from "../checker/chart-coverage.ts";

/** Which events to try in a snapshot, with which payloads. */
export type Alphabet = (snapshot: AnyMachineSnapshot) => readonly EventObject[];

export const START = "start";

/**
 * The shortest way into each state by each event type that leads there. Snapshots that differ only in what they remember
 * count as one, or there would be thousands of ways.
 */
export function shortestWays(machine: AnyStateMachine, input: unknown, alphabet: Alphabet): EventObject[][] {
  const paths = getShortestPaths(machine, {
    fromState: initialStep(machine, input as never).snapshot as never,
    events: ((snapshot: AnyMachineSnapshot) => (snapshot.status === "active" ? alphabet(snapshot) : [])) as never,
    serializeState: ((snapshot: AnyMachineSnapshot, event: EventObject | undefined) =>
      `${JSON.stringify(snapshot.value)} ${snapshot.status} ${event?.type}`) as never,
  }) as { readonly steps: readonly { readonly event: EventObject }[] }[];
  // xstate's own first step is no event of ours.
  return paths.map(({ steps }) => steps.map(({ event }) => event).filter(({ type }) => type !== "xstate.init"));
}

/** Event types that a snapshot's active states list, timers of its states included. */
export function listedIn(snapshot: AnyMachineSnapshot): readonly string[] {
  const types = new Set<string>();
  for (const node of snapshot._nodes) for (const type of node.transitions.keys()) types.add(type);
  return [...types];
}

/** The transitions that a step takes: "path EVENT#index" joined by " + "; `… refused` when a guard lets none through. */
export class Labels {
  readonly #machine: AnyStateMachine;
  readonly #coverage: ChartCoverage;

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
    this.#coverage = new ChartCoverage(machine);
  }

  of(snapshot: AnyMachineSnapshot, event: EventObject): string {
    const keys: string[] = [];
    const watch = watchTransitions((transitions) => {
      for (const transition of transitions) {
        const key = this.#coverage.keyOf(transition);
        if (key !== undefined) keys.push(key);
      }
    });
    try {
      step(this.#machine, snapshot as never, event as never);
    } finally {
      watch.unsubscribe();
    }
    return labelOf(keys, compileHotTable(this.#machine).of(snapshot).path, event.type);
  }
}

export function labelOf(keys: readonly string[], state: string, event: string): string {
  return keys.length === 0 ? `${state} ${event} refused` : keys.join(" + ");
}

export function pairOf(first: string, second: string): string {
  return `${first} ⟶ ${second}`;
}
