/** Numbers, dates and connections as Java's and ZooKeeper's toString print them, because monitoring scripts parse them. */

import { formatSessionId, type SessionId } from "../../spec/vocabulary.ts";
import { bracketed } from "../server/server-address.ts";
import type { ConnectionView } from "../server/view.ts";

/** A double: `2.0`, `1.5575`. */
export function javaDouble(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** java.util.Date.toString in UTC: `Sun Nov 22 19:52:29 UTC 2026`. */
export function javaDate(wallMs: number): string {
  // toUTCString: `Sun, 22 Nov 2026 19:52:29 GMT`
  const [weekday, day, month, year, time] = new Date(wallMs).toUTCString().replace(",", "").split(" ");
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}

/** A Java long in hex: negative numbers as 64-bit two's complement. */
export function hexLong(value: number): string {
  return `0x${value < 0 ? BigInt.asUintN(64, BigInt(value)).toString(16) : value.toString(16)}`;
}

/** FinalRequestProcessor's names of the last operation, by op code. */
const LAST_OP_NAMES: ReadonlyMap<number, string> = new Map([
  [-11, "CLOS"],
  [-10, "SESS"],
  [1, "CREA"],
  [2, "DELE"],
  [3, "EXIS"],
  [4, "GETD"],
  [5, "SETD"],
  [6, "GETA"],
  [7, "SETA"],
  [8, "GETC"],
  [9, "SYNC"],
  [11, "PING"],
  [12, "GETC"],
  [13, "CHEC"],
  [14, "MULT"],
  [15, "CREA"],
  [16, "RECO"],
  [17, "CHKW"],
  [18, "REMW"],
  [19, "CREA"],
  [20, "DELE"],
  [21, "CREA"],
  [22, "MLTR"],
  [101, "SETW"],
  [103, "GETE"],
  [104, "GETACN"],
  [105, "STW2"],
  [106, "ADDW"],
  [107, "HOMI"],
]);

/** One line of stat (brief) or cons (full); see NIOServerCnxn.dumpConnectionInfo. The number in brackets is the NIO interest set. */
export function connectionLine(connection: ConnectionView, full: boolean): string {
  const { remote, sessionId, counters, timeoutMs } = connection;
  const interest = (connection.reading ? 1 : 0) | (connection.writing ? 4 : 0);
  const address = ` /${bracketed(remote.host)}:${remote.port}[${interest.toString(16)}]`;
  const brief = `(queued=${counters.outstanding},recved=${counters.received},sent=${counters.sent}`;
  if (!full || sessionId === (0n as SessionId)) return `${address}${brief})`;
  const { latency } = counters;
  const average = latency.count === 0 ? 0 : Math.trunc(latency.sum / latency.count);
  return (
    `${address}${brief},sid=${formatSessionId(sessionId)},lop=${LAST_OP_NAMES.get(counters.lastOp) ?? "NA"}` +
    `,est=${counters.establishedMs},to=${timeoutMs},lcxid=${hexLong(counters.lastCxid)},lzxid=${hexLong(counters.lastZxid)}` +
    `,lresp=${Math.trunc(counters.lastResponseMs)},llat=${counters.lastLatencyMs},minlat=${latency.min}` +
    `,avglat=${average},maxlat=${latency.max})`
  );
}
