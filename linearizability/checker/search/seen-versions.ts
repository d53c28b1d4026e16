/**
 * Which versions of a znode answers have shown. A znode that is made once and never goes has each version once: before it gets
 * the next one, all must be ordered that have seen this one. Without that, the search would find out only much later that an
 * update came too early, and in between try everything else in every order.
 */
import type { SubOperation } from "../../histories/format.ts";
import { isRead, MODES, Op, type Operations, Outcome, STAT_FIELDS, STAT_WIDTH } from "../../histories/operations.ts";
import { isEphemeral, isSequential } from "./partitions.ts";
import type { Step } from "./znode-model.ts";

const VERSION_AT = STAT_FIELDS.indexOf("version");

/** How many operations have seen a version, and are not ordered yet: by path, then by version. */
export class SeenVersions {
  readonly #operations: Operations;
  readonly #waiting = new Map<string, Map<number, number>>();

  constructor(operations: Operations, steps: readonly Step[]) {
    this.#operations = operations;
    for (const path of lastingIn(operations, steps)) this.#waiting.set(path, new Map());
    if (this.#waiting.size === 0) return;
    for (const step of steps) if (step.kind === "op") this.count(step.op, 1);
  }

  /** An operation is about to be ordered (-1), or is not any more (1). */
  count(i: number, change: 1 | -1): void {
    const { op, outcome, path, stat, stats, extra } = this.#operations;
    if (outcome[i] !== Outcome.ok || this.#waiting.size === 0) return;
    if (op[i] === Op.multi) {
      const { ops = [], results } = extra[i]!;
      for (const [at, { op: sub, args }] of ops.entries()) {
        const result = results?.[at];
        const stat = typeof result === "object" ? result.stat : undefined;
        if (sub === "check") this.#add(args.path, args.version, change);
        else if (sub === "setData") this.#add(args.path, stat === undefined ? args.version : stat.version - 1, change);
      }
    } else if (stat[i]! >= 0 && (isRead(op[i]!) || op[i] === Op.setData)) {
      const version = stats[stat[i]! * STAT_WIDTH + VERSION_AT]!;
      // A write has seen the version before its own.
      this.#add(path[i]!, op[i] === Op.setData ? version - 1 : version, change);
    }
  }

  /** May the znode have another version now? */
  isOver(path: string, version: number): boolean {
    return (this.#waiting.get(path)?.get(version) ?? 0) === 0;
  }

  #add(path: string, version: number, change: number): void {
    if (version < 0) return;
    const waiting = this.#waiting.get(path);
    waiting?.set(version, (waiting.get(version) ?? 0) + change);
  }
}

/** Znodes that are made by just one operation, under a name that is known, and that nothing can take away. */
function lastingIn(operations: Operations, steps: readonly Step[]): Set<string> {
  const made = new Map<string, number>();
  const gone = new Set<string>();
  const create = (path: string, mode: string, name: string | null): void => {
    const known = name ?? path;
    made.set(known, (made.get(known) ?? 0) + 1);
    // It may be anywhere, and so may its end.
    if (isEphemeral(mode) || (isSequential(mode) && name === null)) gone.add(known);
  };
  const sub = ({ op, args }: SubOperation, name: string | null): void => {
    if (op === "delete") gone.add(args.path);
    else if (op === "create") create(args.path, args.mode, name);
  };
  const unnamed: string[] = [];
  for (const step of steps) {
    if (step.kind !== "op" || operations.outcome[step.op] === Outcome.fail) continue;
    const i = step.op;
    if (operations.op[i] === Op.delete) gone.add(operations.path[i]!);
    else if (operations.op[i] === Op.create) {
      const mode = MODES[operations.mode[i]!]!;
      create(operations.path[i]!, mode, operations.created[i]!);
      if (isSequential(mode) && operations.created[i] === null) unnamed.push(operations.path[i]!);
    } else if (operations.op[i] === Op.multi) {
      const { ops, results } = operations.extra[i]!;
      for (const [at, one] of (ops ?? []).entries()) {
        const result = results?.[at];
        const name = typeof result === "object" ? (result.path ?? null) : null;
        sub(one, name);
        if (one.op === "create" && isSequential(one.args.mode) && name === null) unnamed.push(one.args.path);
      }
    }
  }
  const lasting = new Set<string>();
  for (const [path, times] of made) {
    if (times === 1 && !gone.has(path) && !unnamed.some((prefix) => path.startsWith(prefix))) lasting.add(path);
  }
  return lasting;
}
