import { expect, test } from "vitest";
import * as op from "../../model-tests/support/raw-requests.ts";
import { type RawClient, type Reply, StandaloneServer } from "../../model-tests/support/standalone-server.ts";
import { onlyPerms } from "../../model-tests/support/write-errors.ts";
import { ErrorCode, errorName } from "../protocol/error-codes.ts";
import { JuteReader } from "../protocol/jute-reader.ts";
import { readMultiResponse } from "../protocol/multi.ts";
import { AddWatchMode, OpCode, Perms, WatcherType } from "../protocol/opcodes.ts";
import {
  GetACLResponse,
  GetChildren2Response,
  GetChildrenResponse,
  GetDataResponse,
  GetEphemeralsResponse,
  Stat,
  WatcherEvent,
  WhoAmIResponse,
} from "../protocol/records.ts";
import { EventType } from "../protocol/watch-events.ts";

const reader = (reply: Reply): JuteReader => new JuteReader(reply.body);

function stage(): { server: StandaloneServer; client: RawClient } {
  const server = new StandaloneServer();
  const client = server.connect();
  const made = [
    op.create("/a", { data: "one" }),
    op.create("/a/b", { data: null }),
    op.create("/a/eph", { flags: 1, data: "" }),
    op.create("/unreadable", { acl: onlyPerms(Perms.ALL & ~Perms.READ) }),
    op.create("/adminOnly", { acl: onlyPerms(Perms.ADMIN) }),
    op.create("/sealed", { acl: onlyPerms(Perms.WRITE) }),
  ];
  for (const request of made) expect(client.one(...request).err).toBe(ErrorCode.OK);
  return { server, client };
}

const ERRORS: readonly (readonly [what: string, request: op.RawRequest, err: keyof typeof ErrorCode])[] = [
  ["getData of nothing", op.getData("/no"), "NONODE"],
  ["getData of a path that cannot be", op.getData("/a//b"), "NONODE"],
  ["getData of a relative path", op.getData("a"), "NONODE"],
  ["getData with a trailing slash", op.getData("/a/"), "NONODE"],
  ["getData with NUL", op.getData("/a\0"), "NONODE"],
  ["getData without READ", op.getData("/unreadable"), "NOAUTH"],
  ["getData that is cut", op.cut(op.getData("/a"), 1), "MARSHALLINGERROR"],
  ["getData of null", op.plain(OpCode.getData, null), "MARSHALLINGERROR"],
  ["exists of nothing", op.exists("/no"), "NONODE"],
  ["exists with NUL", op.exists("/a\0"), "BADARGUMENTS"],
  ["exists without READ", op.exists("/unreadable"), "OK"],
  ["exists that is cut", op.cut(op.exists("/a"), 3), "MARSHALLINGERROR"],
  ["getChildren of nothing", op.getChildren("/no"), "NONODE"],
  ["getChildren without READ", op.getChildren("/unreadable"), "NOAUTH"],
  ["getChildren2 without READ", op.getChildren("/unreadable", false, OpCode.getChildren2), "NOAUTH"],
  ["getChildren that is cut", op.empty(OpCode.getChildren), "MARSHALLINGERROR"],
  ["getACL of nothing", op.getAcl("/no"), "NONODE"],
  ["getACL with ADMIN alone", op.getAcl("/adminOnly"), "OK"],
  ["getACL with neither READ nor ADMIN", op.getAcl("/sealed"), "NOAUTH"],
  ["getACL of null", op.plain(OpCode.getACL, null), "MARSHALLINGERROR"],
  ["getAllChildrenNumber of nothing", op.plain(OpCode.getAllChildrenNumber, "/no"), "NONODE"],
  ["getAllChildrenNumber without READ", op.plain(OpCode.getAllChildrenNumber, "/sealed"), "NOAUTH"],
  ["sync of nothing", op.sync("/no"), "OK"],
  ["sync of what may not be read", op.sync("/sealed"), "OK"],
  ["a multiRead with a write", op.multi([op.getData("/a"), op.create("/x")], OpCode.multiRead), "MARSHALLINGERROR"],
  ["a multiRead with an unknown op", op.multi([op.empty(55)], OpCode.multiRead), "MARSHALLINGERROR"],
  ["addWatch with a mode that nobody knows", op.addWatch("/a", 2), "MARSHALLINGERROR"],
  ["checkWatches where none is", op.checkWatches("/a", WatcherType.any), "NOWATCHER"],
  ["removeWatches where none is", op.removeWatches("/a", WatcherType.data), "NOWATCHER"],
  ["checkWatches of a type that nobody knows", op.checkWatches("/a", 6), "MARSHALLINGERROR"],
  ["setWatches that is cut", op.cut(op.setWatches(0, ["/a"], [], []), 9), "MARSHALLINGERROR"],
];

