/** What a diagram shows of a chart, as plain data: nested boxes with text, and edges with labels. */
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { actionType, pathOf } from "../../src/runtime/hot-table.ts";
import { assignedNames, effectNames } from "./effect-names.ts";

/** "elsewhere" stands for a state of another figure. */
export type StateKind = "atomic" | "compound" | "parallel" | "final" | "history" | "elsewhere";

export interface DrawnState {
  /** Dotted path; "" is the chart itself. */
  readonly path: string;
  readonly title: string;
  readonly kind: StateKind;
  readonly description: string;
  /** Effects on the way in and out. */
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** Transitions that do not leave the state, or leave it only to enter it again. */
  readonly internal: readonly DrawnTransition[];
  /** Listed, and nothing happens. */
  readonly ignored: readonly string[];
  readonly hot: readonly DrawnHot[];
  /** Paths of the children that are entered by default. */
  readonly initial: readonly string[];
  readonly children: readonly DrawnState[];
  /** Name of the figure that shows its children, where they are not shown here. */
  readonly figure?: string;
}

export interface DrawnTransition {
  /** Names the transition in coverage data: "path EVENT#index". */
  readonly key: string;
  /** "LEADERINFO", "after initLimit", "done", or "" for an eventless transition. */
  readonly trigger: string;
  /** Its turn among several that a guard decides between, from 1; 0 where the order does not matter. */
  readonly turn: number;
  /** "mayReconnect"; "else" after guarded alternatives; "" where nothing decides. */
  readonly guard: string;
  readonly effects: readonly string[];
  /** What it changes in the context: "round, ballots", or "context" where only the code knows; "" for nothing. */
  readonly assigns: string;
  readonly description: string;
  /** Its target is another state; it is drawn as an edge. */
  readonly leaves: boolean;
  /** Its target is the state itself. */
  readonly reenters: boolean;
}

export interface DrawnHot {
  readonly key: string;
  readonly event: string;
  readonly handler: string;
}

/** All transitions between two states share one edge. */
export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  readonly transitions: readonly DrawnTransition[];
}

export interface DrawnChart {
  readonly id: string;
  readonly root: DrawnState;
  readonly edges: readonly DrawnEdge[];
}

type Transition = NonNullable<AnyStateNode["always"]>[number];

export function drawnChart(machine: AnyStateMachine): DrawnChart {
  const edges = new Map<string, { from: string; to: string; transitions: DrawnTransition[] }>();
  const root = drawnState(machine.root, (from, to, transition) => {
    const key = `${from} ${to}`;
    const edge = edges.get(key) ?? { from, to, transitions: [] };
    edge.transitions.push(transition);
    edges.set(key, edge);
  });
  return { id: machine.id, root, edges: [...edges.values()] };
}

type OnEdge = (from: string, to: string, transition: DrawnTransition) => void;

function drawnState(node: AnyStateNode, onEdge: OnEdge): DrawnState {
  const path = pathOf(node);
  const internal: DrawnTransition[] = [];
  const ignored: string[] = [];
  const hot: DrawnHot[] = [];
  const lists: [string, readonly Transition[]][] = [...node.transitions, ["", node.always ?? []]];
  for (const [eventType, transitions] of lists) {
    for (const [index, transition] of transitions.entries()) {
      const key = `${path} ${eventType || "always"}#${index}`;
      const [action] = transition.actions as readonly unknown[];
      if (action !== undefined && actionType(action) === "hot") {
        hot.push({ key, event: eventType, handler: (action as { params: { handler: string } }).params.handler });
        continue;
      }
      const drawn = drawnTransition(node, key, eventType, transitions, index);
      const [target] = transition.target ?? [];
      if (target !== undefined && drawn.leaves) onEdge(path, pathOf(target), drawn);
      else if (target === undefined && transition.actions.length === 0 && drawn.guard === "") ignored.push(eventType);
      else internal.push(drawn);
    }
  }
  const children = Object.values(node.states).map((child) => drawnState(child, onEdge));
  return {
    path,
    title: node.parent === undefined ? node.machine.id : node.key,
    kind: node.type,
    description: node.description ?? "",
    entry: node.entry.flatMap(effectNames),
    exit: node.exit.flatMap(effectNames),
    internal,
    ignored,
    hot,
    initial: node.type === "compound" ? node.initial.target.map(pathOf) : [],
    children,
  };
}

function drawnTransition(
  node: AnyStateNode,
  key: string,
  eventType: string,
  transitions: readonly Transition[],
  index: number,
): DrawnTransition {
  const { guard, target, actions, description } = transitions[index] as Transition;
  const guarded = transitions.filter((it) => it.guard !== undefined).length;
  const otherwise = transitions.length > 1 ? "else" : "";
  return {
    key,
    trigger: triggerOf(node, eventType),
    turn: guarded > 1 ? index + 1 : 0,
    guard: guard === undefined ? otherwise : guardName(guard),
    effects: actions.flatMap(effectNames),
    assigns: assignedNames(actions),
    description: description ?? "",
    leaves: target !== undefined && target[0] !== node,
    reenters: target?.[0] === node,
  };
}

function triggerOf(node: AnyStateNode, eventType: string): string {
  if (eventType.startsWith("xstate.done.state.")) return "done";
  const after = node.after.find((it) => it.eventType === eventType);
  if (after === undefined) return eventType;
  const named = String(after.delay);
  const delayMs: unknown = node.machine.implementations.delays[named];
  return typeof delayMs === "number" ? `after ${named} (${delayMs} ms)` : `after ${named}`;
}

function guardName(guard: unknown): string {
  if (typeof guard === "string") return guard;
  const { type, name, guards } = guard as { type?: string; name?: string; guards?: readonly unknown[] };
  if (guards === undefined) return type ?? "a guard without a name";
  const names = guards.map(guardName);
  // xstate's own combinators are functions that carry their parts.
  return name === "not" ? `not ${names.join("")}` : names.join(` ${name} `);
}
