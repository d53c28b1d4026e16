/** Histories of other systems' tests, as far as they are alike: processes invoke and complete, one operation at a time. */
import { OperatingError } from "../../../src/runtime/errors.ts";

/** BAD_LINE: no event, or not one that a model knows. NO_INVOKE: a completion to nothing. BUSY: a process invokes twice. */
export class ForeignError extends OperatingError<"BAD_LINE" | "NO_INVOKE" | "BUSY"> {}

export type Value = number | string | null | readonly Value[];

export interface ForeignEvent {
  readonly process: string;
  readonly type: "invoke" | "ok" | "fail" | "info";
  /** "read", "write", "cas", "get", "put", "append". */
  readonly f: string;
  readonly key: string;
  readonly value: Value;
  /** From 1. */
  readonly line: number;
}

/** Invoked and, unless its completion is unknown, completed; times are positions in the history. */
export interface ForeignOperation {
  readonly process: string;
  readonly f: string;
  readonly key: string;
  /** What was asked for. */
  readonly asked: Value;
  readonly outcome: "ok" | "fail" | "info";
  /** Of the completion. */
  readonly answer: Value;
  readonly call: number;
  readonly end: number;
  readonly line: number;
}

/** Throws ForeignError. */
export function operationsOf(events: readonly ForeignEvent[]): ForeignOperation[] {
  const operations: ForeignOperation[] = [];
  const open = new Map<string, { readonly event: ForeignEvent; readonly call: number }>();
  const add = (event: ForeignEvent, call: number, end: number, completion: ForeignEvent | null): void => {
    const { process, f, key, value: asked, line } = event;
    const outcome = completion === null || completion.type === "invoke" ? "info" : completion.type;
    operations.push({ process, f, key, asked, outcome, answer: completion?.value ?? null, call, end, line });
  };
  for (const [at, event] of events.entries()) {
    const { process, type, line } = event;
    const begun = open.get(process);
    if (type === "invoke") {
      if (begun !== undefined) throw new ForeignError({ code: "BUSY", process, line });
      open.set(process, { event, call: at });
      continue;
    }
    if (begun === undefined) throw new ForeignError({ code: "NO_INVOKE", process, line });
    open.delete(process);
    add(begun.event, begun.call, type === "info" ? Number.POSITIVE_INFINITY : at, event);
  }
  for (const { event, call } of open.values()) add(event, call, Number.POSITIVE_INFINITY, null);
  return operations.sort((a, b) => a.call - b.call);
}
