/** Judges a history of another system by search: is there an order that its model can go through? */
import { BUDGETS, rotate } from "../search/search.ts";
import { type Entry, type Model, Search } from "../search/wgl.ts";
import { parseEdnHistory } from "./edn.ts";
import { type ForeignOperation, operationsOf } from "./events.ts";
import { parseJepsen } from "./jepsen.ts";
import { RegisterModel, ValueModel } from "./models.ts";

export interface ForeignVerdict {
  readonly verdict: "valid" | "violation" | "unknown";
  readonly operations: number;
  readonly partitions: number;
  /** Sentences: what cannot be placed, and after what; or which keys have no answer. */
  readonly why: readonly string[];
}

const READS = new Set(["read", "get"]);

/** Throws ForeignError. */
export function checkForeign(
  text: string,
  model: "register" | "kv",
  format: "jepsen" | "edn",
  budgets: readonly number[] = BUDGETS,
): ForeignVerdict {
  const events = format === "jepsen" ? parseJepsen(text) : parseEdnHistory(text);
  const operations = operationsOf(events).filter(says);
  const byKey = new Map<string, ForeignOperation[]>();
  for (const operation of operations) {
    const others = byKey.get(operation.key);
    if (others === undefined) byKey.set(operation.key, [operation]);
    else others.push(operation);
  }
  const candidates = [...byKey].map(([key, own]) => {
    const machine: Model = model === "register" ? new RegisterModel(own) : new ValueModel(own);
    return { key, own, search: new Search(own.map(entryOf), machine) };
  });
  const { invalid, open } = rotate(candidates, budgets);
  const counts = { operations: operations.length, partitions: candidates.length };
  if (operations.length === 0) return { verdict: "unknown", ...counts, why: ["There is no operation in it."] };
  if (invalid !== null) return { verdict: "violation", ...counts, why: explain(invalid) };
  const why = open.map(({ key, search }) => `${nameOf(key)}: no answer after ${search.size} states.`);
  return { verdict: open.length > 0 ? "unknown" : "valid", ...counts, why };
}

/** Reads without an answer say nothing; what failed did not happen, but a cas that failed says what it did not find. */
function says({ f, outcome, answer }: ForeignOperation): boolean {
  if (outcome === "ok") return true;
  if (READS.has(f)) return false;
  return outcome === "info" || (f === "cas" && Array.isArray(answer));
}

function entryOf({ call, end, outcome, f }: ForeignOperation, index: number): Entry {
  const pure = READS.has(f) || outcome === "fail";
  return {
    op: index,
    call,
    end,
    optional: outcome === "info",
    after: -1,
    afterLost: -1,
    prefix: -1,
    lane: -1,
    pure,
    touches: [],
    pooled: -1,
  };
}

function explain({
  key,
  own,
  search,
}: {
  readonly key: string;
  readonly own: readonly ForeignOperation[];
  readonly search: Search;
}): string[] {
  const order = search.order();
  const stuck = own[search.stuckAt];
  const lines = [`${nameOf(key)}: no order of its ${own.length} operations explains all answers.`];
  if (stuck === undefined) return lines;
  lines.push(`The longest legal order has ${order.length}; then ${describe(stuck)} cannot be placed. It ends with`);
  return [...lines, ...order.slice(-5).map((index) => `  ${describe(own[index]!)}`)];
}

function nameOf(key: string): string {
  return key === "" ? "the register" : `key ${JSON.stringify(key)}`;
}

function describe({ process, f, asked, answer, outcome, line }: ForeignOperation): string {
  const argument = READS.has(f) ? "" : ` ${JSON.stringify(asked)}`;
  const result = READS.has(f) ? JSON.stringify(answer) : outcome;
  return `process ${process}: ${f}${argument} → ${result} (line ${line})`;
}