test.each(ERRORS)("%s → %s", (_what, request, err) => {
  const { server, client } = stage();
  const { zxid } = server;
  const reply = client.one(...request);
  expect(errorName(reply.err)).toBe(err);
  if (err !== "OK") expect(reply.body).toHaveLength(0);
  // A read is no txn, not even one that cannot be decoded.
  expect(server.zxid).toBe(zxid);
  expect(reply.zxid).toBe(zxid);
  expect(client.closed).toBe(false);
});

test("getData tells null from empty data, and the Stat", () => {
  const { client } = stage();
  const read = (path: string) => GetDataResponse.read(reader(client.one(...op.getData(path))));
  expect(read("/a")).toMatchObject({ data: Buffer.from("one"), stat: { dataLength: 3, numChildren: 2, cversion: 2 } });
  expect(read("/a/b")).toMatchObject({ data: null, stat: { dataLength: 0, ephemeralOwner: 0n } });
  expect(read("/a/eph")).toMatchObject({ data: Buffer.alloc(0), stat: { ephemeralOwner: client.sessionId } });
});

test("exists, getChildren, getChildren2 and getAllChildrenNumber", () => {
  const { client } = stage();
  expect(Stat.read(reader(client.one(...op.exists("/a"))))).toMatchObject({ version: 0, numChildren: 2 });
  const names = GetChildrenResponse.read(reader(client.one(...op.getChildren("/a")))).children;
  expect([...names].sort()).toEqual(["b", "eph"]);
  const two = GetChildren2Response.read(reader(client.one(...op.getChildren("/a", false, OpCode.getChildren2))));
  expect([...two.children].sort()).toEqual(["b", "eph"]);
  expect(two.stat.numChildren).toBe(2);
  expect(reader(client.one(...op.plain(OpCode.getAllChildrenNumber, "/a"))).int()).toBe(2);
  expect(reader(client.one(...op.plain(OpCode.getAllChildrenNumber, "/"))).int()).toBe(9);
});

test("getACL hides digests from whoever may not change them", () => {
  const { client } = stage();
  const acl = [
    { perms: Perms.READ, scheme: "world", id: "anyone" },
    { perms: Perms.ALL, scheme: "digest", id: "bob:aGFzaA==" },
  ];
  client.one(...op.create("/bobs", { acl }));
  expect(GetACLResponse.read(reader(client.one(...op.getAcl("/bobs")))).acl).toEqual([
    acl[0],
    { perms: Perms.ALL, scheme: "digest", id: "bob:x" },
  ]);
});

test("getEphemerals lists the session's own, by plain prefix", () => {
  const { server, client } = stage();
  server.connect().one(...op.create("/theirs", { flags: 1 }));
  client.one(...op.create("/eph2", { flags: 1 }));
  const list = (prefix: string | null) =>
    [...GetEphemeralsResponse.read(reader(client.one(...op.plain(OpCode.getEphemerals, prefix)))).ephemerals].sort();
  for (const all of [null, "", "/", "  "]) expect(list(all)).toEqual(["/a/eph", "/eph2"]);
  expect(list("/a")).toEqual(["/a/eph"]);
  expect(list("/e")).toEqual(["/eph2"]);
  expect(list("/theirs")).toEqual([]);
});

test("whoAmI tells the connection's ids, without what follows a digest user's name", () => {
  const { client } = stage();
  client.one(...op.auth("digest", "alice:secret"), -4);
  client.one(...op.auth("digest", "alice:secret"), -4);
  expect(WhoAmIResponse.read(reader(client.one(...op.whoAmI))).clientInfo).toEqual([
    { authScheme: "ip", user: "127.0.0.1" },
    { authScheme: "digest", user: "alice" },
  ]);
});

