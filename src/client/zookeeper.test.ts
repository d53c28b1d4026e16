import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Acl } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { OpCode, Xid } from "../protocol/opcodes.ts";
import { SetWatches, SetWatches2, Stat } from "../protocol/records.ts";
import { EventType } from "../protocol/watch-events.ts";
import type { ReplyInfo, RequestInfo } from "./observer.ts";
import { connected, data, eventFrame, replyFrame, type ScriptedWorld, SESSION, STAT } from "./scripted-world.ts";
import type { WatchedEvent } from "./watches.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("requests and replies", () => {
  test("all requests of a turn leave in one write", () => {
    const world = connected();
    for (let i = 0; i < 500; i++) void world.zk.exists(`/${i}`);
    expect(world.sent()).toHaveLength(500);
    expect(world.socket.writes).toBe(2);
  });

  test("replies are the same however the stream is cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 }), async (cuts) => {
        const world = connected();
        const reads = ["/a", "/b", "/c", "/d"].map((path) => world.zk.getData(path));
        const stream = Buffer.concat(
          world.sent().map(({ xid }, i) => replyFrame(xid, { body: data(`value ${i}`), zxid: 10 + i })),
        );
        let at = 0;
        for (const cut of cuts) {
          world.receive(stream.subarray(at, at + cut));
          at += cut;
        }
        world.receive(stream.subarray(at));
        const values = (await Promise.all(reads)).map((result) => result.data?.toString());
        expect(values).toEqual(["value 0", "value 1", "value 2", "value 3"]);
        expect(world.zk.lastZxid).toBe(13);
      }),
      { numRuns: 50 },
    );
  });

  test("exists answers null for a missing node; other reads reject with the path", async () => {
    const world = connected();
    const missing = world.zk.exists("/none");
    const read = world.zk.getData("/none");
    for (const request of world.sent()) world.reply(request, { err: ErrorCode.NONODE });
    expect(await missing).toBe(null);
    await expect(read).rejects.toMatchObject({
      name: "NoNode",
      code: -101,
      path: "/none",
      message: "KeeperErrorCode = NoNode for /none",
    });
  });

  test("a failed multi rejects with the culprit's code and tells each op's", async () => {
    const world = connected();
    const multi = world.zk.transaction().create("/a").check("/b", 4).delete("/c").commit();
    world.reply(world.sent()[0], {
      body: (writer) => {
        for (const code of [0, ErrorCode.BADVERSION, ErrorCode.RUNTIMEINCONSISTENCY]) {
          writer.int(-1);
          writer.bool(false);
          writer.int(code);
          writer.int(code);
        }
        writer.int(-1);
        writer.bool(true);
        writer.int(-1);
      },
    });
    await expect(multi).rejects.toMatchObject({ name: "BadVersion", results: [0, -103, -2] });
  });

  test("an argument that cannot be written fails alone and leaves no half frame", async () => {
    const world = connected();
    const acl = [{ perms: 31 }] as unknown as readonly Acl[];
    expect(() => world.zk.create("/x", null, { acl })).toThrow(TypeError);
    expect(() => world.zk.setData("/x", 42 as unknown as string)).toThrow("Data is bytes, text or null");
    const read = world.zk.exists("/y");
    const requests = world.sent();
    expect(requests.map(({ op }) => op)).toEqual([OpCode.exists]);
    world.reply(requests[0], { body: (writer) => Stat.write(writer, STAT) });
    expect(await read).toEqual(STAT);
  });

  test("a path that is none is refused before it is sent", async () => {
    const world = connected();
    await expect(world.zk.getData("/a//b")).rejects.toMatchObject({
      name: "BadArguments",
      message: 'Invalid path string "/a//b" caused by empty node name specified @3',
    });
    await expect(world.zk.create("x")).rejects.toThrow("Path must start with / character");
    expect(world.sent()).toEqual([]);
    void world.zk.create("/queue/", null, { sequential: true });
    expect(world.sent()).toHaveLength(1);
  });

  test("data is a copy that does not keep the received chunk in memory", async () => {
    const world = connected();
    const read = world.zk.getData("/x");
    const reply = replyFrame(world.sent()[0]!.xid, { body: data("before") });
    world.receive(reply);
    reply.fill(0);
    expect((await read).data?.toString()).toBe("before");
  });
});

