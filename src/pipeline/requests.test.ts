import { expect, test } from "vitest";
import * as op from "../../model-tests/support/raw-requests.ts";
import { type RawClient, type Reply, request, StandaloneServer } from "../../model-tests/support/standalone-server.ts";
import type { ServerId } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { JuteReader } from "../protocol/jute-reader.ts";
import { OpCode } from "../protocol/opcodes.ts";
import { GetDataResponse } from "../protocol/records.ts";

/** A server that commits only when told, and a client of it. */
function pair(): { server: StandaloneServer; client: RawClient } {
  const server = new StandaloneServer();
  const client = server.connect();
  client.one(...op.create("/n", { data: "0" }));
  server.immediate = false;
  return { server, client };
}

const pipeline = (client: RawClient, requests: readonly op.RawRequest[], firstXid = 100): Reply[] => {
  client.send(Buffer.concat(requests.map(([type, write], at) => request(firstXid + at, type, write))));
  return client.replies();
};
const commitOne = (server: StandaloneServer, client: RawClient): Reply[] => {
  server.commit(1);
  server.endTurn();
  return client.replies();
};
const xids = (replies: readonly Reply[]): number[] => replies.map(({ xid }) => xid);
const dataIn = (reply: Reply | undefined): string => {
  const body = GetDataResponse.read(new JuteReader(reply?.body ?? Buffer.alloc(0)));
  return body.data?.toString() ?? "null";
};

test("a read waits for its own session's earlier writes, and sees exactly those", () => {
  const { server, client } = pair();
  const requests = [
    op.setData("/n", "1"),
    op.getData("/n"),
    op.getData("/n"),
    op.setData("/n", "2"),
    op.getData("/n"),
    op.ping,
  ];
  expect(pipeline(client, requests)).toEqual([]);
  const first = commitOne(server, client);
  expect(xids(first)).toEqual([100, 101, 102]);
  expect(first.slice(1).map(dataIn)).toEqual(["1", "1"]);
  const second = commitOne(server, client);
  expect(xids(second)).toEqual([103, 104, -2]);
  expect(dataIn(second[1])).toBe("2");
});

test("a read does not wait for another session's writes", () => {
  const { server, client } = pair();
  const other = server.connect();
  server.commit();
  server.endTurn();
  other.greeting();
  expect(pipeline(client, [op.setData("/n", "1")])).toEqual([]);
  const reply = other.one(...op.getData("/n"));
  expect(dataIn(reply)).toBe("0");
});

test("replies carry the zxid that the server had reached: a write's its own, a read's the last one applied", () => {
  const { server, client } = pair();
  const { zxid } = server;
  pipeline(client, [op.setData("/n", "1"), op.getData("/n"), op.setData("/n", "2", 77)]);
  server.commit();
  server.endTurn();
  expect(client.replies().map((reply) => reply.zxid)).toEqual([zxid + 1, zxid + 1, zxid + 2]);
});

test("a sync is answered in its place: reads behind it wait, with the path echoed", () => {
  const { server, client } = pair();
  expect(pipeline(client, [op.sync("/any/path"), op.getData("/n")])).toEqual([]);
  const replies = commitOne(server, client);
  expect(xids(replies)).toEqual([100, 101]);
  expect(new JuteReader(replies[0]?.body ?? Buffer.alloc(0)).ustring()).toBe("/any/path");
});

test("a write behind a sync is not submitted before the sync is complete, so that a read in between cannot see it", () => {
  const { server, client } = pair();
  pipeline(client, [op.sync("/"), op.getData("/n"), op.setData("/n", "later"), op.getData("/n"), op.closeSession]);
  const submitted = server.entries.length;
  expect(client.paused).toBe(true);
  const first = commitOne(server, client);
  expect(xids(first)).toEqual([100, 101]);
  expect(dataIn(first[1])).toBe("0");
  expect(server.entries.length).toBe(submitted + 2);
  expect(client.paused).toBe(false);
  server.commit();
  server.endTurn();
  const rest = client.replies();
  expect(xids(rest)).toEqual([102, 103, 104]);
  expect(dataIn(rest[1])).toBe("later");
  expect(client.closed).toBe(true);
});

test("syncs of several clients are completed in the order they were asked for", () => {
  const { server, client } = pair();
  server.immediate = true;
  const other = server.connect();
  server.immediate = false;
  pipeline(client, [op.sync("/1")]);
  pipeline(other, [op.sync("/2")]);
  client.hangUp();
  expect(commitOne(server, other)).toEqual([]);
  expect(xids(commitOne(server, other))).toEqual([100]);
  server.service.synced();
});

test("auth is answered at once, ahead of what waits, and counts for the requests behind it only", () => {
  const { server, client } = pair();
  const mine = [{ perms: 31, scheme: "auth", id: "" }];
  const replies = pipeline(client, [
    op.create("/before", { acl: mine }),
    op.auth("digest", "me:pw"),
    op.create("/after", { acl: mine }),
  ]);
  expect(replies).toMatchObject([{ xid: 101, zxid: 0, err: ErrorCode.OK }]);
  server.commit();
  server.endTurn();
  expect(client.replies()).toMatchObject([
    { xid: 100, err: ErrorCode.INVALIDACL },
    { xid: 102, err: ErrorCode.OK },
  ]);
});

