/** A production chart that is stepped by recorded events, and says what it asked for. Counts the transitions it takes. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import { charts } from "../../spec/charts.ts";
import { initialStep, type Step, step, watchTransitions } from "../../src/runtime/chart-step.ts";
import { type Configuration, compileHotTable } from "../../src/runtime/hot-table.ts";
import { ChartCoverage } from "../checker/chart-coverage.ts";

export interface AskedEffect {
  readonly type: string;
  readonly [key: string]: unknown;
}

const machines: ReadonlyMap<string, AnyStateMachine> = new Map(charts.map(({ machine }) => [machine.id, machine]));

/** How often each transition of each chart was taken. */
export class ReplayCoverage {
  readonly #charts = new Map<string, ChartCoverage>(
    [...machines.values()].map((machine) => [machine.id, new ChartCoverage(machine)]),
  );
  /** Hot events by configuration and type: counted here, noted once in the end. */
  readonly #hot = new Map<Configuration, Map<string, { snapshot: AnyMachineSnapshot; count: number }>>();

  /** Counts while `run` runs. */
  during<T>(run: () => T): T {
    const watch = watchTransitions((transitions) => {
      const chart = transitions[0]?.source.machine.id;
      if (chart !== undefined) this.#charts.get(chart)?.note(transitions);
    });
    try {
      return run();
    } finally {
      watch.unsubscribe();
    }
  }

  hot(configuration: Configuration, snapshot: AnyMachineSnapshot, type: string): void {
    let byType = this.#hot.get(configuration);
    if (byType === undefined) {
      byType = new Map();
      this.#hot.set(configuration, byType);
    }
    const known = byType.get(type);
    if (known === undefined) byType.set(type, { snapshot, count: 1 });
    else known.count++;
  }

  /** Chart → transition ("path EVENT#index", as in the diagrams) → times taken. */
  get taken(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    for (const byType of this.#hot.values()) {
      for (const [type, { snapshot, count }] of byType) {
        const { machine } = snapshot;
        const coverage = this.#charts.get(machine.id);
        const transitions = machine.getTransitionData(snapshot, { type }) ?? [];
        for (let i = 0; i < count; i++) coverage?.note(transitions);
      }
    }
    this.#hot.clear();
    return new Map([...this.#charts].map(([id, { taken }]) => [id, taken]));
  }
}

export class ChartReplay {
  readonly machine: AnyStateMachine;
  readonly #coverage: ReplayCoverage;
  /** Events of the timers that run. */
  readonly #armed = new Map<string, string>();
  #snapshot: AnyMachineSnapshot;
  #configuration: Configuration;
  /** What the last step asked for, in order. */
  asked: readonly AskedEffect[] = [];

  constructor(id: string, input: unknown, coverage: ReplayCoverage) {
    const machine = machines.get(id);
    if (machine === undefined) throw new Error(`There is no chart ${id}.`);
    this.machine = machine;
    this.#coverage = coverage;
    const first = initialStep(machine, input);
    this.#snapshot = first.snapshot as AnyMachineSnapshot;
    this.#configuration = compileHotTable(machine).of(this.#snapshot);
    this.#perform(first);
  }

  get state(): string {
    return this.#configuration.path;
  }

  /** The context of whichever chart it is: whoever reads it knows which. */
  get context(): Readonly<Record<string, unknown>> {
    return this.#snapshot.context;
  }

  matches(path: string): boolean {
    return this.#configuration.active.has(path);
  }

  lists(event: string): boolean {
    return this.#snapshot.status === "active" && this.#configuration.lists(event);
  }

  /** A hot event: whether the state admits it. Counts it if so. */
  hot(event: string): boolean {
    if (this.#configuration.admitted[event] === undefined) return false;
    this.#coverage.hot(this.#configuration, this.#snapshot, event);
    return true;
  }

  /** A timer that does not run cannot have fired. */
  timerRuns(event: string): boolean {
    for (const armed of this.#armed.values()) if (armed === event) return true;
    return false;
  }

  step(event: EventObject): void {
    for (const [id, armed] of this.#armed) if (armed === event.type) this.#armed.delete(id);
    const next = step(this.machine, this.#snapshot as never, event as never);
    this.#snapshot = next.snapshot as AnyMachineSnapshot;
    this.#configuration = compileHotTable(this.machine).of(this.#snapshot);
    this.#perform(next);
  }

  #perform({ actions }: Step<AnyStateMachine>): void {
    const asked: AskedEffect[] = [];
    for (const { type, params } of actions) {
      if (type === "effect") {
        for (const effect of [params as unknown as AskedEffect | readonly AskedEffect[]].flat()) asked.push(effect);
      } else if (type === "xstate.raise") {
        const { event, id, delay } = params as unknown as { event: EventObject; id: string; delay: number | undefined };
        if (delay !== undefined) this.#armed.set(id, event.type);
      } else if (type === "xstate.cancel") {
        this.#armed.delete((params as unknown as { sendId: string }).sendId);
      }
    }
    this.asked = asked;
  }
}