test("in a multiRead each read succeeds or fails on its own, and watches nothing", () => {
  const { client } = stage();
  const reads = [op.getData("/a", true), op.getChildren("/a", true), op.getData("/no"), op.getData("/unreadable")];
  const results = readMultiResponse(reader(client.one(...op.multi(reads, OpCode.multiRead))));
  expect(results).toMatchObject([
    { type: OpCode.getData, data: Buffer.from("one") },
    { type: OpCode.getChildren },
    { type: OpCode.error, err: ErrorCode.NONODE },
    { type: OpCode.error, err: ErrorCode.NOAUTH },
  ]);
  expect(client.ask(...op.setData("/a", ""))).toHaveLength(1);
});

// ---- watches

interface Heard {
  readonly event?: string;
  readonly xid?: number;
}

const EVENT_NAMES = new Map<number, string>(Object.entries(EventType).map(([name, type]) => [type, name]));

/** Events by name, replies by xid, in the order they came. */
function heard(replies: readonly Reply[]): Heard[] {
  return replies.map((reply) => {
    if (reply.xid !== -1) return { xid: reply.xid };
    const { type, path, state } = WatcherEvent.read(reader(reply));
    expect(state).toBe(3);
    return { event: `${EVENT_NAMES.get(type)} ${path}` };
  });
}

test("an event comes before the reply of the write that caused it, and before any read that shows the change", () => {
  const { client } = stage();
  client.one(...op.getData("/a", true));
  expect(heard(client.ask(...op.setData("/a", "two"), 50))).toEqual([{ event: "dataChanged /a" }, { xid: 50 }]);
  const { server } = client;
  const writer = server.connect();
  client.one(...op.getData("/a", true));
  writer.ask(...op.setData("/a", "three"));
  expect(heard(client.ask(...op.getData("/a"), 51))).toEqual([{ event: "dataChanged /a" }, { xid: 51 }]);
});

test("an event carries the zxid of the txn that caused it", () => {
  const { server, client } = stage();
  client.one(...op.exists("/later", true));
  server.connect().one(...op.create("/later"));
  expect(client.replies()).toMatchObject([{ xid: -1, zxid: server.zxid, err: 0 }]);
});

test("watches fire once, by kind, the node before its parent", () => {
  const { server, client } = stage();
  const writer = server.connect();
  const after = (...requests: op.RawRequest[]): (string | undefined)[] => {
    for (const request of requests) writer.ask(...request);
    return heard(client.replies()).map(({ event }) => event);
  };
  client.one(...op.exists("/new", true));
  client.one(...op.getChildren("/", true));
  expect(after(op.create("/new"))).toEqual(["created /new", "childrenChanged /"]);
  expect(after(op.setData("/new", "x"), op.create("/new2"))).toEqual([]);
  client.one(...op.getData("/new", true));
  client.one(...op.getChildren("/new", true));
  client.one(...op.getChildren("/", true));
  expect(after(op.setAcl("/new", op.OPEN))).toEqual([]);
  expect(after(op.remove("/new"))).toEqual(["deleted /new", "childrenChanged /"]);
  expect(after(op.create("/new"))).toEqual([]);
});

test("a read that fails leaves no watch; exists of a missing node does", () => {
  const { server, client } = stage();
  const writer = server.connect();
  for (const request of [op.getData("/new", true), op.getChildren("/new", true), op.getData("/unreadable", true)]) {
    client.one(...request);
  }
  writer.one(...op.create("/new"));
  writer.one(...op.setData("/unreadable", ""));
  expect(client.replies()).toEqual([]);
});

