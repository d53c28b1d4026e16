/** Names what an action asks for, although its params may be a function of context and event. */
import { actionType } from "../../src/runtime/hot-table.ts";

/** The effects of an action as short texts: "broadcast.open", "packet.send LEADERINFO". Nothing for `assign`. */
export function effectNames(action: unknown): string[] {
  if (actionType(action) !== "effect") return [];
  const { params } = action as { params: unknown };
  if (typeof params !== "function") return namesIn(params);
  return computedNames(params as Computed);
}

/** The fields of the context that the actions assign: "round, ballots", or "context" where only the code knows. */
export function assignedNames(actions: readonly unknown[]): string {
  const names = actions
    .filter((action) => actionType(action) === "xstate.assign")
    .flatMap((action) => {
      const { assignment } = action as { assignment: unknown };
      return typeof assignment === "object" && assignment !== null ? Object.keys(assignment) : ["context"];
    });
  return [...new Set(names)].join(", ");
}

type Computed = (args: { context: unknown; event: unknown }) => unknown;

/**
 * Asks the function itself, with stand-ins for context and event; branches that this does not take are found by the effect
 * types in its source.
 */
function computedNames(params: Computed): string[] {
  const names = attempt(() => namesIn(params({ context: anything(), event: anything() }))) ?? [];
  const written = [...String(params).matchAll(/\btype: *["'`]([a-z]\w*\.[a-z]\w*)["'`]/g)].map(
    (match) => match[1] as string,
  );
  const others = written.filter((type) => !names.some((name) => name.split(" ")[0] === type));
  return [...names, ...new Set(others)];
}

function namesIn(params: unknown): string[] {
  return [params].flat().flatMap((effect) => {
    if (typeof effect !== "object" || effect === null) return [];
    const { type, ...rest } = effect as Record<string, unknown>;
    if (typeof type !== "string") return [];
    // A constant such as a packet's name says which of several sends this is.
    const constants = Object.values(rest).filter((value) => typeof value === "string" && /^[A-Z][A-Z_]+$/.test(value));
    return [[type, ...constants].join(" ")];
  });
}

function attempt<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch {
    return undefined;
  }
}

/** A value that is whatever it is asked to be: any property, callable, iterable, a number. */
function anything(): unknown {
  const stand: unknown = new Proxy(() => undefined, {
    get: (_, key) => {
      if (key === Symbol.toPrimitive) return () => 0;
      if (key === Symbol.iterator) return [][Symbol.iterator];
      return stand;
    },
    apply: () => stand,
    has: () => true,
  });
  return stand;
}
