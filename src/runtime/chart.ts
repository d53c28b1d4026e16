/**
 * A running chart: a plain snapshot, stepped by events, whose effects come out as data. No actor, no clock.
 *
 * Order of things in one step: the interpreter computes the next snapshot and the actions; the snapshot becomes current;
 * `onTransition` tells the trace; then effects and timers are performed in the chart's order. Whoever performs an effect
 * therefore sees the new state. If performing an effect leads to another event for the same chart (a core that answers at
 * once), that event waits until all effects of this step are performed: run to completion, as statecharts mean it.
 */
import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  ContextFrom,
  EventFromLogic,
  EventObject,
  InputFrom,
  SnapshotFrom,
  StateMachine,
} from "xstate";
import type { HotParams } from "../../spec/chart-actions.ts";
import { assert } from "./assert.ts";
import { type ChartAction, initialStep, type Step, step } from "./chart-step.ts";
import { type Configuration, compileHotTable, type HotTable } from "./hot-table.ts";

export interface ChartOptions<M extends AnyStateMachine, TEffect> {
  /** Prefix of timer ids, unique within the server: "peer", "learner.3". */
  readonly name: string;
  readonly input?: InputFrom<M>;
  perform(effect: TEffect): void;
  /** Set (milliseconds) or clear (null) a timer. When it goes off, call `fire(id)`. Ids are `${name}:${xstate's id}`. */
  timer(id: string, delayMs: number | null): void;
  /** An event that no active state lists, or that came after the end: counted, logged, asserted in tests. */
  unexpected(state: string, event: string): void;
}

/** What the chart's `effect` actions ask for, as declared in its `setup` (see spec/chart-actions.ts). */
export type EffectOf<M extends AnyStateMachine> = Single<EffectParams<ActionsOf<M>>>;

// biome-ignore format: one line per fact
type ActionsOf<M> = M extends StateMachine<infer _C, infer _E, infer _Ch, infer _Ac, infer TAction, infer _G, infer _D, infer _V,
  infer _T, infer _I, infer _O, infer _Em, infer _M, infer _S, infer _TM> ? TAction : never;
type EffectParams<A> = A extends { type: "effect"; params: infer P } ? P : never;
type Single<P> = P extends readonly (infer E)[] ? E : P;

export class ChartRunner<M extends AnyStateMachine, TEffect = EffectOf<M>> {
  /** Trace hook, called for every step that an active state lists, before its effects are performed. */
  onTransition?: (from: string, event: EventObject, to: string) => void;

  readonly name: string;
  readonly #machine: M;
  readonly #options: ChartOptions<M, TEffect>;
  readonly #table: HotTable;
  /** Timers that are set and have neither fired nor been cleared, with the event they bring. */
  readonly #armed = new Map<string, EventObject>();
  readonly #waiting: EventFromLogic<M>[] = [];
  #snapshot: AnyMachineSnapshot | undefined;
  #configuration: Configuration = NOT_STARTED;
  #stepping = false;

  constructor(machine: M, options: ChartOptions<M, TEffect>) {
    this.name = options.name;
    this.#machine = machine;
    this.#options = options;
    this.#table = compileHotTable(machine);
  }

