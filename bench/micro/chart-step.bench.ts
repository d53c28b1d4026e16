/**
 * What a chart's step costs: public transition(), the shared scope, a whole ChartRunner.send, a hot look-up, a compiled
 * table. `node build/bench/micro/chart-step.bench.js`
 */
import { assign, initialTransition, setup, transition } from "xstate";
import { chartActions } from "../../spec/chart-actions.ts";
import { ChartRunner } from "../../src/runtime/chart.ts";
import { initialStep, step } from "../../src/runtime/chart-step.ts";
import { compileTable } from "../../src/runtime/compiled-table.ts";

type Effect = { readonly type: "a.entered" } | { readonly type: "b.entered" };
type Event = { type: "GO" } | { type: "BACK" } | { type: "HOT" };

/** About as deep as the peer chart: three levels, an assign, an effect each way. */
const nestedMachine = setup({
  types: {} as { context: { readonly steps: number }; events: Event },
  actions: chartActions<Effect>(),
}).createMachine({
  id: "nested",
  context: { steps: 0 },
  initial: "up",
  states: {
    up: {
      initial: "serving",
      states: {
        serving: {
          initial: "a",
          on: { HOT: { actions: { type: "hot", params: { handler: "x" } } } },
          states: {
            a: {
              entry: { type: "effect", params: { type: "a.entered" } },
              on: { GO: { target: "b", actions: assign({ steps: ({ context }) => context.steps + 1 }) } },
            },
            b: { entry: { type: "effect", params: { type: "b.entered" } }, on: { BACK: "a" } },
          },
        },
      },
    },
  },
});

const flatMachine = setup({ types: {} as { events: Event }, actions: chartActions<Effect>() }).createMachine({
  id: "flat",
  initial: "a",
  states: {
    a: { entry: { type: "effect", params: { type: "a.entered" } }, on: { GO: "b" } },
    b: { entry: { type: "effect", params: { type: "b.entered" } }, on: { BACK: "a" } },
  },
});

const GO: Event = { type: "GO" };
const BACK: Event = { type: "BACK" };

function measure(name: string, steps: number, pair: () => void): void {
  for (let i = 0; i < steps / 10; i++) pair();
  const started = process.hrtime.bigint();
  for (let i = 0; i < steps / 2; i++) pair();
  const ns = Number(process.hrtime.bigint() - started) / steps;
  process.stdout.write(`${name.padEnd(48)} ${ns >= 100 ? `${(ns / 1000).toFixed(2)} µs` : `${ns.toFixed(1)} ns`}\n`);
}

let [publicSnapshot] = initialTransition(nestedMachine);
measure("public transition(), three levels", 40_000, () => {
  [publicSnapshot] = transition(nestedMachine, publicSnapshot, GO);
  [publicSnapshot] = transition(nestedMachine, publicSnapshot, BACK);
});

let { snapshot } = initialStep(nestedMachine);
measure("shared-scope step, three levels", 400_000, () => {
  snapshot = step(nestedMachine, snapshot, GO).snapshot;
  snapshot = step(nestedMachine, snapshot, BACK).snapshot;
});

let flat = initialStep(flatMachine).snapshot;
measure("shared-scope step, flat", 400_000, () => {
  flat = step(flatMachine, flat, GO).snapshot;
  flat = step(flatMachine, flat, BACK).snapshot;
});

let performed = 0;
const runner = new ChartRunner(nestedMachine, {
  name: "bench",
  perform: () => {
    performed++;
  },
  timer: () => {},
  unexpected: () => {},
});
runner.start();
measure("ChartRunner.send, three levels", 400_000, () => {
  runner.send(GO);
  runner.send(BACK);
});

let hits = 0;
measure("ChartRunner.admitted[event]", 50_000_000, () => {
  if (runner.admitted["HOT"] !== undefined) hits++;
  if (runner.admitted["GO"] !== undefined) hits++;
});

const table = compileTable(flatMachine);
let state = table.initial;
measure("compiled table, next + effects", 50_000_000, () => {
  hits += table.effects(state, table.events.GO).length;
  state = table.next(state, table.events.GO);
  hits += table.effects(state, table.events.BACK).length;
  state = table.next(state, table.events.BACK);
});
if (performed === 0 || hits === 0) throw new Error("The benchmark did nothing.");
