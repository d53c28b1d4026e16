/**
 * Production steps charts with a shared scope, a hot table and, for the smallest charts, a table of integers. All three must
 * mean what xstate's public `transition()` means. Random walks over every chart compare them step by step.
 */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type EventObject,
  initialTransition,
  transition,
} from "xstate";
import { charts } from "../../spec/charts.ts";
import { ChartRunner } from "../../src/runtime/chart.ts";
import { type ChartAction, initialStep, step } from "../../src/runtime/chart-step.ts";
import { compileTable, UNEXPECTED } from "../../src/runtime/compiled-table.ts";
import { type Configuration, compileHotTable } from "../../src/runtime/hot-table.ts";
import { fixtures } from "./fixtures.ts";
import { type ChartSamples, chartSamples } from "./samples.ts";
import { eventTypesOf, STEPS, visit, type Walker, walks } from "./walk.ts";

/** Run in production as integers (src/runtime/compiled-table.ts). */
const COMPILED = ["server-connection", "session"];
const NO_SAMPLES: ChartSamples = { input: fc.constant(undefined), payloads: {} };

const MAX_ROUNDS = 12;

/** How often the hot table's row for a configuration is tried, each time in another context. */
const PROBES = 25;

/** `toEqual` explains a difference well, but takes too long to find none, thousands of times. */
function same(ours: unknown, theirs: unknown): void {
  if (!isDeepStrictEqual(ours, theirs)) expect(ours).toEqual(theirs);
}

/** Round after round until the walks have been everywhere: a comparison of what is never reached says nothing. */
function everywhere(unseen: ReadonlySet<string>, walk: (round: number) => void): void {
  for (let round = 0; round === 0 || (round < MAX_ROUNDS && unseen.size > 0); round++) walk(round);
  expect([...unseen], "states that no walk has reached").toEqual([]);
}

/** What a snapshot means, without the interpreter's own objects. */
function meaning(snapshot: AnyMachineSnapshot): unknown {
  return snapshot.machine.getPersistedSnapshot(snapshot);
}

const plain = (actions: readonly ChartAction[]) => actions.map(({ type, params }) => ({ type, params }));
const effectsOf = (actions: readonly ChartAction[]) =>
  actions.filter(({ type }) => type === "effect").flatMap(({ params }) => params);

/** An interpreter or chart that changed a context in place would throw. */
function frozen(snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
  deepFreeze(snapshot.context);
  return snapshot;
}

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}

/** Configurations in which a chart can come to rest: not those that it leaves at once, without a guard or by `onDone`. */
function restingPlaces(machine: AnyStateMachine): string[] {
  const rests = ({ active }: Configuration): boolean => {
    let resting = true;
    visit(machine.root, (node) => {
      if (!active.has(node.path.join("."))) return;
      const passesOn = node.always?.some(({ guard }) => guard === undefined) ?? false;
      if (passesOn || (node.config.onDone !== undefined && isOver(node, active))) resting = false;
    });
    return resting;
  };
  return compileHotTable(machine)
    .configurations.filter(rests)
    .map(({ path }) => path);
}

function isOver(node: AnyStateNode, active: ReadonlySet<string>): boolean {
  const inner = Object.values(node.states).filter((child) => active.has(child.path.join(".")));
  if (node.type === "parallel") return inner.every((region) => isOver(region, active));
  return inner.some((child) => child.type === "final");
}

/** Timers as a host would see them. */
class Timers {
  readonly armed = new Set<string>();

  follow(actions: readonly ChartAction[]): void {
    for (const { type, params } of actions) {
      const { id, delay, sendId } = params as { id?: string; delay?: number; sendId?: string };
      if (type === "xstate.raise" && delay !== undefined && id !== undefined) this.armed.add(id);
      if (type === "xstate.cancel" && sendId !== undefined) this.armed.delete(sendId);
    }
  }
}

const subjects = [
  ...charts.map(({ machine }) => ({ machine, samples: chartSamples[machine.id] })),
  ...fixtures.map(({ machine, samples }) => ({ machine, samples })),
];

test("every chart has sample payloads", () => {
  expect(charts.map(({ machine }) => machine.id).filter((id) => chartSamples[id] === undefined)).toEqual([]);
});

