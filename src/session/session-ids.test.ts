import { expect, test } from "vitest";
import { formatSessionId, type ServerId, type SessionId } from "../../spec/vocabulary.ts";
import type { Environment } from "../runtime/environment.ts";
import { SessionIds } from "./session-ids.ts";

const at = (ms: number): Environment => ({
  monotonicMs: () => 0,
  wallMs: () => ms,
  random: () => 0,
  sha1: () => new Uint8Array(20),
});
const NONE = new Set<SessionId>();

test("a session id holds the server in its top byte, then 40 bits of clock, then a counter", () => {
  const ids = new SessionIds(3 as ServerId, at(0x12_3456_789a));
  expect(formatSessionId(ids.next(NONE))).toBe("0x3123456789a0000");
  expect(formatSessionId(ids.next(NONE))).toBe("0x3123456789a0001");
});

test("bits of the clock above the 40th do not reach the server's byte", () => {
  const ids = new SessionIds(1 as ServerId, at(2 ** 40 * 5 + 1));
  expect(formatSessionId(ids.next(NONE))).toBe("0x100000000010000");
});

test("server 255 gives negative ids, as Java's longs are", () => {
  const ids = new SessionIds(255 as ServerId, at(1));
  expect(ids.next(NONE)).toBeLessThan(0n);
});

test("the id that marks containers is never given out, nor is 0", () => {
  expect(new SessionIds(128 as ServerId, at(0)).next(NONE)).toBe(-(2n ** 63n) + 1n);
  expect(new SessionIds(0 as ServerId, at(0)).next(NONE)).toBe(1n);
});

test("ids that are taken are passed over: the clock was set back", () => {
  const first = new SessionIds(1 as ServerId, at(1000)).next(NONE);
  const again = new SessionIds(1 as ServerId, at(1000)).next(new Set([first]));
  expect(again).toBe(first + 1n);
});
