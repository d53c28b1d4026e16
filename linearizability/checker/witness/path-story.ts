/** What happened to one znode, in the order of zxids: for explanations, when something has been found. */
import type { SubWrite, Write } from "../../../spec/models/znode-tree.ts";
import { OpCode } from "../../../src/protocol/opcodes.ts";
import type { History } from "../../histories/history.ts";
import { Op, Outcome } from "../../histories/operations.ts";
import { requestOf, writeOf } from "./requests.ts";
import type { Timeline } from "./timeline.ts";

export interface PathEvent {
  readonly zxid: number;
  /** -1: not of a recorded client. */
  readonly op: number;
  readonly kind: "create" | "delete" | "setData" | "closeSession" | "other";
  readonly data: string | null;
}

/** Writes to `path` that took effect, ascending. Costs a pass over the timeline. */
export function storyOf(path: string, history: History, timeline: Timeline): PathEvent[] {
  const story: PathEvent[] = [];
  for (let row = 0; row < timeline.count; row++) {
    const write = effectOf(row, history, timeline);
    if (write === null) continue;
    const zxid = timeline.zxids[row]!;
    const op = timeline.op[row]!;
    if (write.op === "closeSession") {
      if (closes(path, row, story, history, timeline)) story.push({ zxid, op, kind: "closeSession", data: null });
      continue;
    }
    for (const part of write.op === "multi" ? write.ops : [write as SubWrite]) {
      const named = created(part, op, history) ?? part.path;
      if (named !== path) continue;
      const data = part.op === "create" || part.op === "setData" ? part.data : null;
      const kind = part.op === "create" || part.op === "setData" || part.op === "delete" ? part.op : "other";
      if (part.op !== "check") story.push({ zxid, op, kind, data });
    }
  }
  return story;
}

/** null: an error, or nothing. A failed multi changes nothing. */
function effectOf(row: number, { operations }: History, timeline: Timeline): Write | null {
  const i = timeline.op[row]!;
  if (timeline.txn !== null) return writeOf(timeline.txn(row));
  if (i < 0) return null;
  return operations.outcome[i] === Outcome.fail ? null : requestOf(operations, i);
}

/** Sequential creates are asked for under another name, unless the log gave the write. */
function created(part: SubWrite, op: number, { operations }: History): string | null {
  return part.op === "create" && op >= 0 && operations.op[op] === Op.create ? operations.created[op]! : null;
}

/** Does the session that ends at this row own the node? The txn says so, or else the create. */
function closes(
  path: string,
  row: number,
  story: readonly PathEvent[],
  { operations }: History,
  timeline: Timeline,
): boolean {
  const body = timeline.txn?.(row).body;
  if (body?.type === OpCode.closeSession && body.paths !== null) return body.paths.includes(path);
  const last = story.findLast(({ kind }) => kind !== "setData" && kind !== "other");
  if (last?.kind !== "create" || last.op < 0 || operations.session[last.op] !== timeline.session[row]) return false;
  const request = requestOf(operations, last.op);
  const parts = request?.op === "multi" ? request.ops : [request as SubWrite];
  return parts.some((part) => part.op === "create" && String(part.mode).startsWith("ephemeral"));
}
