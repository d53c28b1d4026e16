/**
 * Compiles a chart's hot transitions: configuration (leaf states) → event → handler's name. With it a request costs one
 * property read instead of an interpreter step.
 *
 * A hot transition is exactly one, targetless, unguarded, with one `hot` action and nothing else: the interpreter could
 * run it and nothing would change, which is why the table may skip the interpreter. `compileHotTable` refuses a chart
 * that breaks this rule, and model-tests/parity checks that table and interpreter agree.
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from "xstate";
import type { HotParams } from "../../spec/chart-actions.ts";
import { assert } from "./assert.ts";

/** One combination of active leaf states, with what is known about it before any event arrives. */
export interface Configuration {
  /** Dotted path of the leaf state; parallel leaves in document order, joined by a comma. */
  readonly path: string;
  /** Event type → handler's name. Only hot events have an entry. */
  readonly admitted: Readonly<Record<string, string | undefined>>;
  /** Every active state, leaf or not, by its dotted path. */
  readonly active: ReadonlySet<string>;
  /** Whether an active state lists the event at all (a guard may still refuse it). */
  lists(eventType: string): boolean;
}

/** Parallel regions multiply; a chart beyond this is too big to read, let alone to compile. */
const MAX_CONFIGURATIONS = 4096;

export class HotTable {
  readonly configurations: readonly Configuration[];
  readonly #byLeaf = new Map<AnyStateNode, Configuration>();
  readonly #byLeaves = new Map<string, Configuration>();

  constructor(machine: AnyStateMachine) {
    checkHotTransitions(machine.root);
    const configurations: Configuration[] = [];
    for (const leaves of leafSets(machine.root)) {
      assert(configurations.length < MAX_CONFIGURATIONS, `Chart ${machine.id} has too many parallel combinations.`);
      const configuration = describeConfiguration(machine, leaves);
      configurations.push(configuration);
      const [leaf] = leaves;
      if (leaves.length === 1 && leaf !== undefined) this.#byLeaf.set(leaf, configuration);
      else this.#byLeaves.set(keyOf(leaves), configuration);
    }
    this.configurations = configurations;
  }

  of(snapshot: AnyMachineSnapshot): Configuration {
    let leaf: AnyStateNode | undefined;
    for (const node of snapshot._nodes) {
      if (!isLeaf(node)) continue;
      if (leaf !== undefined) return this.#parallel(snapshot);
      leaf = node;
    }
    const configuration = leaf && this.#byLeaf.get(leaf);
    assert(configuration !== undefined, "The snapshot belongs to the table's chart.");
    return configuration;
  }

  #parallel(snapshot: AnyMachineSnapshot): Configuration {
    const configuration = this.#byLeaves.get(keyOf(snapshot._nodes.filter(isLeaf)));
    assert(configuration !== undefined, "The snapshot belongs to the table's chart.");
    return configuration;
  }
}

const tables = new WeakMap<AnyStateMachine, HotTable>();

/** The machine's table, compiled on first use and shared by all its runners. Asserts the rules of hot transitions. */
export function compileHotTable(machine: AnyStateMachine): HotTable {
  let table = tables.get(machine);
  if (table === undefined) {
    table = new HotTable(machine);
    tables.set(machine, table);
  }
  return table;
}

function isLeaf(node: AnyStateNode): boolean {
  return node.type === "atomic" || node.type === "final";
}

function keyOf(leaves: readonly AnyStateNode[]): string {
  return leaves
    .map((leaf) => leaf.order)
    .sort((a, b) => a - b)
    .join(",");
}

/** All combinations of leaves in which the node can be active. */
export function leafSets(node: AnyStateNode): AnyStateNode[][] {
  if (isLeaf(node)) return [[node]];
  const children = Object.values(node.states).filter((child) => child.type !== "history");
  if (node.type !== "parallel") return children.flatMap(leafSets);
  return children.reduce<AnyStateNode[][]>(
    (sets, child) => sets.flatMap((set) => leafSets(child).map((more) => [...set, ...more])),
    [[]],
  );
}

export function pathOf(node: AnyStateNode): string {
  return node.path.join(".");
}

function describeConfiguration(machine: AnyStateMachine, leaves: readonly AnyStateNode[]): Configuration {
  const nodes = new Set<AnyStateNode>();
  for (const leaf of leaves) {
    for (let node: AnyStateNode | undefined = leaf; node !== undefined; node = node.parent) nodes.add(node);
  }
  const exact = new Set<string>();
  const wildcards: string[] = [];
  for (const node of nodes) {
    for (const descriptor of node.transitions.keys()) {
      if (isWildcard(descriptor)) wildcards.push(descriptor);
      else exact.add(descriptor);
    }
  }
  const admitted: Record<string, string | undefined> = Object.create(null);
  for (const eventType of exact) {
    const handler = hotHandlerFor(machine.root, nodes, eventType);
    if (handler !== undefined) admitted[eventType] = handler;
  }
  return {
    path: leaves.map(pathOf).join(","),
    admitted,
    active: new Set([...nodes].map(pathOf)),
    lists: (eventType) =>
      exact.has(eventType) || wildcards.some((descriptor) => wildcardMatches(descriptor, eventType)),
  };
}

