/** Writes without an answer that happened all the same: somebody has read what nobody else wrote. */
import { MODES, Op, type Operations, Outcome } from "../../histories/operations.ts";
import { isSequential } from "./partitions.ts";

/** By operation: the time by which it had happened, as the first answer that shows its value. `ops`: those of a partition. */
export function shownIn(operations: Operations, ops: readonly number[]): Map<number, number> {
  const { op, outcome, path, data, completed } = operations;
  const shown = new Map<number, number>();
  if (!ops.some((i) => op[i] === Op.setData && outcome[i] === Outcome.info)) return shown;
  /** By value: the only one who writes it there, or -1 where there are several. */
  const writers = new Map<string, number>();
  const anywhere = new Set<string | null>();
  const writes = (where: string, value: string | null, i: number): void => {
    const key = keyOf(where, value);
    writers.set(key, writers.has(key) ? -1 : i);
  };
  for (const i of ops) {
    if (outcome[i] === Outcome.fail) continue;
    if (op[i] === Op.setData) writes(path[i]!, data[i]!, i);
    else if (op[i] === Op.create && isSequential(MODES[operations.mode[i]!]!)) anywhere.add(data[i]!);
    else if (op[i] === Op.create) writes(path[i]!, data[i]!, i);
    for (const { op: sub, args } of operations.extra[i]!.ops ?? []) {
      if (sub === "setData") writes(args.path, args.data, i);
      else if (sub === "create" && isSequential(args.mode)) anywhere.add(args.data);
      else if (sub === "create") writes(args.path, args.data, i);
    }
  }
  for (const i of ops) {
    if (op[i] !== Op.getData || outcome[i] !== Outcome.ok || anywhere.has(data[i]!)) continue;
    const writer = writers.get(keyOf(path[i]!, data[i]!)) ?? -1;
    if (writer < 0 || op[writer] !== Op.setData || outcome[writer] !== Outcome.info) continue;
    shown.set(writer, Math.min(shown.get(writer) ?? Number.POSITIVE_INFINITY, completed[i]!));
  }
  return shown;
}

function keyOf(path: string, data: string | null): string {
  return data === null ? path : `${path}\0${data}`;
}
