import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { SessionId } from "../../spec/vocabulary.ts";
import { JuteReader } from "./jute-reader.ts";
import { ConnectResponse } from "./records.ts";
import { isSessionPassword, sessionPassword } from "./session-password.ts";

const JAVA: [SessionId, string][] = [
  [0n as SessionId, "f22acd4a97e69d6d20a49bb638eadb38"],
  [1n as SessionId, "054cc74a37327db215e702e20c73f005"],
  [72057725170286594n as SessionId, "c74db43c36d066bc2957db7e086aefd8"],
  [9223372036854775807n as SessionId, "20f62cb5648dc2d771471c8a2486a9ee"],
  [-1n as SessionId, "20f62cb5648dc2d771471c8a2486a9ee"],
  [-9223372036854775808n as SessionId, "f22acd4a97e69d6d20a49bb638eadb38"],
  [-72057594037927935n as SessionId, "054cc74a37327db215e702e20c73f005"],
  [72057594037927936n as SessionId, "f22acd4a97e69d6d20a49bb638eadb38"],
];

test.each(JAVA)("the password of %s is what java.util.Random gives", (id, hex) => {
  expect(sessionPassword(id).toString("hex")).toBe(hex);
});

test("the passwords of sessions that Apache ZooKeeper 3.8.0 opened", () => {
  const frames = JSON.parse(readFileSync(new URL("fixtures/client-frames.json", import.meta.url), "utf8"));
  const responses = frames.filter((frame: { record: string }) => frame.record === "ConnectResponse");
  expect(responses).toHaveLength(2);
  for (const { bytes } of responses) {
    const { sessionId, passwd } = ConnectResponse.read(new JuteReader(Buffer.from(bytes, "hex")));
    expect(isSessionPassword(sessionId, passwd)).toBe(true);
  }
});

test("no other bytes open a session, and none open session 0", () => {
  const id = 7n as SessionId;
  const password = sessionPassword(id);
  expect(isSessionPassword(id, password.subarray(0, 15))).toBe(false);
  expect(isSessionPassword(id, Buffer.concat([password, Buffer.alloc(1)]))).toBe(false);
  expect(isSessionPassword(8n as SessionId, password)).toBe(false);
  expect(isSessionPassword(id, null)).toBe(false);
  expect(isSessionPassword(0n as SessionId, sessionPassword(0n as SessionId))).toBe(false);
});
