/** Twins: a legal story and one in which exactly one rule is broken. */
import type { Property } from "../../checker/violation.ts";

export interface Pair {
  readonly name: string;
  /** By its id, "C1". */
  readonly property: PropertyId;
  /** script.ts. */
  readonly script: string;
  /** What the bad twin is refused for without logs: the same, if left out; null: it cannot be seen there. */
  readonly black?: PropertyId | null;
  /** The search finds no order, too. */
  readonly search?: boolean;
}

export type PropertyId = Property extends infer P ? (P extends `${infer Id} ${string}` ? Id : never) : never;

/** Writes that succeed after `create /a 0` by client 1, with what makes them visible. */
export const WRITES: Readonly<Record<string, string>> = {
  set: "set /a x",
  cas: "set /a x v0",
  create: "create /b x",
  ephemeral: "create /e x ephemeral",
  sequential: "create /n- x sequential",
  delete: "delete /a",
  "delete if": "delete /a v0",
  setACL: "setACL /a",
  multi: "multi set /a x; create /b y",
};

/** Writes that are refused by the tree, and have a place in the order all the same. */
export const REFUSED: Readonly<Record<string, string>> = {
  "refused cas": "set /a x v7",
  "refused set": "set /zz x",
  "refused create": "create /a x",
  "refused delete": "delete /a v7",
  "refused multi": "multi set /a x; check /a v7",
};

/** Writes of /a that a read of /a tells from what was before. */
export const SEEN: Readonly<Record<string, string>> = {
  set: "set /a x",
  cas: "set /a x v0",
  delete: "delete /a",
  multi: "multi check /a v0; set /a x",
};

export const READS: readonly string[] = ["get", "exists", "ls", "acl"];

/** One pair per entry. */
export function each<T>(table: Readonly<Record<string, T>>, pair: (name: string, value: T) => Pair): Pair[] {
  return Object.entries(table).map(([name, value]) => pair(name, value));
}
