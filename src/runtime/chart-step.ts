/**
 * One step of a chart as a pure function: `(snapshot, event) → snapshot and actions`. Means exactly what xstate's public
 * `transition()` means, minus the throw-away actor that it builds per call (10–26 µs): here one inert scope serves all
 * charts. That scope leans on xstate's internals, so this is the only file that knows it, xstate's version is pinned, and
 * model-tests/parity compares the two on every chart.
 */
import {
  type AnyActorScope,
  type AnyStateMachine,
  type AnyTransitionDefinition,
  createEmptyActor,
  type EventFromLogic,
  type ExecutableActionObject,
  type InputFrom,
  type SnapshotFrom,
  type Subscription,
} from "xstate";

/** What the steps ask for, in order: `effect`, `hot`, and the built-in `xstate.raise` and `xstate.cancel`. */
export type ChartAction = ExecutableActionObject;

export interface Step<M extends AnyStateMachine> {
  readonly snapshot: SnapshotFrom<M>;
  readonly actions: readonly ChartAction[];
}

const NO_ACTIONS: readonly ChartAction[] = [];

// Steps run to their end without calling out, so one collector is never shared by two steps at a time.
let collected: ChartAction[] = [];

const scope = inertScope();

function inertScope(): AnyActorScope {
  // Charts never spawn or invoke, so `self` is a formality: the interpreter only passes it on to actions.
  const self = createEmptyActor();
  return {
    self,
    system: self.system,
    id: "",
    sessionId: "",
    logger: nothing,
    defer: nothing,
    emit: nothing,
    stopChild: nothing,
    actionExecutor: (action) => {
      collected.push(action);
    },
  };
}

function nothing(): void {}

function take(): readonly ChartAction[] {
  if (collected.length === 0) return NO_ACTIONS;
  const actions = collected;
  collected = [];
  return actions;
}

/** Tells the transitions that any chart takes from now on, eventless ones too: for coverage, as inspection costs time. */
export function watchTransitions(watch: (transitions: readonly AnyTransitionDefinition[]) => void): Subscription {
  return scope.system.inspect((event) => {
    if (event.type === "@xstate.microstep") watch(event._transitions);
  });
}

/** The step into the initial state. Throws what a context factory, guard or params function threw. */
export function initialStep<M extends AnyStateMachine>(machine: M, input?: InputFrom<M>): Step<M> {
  const snapshot = machine.getInitialSnapshot(scope, input);
  const actions = take();
  // xstate keeps an initial failure in the snapshot; for us it is a programmer error like any other.
  if (snapshot.status === "error") throw snapshot.error;
  return { snapshot: snapshot as SnapshotFrom<M>, actions };
}

/** One macrostep: the event, the events raised by it, and eventless transitions until the chart rests. */
export function step<M extends AnyStateMachine>(
  machine: M,
  snapshot: SnapshotFrom<M>,
  event: EventFromLogic<M>,
): Step<M> {
  try {
    const next = machine.transition(snapshot, event, scope);
    return { snapshot: next as SnapshotFrom<M>, actions: take() };
  } catch (error) {
    take();
    throw error;
  }
}
