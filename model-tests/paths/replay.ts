/**
 * Replays a path on a real object: each event of the path is caused by real inputs, and the object must do exactly what the
 * chart, stepped beside it, does: the same events, the same states, the effects and timers that a person has written down
 * for each (`Rig.expected`).
 */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import { initialStep, type Step, step, watchTransitions } from "../../src/runtime/chart-step.ts";
import { type Configuration, compileHotTable } from "../../src/runtime/hot-table.ts";
import type { ChartCoverage } from "../checker/chart-coverage.ts";
import { labelOf, pairOf, START } from "./pair-graph.ts";

export interface ObservedStep {
  readonly event: EventObject;
  /** The dotted path of the state that it led to; "" where the object does not tell. */
  readonly to: string;
}

/** A real object with surroundings that do what the test says. */
export interface Rig {
  /** Real inputs that make the event happen. @returns why it cannot be caused now, or null. */
  cause(event: EventObject, chart: Reference): string | null;
  /** The chart's steps since the last call. */
  takeSteps(): ObservedStep[];
  /** What left the object since the last call: "lane what", in order within a lane. */
  takeOutputs(): string[];
  /** How an effect of the chart looks from outside. */
  expected(effect: ChartEffect, chart: Reference): readonly string[];
  /** What has been seen from outside when the event comes. */
  expectedOf?(event: EventObject): readonly string[];
  /** What a hot event makes its core do. */
  expectedHot?(handler: string, event: EventObject, chart: Reference): readonly string[];
  /** Name of the chart's timers, as in "peer:xstate.after…"; null: they are not looked at. */
  readonly timers: string | null;
  /** The object may raise this fact by itself, in the same breath. */
  mayFollow(event: EventObject): boolean;
  /** The event's payload is the world's: which file failed, where the log ended. */
  payloadIsOpen(type: string): boolean;
  /** What of the surroundings decides which events can be caused next, in a word or two. */
  mood?(): string;
}

export interface ChartEffect {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** The production chart, stepped beside the real object. */
export class Reference {
  readonly machine: AnyStateMachine;
  readonly coverage: ChartCoverage;
  snapshot: AnyMachineSnapshot;
  #configuration: Configuration;
  readonly #armed = new Set<string>();
  /** Of the last step. */
  effects: ChartEffect[] = [];
  timers: string[] = [];
  label = START;

  constructor(machine: AnyStateMachine, input: unknown, coverage: ChartCoverage) {
    this.machine = machine;
    this.coverage = coverage;
    const first = initialStep(machine, input as never);
    this.snapshot = first.snapshot as AnyMachineSnapshot;
    this.#configuration = compileHotTable(machine).of(this.snapshot);
    this.#take(first);
  }

  get state(): string {
    return this.#configuration.path;
  }

  get context(): Readonly<Record<string, unknown>> {
    return this.snapshot.context;
  }

  get done(): boolean {
    return this.snapshot.status !== "active";
  }

  lists(type: string): boolean {
    return !this.done && this.#configuration.lists(type);
  }

  hot(type: string): string | undefined {
    return this.#configuration.admitted[type];
  }

  step(event: EventObject): void {
    const keys: string[] = [];
    const watch = watchTransitions((transitions) => {
      this.coverage.note(transitions);
      for (const transition of transitions) {
        const key = this.coverage.keyOf(transition);
        if (key !== undefined) keys.push(key);
      }
    });
    const from = this.state;
    // A timer that went off is not cleared.
    this.#armed.delete(event.type);
    try {
      const next = step(this.machine, this.snapshot as never, event as never);
      this.snapshot = next.snapshot as AnyMachineSnapshot;
      this.#configuration = compileHotTable(this.machine).of(this.snapshot);
      this.#take(next);
    } finally {
      watch.unsubscribe();
    }
    this.label = labelOf(keys, from, event.type);
  }

  #take({ actions }: Step<AnyStateMachine>): void {
    this.effects = [];
    this.timers = [];
    for (const { type, params } of actions) {
      if (type === "effect") this.effects.push(...([params].flat() as unknown as ChartEffect[]));
      else if (type === "xstate.raise") {
        const { id, delay } = params as unknown as { id: string; delay: number | undefined };
        if (delay === undefined) continue;
        this.#armed.add(id);
        this.timers.push(`${id} ${delay}`);
      } else if (type === "xstate.cancel") {
        const { sendId } = params as unknown as { sendId: string };
        if (this.#armed.delete(sendId)) this.timers.push(`${sendId} off`);
      }
    }
  }
}

/** How an event of a path went. */
export interface Outcome {
  /** Why the path must be left here: the world cannot bring the event about at this moment. */
  readonly left: string | null;
  /** What the object did otherwise than the chart. */
  readonly mismatch: string | null;
}

const WENT_WELL: Outcome = { left: null, mismatch: null };

/** A real object and the chart beside it, on their way along a path. */
export class Run {
  readonly chart: Reference;
  readonly rig: Rig;
  /** The transitions of the last step. */
  label = START;
  readonly #pairs: Set<string>;

