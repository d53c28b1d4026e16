/**
 * A production chart as a part of a model: its local states are interned, its steps memoised, so the interpreter runs only
 * on a pair of state and event that was never seen. Steps are those of `src/runtime` (chart-step.ts, hot-table.ts).
 *
 * Time is abstract: an armed timer may fire at any moment, so delays are no part of the state.
 */

import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFromLogic,
  EventObject,
  InputFrom,
  SnapshotFrom,
  StateValue,
} from "xstate";
import type { EffectOf } from "../../src/runtime/chart.ts";
import { type ChartAction, initialStep, type Step, step, watchTransitions } from "../../src/runtime/chart-step.ts";
import { compileHotTable, type HotTable } from "../../src/runtime/hot-table.ts";
import { ChartCoverage } from "./chart-coverage.ts";
import { LocalMachine, type LocalStep } from "./memo.ts";

/** What of a chart belongs to a state: plain data. */
export interface ChartState {
  readonly value: StateValue;
  readonly context: unknown;
  /** Sorted by id. */
  readonly armed: readonly ArmedTimer[];
}

export interface ArmedTimer {
  readonly id: string;
  readonly event: EventObject;
}

export type ChartOutput<TEffect> =
  | { readonly type: "effect"; readonly effect: TEffect }
  /** The event is a core's work; the chart stays as it is. */
  | { readonly type: "hot"; readonly handler: string }
  /** No active state lists the event. Models mostly forbid this: see Z10. */
  | { readonly type: "unexpected"; readonly state: string; readonly event: string };

export interface TimerFired {
  readonly type: "TIMER_FIRED";
  readonly id: string;
}

/**
 * A model's hand on what a step leaves behind: it may drop from the state what nothing reads any more, and add outputs of its
 * own, which it reads off the state before that.
 */
export type Refine<TEffect> = (
  step: LocalStep<ChartState, ChartOutput<TEffect>>,
) => LocalStep<ChartState, ChartOutput<TEffect>>;

export class ChartMachine<M extends AnyStateMachine, TEffect = EffectOf<M>> {
  readonly coverage: ChartCoverage;
  /** Ids of states are ids of `parts.snapshots`, which belongs into the model's pools. */
  readonly parts: LocalMachine<ChartState, EventFromLogic<M> | TimerFired, ChartOutput<TEffect>>;
  readonly #machine: M;
  readonly #table: HotTable;
  readonly #refine: Refine<TEffect> | null;
  /** The interpreter's own snapshots: of states that it has met here, not of those from another thread. */
  readonly #snapshots = new WeakMap<ChartState, SnapshotFrom<M>>();

  constructor(machine: M, refine: Refine<TEffect> | null = null) {
    this.#machine = machine;
    this.#refine = refine;
    this.#table = compileHotTable(machine);
    this.coverage = new ChartCoverage(machine);
    this.parts = new LocalMachine({
      name: machine.id,
      snapshotKey: JSON.stringify,
      eventKey: JSON.stringify,
      step: (state, event) => this.#step(state, event),
    });
  }

  /** The id of the initial state, and what its entry actions ask for. */
  initial(input?: InputFrom<M>): { readonly state: number; readonly outputs: readonly ChartOutput<TEffect>[] } {
    const { next, outputs } = this.#watched(() => this.#arrived([], initialStep(this.#machine, input)));
    return { state: this.parts.snapshots.intern(next), outputs };
  }

  state(id: number): ChartState {
    return this.parts.snapshots.get(id);
  }

  /** The same state as the pool holds it. */
  own(state: ChartState): ChartState {
    return this.state(this.parts.snapshots.intern(state));
  }

  /** "following.discovery.connecting" */
  path(id: number): string {
    return this.#table.of(this.#snapshotOf(this.state(id))).path;
  }

  #step(state: ChartState, event: EventFromLogic<M> | TimerFired): LocalStep<ChartState, ChartOutput<TEffect>> {
    const { type } = event as EventObject;
    if (type === "TIMER_FIRED") {
      const timer = state.armed.find(({ id }) => id === (event as TimerFired).id);
      // It was cleared in the meantime: such late news is normal.
      if (timer === undefined) return { next: state, outputs: [] };
      const armed = state.armed.filter((other) => other !== timer);
      return this.#send(state, armed, timer.event as EventFromLogic<M>);
    }
    return this.#send(state, state.armed, event as EventFromLogic<M>);
  }

  #send(state: ChartState, armed: readonly ArmedTimer[], event: EventFromLogic<M>) {
    const snapshot = this.#snapshotOf(state);
    const { type } = event as EventObject;
    const { path, admitted, lists } = this.#table.of(snapshot);
    const handler = admitted[type];
    if (handler !== undefined) {
      this.coverage.note(this.#machine.getTransitionData(snapshot, event) ?? []);
      return { next: state, outputs: [{ type: "hot" as const, handler }] };
    }
    if ((snapshot as AnyMachineSnapshot).status !== "active" || !lists(type))
      return { next: state, outputs: [{ type: "unexpected" as const, state: path, event: type }] };
    return this.#watched(() => this.#arrived(armed, step(this.#machine, snapshot, event)));
  }

  #arrived(before: readonly ArmedTimer[], { snapshot, actions }: Step<M>): LocalStep<ChartState, ChartOutput<TEffect>> {
    const armed = new Map(before.map((timer) => [timer.id, timer]));
    const outputs: ChartOutput<TEffect>[] = [];
    for (const action of actions) this.#perform(action, armed, outputs);
    const sorted = [...armed.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const { value, context } = snapshot as AnyMachineSnapshot;
    const next: ChartState = { value, context, armed: sorted };
    if (this.#refine !== null) return this.#refine({ next, outputs });
    this.#snapshots.set(next, snapshot);
    return { next, outputs };
  }

  #perform({ type, params }: ChartAction, armed: Map<string, ArmedTimer>, outputs: ChartOutput<TEffect>[]): void {
    if (type === "effect") {
      for (const effect of [params as unknown as TEffect | readonly TEffect[]].flat()) {
        outputs.push({ type: "effect", effect: effect as TEffect });
      }
    } else if (type === "xstate.raise") {
      const { event, id, delay } = params as unknown as { event: EventObject; id: string; delay: number | undefined };
      // Without a delay it was consumed within the step.
      if (delay !== undefined) armed.set(id, { id, event });
    } else if (type === "xstate.cancel") {
      armed.delete((params as unknown as { sendId: string }).sendId);
    }
  }

  #watched<T>(run: () => T): T {
    const watch = watchTransitions((transitions) => this.coverage.note(transitions));
    try {
      return run();
    } finally {
      watch.unsubscribe();
    }
  }

  #snapshotOf(state: ChartState): SnapshotFrom<M> {
    const known = this.#snapshots.get(state);
    if (known !== undefined) return known;
    const restored = this.#machine.resolveState({ value: state.value, context: state.context }) as SnapshotFrom<M>;
    this.#snapshots.set(state, restored);
    return restored;
  }
}
