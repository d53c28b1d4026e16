/**
 * Random walks through a chart: mostly events that an active leaf lists (the way forward), sometimes one that only its
 * parents list (the ways out, which would otherwise end every walk early), now and then any event of the chart.
 */
import fc from "fast-check";
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, EventObject } from "xstate";
import { type Configuration, compileHotTable } from "../../src/runtime/hot-table.ts";
import type { ChartSamples } from "./samples.ts";

/** A failing run is replayed with the seed that it prints: `PARITY_SEED=… npx vitest run model-tests/parity`. */
const SEED = Number(process.env["PARITY_SEED"] ?? 8421);
const RUNS = 100;
export const STEPS = 120;
export interface Walker {
  readonly input: unknown;
  /** Draws the next event, given where the walk is. */
  next(snapshot: AnyMachineSnapshot): EventObject;
  /** Draws a payload for this event type. */
  sample(type: string): EventObject;
}

/** Event types that the chart reacts to anywhere, its own timers and done events included. */
export function eventTypesOf(machine: AnyStateMachine): readonly string[] {
  const types = new Set<string>();
  visit(machine.root, (node) => {
    for (const type of node.transitions.keys()) types.add(type);
  });
  return [...types];
}

/** Depth first, parents before their children, in document order. */
export function visit(node: AnyStateNode, look: (node: AnyStateNode) => void): void {
  look(node);
  for (const child of Object.values(node.states)) visit(child, look);
}

/** Runs `walk` many times with seeded randomness; a failure is shrunk and reported with its seed. */
export function walks(
  machine: AnyStateMachine,
  samples: ChartSamples,
  walk: (walker: Walker) => void,
  round = 0,
): void {
  const all = eventTypesOf(machine);
  const table = compileHotTable(machine);
  const choices = new Map(table.configurations.map((it) => [it, choicesIn(machine, it, all)] as const));
  const index = (length: number) => fc.nat({ max: length - 1 });
  const input = () => samples.input;
  const payload = (type: string) => samples.payloads[type] ?? fc.constant({});

  const walkOnce = fc.property(fc.gen(), (draw) => {
    const oneOf = (types: readonly string[]): string => types[draw(index, types.length)] as string;
    const sample = (type: string): EventObject => ({ ...draw(payload, type), type });
    const next = (snapshot: AnyMachineSnapshot): EventObject => {
      const { leaf, listed } = choices.get(table.of(snapshot)) as Choices;
      const dice = draw(index, 40);
      if (dice === 0 || listed.length === 0) return sample(oneOf(all));
      return sample(oneOf(dice <= 3 || leaf.length === 0 ? listed : leaf));
    };
    walk({ input: draw(input), next, sample });
  });
  fc.assert(walkOnce, { seed: SEED + round, numRuns: RUNS });
}

interface Choices {
  /** Listed by an active leaf. */
  readonly leaf: readonly string[];
  /** Listed by any active state. */
  readonly listed: readonly string[];
}

function choicesIn(machine: AnyStateMachine, configuration: Configuration, all: readonly string[]): Choices {
  const leaf = new Set<string>();
  visit(machine.root, (node) => {
    if (!configuration.path.split(",").includes(node.path.join("."))) return;
    for (const type of node.transitions.keys()) leaf.add(type);
  });
  return { leaf: [...leaf], listed: all.filter((type) => configuration.lists(type)) };
}
