import { expect, test } from "vitest";
import { assign, setup } from "xstate";
import { learnerHandlerMachine } from "../../spec/ensemble/learner-handler.machine.ts";
import type { Epoch, ServerId, Zxid } from "../../spec/vocabulary.ts";
import { makeZxid } from "../../spec/vocabulary.ts";
import { ChartMachine } from "./chart-machine.ts";

type DoorEvent = { readonly type: "OPEN" | "CLOSE" | "KNOCK" };
type DoorEffect = { readonly type: "bell.ring"; readonly times: number };

/** A door that closes by itself, and sticks after it was opened twice. */
const doorMachine = setup({
  types: { context: {} as { readonly opened: number }, events: {} as DoorEvent },
  actions: { effect: (_, _effect: DoorEffect) => {}, hot: (_, _core: { readonly handler: string }) => {} },
  guards: { wornOut: ({ context }) => context.opened >= 2 },
  delays: { patience: 1000 },
}).createMachine({
  id: "door",
  initial: "closed",
  context: { opened: 0 },
  states: {
    closed: {
      always: { guard: "wornOut", target: "stuck" },
      on: {
        OPEN: {
          target: "open",
          actions: [
            assign({ opened: ({ context }) => context.opened + 1 }),
            { type: "effect", params: ({ context }) => ({ type: "bell.ring" as const, times: context.opened }) },
          ],
        },
        KNOCK: { actions: { type: "hot", params: { handler: "door.knock" } } },
      },
    },
    open: {
      after: { patience: "closed" },
      on: { CLOSE: "closed" },
    },
    stuck: { type: "final" },
  },
});

function door() {
  const chart = new ChartMachine(doorMachine);
  const at = { state: chart.initial().state };
  const send = (event: DoorEvent | { readonly type: "TIMER_FIRED"; readonly id: string }) => {
    const transition = chart.parts.step(at.state, chart.parts.events.intern(event));
    at.state = chart.parts.next(transition);
    return chart.parts.outputs(transition);
  };
  return {
    chart,
    send,
    path: () => chart.path(at.state),
    armed: () => chart.state(at.state).armed.map(({ id }) => id),
  };
}

test("effects come out as data, hot events name their handler, what no state lists is unexpected", () => {
  const { send, path } = door();
  expect(send({ type: "KNOCK" })).toEqual([{ type: "hot", handler: "door.knock" }]);
  expect(send({ type: "OPEN" })).toEqual([{ type: "effect", effect: { type: "bell.ring", times: 1 } }]);
  expect(path()).toBe("open");
  expect(send({ type: "KNOCK" })).toEqual([{ type: "unexpected", state: "open", event: "KNOCK" }]);
});

test("a timer is armed by its state, may fire at any moment, and is cleared by leaving", () => {
  const { send, path, armed } = door();
  expect(armed()).toEqual([]);
  send({ type: "OPEN" });
  const [timer] = armed();
  send({ type: "TIMER_FIRED", id: timer! });
  expect(path()).toBe("closed");
  expect(armed()).toEqual([]);
  expect(send({ type: "TIMER_FIRED", id: timer! })).toEqual([]);
  expect(path()).toBe("closed");
});

test("the interpreter runs once per pair, and the transitions not taken are named", () => {
  const { chart, send } = door();
  for (let i = 0; i < 50; i++) {
    send({ type: "OPEN" });
    send({ type: "CLOSE" });
  }
  // Twice open and closed again; then it is stuck, and refuses both.
  expect(chart.parts.runs).toBe(6);
  expect(chart.coverage.coverage.missing).toEqual([
    "door: closed KNOCK#0",
    "door: open xstate.after.patience.door.open#0",
  ]);
});

test("a state that came from another thread steps like one met here", () => {
  const there = door();
  there.send({ type: "OPEN" });
  const here = new ChartMachine(doorMachine);
  const opened = [...Array(there.chart.parts.snapshots.size).keys()].map((id) =>
    structuredClone(there.chart.state(id)),
  );
  const state = here.parts.snapshots.intern(opened.find(({ value }) => value === "open")!);
  expect(here.path(here.parts.next(here.parts.step(state, here.parts.events.intern({ type: "CLOSE" }))))).toBe(
    "closed",
  );
});

test("a production chart runs the same way, eventless transitions included", () => {
  const chart = new ChartMachine(learnerHandlerMachine);
  const input = { epochAnnounced: 1 as Epoch, synchronizing: true, serving: false, initLimitMs: 1000 };
  let { state } = chart.initial(input);
  const effects = (event: Parameters<typeof chart.parts.events.intern>[0]) => {
    const transition = chart.parts.step(state, chart.parts.events.intern(event));
    state = chart.parts.next(transition);
    return chart.parts
      .outputs(transition)
      .map((output) => (output.type === "effect" ? output.effect.type : output.type));
  };
  effects({ type: "FOLLOWERINFO", sid: 2 as ServerId, acceptedEpoch: 0 as Epoch });
  expect(effects({ type: "ACKEPOCH", currentEpoch: 0, lastZxid: 0 as Zxid })).toContain("history.send");
  expect(effects({ type: "HISTORY_SENT" })).toEqual(["packet.send"]);
  expect(effects({ type: "ACK", zxid: makeZxid(1, 0) })).toContain("newLeaderAcked.tell");
  expect([...chart.coverage.taken].filter(([key, count]) => key.includes("always") && count > 0)).not.toEqual([]);
});
