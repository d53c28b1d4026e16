import { describe, expect, test } from "vitest";
import { setup } from "xstate";
import { chartActions } from "../../spec/chart-actions.ts";
import { compileTable, UNEXPECTED } from "./compiled-table.ts";

type Effect = { readonly type: "lamp.on" } | { readonly type: "lamp.off" } | { readonly type: "bell.ring" };

const lampMachine = setup({
  types: {} as { events: { type: "PRESS" } | { type: "BREAK" } | { type: "TOUCH" } },
  actions: chartActions<Effect>(),
}).createMachine({
  id: "lamp",
  initial: "works",
  states: {
    works: {
      description: "The bulb is fine.",
      initial: "dark",
      entry: { type: "effect", params: { type: "bell.ring" } },
      exit: { type: "effect", params: { type: "lamp.off" } },
      on: { BREAK: "broken" },
      states: {
        dark: { description: "Off.", on: { PRESS: "lit" } },
        lit: {
          description: "On.",
          entry: { type: "effect", params: [{ type: "lamp.on" }, { type: "bell.ring" }] },
          on: { PRESS: "dark", TOUCH: { actions: { type: "hot", params: { handler: "lamp.touch" } } } },
        },
      },
    },
    broken: { description: "Over.", type: "final" },
  },
});

describe("compileTable", () => {
  const table = compileTable(lampMachine);
  const dark = table.state("works.dark");
  const lit = table.state("works.lit");
  const broken = table.state("broken");

  test("a chart becomes integers: states, events, next state", () => {
    expect(table.states).toEqual(["works.dark", "works.lit", "broken"]);
    expect(table.initial).toBe(dark);
    expect(table.next(dark, table.events.PRESS)).toBe(lit);
    expect(table.next(lit, table.events.PRESS)).toBe(dark);
    expect(table.next(lit, table.events.BREAK)).toBe(broken);
  });

  test("a step's effects come in the interpreter's order", () => {
    expect(table.initialEffects).toEqual([{ type: "bell.ring" }]);
    expect(table.effects(dark, table.events.PRESS)).toEqual([{ type: "lamp.on" }, { type: "bell.ring" }]);
    expect(table.effects(lit, table.events.BREAK)).toEqual([{ type: "lamp.off" }]);
  });

  test("events that a state does not list are unexpected, and so is everything after the end", () => {
    expect(table.next(dark, table.events.TOUCH)).toBe(UNEXPECTED);
    expect(table.next(broken, table.events.PRESS)).toBe(UNEXPECTED);
    expect([table.isFinal(lit), table.isFinal(broken)]).toEqual([false, true]);
  });

  test("hot events are admitted by state, and a step of them changes nothing", () => {
    expect([table.admitted(dark).TOUCH, table.admitted(lit).TOUCH]).toEqual([undefined, "lamp.touch"]);
    expect([table.next(lit, table.events.TOUCH), table.effects(lit, table.events.TOUCH)]).toEqual([lit, []]);
  });

  test("charts with more than a leaf for state are refused, with the rule they break", () => {
    const lamp = setup({ types: {} as { context: { n: number } } });
    const refuse = (machine: Parameters<typeof compileTable>[0]) => expect(() => compileTable(machine));
    refuse(lamp.createMachine({ id: "m", context: { n: 1 } })).toThrow("has a context");
    const plain = setup({});
    refuse(plain.createMachine({ initial: "a", states: { a: { after: { 10: "a" } } } })).toThrow("timers");
    refuse(plain.createMachine({ initial: "a", states: { a: { on: { X: { guard: () => true } } } } })).toThrow(
      "guards",
    );
    refuse(plain.createMachine({ type: "parallel", states: { a: {}, b: {} } })).toThrow("parallel");
    const computed = setup({ actions: chartActions<Effect>() }).createMachine({
      initial: "a",
      states: { a: { entry: { type: "effect", params: () => ({ type: "lamp.on" as const }) } } },
    });
    refuse(computed).toThrow("plain data");
  });
});