  /** Enters the initial state and performs its entry actions. */
  start(): void {
    assert(this.#snapshot === undefined, `Chart ${this.name} starts once.`);
    this.#stepping = true;
    try {
      const { input } = this.#options;
      // As xstate's own first event: a trace that has it can start the chart anew.
      this.#arrive({ type: "xstate.init", input } as EventObject, initialStep(this.#machine, input));
      this.#drain();
    } finally {
      this.#stepping = false;
    }
  }

  /** Takes a chart event. Hot events do not belong here: look them up in `admitted` first. */
  send(event: EventFromLogic<M>): void {
    if (this.#stepping) {
      this.#waiting.push(event);
      return;
    }
    this.#stepping = true;
    try {
      this.#step(event);
      this.#drain();
    } finally {
      this.#stepping = false;
    }
  }

  /** A timer went off. One that was cleared or replaced by then is ignored, and so is an id of another chart. */
  fire(timerId: string): void {
    assert(!this.#stepping, "Timers go off between steps.");
    const event = this.#armed.get(timerId);
    if (event === undefined) return;
    this.#armed.delete(timerId);
    this.send(event as EventFromLogic<M>);
  }

  get snapshot(): SnapshotFrom<M> {
    assert(this.#snapshot !== undefined, `Chart ${this.name} has started.`);
    return this.#snapshot as SnapshotFrom<M>;
  }

  get context(): ContextFrom<M> {
    assert(this.#snapshot !== undefined, `Chart ${this.name} has started.`);
    return this.#snapshot.context;
  }

  /** "following.discovery.connecting"; parallel leaves in document order, joined by a comma; "" before the start. */
  get state(): string {
    return this.#configuration.path;
  }

  /** The chart has reached its final state and takes no more events. */
  get done(): boolean {
    return this.#snapshot !== undefined && this.#snapshot.status !== "active";
  }

  /** Whether the state with this dotted path is active, be it a leaf or an ancestor of one. */
  matches(path: string): boolean {
    return this.#configuration.active.has(path);
  }

  /** Name of the hot handler that the current state admits for an event type, or undefined. One property read. */
  get admitted(): Readonly<Record<string, string | undefined>> {
    return this.#configuration.admitted;
  }

  #step(event: EventFromLogic<M>): void {
    const snapshot = this.#snapshot;
    assert(snapshot !== undefined, `Chart ${this.name} has started.`);
    const { type } = event as EventObject;
    if (snapshot.status !== "active" || !this.#configuration.lists(type)) {
      this.#options.unexpected(this.#configuration.path, type);
      return;
    }
    this.#arrive(event as EventObject, step(this.#machine, snapshot as SnapshotFrom<M>, event));
  }

  #drain(): void {
    // A plain loop over a growing array: effects may bring more events while the earlier ones are worked off.
    for (let i = 0; i < this.#waiting.length; i++) this.#step(this.#waiting[i] as EventFromLogic<M>);
    this.#waiting.length = 0;
  }

  #arrive(event: EventObject, { snapshot, actions }: Step<M>): void {
    const from = this.#configuration.path;
    if (snapshot !== this.#snapshot) {
      this.#snapshot = snapshot;
      this.#configuration = this.#table.of(snapshot);
    }
    this.onTransition?.(from, event, this.#configuration.path);
    for (const action of actions) this.#perform(action);
  }

  #perform(action: ChartAction): void {
    switch (action.type) {
      case "effect": {
        const effects = action.params as TEffect | readonly TEffect[];
        if (isList(effects)) for (const effect of effects) this.#options.perform(effect);
        else this.#options.perform(effects);
        return;
      }
      case "xstate.raise": {
        const { event, id, delay } = action.params as RaiseParams;
        // Without a delay it has already been consumed within this step.
        if (delay !== undefined) this.#arm(id, event, delay);
        return;
      }
      case "xstate.cancel":
        this.#disarm((action.params as CancelParams).sendId);
        return;
      case "hot": {
        const { handler } = action.params as HotParams;
        assert(false, `${handler} is a core's work: look the event up in \`admitted\` before sending it to the chart.`);
        return;
      }
      default:
        assert(false, `Chart ${this.#machine.id} uses an action besides effect, hot and assign: ${action.type}`);
    }
  }

  #arm(id: string, event: EventObject, delayMs: number): void {
    const timerId = `${this.name}:${id}`;
    this.#armed.set(timerId, event);
    this.#options.timer(timerId, delayMs);
  }

  #disarm(id: string): void {
    const timerId = `${this.name}:${id}`;
    // xstate cancels on every exit, also when the timer itself caused it.
    if (this.#armed.delete(timerId)) this.#options.timer(timerId, null);
  }
}

interface CancelParams {
  readonly sendId: string;
}

interface RaiseParams {
  readonly event: EventObject;
  readonly id: string;
  readonly delay: number | undefined;
}

const NOT_STARTED: Configuration = { path: "", admitted: {}, active: new Set(), lists: () => false };

function isList<T>(effects: T | readonly T[]): effects is readonly T[] {
  return Array.isArray(effects);
}
