import { describe, expect, test } from "vitest";
import { createMachine } from "xstate";
import { compileHotTable } from "./hot-table.ts";

type Config = Parameters<typeof createMachine>[0];

const hot = (handler: string) => ({ actions: { type: "hot", params: { handler } } });

function admitted(config: Config): Record<string, Record<string, string | undefined>> {
  const { configurations } = compileHotTable(createMachine(config));
  return Object.fromEntries(configurations.map(({ path, admitted }) => [path, { ...admitted }]));
}

describe("hot transitions", () => {
  test("a leaf admits what it and its parents list as hot, the child's word first", () => {
    expect(
      admitted({
        initial: "leading",
        on: { NOTIFICATION: hot("election.notification"), PING: hot("root.ping") },
        states: {
          leading: {
            initial: "sync",
            on: { ACK: hot("leader.ack"), PING: hot("leader.ping") },
            states: {
              sync: { on: { ACK: { target: "broadcast" } } },
              broadcast: { on: { PING: hot("broadcast.ping") } },
            },
          },
          looking: { on: { NOTIFICATION: {} } },
        },
      }),
    ).toEqual({
      // A plain transition or an explicit "nothing happens" of the child hides the parent's hot one.
      "leading.sync": { NOTIFICATION: "election.notification", PING: "leader.ping" },
      "leading.broadcast": { NOTIFICATION: "election.notification", ACK: "leader.ack", PING: "broadcast.ping" },
      looking: { PING: "root.ping" },
    });
  });

  test("parallel regions admit side by side", () => {
    expect(
      admitted({
        type: "parallel",
        states: {
          election: { initial: "on", states: { on: { on: { VOTE: hot("vote") } }, off: {} } },
          data: { initial: "up", states: { up: { on: { READ: hot("read") } } } },
        },
      }),
    ).toEqual({
      "election.on,data.up": { VOTE: "vote", READ: "read" },
      "election.off,data.up": { READ: "read" },
    });
  });

  test("a child's wildcard hides the parent's hot transition", () => {
    expect(
      admitted({ initial: "a", on: { X: hot("x") }, states: { a: { on: { "*": { actions: [] } } }, b: {} } }),
    ).toEqual({ a: {}, b: { X: "x" } });
  });

  test("the table is compiled once per machine", () => {
    const machine = createMachine({ initial: "a", states: { a: {} } });
    expect(compileHotTable(machine)).toBe(compileHotTable(machine));
  });
});

describe("charts that are refused", () => {
  const refuse = (states: NonNullable<Config["states"]>, more: Config = {}) => {
    const machine = createMachine({ id: "m", initial: "a", states, ...more });
    return expect(() => compileHotTable(machine));
  };

  test("a hot transition with a target", () => {
    refuse({ a: { on: { X: { target: "a", ...hot("x") } } } }).toThrow(
      "Chart m, state a, event X: a hot transition has no target.",
    );
  });

  test("a hot transition with a guard", () => {
    refuse({ a: { on: { X: { guard: () => true, ...hot("x") } } } }).toThrow("has no guard");
  });

  test("two transitions for a hot event", () => {
    refuse({ a: { on: { X: [hot("x"), hot("y")] } } }).toThrow("is the only one for its event");
  });

  test("a second action beside hot", () => {
    const { actions } = hot("x");
    refuse({ a: { on: { X: { actions: [actions, { type: "effect", params: {} }] } } } }).toThrow("only action");
  });

  test("a handler's name that is computed", () => {
    refuse({ a: { on: { X: { actions: { type: "hot", params: () => ({ handler: "x" }) } } } } }).toThrow(
      "plain params",
    );
  });

  test("hot on entry, on exit, without an event, and under a wildcard", () => {
    refuse({ a: { entry: hot("x").actions } }).toThrow("not an entry or exit action");
    refuse({ a: { exit: hot("x").actions } }).toThrow("not an entry or exit action");
    refuse({ a: { always: hot("x") } }).toThrow("eventless");
    refuse({ a: { on: { "X.*": hot("x") } } }).toThrow("names its event");
  });

  test("a guard of the child that decides whether the parent's hot transition runs", () => {
    refuse({ a: { on: { X: { guard: () => true, target: "a" } } } }, { on: { X: hot("x") } }).toThrow(
      "Event X in chart m: a hot transition shares its event with another one (in a, in the root).",
    );
  });

  test("an event that is hot in one parallel region and listed in another", () => {
    const region = (on: object) => ({ initial: "i", states: { i: { on } } });
    const machine = createMachine({
      id: "m",
      type: "parallel",
      states: { l: region({ X: hot("x") }), r: region({ X: { actions: { type: "effect" } } }) },
    });
    expect(() => compileHotTable(machine)).toThrow("(in l.i, in r.i)");
  });
});