test.each([
  OpCode.check,
  OpCode.createSession,
  OpCode.deleteContainer,
  OpCode.notification,
  OpCode.error,
  10,
  55,
  127,
  128,
  0x7fffffff,
  -0x80000000,
])("opcode %i is answered UNIMPLEMENTED in its place, then the connection is closed and the session lives", (type) => {
  const { server, client } = pair();
  const requests = [op.setData("/n", "1"), op.empty(type), op.setData("/n", "never")];
  expect(pipeline(client, requests)).toEqual([]);
  const replies = commitOne(server, client);
  expect(replies).toMatchObject([
    { xid: 100, err: ErrorCode.OK },
    { xid: 101, err: ErrorCode.UNIMPLEMENTED, zxid: -1 },
  ]);
  expect(client.closed).toBe(true);
  expect(server.database.sessions.has(client.sessionId)).toBe(true);
  server.commit();
  expect(server.database.tree.version(server.database.tree.get("/n")!)).toBe(1);
});

test("after closeSession nothing more is read", () => {
  const { server, client } = pair();
  pipeline(client, [op.create("/e1", { flags: 1 }), op.closeSession, op.create("/e2", { flags: 1 })]);
  server.commit();
  server.endTurn();
  expect(xids(client.replies())).toEqual([100, 101]);
  expect(client.closed).toBe(true);
  expect(server.database.tree.get("/e1")).toBeUndefined();
  expect(server.database.tree.get("/e2")).toBeUndefined();
});

test("a client that moved to another server: its late write is refused there, and it hears nothing more from here", () => {
  const { server, client } = pair();
  server.tracker.revalidate(client.sessionId, 10_000, 9 as ServerId, server.time.ms);
  expect(pipeline(client, [op.setData("/n", "late"), op.getData("/n")])).toEqual([]);
  expect(commitOne(server, client)).toEqual([]);
  expect(client.closed).toBe(true);
  expect(server.database.tree.version(server.database.tree.get("/n")!)).toBe(0);
});

test("inside a multi as well", () => {
  const { server, client } = pair();
  server.tracker.revalidate(client.sessionId, 10_000, 9 as ServerId, server.time.ms);
  pipeline(client, [op.multi([op.setData("/n", "late")])]);
  expect(commitOne(server, client)).toEqual([]);
  expect(client.closed).toBe(true);
});

test("a commit of the last connection is not taken for a write of this one, though the xids are the same", () => {
  const { server, client } = pair();
  pipeline(client, [op.setData("/n", "old"), op.setData("/n", "old too")], 1);
  client.hangUp();
  const again = server.accept();
  again.connect({ sessionId: client.sessionId });
  pipeline(again, [op.setData("/n", "new", 0)], 1);
  expect(commitOne(server, again)).toEqual([]);
  expect(commitOne(server, again)).toEqual([]);
  expect(commitOne(server, again)).toMatchObject([{ xid: 1, err: ErrorCode.BADVERSION }]);
});

test("a client that hangs up takes its waiting requests with it", () => {
  const { server, client } = pair();
  pipeline(client, [op.setData("/n", "1"), op.getData("/n"), op.sync("/n")]);
  expect(server.counters.outstanding).toBe(3);
  client.hangUp();
  expect(server.counters.outstanding).toBe(0);
  server.commit();
  server.endTurn();
  expect(server.unexpected).toEqual([]);
  expect(server.counters.unexpectedEvents).toBe(0);
});

test("the end of a role forgets what was pending, the next one starts anew", () => {
  const { server, client } = pair();
  pipeline(client, [op.setData("/n", "1"), op.sync("/n")]);
  server.service.close([]);
  expect(server.counters.outstanding).toBe(0);
  server.service.open(server);
  server.service.synced();
  expect(server.service.connectionCount).toBe(1);
});

test("latencies are counted from arrival to reply", () => {
  const { server, client } = pair();
  server.counters.reset();
  pipeline(client, [op.setData("/n", "1"), op.getData("/n")]);
  server.time.ms += 7;
  commitOne(server, client);
  const { latency, packetsReceived, packetsSent, outstanding } = server.counters;
  expect({ ...latency, packetsReceived, packetsSent, outstanding }).toMatchObject({
    count: 2,
    sum: 14,
    min: 7,
    max: 7,
    packetsReceived: 2,
    packetsSent: 2,
    outstanding: 0,
  });
  const [connection] = server.service.connections();
  expect(connection?.counters).toMatchObject({
    lastOp: OpCode.getData,
    lastCxid: 101,
    lastLatencyMs: 7,
    outstanding: 0,
  });
});

test("a learner tells its leader once of each session that was heard of", () => {
  const { server, client } = pair();
  Object.assign(server, { mode: "follower" });
  server.service.open(server);
  const touched = (): bigint[] => {
    const ids: bigint[] = [];
    server.service.forEachTouched((id) => ids.push(id));
    return ids;
  };
  client.ask(...op.ping);
  client.ask(...op.ping);
  expect(touched()).toEqual([client.sessionId]);
  expect(touched()).toEqual([]);
  client.ask(...op.ping);
  client.hangUp();
  expect(touched()).toEqual([client.sessionId]);
});

test.each([1, 2, 3, 5, 7, 11, 64])("frames may be cut anywhere: chunks of %i bytes", (size) => {
  const { server, client } = pair();
  server.immediate = true;
  const requests = [op.setData("/n", "1"), op.getData("/n"), op.ping, op.exists("/n"), op.multi([op.create("/x")])];
  const bytes = Buffer.concat(requests.map(([type, write], at) => request(100 + at, type, write)));
  for (let at = 0; at < bytes.length; at += size) client.send(Buffer.from(bytes.subarray(at, at + size)));
  expect(xids(client.replies())).toEqual([100, 101, -2, 103, 104]);
});
