/** Operations in words, the same everywhere: in violations, stories and pages. */

import type { SubOperation } from "../histories/format.ts";
import { MODES, OPS, Op, type Operations, Outcome } from "../histories/operations.ts";

const MAX_DATA = 24;

/** `setData /r/1 "5" if version 3`, without who and what came of it. */
export function describeRequest(operations: Operations, i: number): string {
  const op = operations.op[i]!;
  const name = OPS[op]!;
  const path = operations.path[i]!;
  const version = operations.version[i]!;
  const condition = version < 0 ? "" : ` if version ${version}`;
  switch (op) {
    case Op.create: {
      const mode = MODES[operations.mode[i]!]!;
      return `create ${path} ${quote(operations.data[i]!)}${mode === "persistent" ? "" : ` ${mode}`}`;
    }
    case Op.setData:
      return `setData ${path} ${quote(operations.data[i]!)}${condition}`;
    case Op.delete:
    case Op.setACL:
      return `${name} ${path}${condition}`;
    case Op.multi:
      return `multi [${(operations.extra[i]!.ops ?? []).map(describeSub).join(", ")}]`;
    case Op.closeSession:
    case Op.setWatches:
      return name;
    case Op.addWatch:
    case Op.removeWatches:
      return `${name} ${path} ${operations.extra[i]!.watches ?? ""}`;
    default:
      return `${name} ${path}${operations.watch[i] === 1 ? " + watch" : ""}`;
  }
}

/** What came of it: `→ "5" v3`, `→ BADVERSION`, `→ ?`. */
export function describeAnswer(operations: Operations, i: number): string {
  if (operations.outcome[i] === Outcome.info) return "→ ?";
  if (operations.outcome[i] === Outcome.fail) return `→ ${operations.err[i]}`;
  const stat = operations.statOf(i);
  const version = stat === null ? "" : ` v${stat.version}`;
  switch (operations.op[i]!) {
    case Op.getData:
      return `→ ${quote(operations.data[i]!)}${version}`;
    case Op.create:
      return operations.created[i] === operations.path[i] ? "→ ok" : `→ ${operations.created[i]}`;
    case Op.getChildren:
      return `→ ${describeNames(operations.extra[i]!.children ?? [])}`;
    case Op.setData:
    case Op.exists:
      return `→ ok${version}`;
    default:
      return "→ ok";
  }
}

/** With who: `p3: setData /r/1 "5" → ok v4`. */
export function describeOp(operations: Operations, i: number): string {
  return `p${operations.proc[i]}: ${describeRequest(operations, i)} ${describeAnswer(operations, i)}`;
}

function describeSub({ op, args }: SubOperation): string {
  switch (op) {
    case "create":
      return `create ${args.path} ${quote(args.data)}${args.mode === "persistent" ? "" : ` ${args.mode}`}`;
    case "setData":
      return `setData ${args.path} ${quote(args.data)}${args.version < 0 ? "" : ` if version ${args.version}`}`;
    default:
      return `${op} ${args.path}${args.version < 0 ? "" : ` if version ${args.version}`}`;
  }
}

export function describeNames(names: readonly string[]): string {
  const shown = [...names].sort().slice(0, 8).join(", ");
  return names.length > 8 ? `{${shown}, … ${names.length} in all}` : `{${shown}}`;
}

export function quote(data: string | null): string {
  if (data === null) return "null";
  return data.length <= MAX_DATA
    ? JSON.stringify(data)
    : `${JSON.stringify(data.slice(0, MAX_DATA))}… (${data.length})`;
}
