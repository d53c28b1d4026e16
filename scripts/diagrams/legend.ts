/** A chart that explains how to read charts, drawn like the others. */
import { setup } from "xstate";
import { chartActions } from "../../spec/chart-actions.ts";

type Effect = {
  readonly type: "first.effect" | "next.effect" | "effect.onEntry" | "effect.onExit" | "effect.onTheWay";
};

export const legendMachine = setup({
  types: {} as {
    context: { readonly memory: number };
    events: { type: "EVENT" } | { type: "OTHER" } | { type: "UNWANTED" } | { type: "REQUEST" } | { type: "FAILED" };
  },
  actions: chartActions<Effect>(),
  guards: { askedFirst: () => true, askedSecond: () => true },
  delays: { timeLimit: 200 },
}).createMachine({
  id: "how-to-read",
  context: { memory: 0 },
  initial: "beginning",
  on: { FAILED: { target: ".end", description: "Whatever state is active." } },
  states: {
    beginning: {
      description: "What holds while the state is active. The black dot leads to where a chart begins.",
      entry: { type: "effect", params: { type: "effect.onEntry" } },
      exit: { type: "effect", params: { type: "effect.onExit" } },
      on: {
        EVENT: [
          {
            guard: "askedFirst",
            target: "nested",
            actions: { type: "effect", params: [{ type: "first.effect" }, { type: "next.effect" }] },
            description: "Why. Guards are asked in the order of their numbers.",
          },
          { guard: "askedSecond", target: "end" },
          { actions: { type: "effect", params: { type: "effect.onTheWay" } } },
        ],
        UNWANTED: {},
      },
    },
    nested: {
      description: "A state with states inside: what is listed here holds in all of them, unless they list it too.",
      initial: "serving",
      states: {
        serving: {
          description: "Hot events go to a core's handler while the state is active; the chart does not move.",
          on: { REQUEST: { actions: { type: "hot", params: { handler: "core.handler" } } }, OTHER: "waiting" },
        },
        waiting: {
          description: "A timer runs from entry to exit. Without an event a transition is taken at once.",
          after: { timeLimit: "#how-to-read.end" },
        },
      },
    },
    end: { description: "The chart has ended.", type: "final" },
  },
});