type Transition = ReturnType<AnyStateNode["transitions"]["get"]> extends (infer T)[] | undefined ? T : never;

/**
 * The handler that the interpreter's choice for this event comes down to: regions first, then the state itself, then its
 * parents. Where a guard decides between a hot transition and another one, no table can tell: the chart is refused.
 */
function hotHandlerFor(root: AnyStateNode, active: ReadonlySet<AnyStateNode>, eventType: string): string | undefined {
  const chosen = candidates(root, active, eventType);
  const hot = chosen.find(isHot);
  if (hot === undefined) return undefined;
  const where = `Event ${eventType} in chart ${root.machine.id}`;
  assert(chosen.length === 1, `${where}: a hot transition shares its event with another one (${describe(chosen)}).`);
  return handlerOf(hot);
}

/** Every transition that could be selected: more than one where guards or parallel regions have a say. */
function candidates(node: AnyStateNode, active: ReadonlySet<AnyStateNode>, eventType: string): Transition[] {
  const inner = Object.values(node.states).filter((child) => active.has(child));
  const chosen = inner.flatMap((child) => candidates(child, active, eventType));
  // The parent gets its turn unless an active child surely takes the event.
  if (inner.some((child) => surelyTakes(child, active, eventType))) return chosen;
  return [...chosen, ...ownCandidates(node, eventType)];
}

function surelyTakes(node: AnyStateNode, active: ReadonlySet<AnyStateNode>, eventType: string): boolean {
  if (ownCandidates(node, eventType).some((transition) => transition.guard === undefined)) return true;
  return Object.values(node.states).some((child) => active.has(child) && surelyTakes(child, active, eventType));
}

/** What one state offers for an event, in the interpreter's order, up to the first that has no guard. */
function ownCandidates(node: AnyStateNode, eventType: string): Transition[] {
  const exact = node.transitions.get(eventType) ?? [];
  const wild = [...node.transitions.keys()]
    .filter((descriptor) => isWildcard(descriptor) && wildcardMatches(descriptor, eventType))
    .sort((a, b) => b.length - a.length)
    .flatMap((descriptor) => node.transitions.get(descriptor) ?? []);
  const offered = [...exact, ...wild];
  const certain = offered.findIndex((transition) => transition.guard === undefined);
  return certain < 0 ? offered : offered.slice(0, certain + 1);
}

function isWildcard(descriptor: string): boolean {
  return descriptor === "*" || descriptor.endsWith(".*");
}

function wildcardMatches(descriptor: string, eventType: string): boolean {
  if (descriptor === "*") return true;
  const prefix = descriptor.slice(0, -2);
  return eventType === prefix || eventType.startsWith(`${prefix}.`);
}

/** The action's type, for a transition's or state's action however it is written. */
export function actionType(action: unknown): string {
  if (typeof action === "string") return action;
  if (typeof action === "function" || (typeof action === "object" && action !== null)) {
    const { type } = action as { type?: unknown };
    if (typeof type === "string") return type;
  }
  return "(inline function)";
}

function isHot(transition: Transition): boolean {
  return transition.actions.some((action) => actionType(action) === "hot");
}

function handlerOf(transition: Transition): string {
  const [action] = transition.actions as readonly unknown[];
  const { handler } = (action as { params: HotParams }).params;
  return handler;
}

function describe(transitions: readonly Transition[]): string {
  return transitions.map((transition) => `in ${pathOf(transition.source) || "the root"}`).join(", ");
}

/** The shape rules that can be seen in one transition alone. */
function checkHotTransitions(node: AnyStateNode): void {
  const where = `Chart ${node.machine.id}, state ${pathOf(node) || "(root)"}`;
  for (const action of [...node.entry, ...node.exit]) {
    assert(actionType(action) !== "hot", `${where}: "hot" is not an entry or exit action.`);
  }
  for (const transition of node.always ?? []) {
    assert(!isHot(transition), `${where}: an eventless transition cannot be hot.`);
  }
  for (const [eventType, transitions] of node.transitions) {
    if (transitions.some(isHot)) checkHot(`${where}, event ${eventType}`, eventType, transitions);
  }
  for (const child of Object.values(node.states)) checkHotTransitions(child);
}

function checkHot(where: string, eventType: string, transitions: readonly Transition[]): void {
  assert(!isWildcard(eventType), `${where}: a hot transition names its event.`);
  assert(transitions.length === 1, `${where}: a hot transition is the only one for its event.`);
  const [transition] = transitions as readonly [Transition];
  assert(transition.target === undefined, `${where}: a hot transition has no target.`);
  assert(transition.guard === undefined, `${where}: a hot transition has no guard.`);
  assert(!transition.reenter, `${where}: a hot transition does not reenter its state.`);
  assert(transition.actions.length === 1, `${where}: "hot" is the only action of a hot transition.`);
  const [action] = transition.actions as readonly unknown[];
  const params = (action as { params?: { handler?: unknown } }).params;
  assert(typeof params?.handler === "string", `${where}: a hot action names its handler in plain params.`);
}