describe("watches", () => {
  /** Sets one watch of each one-shot kind and gets them confirmed. */
  function watching(world: ScriptedWorld, seen: string[]): void {
    const tell = (name: string) => (event: WatchedEvent) => seen.push(`${name} ${event.type} ${event.path}`);
    void world.zk.getData("/data", tell("data"));
    void world.zk.exists("/exist", tell("exist"));
    void world.zk.getChildren("/child", tell("child"));
    const [first, second, third] = world.sent();
    world.reply(first, { zxid: 0x10, body: data("x") });
    world.reply(second, { zxid: 0x11, err: ErrorCode.NONODE });
    world.reply(third, { zxid: 0x12, body: (writer) => writer.vectorCount(0) });
  }

  test("fire once, in the order of the wire between the replies", async () => {
    const world = connected();
    const seen: string[] = [];
    watching(world, seen);
    const write = world.zk.setData("/data", "y").then(() => seen.push("reply"));
    const [request] = world.sent();
    world.receive(
      Buffer.concat([
        eventFrame(EventType.dataChanged, "/data"),
        replyFrame(request!.xid, { body: (writer) => Stat.write(writer, STAT) }),
        eventFrame(EventType.created, "/exist"),
        eventFrame(EventType.dataChanged, "/data"),
      ]),
    );
    await write;
    await turn();
    expect(seen).toEqual(["data NodeDataChanged /data", "reply", "exist NodeCreated /exist"]);
  });

  test("a read that fails watches nothing, except that exists watches for what is missing", () => {
    const world = connected();
    void world.zk.getData("/none", () => {}).catch(() => {});
    world.reply(world.sent()[0], { err: ErrorCode.NONODE });
    expect(world.core.stream.watches.size).toBe(0);
    void world.zk.exists("/none", () => {});
    world.reply(world.sent()[0], { err: ErrorCode.NONODE });
    expect(world.core.stream.watches.paths("exist")).toEqual(["/none"]);
  });

  test("a new connection hears of them before it hears of requests, with the last zxid seen", () => {
    const world = connected();
    watching(world, []);
    // An event's zxid does not count: its transaction may have more events, lost with the connection.
    world.event(EventType.dataChanged, "/other", 0x99);
    world.moveOn();
    void world.zk.exists("/later").catch(() => {});
    expect(world.serve().lastZxidSeen).toBe(0x12);
    const [again, later] = world.sent();
    expect(again).toMatchObject({ xid: Xid.setWatches, op: OpCode.setWatches });
    expect(SetWatches.read(again!.record)).toEqual({
      relativeZxid: 0x12,
      dataWatches: ["/data"],
      existWatches: ["/exist"],
      childWatches: ["/child"],
    });
    expect(later!.op).toBe(OpCode.exists);
    world.reply(again, {});
    world.reply(later, { err: ErrorCode.NONODE });
    expect(world.zk.state).toBe("connected");
  });

  test("persistent ones are set again with setWatches2 and keep firing", async () => {
    const world = connected();
    const seen: string[] = [];
    void world.zk.addWatch("/p", (event) => seen.push(`p ${event.type} ${event.path}`));
    void world.zk.addWatch("/r", (event) => seen.push(`r ${event.type} ${event.path}`), { recursive: true });
    for (const request of world.sent()) world.reply(request, { body: (writer) => writer.int(0) });
    for (let i = 0; i < 2; i++) world.event(EventType.childrenChanged, "/p");
    world.event(EventType.created, "/r/a/b");
    world.event(EventType.created, "/rr");
    await turn();
    expect(seen).toEqual(["p NodeChildrenChanged /p", "p NodeChildrenChanged /p", "r NodeCreated /r/a/b"]);
    world.moveOn();
    world.serve();
    const [again] = world.sent();
    expect(again!.op).toBe(OpCode.setWatches2);
    expect(SetWatches2.read(again!.record)).toMatchObject({
      persistentWatches: ["/p"],
      persistentRecursiveWatches: ["/r"],
    });
  });

  test("very many are told in several requests below a server's frame limit", () => {
    const world = connected();
    const paths = Array.from({ length: 300 }, (_, i) => `/${String(i).padStart(1000, "x")}`);
    for (const path of paths) void world.zk.exists(path, () => {});
    for (const request of world.sent()) world.reply(request, { err: ErrorCode.NONODE });
    world.moveOn();
    world.serve();
    const again = world.sent();
    expect(again).toHaveLength(3);
    expect(again.flatMap(({ record }) => SetWatches.read(record).existWatches)).toEqual(paths);
    for (const request of again) world.reply(request);
    expect(world.zk.state).toBe("connected");
  });

  test("a removed watch hears that it was, and is not set again", async () => {
    const world = connected();
    const seen: string[] = [];
    watching(world, seen);
    const removal = world.zk.removeWatches("/data", "data");
    world.reply(world.sent()[0]);
    await removal;
    await turn();
    expect(seen).toEqual(["data DataWatchRemoved /data"]);
    await expect(world.zk.removeWatches("/data", "data")).rejects.toMatchObject({ name: "NoWatcher" });
    expect(world.core.stream.watches.paths("data")).toEqual([]);
  });

  test("while somebody else needs the server's watch, one watcher leaves without asking the server", async () => {
    const world = connected();
    const [one, other] = [() => {}, () => {}];
    void world.zk.getData("/x", one);
    void world.zk.getData("/x", other);
    for (const request of world.sent()) world.reply(request, { body: data("x") });
    await world.zk.removeWatches("/x", "data", one);
    expect(world.sent()).toEqual([]);
    expect(world.core.stream.watches.has("/x", ["data"], other)).toBe(true);
  });
});

