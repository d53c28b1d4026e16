/** What a write changes, znode by znode, as its request and its answer tell: the raw material of the black-box mode. */
import type { SubOperation } from "../../histories/format.ts";
import { MODES, Op, type Operations, Outcome, STAT_WIDTH } from "../../histories/operations.ts";

export interface Effect {
  readonly op: number;
  readonly path: string;
  readonly kind: "create" | "set" | "delete" | "acl";
  readonly data: string | null;
  /** Index of the session of an ephemeral, or 0. */
  readonly owner: number;
  /** Version after a set, if the answer told. */
  readonly version: number | null;
  /** `path` lacks the number that a sequential create got: nobody was told. */
  readonly unnumbered: boolean;
  /** Servers delete it by themselves: a container, or a node with a TTL. */
  readonly mortal: boolean;
}

const SEQUENCE_DIGITS = 10;
const VERSION_AT = 5;

/** What operation `i` changes if it succeeds, in order. Empty for what is no write, and for closeSession. */
export function effectsOf(operations: Operations, i: number): Effect[] {
  const plain = { op: i, data: null, owner: 0, version: null, unnumbered: false, mortal: false };
  const path = operations.path[i]!;
  const data = operations.data[i]!;
  const results = operations.extra[i]!.results;
  const session = operations.session[i]!;
  switch (operations.op[i]!) {
    case Op.create:
      return [{ ...plain, data, ...made(path, MODES[operations.mode[i]!]!, session, operations.created[i]!) }];
    case Op.setData: {
      const row = operations.stat[i]!;
      const version = row < 0 ? null : operations.stats[row * STAT_WIDTH + VERSION_AT]!;
      return [{ ...plain, path, kind: "set", data, version }];
    }
    case Op.delete:
      return [{ ...plain, path, kind: "delete" }];
    case Op.setACL:
      return [{ ...plain, path, kind: "acl" }];
    case Op.multi:
      return (operations.extra[i]!.ops ?? []).flatMap((sub: SubOperation, at): Effect[] => {
        const result = results?.[at];
        const told = typeof result === "object" ? result : {};
        if (sub.op === "check") return [];
        if (sub.op === "delete") return [{ ...plain, path: sub.args.path, kind: "delete" }];
        const value = { ...plain, data: sub.args.data };
        if (sub.op === "create") {
          return [{ ...value, ...made(sub.args.path, sub.args.mode, session, told.path ?? null) }];
        }
        return [{ ...value, path: sub.args.path, kind: "set", version: told.stat?.version ?? null }];
      });
    default:
      return [];
  }
}

function made(
  asked: string,
  mode: string,
  session: number,
  name: string | null,
): Pick<Effect, "path" | "kind" | "owner" | "unnumbered" | "mortal"> {
  return {
    path: name ?? asked,
    kind: "create",
    owner: mode.startsWith("ephemeral") ? session : 0,
    unnumbered: name === null && mode.includes("Sequential"),
    mortal: mode === "container" || mode.endsWith("TTL"),
  };
}

/** `/q/n-0000000007` → `/q/n-`; null if it has no number. */
export function withoutNumber(path: string): string | null {
  if (path.length <= SEQUENCE_DIGITS) return null;
  for (let at = path.length - SEQUENCE_DIGITS; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return null;
  }
  return path.slice(0, -SEQUENCE_DIGITS);
}

/** Did the operation certainly change what it asked for? */
export function isDone(operations: Operations, i: number): boolean {
  return operations.outcome[i] === Outcome.ok;
}
