/**
 * Compiles a small chart into integers, so that a million sessions are a million small integers and a step is an array
 * read. For charts whose state is only their leaf: no context, no guards, no timers, no history, and effects that are plain
 * data. Anything richer runs in a ChartRunner; `compileTable` says which rule a chart breaks.
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, EventFromLogic, SnapshotFrom } from "xstate";
import { assert } from "./assert.ts";
import type { EffectOf } from "./chart.ts";
import { type ChartAction, initialStep, step } from "./chart-step.ts";
import { actionType, compileHotTable, pathOf } from "./hot-table.ts";

/** `next` of an event that the state does not list, or that comes after the end. */
export const UNEXPECTED = -1;

export type EventTypeOf<M extends AnyStateMachine> = EventFromLogic<M>["type"] & string;

export class CompiledTable<M extends AnyStateMachine, TEffect = EffectOf<M>> {
  /** Dotted path of each state; a state is its index here. */
  readonly states: readonly string[];
  /** Event type → its column. */
  readonly events: Readonly<Record<EventTypeOf<M>, number>>;
  readonly initial: number;
  readonly initialEffects: readonly TEffect[];
  readonly #columns: number;
  readonly #next: Int16Array;
  readonly #effects: (readonly TEffect[])[];
  readonly #admitted: readonly Readonly<Record<string, string | undefined>>[];
  readonly #final: readonly boolean[];

  constructor(machine: M) {
    checkCompilable(machine);
    const table = compileHotTable(machine);
    const types = eventTypes(machine.root);
    const start = initialStep(machine);
    const resting = table.configurations.map(({ path }) => restingIn(machine, path));

    this.states = table.configurations.map(({ path }) => path);
    this.events = Object.fromEntries(types.map((type, column) => [type, column])) as Record<EventTypeOf<M>, number>;
    this.initial = this.state(table.of(start.snapshot).path);
    this.initialEffects = effectsIn<TEffect>(start.actions);
    this.#admitted = table.configurations.map(({ admitted }) => admitted);
    this.#final = resting.map((snapshot) => snapshot.status === "done");
    this.#columns = types.length;
    this.#next = new Int16Array(this.states.length * types.length).fill(UNEXPECTED);
    this.#effects = new Array(this.#next.length).fill([]);
    for (const [from, snapshot] of resting.entries()) {
      for (const [column, type] of types.entries()) {
        if (this.#final[from] || !table.of(snapshot).lists(type)) continue;
        const reached = step(machine, snapshot as SnapshotFrom<M>, { type } as EventFromLogic<M>);
        const cell = from * types.length + column;
        this.#next[cell] = this.state(table.of(reached.snapshot).path);
        this.#effects[cell] = effectsIn<TEffect>(reached.actions);
      }
    }
  }

  /** The state with this dotted path. */
  state(path: string): number {
    const state = this.states.indexOf(path);
    assert(state >= 0, `The chart has a leaf state ${path}.`);
    return state;
  }

  /** The state after the event, or UNEXPECTED. */
  next(state: number, event: number): number {
    return this.#next[state * this.#columns + event] as number;
  }

  /** What the step asks for, in order. The same arrays every time: do not change them. */
  effects(state: number, event: number): readonly TEffect[] {
    return this.#effects[state * this.#columns + event] as readonly TEffect[];
  }

  /** Hot handlers that the state admits, by event type, as in ChartRunner. */
  admitted(state: number): Readonly<Record<string, string | undefined>> {
    return this.#admitted[state] as Readonly<Record<string, string | undefined>>;
  }

  isFinal(state: number): boolean {
    return this.#final[state] as boolean;
  }
}

export function compileTable<M extends AnyStateMachine>(machine: M): CompiledTable<M> {
  return new CompiledTable(machine);
}

function effectsIn<TEffect>(actions: readonly ChartAction[]): readonly TEffect[] {
  return actions.flatMap((action) => (action.type === "effect" ? (action.params as TEffect | TEffect[]) : []));
}

/** The snapshot of a chart that rests in a leaf. */
function restingIn(machine: AnyStateMachine, path: string): AnyMachineSnapshot {
  const keys = path.split(".");
  const leaf = keys.pop() as string;
  const value = keys.reduceRight<AnyMachineSnapshot["value"]>((inner, key) => ({ [key]: inner }), leaf);
  return machine.resolveState({ value, context: {} });
}

function eventTypes(root: AnyStateNode): string[] {
  const types = new Set<string>();
  visit(root, (node) => {
    for (const type of node.transitions.keys()) types.add(type);
  });
  return [...types].filter((type) => !type.startsWith("xstate."));
}

function checkCompilable(machine: AnyStateMachine): void {
  const { context } = machine.config as { context?: object };
  const plain = context === undefined || (typeof context === "object" && Object.keys(context).length === 0);
  assert(plain, `Chart ${machine.id} has a context, so its state is more than an integer.`);
  visit(machine.root, (node) => {
    const where = `Chart ${machine.id}, state ${pathOf(node) || "(root)"}`;
    assert(node.type !== "parallel" && node.type !== "history", `${where}: ${node.type} states are not compiled.`);
    assert(node.after.length === 0, `${where}: timers are not compiled.`);
    const transitions = [...node.transitions.values(), node.always ?? []].flat();
    for (const transition of transitions) {
      assert(!transition.eventType.includes("*"), `${where}: wildcards are not compiled.`);
      assert(transition.guard === undefined, `${where}, event ${transition.eventType}: guards are not compiled.`);
    }
    for (const action of [...node.entry, ...node.exit, ...transitions.flatMap((transition) => transition.actions)]) {
      const { params } = action as { params?: unknown };
      assert(typeof params !== "function", `${where}: only effects that are plain data are compiled.`);
      assert(["effect", "hot"].includes(actionType(action)), `${where}: ${actionType(action)} is not compiled.`);
    }
  });
}

function visit(node: AnyStateNode, look: (node: AnyStateNode) => void): void {
  look(node);
  for (const child of Object.values(node.states)) visit(child, look);
}
