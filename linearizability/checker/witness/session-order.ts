/**
 * Rule 8: what one client sees of its own operations. Replies come in the order of requests, zxids never go back, writes take
 * effect in the order they were asked for, across reconnects too; of what was under way when a connection broke, a prefix
 * took effect.
 */
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import type { History } from "../../histories/history.ts";
import { isWrite, Op, Outcome } from "../../histories/operations.ts";
import { describeOp } from "../describe.ts";
import type { Findings, Property } from "../violation.ts";
import { clientOf } from "./real-time.ts";
import { Fate, type Timeline } from "./timeline.ts";

/** Indices of operations, -1 for none yet. */
class Client {
  /** Whose reply had the largest zxid. */
  seen = -1;
  /** The last write with a place in the order. */
  written = -1;
  /** Answered last, on the connection at hand. */
  answered = -1;
  /** A write on the connection at hand that did not take effect though it was sent. */
  skipped = -1;
}

export function checkSessionOrder({ operations }: History, timeline: Timeline, findings: Findings): void {
  const { fate, place } = timeline;
  const clients = new Map<number, Client>();
  const { outcome, conn, completeLine, zxid } = operations;
  const add = (
    property: Property,
    anomaly: string,
    i: number,
    other: number,
    summary: (it: string, that: string) => string,
  ): void => {
    findings.add({
      property,
      rule: "8 session order",
      anomaly,
      summary: summary(describeOp(operations, i), describeOp(operations, other)),
      ops: [i, other],
      line: completeLine[i]!,
      zxid: place[i]!,
      path: operations.path[i]!,
    });
  };

  for (let i = 0; i < operations.count; i++) {
    // The client's own: a new connection begins with it, before what the application asked for while there was none.
    if (operations.op[i] === Op.setWatches) continue;
    const key = clientOf(operations, i);
    let client = clients.get(key);
    if (client === undefined) {
      client = new Client();
      clients.set(key, client);
    }
    const placed = place[i]! >= 0;
    const write = isWrite(operations.op[i]!);
    if (outcome[i] !== Outcome.info && zxid[i]! > 0) {
      const { answered, seen } = client;
      // The client itself sends its watches again, ahead of all that waits for the new connection.
      const queued = operations.op[i] !== Op.setWatches;
      if (queued && answered >= 0 && conn[answered] === conn[i] && completeLine[answered]! > completeLine[i]!) {
        add("C2 FIFO client order", "replies out of order", i, answered, (it, that) => {
          return `${it} was answered before ${that}, which was asked for first on the same connection.`;
        });
      }
      if (queued) client.answered = i;
      if (seen >= 0 && zxid[i]! < zxid[seen]!) {
        add("C4 single system image", "zxid goes back", i, seen, (it, that) => {
          return `${it} was answered at ${hex(zxid[i]!)} after ${that} at ${hex(zxid[seen]!)}: the client went back in time.`;
        });
      } else if (fate[i] === Fate.ordered && seen >= 0 && zxid[i] === zxid[seen]) {
        add("C2 FIFO client order", "effect before its turn", i, seen, (it, that) => {
          return `${it} is txn ${hex(zxid[i]!)}, which ${that}, asked for before it, has already seen.`;
        });
      } else {
        client.seen = i;
      }
    }
    if (!write) continue;
    if (placed) {
      const { written, skipped, seen } = client;
      if (fate[i] === Fate.resolved && seen >= 0 && place[i]! <= zxid[seen]!) {
        add("C2 FIFO client order", "effect before its turn", i, seen, (it, that) => {
          return `${it} is txn ${hex(place[i]!)}, which ${that}, asked for before it, has already seen.`;
        });
      }
      if (written >= 0 && place[i]! < place[written]!) {
        add("C2 FIFO client order", "writes out of order", i, written, (it, that) => {
          return `${it} took effect at ${hex(place[i]!)}, before ${that} at ${hex(place[written]!)}, which was asked for first.`;
        });
      }
      if (written < 0 || place[i]! > place[written]!) client.written = i;
      if (skipped >= 0 && conn[skipped] === conn[i]) {
        add("C2 FIFO client order", "hole in the applied prefix", i, skipped, (it, that) => {
          return `${it} took effect, but not ${that}, sent before it on the same connection.`;
        });
      }
    } else if (outcome[i] === Outcome.info && fate[i] === Fate.none && operations.xid[i] !== 0 && conn[i]! > 0) {
      client.skipped = i;
    }
  }
}

function hex(zxid: number): string {
  return formatZxid(zxid as Zxid);
}
