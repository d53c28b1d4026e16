import { expect, test } from "vitest";
import { ChartTrace, formatTraceLine } from "./trace.ts";

function recorded(capacity: number, steps: number) {
  let now = 0;
  const trace = new ChartTrace(capacity, () => now++);
  for (let i = 0; i < steps; i++) trace.record("peer", `s${i}`, { type: `E${i}` }, `s${i + 1}`);
  return trace;
}

test("a trace remembers the last steps, oldest first", () => {
  expect(recorded(3, 5).lines()).toEqual([
    { atMs: 2, chart: "peer", from: "s2", event: "E2", to: "s3" },
    { atMs: 3, chart: "peer", from: "s3", event: "E3", to: "s4" },
    { atMs: 4, chart: "peer", from: "s4", event: "E4", to: "s5" },
  ]);
});

test("a trace that is not yet full tells what it has", () => {
  const trace = recorded(8, 2);
  expect(trace.lines().map(({ event }) => event)).toEqual(["E0", "E1"]);
  expect(trace.written).toBe(2);
});

test("the sink sees each step with its whole event", () => {
  const seen: unknown[] = [];
  const trace = recorded(2, 0);
  trace.sink = (chart, from, event, to, atMs) => seen.push([chart, from, event, to, atMs]);
  trace.record("peer", "a", { type: "ACK", zxid: 7 } as { type: string }, "b");
  expect(seen).toEqual([["peer", "a", { type: "ACK", zxid: 7 }, "b", 0]]);
});

test("attaching listens to a runner under its name", () => {
  const trace = recorded(2, 0);
  const runner: { name: string; onTransition?: (from: string, event: { type: string }, to: string) => void } = {
    name: "learner.3",
  };
  trace.attach(runner);
  runner.onTransition?.("", { type: "xstate.init" }, "syncing");
  expect(trace.lines().map(formatTraceLine)).toEqual(["0.0 learner.3: (start) → syncing on xstate.init"]);
});

test("a step that stays where it is reads so", () => {
  expect(formatTraceLine({ atMs: 1.25, chart: "peer", from: "a.b", event: "PING", to: "a.b" })).toBe(
    "1.3 peer: at a.b on PING",
  );
});
