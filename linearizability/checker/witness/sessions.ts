/**
 * Rule 10, the part that is about time and about clients: sessions are created and closed by txns; the leader does not expire
 * who was heard in time, and does expire who was not. (That nothing is done for a session after its end, and that its
 * ephemerals go with it, is seen in the replay.)
 */
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import { OpCode } from "../../../src/protocol/opcodes.ts";
import type { History } from "../../histories/history.ts";
import { isWrite, Outcome } from "../../histories/operations.ts";
import { describeOp } from "../describe.ts";
import { Quiet } from "../quiet.ts";
import type { Findings, Property } from "../violation.ts";
import type { Timeline } from "./timeline.ts";

/** Consequences of a fault (an election, a slow disk) may take this long, µs. */
const GRACE_US = 10_000_000;
/** A session ends at the tick after its timeout, and a follower tells of its clients every half tick. */
const SLACK_TICKS = 2;
/** Besides 2 × timeout: what a busy machine may take. */
const LATE_SLACK_US = 5_000_000;

interface Session {
  readonly index: number;
  timeoutMs: number;
  /** µs, of the last sign that a server had heard of it, and the operation. */
  servedAt: number;
  servedOp: number;
  /** Its client is known to be gone since then; -1: it is not. */
  goneSince: number;
  expiredLine: number;
  connectedLine: number;
  /** Row of the closeSession txn; -1 without. */
  closed: number;
  created: boolean;
}

/** White box only. `tickTimeMs`: of the servers. */
export function checkSessions(history: History, timeline: Timeline, tickTimeMs: number, findings: Findings): void {
  if (timeline.type === null) return;
  const sessions = gather(history, timeline);
  const quiet = new Quiet(history, GRACE_US);
  for (const session of sessions.values()) {
    if (session.connectedLine < 0) continue;
    const name = history.operations.sessions.text(history.operations.sessions.ids[session.index]!);
    const add = (property: Property, anomaly: string, line: number, ops: number[], summary: string): void => {
      const zxid = session.closed < 0 ? -1 : timeline.zxids[session.closed]!;
      findings.add({ property, rule: "10 sessions", anomaly, summary, ops, line, zxid });
    };
    if (timeline.complete && !session.created) {
      const line = session.connectedLine;
      add(
        "S1 sessions are transactions",
        "session without a txn",
        line,
        [],
        `${name} was granted, but no log creates it.`,
      );
      continue;
    }
    if (session.expiredLine >= 0 && session.closed < 0 && timeline.complete) {
      const line = session.expiredLine;
      const summary = `The client of ${name} was told that it had expired, but no log closes it.`;
      add("S9 no expiry without a close", "expired without a close", line, [], summary);
    }
    checkEarly(history, timeline, session, tickTimeMs, quiet, (op, summary) => {
      add("S2 no early expiry", "expired too early", history.operations.completeLine[op]!, [op], `${name} ${summary}`);
    });
    checkLate(history, timeline, session, quiet, (summary) => {
      add("S8 the dead expire", "expired too late", -1, [], `${name} ${summary}`);
    });
  }
}

function gather(history: History, timeline: Timeline): Map<number, Session> {
  const { operations } = history;
  const sessions = new Map<number, Session>();
  const of = (index: number): Session => {
    let session = sessions.get(index);
    if (session === undefined) {
      session = {
        index,
        timeoutMs: 0,
        servedAt: -1,
        servedOp: -1,
        goneSince: -1,
        expiredLine: -1,
        connectedLine: -1,
        closed: -1,
        created: false,
      };
      sessions.set(index, session);
    }
    return session;
  };
  for (const { state, session: text, timeoutMs, t, line } of history.connections) {
    const index = operations.sessions.index(text);
    if (index === 0) continue;
    const session = of(index);
    session.goneSince = state === "disconnected" ? t : -1;
    if (state === "connected") {
      session.timeoutMs = timeoutMs ?? session.timeoutMs;
      session.connectedLine = line;
    } else if (state === "expired") session.expiredLine = line;
  }
  for (let row = 0; row < timeline.count; row++) {
    const session = sessions.get(timeline.session[row]!);
    if (session === undefined) continue;
    if (timeline.type![row] === OpCode.createSession) session.created = true;
    if (timeline.type![row] === OpCode.closeSession && session.closed < 0) session.closed = row;
  }
  for (let i = 0; i < operations.count; i++) {
    const session = sessions.get(operations.session[i]!);
    // A write's answer is the leader's; what a cut-off follower answers never reached it.
    if (session === undefined || operations.outcome[i] === Outcome.info || !isWrite(operations.op[i]!)) continue;
    if (operations.zxid[i]! <= 0 || operations.invoked[i]! <= session.servedAt) continue;
    session.servedAt = operations.invoked[i]!;
    session.servedOp = i;
  }
  return sessions;
}

/** µs of the run by which the leader had made a txn: its clock counts whole milliseconds. */
function momentOf({ startedAt }: History, { time }: Timeline, row: number): number {
  return (time[row]! - startedAt + 1) * 1000;
}

/** Only where nothing was broken: a touch must have had its way to the leader. */
function checkEarly(
  history: History,
  timeline: Timeline,
  session: Session,
  tickTimeMs: number,
  quiet: Quiet,
  add: (op: number, summary: string) => void,
): void {
  const { closed, servedAt, servedOp, timeoutMs } = session;
  if (closed < 0 || servedOp < 0 || timeline.op[closed]! >= 0 || timeoutMs === 0 || history.startedAt === 0) return;
  const at = momentOf(history, timeline, closed);
  // Served after its end is another fault, and flagged elsewhere.
  if (servedAt > at) return;
  const allowed = (timeoutMs - SLACK_TICKS * tickTimeMs) * 1000;
  if (at - servedAt >= allowed || !quiet.between(servedAt, at)) return;
  const zxid = formatZxid(timeline.zxids[closed]! as Zxid);
  add(
    servedOp,
    `was closed at ${zxid}, ${ms(at - servedAt)} after ${describeOp(history.operations, servedOp)} had been asked for; its timeout is ${timeoutMs} ms.`,
  );
}

function checkLate(
  history: History,
  timeline: Timeline,
  { closed, goneSince, timeoutMs }: Session,
  quiet: Quiet,
  add: (summary: string) => void,
): void {
  // Its close may be among what no log shows.
  if (closed < 0 && !timeline.complete) return;
  if (goneSince < 0 || timeoutMs === 0 || history.startedAt === 0) return;
  const at = closed < 0 ? history.endedAt : momentOf(history, timeline, closed);
  if (at - goneSince <= 2 * timeoutMs * 1000 + LATE_SLACK_US || !quiet.between(goneSince, at)) return;
  const what = closed < 0 ? "was never closed" : "was closed";
  add(`${what}, ${ms(at - goneSince)} after its client had gone; its timeout is ${timeoutMs} ms.`);
}

function ms(us: number): string {
  return `${Math.round(us / 1000)} ms`;
}
