import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type AnyStateMachine, createMachine, StateMachine } from "xstate";
import { charts } from "../../spec/charts.ts";
import { initialStep, step } from "../../src/runtime/chart-step.ts";
import { fixtures } from "./fixtures.ts";
import { type ChartSamples, chartSamples } from "./samples.ts";
import { shapeViolations } from "./shape.ts";
import { STEPS, walks } from "./walk.ts";

const NOUN_VERB = /^[a-z][A-Za-z0-9]*\.[a-z][A-Za-z0-9]*$/;
const SPEC = join(import.meta.dirname, "../../spec");

test("every *.machine.ts is in spec/charts.ts, once", async () => {
  const files = readdirSync(SPEC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".machine.ts"));
  const machines: AnyStateMachine[] = [];
  for (const file of files) {
    const exported: object = await import(join(SPEC, file));
    machines.push(...Object.values(exported).filter((value) => value instanceof StateMachine));
  }
  const ids = (list: readonly AnyStateMachine[]) => list.map(({ id }) => id).sort();
  expect(ids(charts.map(({ machine }) => machine))).toEqual(ids(machines));
  expect(new Set(ids(machines)).size).toBe(machines.length);
});

describe.for(charts)("$machine.id", ({ machine }) => {
  test("is in good form", () => {
    expect(shapeViolations(machine)).toEqual([]);
  });

  test("keeps its context JSON-plain and names its effects noun.verb", () => {
    walks(machine, chartSamples[machine.id] as ChartSamples, ({ input, next }) => {
      let { snapshot, actions } = initialStep(machine, input);
      for (let i = 0; i < STEPS && snapshot.status === "active"; i++) {
        const lost = notPlain(snapshot.context);
        if (lost !== undefined) expect.fail(`${lost} is not JSON-plain`);
        for (const { type, params } of actions) {
          if (type !== "effect") continue;
          for (const effect of [params].flat() as { type: string }[]) {
            if (!NOUN_VERB.test(effect.type)) expect.fail(`${effect.type} is not noun.verb`);
          }
        }
        ({ snapshot, actions } = step(machine, snapshot, next(snapshot)));
      }
    });
  });
});

/** Dotted name of the first thing in there that JSON would lose or change. */
function notPlain(value: unknown, name = "context"): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : name;
  if (typeof value !== "object") return name;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return name;
  for (const [key, inner] of Object.entries(value)) {
    const found = notPlain(inner, `${name}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

describe("the rules of form catch", () => {
  const broken = (config: Parameters<typeof createMachine>[0]) =>
    shapeViolations(createMachine({ id: "m", ...config }));

  test("nothing in a chart that keeps them", () => {
    expect(fixtures.flatMap(({ machine }) => shapeViolations(machine))).toEqual([]);
  });

  test("a state without a description", () => {
    expect(broken({ initial: "a", states: { a: {} } })).toEqual(["m a: a state has a description"]);
  });

  test("an action that is a function, and one with another name", () => {
    const a = { description: "A.", entry: () => {}, on: { GO: { actions: "beep" } } };
    expect(broken({ initial: "a", states: { a } })).toEqual([
      "m a: actions are effect, hot or assign, not (inline function)",
      "m a: actions are effect, hot or assign, not beep",
    ]);
  });

  test("guards and delays without a name, events and states in another spelling, invoked actors", () => {
    const guard = () => true;
    const a = { description: "A.", on: { go: { guard } }, after: { 10: { target: "A_b" } }, invoke: { src: "x" } };
    expect(broken({ initial: "a", states: { a, A_b: { description: "B." } } })).toEqual([
      "m a: charts do not invoke: N of something are N snapshots in a table",
      "m a, go: events are UPPER_SNAKE",
      "m a, go: guards have a name",
      "m a, after 10: delays have a name",
      "m A_b: states are lowerCamel",
    ]);
  });

  test("a hot transition that the table could not stand for", () => {
    const hot = { type: "hot", params: { handler: "x" } };
    const a = { description: "A.", on: { GO: { target: "a", actions: hot } } };
    expect(broken({ initial: "a", states: { a } })).toEqual([
      "Chart m, state a, event GO: a hot transition has no target.",
    ]);
  });
});