  /**
   * @param machine what the object is compared with: production's chart, or a planted variant of it
   * @param pairs gets the pairs of transitions that are taken one after the other
   */
  constructor(machine: AnyStateMachine, input: unknown, rig: Rig, coverage: ChartCoverage, pairs: Set<string>) {
    this.chart = new Reference(machine, input, coverage);
    this.rig = rig;
    this.#pairs = pairs;
  }

  /** The initial state's own effects. */
  start(): Outcome {
    const { chart, rig } = this;
    const difference = compare(
      rig,
      chart.effects.flatMap((effect) => rig.expected(effect, chart)),
      chart.timers,
    );
    return difference === null ? WENT_WELL : { left: null, mismatch: `at the start, ${difference}` };
  }

  take(event: EventObject): Outcome {
    const { chart, rig } = this;
    if (!chart.lists(event.type)) return { left: `${chart.state} does not list ${event.type}`, mismatch: null };
    const handler = chart.hot(event.type);
    const expected: string[] = [];
    const timers: string[] = [];
    const reason = rig.cause(event, chart);
    const steps = rig.takeSteps();
    if (reason !== null && steps.length === 0) {
      rig.takeOutputs();
      return { left: reason, mismatch: null };
    }
    let happened = handler !== undefined || reason !== null;
    if (handler !== undefined && reason === null) {
      expected.push(...(rig.expectedHot?.(handler, event, chart) ?? []));
      this.#step(event);
    }
    for (const { event: seen, to } of steps) {
      if (!happened && isSame(event, seen, rig)) happened = true;
      else if (!rig.mayFollow(seen)) return failed(`${brief(seen)} reached the chart`);
      if (!chart.lists(seen.type)) return failed(`the object took ${brief(seen)}, which ${chart.state} does not list`);
      this.#step(seen);
      if (to !== "" && chart.state !== to) return failed(`the object went to ${to}, the chart to ${chart.state}`);
      timers.push(...chart.timers);
      expected.push(...(rig.expectedOf?.(seen) ?? []));
      for (const effect of chart.effects) expected.push(...rig.expected(effect, chart));
    }
    if (!happened) return failed(`${brief(event)} did not reach the chart; ${steps.map((it) => brief(it.event))} did`);
    const difference = compare(rig, expected, timers);
    return difference === null ? { left: reason, mismatch: null } : failed(difference);
  }

  #step(event: EventObject): void {
    this.chart.step(event);
    this.#pairs.add(pairOf(this.label, this.chart.label));
    this.label = this.chart.label;
  }
}

const failed = (mismatch: string): Outcome => ({ left: null, mismatch });

function compare(rig: Rig, effects: readonly string[], timers: readonly string[]): string | null {
  const outputs = rig.takeOutputs();
  const expected = [...effects, ...(rig.timers === null ? [] : timers.map((timer) => `timer ${rig.timers}:${timer}`))];
  const ours = byLane(outputs);
  const theirs = byLane(expected);
  for (const lane of new Set([...ours.keys(), ...theirs.keys()])) {
    const seen = (ours.get(lane) ?? []).join("; ");
    const wanted = (theirs.get(lane) ?? []).join("; ");
    if (seen !== wanted) return `${lane}: "${seen}", expected "${wanted}"`;
  }
  return null;
}

function byLane(outputs: readonly string[]): Map<string, string[]> {
  const lanes = new Map<string, string[]>();
  for (const output of outputs) {
    const space = output.indexOf(" ");
    const lane = output.slice(0, space);
    const known = lanes.get(lane);
    if (known === undefined) lanes.set(lane, [output.slice(space + 1)]);
    else known.push(output.slice(space + 1));
  }
  return lanes;
}

function isSame(wanted: EventObject, seen: EventObject, rig: Rig): boolean {
  if (wanted.type !== seen.type) return false;
  return rig.payloadIsOpen(wanted.type) || JSON.stringify(sorted(wanted)) === JSON.stringify(sorted(seen));
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

export function brief({ type, ...payload }: EventObject): string {
  const short = type.replace(/^xstate\.after\./, "after ");
  return Object.keys(payload).length === 0 ? short : `${short} ${JSON.stringify(payload)}`;
}