// Seconds on a quiet machine; the limit leaves room for a busy one.
describe.for(subjects)("$machine.id", { timeout: 90_000 }, ({ machine, samples = NO_SAMPLES }) => {
  test("the fast step is the public transition()", () => {
    const table = compileHotTable(machine);
    const unseen = new Set(restingPlaces(machine));
    const compare = ({ input, next }: Walker): void => {
      const [initial, initialActions] = initialTransition(machine, input);
      const start = initialStep(machine, input);
      same(meaning(start.snapshot), meaning(initial));
      same(plain(start.actions), plain(initialActions));

      let slow: AnyMachineSnapshot = initial;
      let fast: AnyMachineSnapshot = frozen(start.snapshot);
      for (let i = 0; i < STEPS && slow.status === "active"; i++) {
        unseen.delete(table.of(fast).path);
        const event = next(slow);
        const [publicNext, publicActions] = transition(machine, slow, event);
        const ours = step(machine, fast, event);
        same(meaning(ours.snapshot), meaning(publicNext));
        same(plain(ours.actions), plain(publicActions));
        // An event that changes nothing leaves the very same snapshot: it costs no memory.
        same(ours.snapshot === fast, publicNext === slow);
        slow = publicNext;
        fast = frozen(ours.snapshot);
      }
      unseen.delete(table.of(fast).path);
    };
    everywhere(unseen, (round) => walks(machine, samples, compare, round));
  });

  test("the hot table is what the interpreter would do", () => {
    const table = compileHotTable(machine);
    const types = eventTypesOf(machine);
    const probed = new Map<string, number>();
    const unseen = new Set(restingPlaces(machine));
    const probe = ({ input, next, sample }: Walker): void => {
      let snapshot: AnyMachineSnapshot = initialStep(machine, input).snapshot;
      for (let i = 0; i < STEPS && snapshot.status === "active"; i++) {
        const { path, admitted, lists } = table.of(snapshot);
        const probes = (probed.get(path) ?? 0) + 1;
        probed.set(path, probes);
        for (const type of probes > PROBES ? [] : types.filter(lists)) {
          const [after, actions] = transition(machine, snapshot, sample(type));
          const handler = admitted[type];
          if (handler === undefined) {
            same(
              plain(actions).filter((action) => action.type === "hot"),
              [],
            );
          } else {
            same(plain(actions), [{ type: "hot", params: { handler } }]);
            same(after === snapshot, true);
          }
        }
        unseen.delete(path);
        snapshot = step(machine, snapshot, next(snapshot)).snapshot;
      }
      unseen.delete(table.of(snapshot).path);
    };
    everywhere(unseen, (round) => walks(machine, samples, probe, round));
  });

  test("a ChartRunner performs what the interpreter asks for", () => {
    walks(machine, samples, ({ input, next }) => {
      const performed: unknown[] = [];
      const timers = new Timers();
      const armed = new Set<string>();
      const runner = new ChartRunner<AnyStateMachine, unknown>(machine, {
        name: "r",
        input,
        perform: (effect) => performed.push(effect),
        timer: (id, delayMs) => (delayMs === null ? armed.delete(id) : armed.add(id)),
        unexpected: (_, type) => performed.push(`unexpected ${type}`),
      });
      runner.start();
      let [snapshot, actions]: readonly [AnyMachineSnapshot, readonly ChartAction[]] = initialTransition(
        machine,
        input,
      );
      for (let i = 0; ; i++) {
        timers.follow(actions);
        same(meaning(runner.snapshot), meaning(snapshot));
        same(performed.splice(0), effectsOf(actions));
        same(armed, new Set([...timers.armed].map((id) => `r:${id}`)));
        if (i === STEPS || snapshot.status !== "active") return;

        actions = [];
        const event = next(snapshot);
        if (runner.admitted[event.type] !== undefined) continue;
        if (event.type.startsWith("xstate.after.")) {
          const timerId = `r:${event.type}`;
          armed.delete(timerId);
          runner.fire(timerId);
          // Only a timer that is set can go off.
          if (timers.armed.delete(event.type)) [snapshot, actions] = transition(machine, snapshot, event);
        } else {
          const { lists } = compileHotTable(machine).of(snapshot);
          runner.send(event);
          if (!lists(event.type)) expect(performed.splice(0)).toEqual([`unexpected ${event.type}`]);
          [snapshot, actions] = transition(machine, snapshot, event);
        }
      }
    });
  });
});

test("compiled charts are integers with the meaning of their chart", () => {
  const compiled = [...charts, ...fixtures].filter(({ machine }) => COMPILED.includes(machine.id));
  expect(compiled.map(({ machine }) => machine.id).sort()).toEqual([...COMPILED].sort());
  for (const { machine } of compiled) {
    const table = compileTable(machine);
    const configurations = compileHotTable(machine);
    walks(machine, NO_SAMPLES, ({ next }) => {
      let { snapshot, actions } = initialStep(machine);
      let state = table.initial;
      expect(table.initialEffects).toEqual(effectsOf(actions));
      for (let i = 0; i < STEPS && snapshot.status === "active"; i++) {
        const event: EventObject = next(snapshot);
        const { admitted, lists } = configurations.of(snapshot);
        expect(table.admitted(state)).toEqual(admitted);
        const column = table.events[event.type] as number;
        const reached = table.next(state, column);
        expect(reached === UNEXPECTED).toBe(!lists(event.type));
        ({ snapshot, actions } = step(machine, snapshot, event));
        expect(table.effects(state, column)).toEqual(effectsOf(actions));
        if (reached !== UNEXPECTED) state = reached;
        expect(table.states[state]).toBe(configurations.of(snapshot).path);
        expect(table.isFinal(state)).toBe(snapshot.status === "done");
      }
    });
  }
});
