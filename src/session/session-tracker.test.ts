import { expect, test } from "vitest";
import type { ServerId, SessionId, Zxid } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { OpCode } from "../protocol/opcodes.ts";
import { makeTxn } from "../protocol/txn.ts";
import { SessionTracker } from "./session-tracker.ts";

const TICK = 2000;
const A = 1 as ServerId;
const B = 2 as ServerId;
const id = (n: number): SessionId => BigInt(n) as SessionId;

function tracker(): SessionTracker {
  return new SessionTracker({
    tickTimeMs: TICK,
    unexpected: (state, event) => expect.fail(`${event} in ${state}`),
  });
}

const opened = (session: number) =>
  makeTxn(id(session), 0, 1 as Zxid, 0, { type: OpCode.createSession, timeOut: 4000 }, null);
const closed = (session: number) =>
  makeTxn(id(session), 0, 2 as Zxid, 0, { type: OpCode.closeSession, paths: [] }, null);

test("a session expires at the first tick after its timeout, not before it", () => {
  const sessions = tracker();
  sessions.create(id(1), 4000, A, 500);
  expect(sessions.expire(4000)).toEqual([]);
  expect(sessions.expire(5999)).toEqual([]);
  expect(sessions.expire(6000)).toEqual([id(1)]);
});

test("a touch puts the deadline off", () => {
  const sessions = tracker();
  sessions.create(id(1), 4000, A, 0);
  for (let now = 1000; now <= 60_000; now += 1000) {
    expect(sessions.touch(id(1), 4000, now)).toBe(true);
    expect(sessions.expire(now)).toEqual([]);
  }
  expect(sessions.expire(65_999)).toEqual([]);
  expect(sessions.expire(66_000)).toEqual([id(1)]);
});

test("a client that comes back with a shorter timeout expires by that one", () => {
  const sessions = tracker();
  sessions.create(id(1), 40_000, A, 0);
  expect(sessions.revalidate(id(1), 4000, A, 1000)).toBe(true);
  expect(sessions.expire(6000)).toEqual([id(1)]);
});

test("expiry is final: a late touch, write or return finds the session gone", () => {
  const sessions = tracker();
  sessions.create(id(1), 4000, A, 0);
  expect(sessions.expire(10_000)).toEqual([id(1)]);
  expect(sessions.touch(id(1), 4000, 10_000)).toBe(false);
  expect(sessions.revalidate(id(1), 4000, A, 10_000)).toBe(false);
  expect(sessions.check(id(1), A)).toBe(ErrorCode.SESSIONEXPIRED);
  expect(sessions.expire(100_000)).toEqual([]);
});

test("a session that is closing refuses writes, and never expires as well", () => {
  const sessions = tracker();
  sessions.create(id(1), 4000, A, 0);
  sessions.applied(opened(1));
  sessions.setClosing(id(1));
  expect(sessions.check(id(1), A)).toBe(ErrorCode.SESSIONEXPIRED);
  expect(sessions.expire(100_000)).toEqual([]);
  sessions.applied(closed(1));
  expect(sessions.size).toBe(0);
});

test("closed by its client and by expiry in the same moment, it is closed once", () => {
  const sessions = tracker();
  sessions.create(id(1), 4000, A, 0);
  sessions.applied(opened(1));
  expect(sessions.expire(10_000)).toEqual([id(1)]);
  sessions.setClosing(id(1));
  sessions.setClosing(id(1));
  sessions.applied(closed(1));
  sessions.applied(closed(1));
  expect(sessions.size).toBe(0);
});

test("only the server that the session moved to may write; a late request through the old one is told so", () => {
  const sessions = tracker();
  sessions.create(id(1), 4000, A, 0);
  sessions.applied(opened(1));
  expect(sessions.check(id(1), A)).toBe(ErrorCode.OK);
  expect(sessions.revalidate(id(1), 4000, B, 100)).toBe(true);
  expect(sessions.check(id(1), A)).toBe(ErrorCode.SESSIONMOVED);
  expect(sessions.check(id(1), B)).toBe(ErrorCode.OK);
  expect(sessions.revalidate(id(1), 4000, A, 200)).toBe(true);
  expect(sessions.check(id(1), B)).toBe(ErrorCode.SESSIONMOVED);
  expect([...sessions.views()]).toMatchObject([{ state: "alive.moved", owner: A, timeoutMs: 4000 }]);
});

test("a new leader gives every session its full timeout, and no owner", () => {
  const sessions = tracker();
  sessions.create(id(9), 4000, A, 0);
  sessions.restart([[1n, 4000] as const, [2n, 8000] as const], 50_000);
  expect(sessions.size).toBe(2);
  expect(sessions.check(id(9), A)).toBe(ErrorCode.SESSIONEXPIRED);
  expect(sessions.check(id(1), B)).toBe(ErrorCode.OK);
  expect(sessions.check(id(1), A)).toBe(ErrorCode.SESSIONMOVED);
  expect(sessions.expire(53_999)).toEqual([]);
  expect(sessions.expire(56_000)).toEqual([id(1)]);
  expect(sessions.expire(60_000)).toEqual([id(2)]);
});

test("after the process stood still for long, what was touched meanwhile lives and the rest expires", () => {
  const sessions = tracker();
  sessions.create(id(1), 4000, A, 0);
  sessions.create(id(2), 4000, A, 0);
  sessions.create(id(3), 10_000, A, 0);
  sessions.touch(id(1), 4000, 100_000);
  expect([...sessions.expire(100_000)].sort()).toEqual([id(2), id(3)]);
  expect(sessions.expire(104_000)).toEqual([]);
  expect(sessions.expire(106_000)).toEqual([id(1)]);
});

test("100 000 sessions: each expires once, after its timeout and at most a tick later", () => {
  const count = 100_000;
  const ids = Array.from({ length: count }, (_, n) => id(n));
  const timeoutOf = (n: number): number => 4000 + (n % 5) * 4000;
  const sessions = tracker();
  const lastTouch = new Float64Array(count);
  const expiredAt = new Float64Array(count);
  for (let n = 0; n < count; n++) sessions.create(ids[n]!, timeoutOf(n), A, 0);
  const twice: SessionId[] = [];
  const expire = (now: number): void => {
    for (const session of sessions.expire(now)) {
      const n = Number(session);
      if (expiredAt[n] !== 0) twice.push(session);
      expiredAt[n] = now;
    }
  };
  for (let now = 1000; now <= 30_000; now += 1000) {
    // A seventh of the sessions fall silent half-way.
    for (let n = 0; n < count; n++) {
      if (n % 7 !== 0 || now <= 15_000) if (sessions.touch(ids[n]!, timeoutOf(n), now)) lastTouch[n] = now;
    }
    if (now % TICK === 0) expire(now);
  }
  for (let now = 30_000 + TICK; now <= 60_000; now += TICK) expire(now);
  const early = ids.filter((_, n) => expiredAt[n]! - lastTouch[n]! <= timeoutOf(n));
  const late = ids.filter((_, n) => expiredAt[n]! - lastTouch[n]! > timeoutOf(n) + TICK);
  expect({ twice, early, late }).toEqual({ twice: [], early: [], late: [] });
});
