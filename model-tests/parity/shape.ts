/**
 * The rules of form for charts: what keeps them drawable, checkable and free of hidden work. (Those of hot transitions are
 * asserted by src/runtime/hot-table.ts whenever a chart is loaded.)
 */
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { actionType, compileHotTable, pathOf } from "../../src/runtime/hot-table.ts";
import { visit } from "./walk.ts";

const ACTIONS = new Set(["effect", "hot", "xstate.assign"]);
const MAX_DESCRIPTION = 160;

/** One sentence per broken rule, naming chart and state; none for a chart in good form. */
export function shapeViolations(machine: AnyStateMachine): string[] {
  const violations: string[] = [];
  const rule = (holds: boolean, where: string, sentence: string) => {
    if (!holds) violations.push(`${where}: ${sentence}`);
  };

  rule(/^[a-z]+(-[a-z]+)*$/.test(machine.id), machine.id, "a chart's id is kebab-case, it names a diagram");
  visit(machine.root, (node) => {
    const where = node.parent === undefined ? machine.id : `${machine.id} ${pathOf(node)}`;
    if (node.parent !== undefined) {
      const { description = "" } = node;
      rule(/^[a-z][A-Za-z0-9]*$/.test(node.key), where, "states are lowerCamel");
      rule(description.trim() !== "", where, "a state has a description");
      rule(description.length <= MAX_DESCRIPTION, where, `a description has at most ${MAX_DESCRIPTION} characters`);
    }
    rule(node.invoke.length === 0, where, "charts do not invoke: N of something are N snapshots in a table");
    checkActions(node, where, rule);
    checkTransitions(node, where, rule);
  });

  try {
    compileHotTable(machine);
  } catch (error) {
    violations.push((error as Error).message);
  }
  return violations;
}

type Rule = (holds: boolean, where: string, sentence: string) => void;

function checkActions(node: AnyStateNode, where: string, rule: Rule): void {
  const transitions = [...node.transitions.values(), node.always ?? []].flat();
  // `after` adds its own raise and cancel to entry and exit; nobody else may.
  const own = [...node.entry, ...node.exit].filter((action) => !isTimer(action));
  for (const action of [...own, ...transitions.flatMap((transition) => transition.actions)]) {
    const type = actionType(action);
    rule(ACTIONS.has(type), where, `actions are effect, hot or assign, not ${type}`);
  }
}

function isTimer(action: unknown): boolean {
  const { id, sendId } = action as { id?: unknown; sendId?: unknown };
  return [id, sendId].some((name) => typeof name === "string" && name.startsWith("xstate.after."));
}

function checkTransitions(node: AnyStateNode, where: string, rule: Rule): void {
  for (const [type, transitions] of node.transitions) {
    if (!type.startsWith("xstate.")) {
      rule(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(type), `${where}, ${type}`, "events are UPPER_SNAKE");
    }
    for (const { guard } of transitions) rule(isNamed(guard), `${where}, ${type}`, "guards have a name");
  }
  for (const { guard } of node.always ?? []) rule(isNamed(guard), `${where}, always`, "guards have a name");
  for (const { delay } of node.after) {
    rule(typeof delay === "string", `${where}, after ${delay}`, "delays have a name");
  }
}

/** A name, or `and`, `or`, `not`, `stateIn` of named ones. */
function isNamed(guard: unknown): boolean {
  return typeof guard !== "function" || "check" in guard;
}
