/** Wrong variants of production charts: their own configuration with a change in it, so that all the rest stays production's. */

import { type AnyStateMachine, createMachine } from "xstate";
import { assert } from "../../src/runtime/assert.ts";

/** A node of a chart's configuration, as far as variants change it. */
export interface ChartNode {
  entry?: unknown;
  exit?: unknown;
  always?: unknown;
  on?: Record<string, unknown>;
  states?: Record<string, ChartNode>;
  [key: string]: unknown;
}

/** `change` gets the node at a dotted path; "" is the root. */
export function changed<M extends AnyStateMachine>(
  machine: M,
  changes: Readonly<Record<string, (node: ChartNode) => void>>,
): M {
  const config = copy(machine.config) as ChartNode;
  for (const [path, change] of Object.entries(changes)) change(nodeAt(config, path));
  return createMachine(config as never, machine.implementations as never) as unknown as M;
}

/** The same chart with other guards. */
export function withGuards<M extends AnyStateMachine>(machine: M, guards: Readonly<Record<string, () => boolean>>): M {
  return machine.provide({ guards } as never) as M;
}

/** In `following` only: the models have no observers. */
export const inSync = (state: string): string => `following.synchronization.${state}`;

export function nodeAt(config: ChartNode, path: string): ChartNode {
  let node = config;
  for (const name of path === "" ? [] : path.split(".")) {
    const child = node.states?.[name];
    assert(child !== undefined, `The chart has no state ${path}.`);
    node = child;
  }
  return node;
}

/** Functions and their references stay; plain objects and lists are copied, since charts share parts of their configuration. */
function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, copy(child)]));
}
