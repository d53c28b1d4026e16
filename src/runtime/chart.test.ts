import { describe, expect, test } from "vitest";
import { assign, setup } from "xstate";
import { chartActions } from "../../spec/chart-actions.ts";
import { ChartRunner, type EffectOf } from "./chart.ts";

type Door =
  | { readonly type: "light.on" }
  | { readonly type: "light.off" }
  | { readonly type: "bell.ring"; readonly times: number };

const doorMachine = setup({
  types: {} as {
    context: { readonly rings: number; readonly openMs: number };
    events:
      | { type: "OPEN" }
      | { type: "CLOSE" }
      | { type: "KNOCK" }
      | { type: "RING"; times: number }
      | { type: "BREAK" };
    input: { readonly openMs: number };
  },
  actions: chartActions<Door>(),
  guards: { patient: ({ context }) => context.rings < 2 },
  delays: { openMs: ({ context }) => context.openMs },
}).createMachine({
  id: "door",
  context: ({ input }) => ({ rings: 0, openMs: input.openMs }),
  initial: "shut",
  states: {
    shut: {
      description: "Nobody goes through.",
      on: {
        OPEN: "open",
        RING: {
          guard: "patient",
          actions: [
            assign({ rings: ({ context, event }) => context.rings + event.times }),
            { type: "effect", params: ({ context }) => ({ type: "bell.ring" as const, times: context.rings }) },
          ],
        },
        KNOCK: { actions: { type: "hot", params: { handler: "door.knock" } } },
      },
    },
    open: {
      description: "Light falls out.",
      entry: { type: "effect", params: [{ type: "light.on" }, { type: "bell.ring", times: 1 }] },
      exit: { type: "effect", params: { type: "light.off" } },
      after: { openMs: "shut" },
      on: { CLOSE: "shut", OPEN: { target: "open", reenter: true }, BREAK: "broken" },
    },
    broken: { description: "Gone.", type: "final" },
  },
});

// The effect type is inferred from the chart's own setup.
const inferred: EffectOf<typeof doorMachine> = { type: "bell.ring", times: 3 };

function door() {
  const log: unknown[] = [];
  const runner = new ChartRunner(doorMachine, {
    name: "d",
    input: { openMs: 500 },
    perform: (effect) => log.push(effect.type === "bell.ring" ? `ring ${effect.times}` : effect.type),
    timer: (id, delayMs) => log.push(delayMs === null ? `clear ${id}` : `set ${id} ${delayMs}`),
    unexpected: (state, event) => log.push(`unexpected ${event} in ${state}`),
  });
  const seen = () => log.splice(0);
  return { runner, seen, log };
}

const TIMER = "d:xstate.after.openMs.door.open";

describe("ChartRunner", () => {
  test("the effect type follows from the chart", () => {
    expect(inferred.type).toBe("bell.ring");
  });

  test("entering a state performs its entry effects in order, then arms its timers", () => {
    const { runner, seen } = door();
    runner.start();
    expect([runner.state, seen()]).toEqual(["shut", []]);
    runner.send({ type: "OPEN" });
    expect([runner.state, seen()]).toEqual(["open", ["light.on", "ring 1", `set ${TIMER} 500`]]);
  });

  test("a timer that goes off brings its event, and is not cleared afterwards", () => {
    const { runner, seen } = door();
    runner.start();
    runner.send({ type: "OPEN" });
    seen();
    runner.fire(TIMER);
    expect([runner.state, seen()]).toEqual(["shut", ["light.off"]]);
  });

  test("leaving a state clears its timer, and a late fire is ignored", () => {
    const { runner, seen } = door();
    runner.start();
    runner.send({ type: "OPEN" });
    seen();
    runner.send({ type: "CLOSE" });
    expect(seen()).toEqual(["light.off", `clear ${TIMER}`]);
    runner.fire(TIMER);
    expect([runner.state, seen()]).toEqual(["shut", []]);
  });

  test("reentering a state starts its timer anew", () => {
    const { runner, seen } = door();
    runner.start();
    runner.send({ type: "OPEN" });
    seen();
    runner.send({ type: "OPEN" });
    expect(seen()).toEqual(["light.off", `clear ${TIMER}`, "light.on", "ring 1", `set ${TIMER} 500`]);
  });

  test("assignments before an effect are visible in its params", () => {
    const { runner, seen } = door();
    runner.start();
    runner.send({ type: "RING", times: 2 });
    expect([runner.context.rings, seen()]).toEqual([2, ["ring 2"]]);
  });

  test("an event whose guard refuses is legal and does nothing", () => {
    const { runner, seen } = door();
    runner.start();
    runner.send({ type: "RING", times: 2 });
    seen();
    const before = runner.snapshot;
    runner.send({ type: "RING", times: 1 });
    expect(seen()).toEqual([]);
    expect(runner.snapshot).toBe(before);
  });

  test("an event that no state lists is reported and changes nothing", () => {
    const { runner, seen } = door();
    runner.start();
    runner.send({ type: "CLOSE" });
    expect(seen()).toEqual(["unexpected CLOSE in shut"]);
  });

  test("a finished chart takes no more events, and its timers are cleared", () => {
    const { runner, seen } = door();
    runner.start();
    runner.send({ type: "OPEN" });
    seen();
    runner.send({ type: "BREAK" });
    expect([runner.done, seen()]).toEqual([true, ["light.off", `clear ${TIMER}`]]);
    runner.send({ type: "OPEN" });
    expect(seen()).toEqual(["unexpected OPEN in broken"]);
  });

  test("hot events are looked up, not sent", () => {
    const { runner } = door();
    runner.start();
    expect(runner.admitted.KNOCK).toBe("door.knock");
    expect(() => runner.send({ type: "KNOCK" })).toThrow("door.knock is a core's work");
    runner.send({ type: "OPEN" });
    expect(runner.admitted.KNOCK).toBeUndefined();
  });

  test("an event that arises while effects are performed waits for the rest of them", () => {
    const log: string[] = [];
    const runner: ChartRunner<typeof doorMachine> = new ChartRunner(doorMachine, {
      name: "d",
      input: { openMs: 500 },
      perform: (effect) => {
        log.push(`${effect.type} in ${runner.state}`);
        if (effect.type === "light.on") runner.send({ type: "CLOSE" });
      },
      timer: (_, delayMs) => log.push(delayMs === null ? "clear" : "set"),
      unexpected: (state, event) => log.push(`unexpected ${event} in ${state}`),
    });
    runner.start();
    runner.send({ type: "OPEN" });
    expect(log).toEqual(["light.on in open", "bell.ring in open", "set", "light.off in shut", "clear"]);
    expect(runner.state).toBe("shut");
  });

  test("the trace hook sees every step, before its effects", () => {
    const { runner, log } = door();
    runner.onTransition = (from, event, to) => log.push(`${from} -${event.type}-> ${to}`);
    runner.start();
    runner.send({ type: "OPEN" });
    runner.fire(TIMER);
    expect(log).toEqual([
      " -xstate.init-> shut",
      "shut -OPEN-> open",
      "light.on",
      "ring 1",
      `set ${TIMER} 500`,
      "open -xstate.after.openMs.door.open-> shut",
      "light.off",
    ]);
  });

  test("`matches` knows leaves and only active ones", () => {
    const { runner } = door();
    runner.start();
    expect([runner.matches("shut"), runner.matches("open")]).toEqual([true, false]);
  });
});