test("persistent watches stay; recursive ones tell of everything below, but not that children changed", () => {
  const { server, client } = stage();
  const writer = server.connect();
  expect(client.one(...op.addWatch("/a", AddWatchMode.persistent)).body).toEqual(Buffer.alloc(4));
  expect(client.one(...op.addWatch("/r", AddWatchMode.persistentRecursive)).err).toBe(ErrorCode.OK);
  for (const request of [
    op.setData("/a", "1"),
    op.setData("/a", "2"),
    op.create("/a/c"),
    op.create("/r"),
    op.create("/r/s"),
    op.remove("/r/s"),
  ]) {
    writer.one(...request);
  }
  expect(heard(client.replies()).map(({ event }) => event)).toEqual([
    "dataChanged /a",
    "dataChanged /a",
    "childrenChanged /a",
    "created /r",
    "created /r/s",
    "deleted /r/s",
  ]);
  expect(client.one(...op.checkWatches("/a", WatcherType.any)).err).toBe(ErrorCode.OK);
  expect(client.one(...op.removeWatches("/a", WatcherType.any)).err).toBe(ErrorCode.OK);
  expect(client.one(...op.checkWatches("/a", WatcherType.any)).err).toBe(ErrorCode.NOWATCHER);
  writer.one(...op.setData("/a", "3"));
  expect(client.replies()).toEqual([]);
});

test("setWatches: what was missed comes at once, before the reply; the rest is watched", () => {
  const { server, client } = stage();
  const writer = server.connect();
  const seen = server.zxid;
  for (const request of [op.setData("/a", "x"), op.create("/a/new"), op.create("/b"), op.remove("/b")]) {
    writer.one(...request);
  }
  const request = op.setWatches(seen, ["/a", "/a/b", "/b"], ["/a/new", "/c"], ["/a", "/a/b", "/b"]);
  const replies = client.ask(...request, -8);
  expect(heard(replies)).toEqual([
    { event: "dataChanged /a" },
    { event: "deleted /b" },
    { event: "created /a/new" },
    { event: "childrenChanged /a" },
    { event: "deleted /b" },
    { xid: -8 },
  ]);
  expect(replies.at(-1)).toMatchObject({ err: ErrorCode.OK, body: Buffer.alloc(0) });
  // There is no single txn that these events could name.
  expect(new Set(replies.slice(0, -1).map(({ zxid }) => zxid))).toEqual(new Set([-1]));
  for (const later of [op.setData("/a/b", ""), op.create("/c"), op.create("/a/b/c")]) writer.one(...later);
  expect(heard(client.replies()).map(({ event }) => event)).toEqual([
    "dataChanged /a/b",
    "created /c",
    "childrenChanged /a/b",
  ]);
});

// CVE-2024-23944, which Apache has fixed in 3.8.4; found by random scripts to both (model-tests/differential).
test("nobody hears of a node that it may not read: not of its creation, its data, its end, its children", () => {
  const { server, client } = stage();
  const other = server.connect();
  const hidden = { acl: onlyPerms(Perms.ALL & ~Perms.READ) };
  expect(client.one(...op.addWatch("/", AddWatchMode.persistentRecursive)).err).toBe(ErrorCode.OK);
  for (const request of [
    op.create("/a/hidden", hidden),
    op.setData("/a/hidden", "x"),
    op.create("/a/hidden/seen"),
    op.remove("/a/hidden/seen"),
    op.remove("/a/hidden"),
  ]) {
    expect(other.one(...request).err).toBe(ErrorCode.OK);
  }
  const events = client.replies().map((reply) => WatcherEvent.read(reader(reply)));
  expect(events.map(({ type, path }) => [type, path])).toEqual([
    [EventType.created, "/a/hidden/seen"],
    [EventType.deleted, "/a/hidden/seen"],
  ]);

  expect(client.one(...op.removeWatches("/", WatcherType.any)).err).toBe(ErrorCode.OK);
  client.ask(...op.exists("/a/hidden", true));
  other.one(...op.create("/a/hidden", hidden));
  expect(client.replies()).toEqual([]);
});

test("setWatches2 brings persistent watches back", () => {
  const { server, client } = stage();
  expect(client.ask(...op.setWatches2(server.zxid, [[], [], [], ["/a"], ["/"]]), -8)).toHaveLength(1);
  const writer = server.connect();
  writer.one(...op.setData("/a", ""));
  writer.one(...op.create("/x"));
  expect(heard(client.replies()).map(({ event }) => event)).toEqual(["dataChanged /a", "created /x"]);
});

test("watches end with the connection, not with the session", () => {
  const { server, client } = stage();
  client.one(...op.getData("/a", true));
  client.hangUp();
  expect(server.service.watches.watchCount).toBe(0);
  const again = server.accept();
  again.connect({ sessionId: client.sessionId });
  server.connect().one(...op.setData("/a", ""));
  expect(again.replies()).toEqual([]);
});