describe("a chroot", () => {
  test("is put before paths and taken from answers, events and setWatches", async () => {
    const world = connected("a:1,b:2/app");
    const seen: WatchedEvent[] = [];
    const created = world.zk.create("/n-", null, { sequential: true });
    const root = world.zk.getChildren("/", (event) => seen.push(event));
    const multi = world.zk.multi([{ type: "create", path: "/m" }]);
    const requests = world.sent();
    expect(requests.slice(0, 2).map(({ record }) => record.ustring())).toEqual(["/app/n-", "/app"]);
    world.reply(requests[0], { body: (writer) => writer.ustring("/app/n-0000000000") });
    world.reply(requests[1], { body: (writer) => writer.vectorCount(0) });
    world.reply(requests[2], {
      body: (writer) => {
        writer.int(OpCode.create2);
        writer.bool(false);
        writer.int(0);
        writer.ustring("/app/m");
        Stat.write(writer, STAT);
        writer.int(-1);
        writer.bool(true);
        writer.int(-1);
      },
    });
    expect(await created).toBe("/n-0000000000");
    expect(await root).toEqual([]);
    expect(await multi).toEqual([{ type: "create", path: "/m", stat: STAT }]);
    world.moveOn();
    world.serve();
    expect(SetWatches.read(world.sent()[0]!.record).childWatches).toEqual(["/app"]);
    world.event(EventType.childrenChanged, "/app");
    await turn();
    expect(seen).toEqual([{ type: "NodeChildrenChanged", state: "SyncConnected", path: "/" }]);
  });
});

describe("the observer", () => {
  test("sees each operation with its xid, zxid, error and connection, the lost ones too", async () => {
    const replies: ReplyInfo[] = [];
    const states: string[] = [];
    const world = connected("a:1,b:2", {
      observer: {
        replied: (reply: ReplyInfo) => replies.push(reply),
        stateChanged: (state: string) => states.push(state),
      },
    });
    const read = world.zk.getData("/x");
    const xid = world.zk.lastXid;
    const lost = world.zk.create("/y").catch(() => {});
    world.reply(world.sent()[0], { zxid: 0x55, err: ErrorCode.NONODE });
    await read.catch(() => {});
    world.moveOn();
    await lost;
    const connection = { sessionId: SESSION, generation: 1, server: "a:1" };
    expect(replies).toEqual([
      { ...connection, xid, op: OpCode.getData, path: "/x", err: ErrorCode.NONODE, zxid: 0x55 },
      { ...connection, xid: xid + 1, op: OpCode.create, path: "/y", err: ErrorCode.CONNECTIONLOSS, zxid: -1 },
    ]);
    expect(states).toEqual(["connecting", "connected", "disconnected", "connecting"]);
  });

  test("sees the setWatches of a new connection, before what waited for it", async () => {
    const seen: string[] = [];
    const note =
      (kind: string) =>
      ({ xid, op, generation }: RequestInfo) =>
        seen.push(`${kind} ${xid} op ${op} on ${generation}`);
    const world = connected("a:1,b:2", { observer: { requested: note("asked"), replied: note("told") } });
    const read = world.zk.getData("/x", () => {});
    world.reply(world.sent()[0], { body: data("one") });
    await read;
    world.moveOn();
    world.serve();
    world.reply(world.sent()[0]);
    const { getData, setWatches } = OpCode;
    expect(seen).toEqual([
      `asked 1 op ${getData} on 1`,
      `told 1 op ${getData} on 1`,
      `asked ${Xid.setWatches} op ${setWatches} on 2`,
      `told ${Xid.setWatches} op ${setWatches} on 2`,
    ]);
  });
});
