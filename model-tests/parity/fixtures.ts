/** Charts with what the real ones use little or not at all, so that parity covers the interpreter and not only our habits. */
import fc from "fast-check";
import { assign, setup } from "xstate";
import { chartActions } from "../../spec/chart-actions.ts";
import type { ChartSamples } from "./samples.ts";

type Effect = { readonly type: "note.write"; readonly text: string };

const say = (text: string) => ({ type: "effect", params: { type: "note.write", text } }) as const;

/** Two regions side by side, history, nested ends with onDone, eventless transitions and assign between effects. */
const regionsMachine = setup({
  types: {} as {
    context: { readonly laps: number; readonly limit: number };
    events: { type: "NEXT" } | { type: "PAUSE" } | { type: "RESUME" } | { type: "ADD"; by: number } | { type: "READ" };
    input: { readonly limit: number };
  },
  actions: chartActions<Effect>(),
  guards: {
    tired: ({ context }) => context.laps >= context.limit,
    warm: ({ context }) => context.laps >= context.limit / 2,
    some: ({ event }) => event.type === "ADD" && event.by > 0,
  },
  delays: { lap: ({ context }) => 10 * (context.laps + 1), patience: 1000 },
}).createMachine({
  id: "fixture-regions",
  context: ({ input }) => ({ laps: 0, limit: input.limit }),
  initial: "running",
  on: { ADD: { guard: "some", actions: assign({ laps: ({ context, event }) => context.laps + event.by }) } },
  states: {
    running: {
      description: "Both regions are at it.",
      type: "parallel",
      entry: say("run"),
      exit: say("stop"),
      on: { PAUSE: "paused", READ: { actions: { type: "hot", params: { handler: "runner.read" } } } },
      onDone: { target: "finished", actions: say("all done") },
      states: {
        again: { description: "Where they were.", type: "history", history: "deep" },
        legs: {
          description: "Left, right.",
          initial: "left",
          states: {
            left: {
              description: "On the left foot.",
              always: { guard: "tired", target: "rest" },
              after: {
                lap: { target: "right", actions: [assign({ laps: ({ context }) => context.laps + 1 }), say("tick")] },
              },
              on: { NEXT: "right" },
            },
            right: {
              description: "On the right foot.",
              entry: [say("right"), assign({ laps: ({ context }) => context.laps + 1 }), say("counted")],
              on: { NEXT: { target: "left", reenter: true } },
            },
            rest: { description: "Enough.", type: "final", entry: say("rest") },
          },
        },
        lungs: {
          description: "In, out.",
          initial: "in",
          states: {
            in: { description: "Breathing in.", on: { NEXT: "out" } },
            out: {
              description: "Breathing out.",
              on: { NEXT: [{ guard: "warm", target: "calm" }, { target: "in" }], READ: {} },
            },
            calm: { description: "Breath is back.", type: "final" },
          },
        },
      },
    },
    paused: {
      description: "Both regions remember where they were.",
      after: { patience: "finished" },
      on: { RESUME: "#fixture-regions.running.again" },
    },
    finished: { description: "Home.", type: "final", entry: say("home"), exit: say("lights out") },
  },
});

export const fixtures: readonly { readonly machine: typeof regionsMachine; readonly samples: ChartSamples }[] = [
  {
    machine: regionsMachine,
    samples: {
      input: fc.record({ limit: fc.constantFrom(2, 3, 20) }),
      payloads: { ADD: fc.record({ by: fc.constantFrom(0, 1, 2) }) },
    },
  },
];
