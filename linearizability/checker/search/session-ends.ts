/** When sessions end, as far as clients can know: their ephemerals go then, without anybody's request. */
import type { History } from "../../histories/history.ts";
import { isWrite, Op, Outcome } from "../../histories/operations.ts";

export interface SessionEnd {
  /** The closeSession that was asked for; -1: nobody asked, it would expire. */
  readonly op: number;
  readonly call: number;
  /** Infinity: it may come at any time, or never. */
  readonly end: number;
  readonly certain: boolean;
}

/** By index of the session. */
export function sessionEnds({ operations, endedAt }: History): Map<number, SessionEnd> {
  const ends = new Map<number, SessionEnd>();
  const lastServed = new Float64Array(operations.sessions.ids.length).fill(-1);
  for (let i = 0; i < operations.count; i++) {
    const session = operations.session[i]!;
    // A session whose writes are done has not ended before it asked. Reads tell nothing: a server that is cut off goes on
    // answering them.
    if (operations.outcome[i] === Outcome.ok && isWrite(operations.op[i]!)) {
      lastServed[session] = Math.max(lastServed[session]!, operations.invoked[i]!);
    }
  }
  for (let session = 1; session < lastServed.length; session++) {
    ends.set(session, { op: -1, call: lastServed[session]!, end: Number.POSITIVE_INFINITY, certain: false });
  }
  // That its client was told of an expiry says no more: a leader that is cut off tells so before anybody else agrees.
  for (let i = 0; i < operations.count; i++) {
    if (operations.op[i] !== Op.closeSession) continue;
    const certain = operations.outcome[i] === Outcome.ok;
    const end = certain ? operations.completed[i]! : Number.POSITIVE_INFINITY;
    if (certain) ends.set(operations.session[i]!, { op: i, call: operations.invoked[i]!, end, certain });
  }
  for (const [session, end] of ends) if (end.call > endedAt) ends.delete(session);
  return ends;
}
