import { describe, expect, test } from "vitest";
import type { SessionId } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { OpCode, Xid } from "../protocol/opcodes.ts";
import { Stat } from "../protocol/records.ts";
import { EventType } from "../protocol/watch-events.ts";
import { AuthFailed, ClientClosed, ConnectionLoss, SessionExpired } from "./errors.ts";
import {
  connected,
  data,
  eventFrame,
  frame,
  outcomes,
  PASSWORD,
  replyFrame,
  ScriptedWorld,
  SESSION,
  STAT,
} from "./scripted-world.ts";
import type { WatchedEvent } from "./watches.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("opening a session", () => {
  test("the first connection asks for a new session and takes what the server grants", () => {
    const world = new ScriptedWorld("a:1", { timeoutMs: 9000 });
    const request = world.serve({ timeOut: 6000 });
    expect(request).toMatchObject({ sessionId: 0n, timeOut: 9000, lastZxidSeen: 0, readOnly: false });
    expect(world.zk.state).toBe("connected");
    expect(world.zk.sessionId).toBe(SESSION);
    expect(world.zk.sessionTimeoutMs).toBe(6000);
    expect(world.zk.server).toBe("a:1");
    expect(world.states).toEqual(["SyncConnected"]);
  });

  test("requests made before there is a connection are sent after the handshake, in one write", async () => {
    const world = new ScriptedWorld("a:1");
    const [first, second] = [world.zk.getData("/x"), world.zk.create("/y", "why")];
    world.endTurn();
    world.serve();
    const requests = world.sent();
    expect(requests.map(({ op }) => op)).toEqual([OpCode.getData, OpCode.create]);
    expect(world.socket.writes).toBe(2); // the handshake, and the requests
    world.reply(requests[0], { body: data("ex") });
    world.reply(requests[1], { body: (writer) => writer.ustring("/y") });
    expect((await first).data?.toString()).toBe("ex");
    expect(await second).toBe("/y");
  });

  test("requests wait for a full round through the servers, then fail together in their order", async () => {
    const world = new ScriptedWorld("a:1,b:2");
    const list = outcomes(world.zk.exists("/x"), world.zk.exists("/y"));
    world.refuse();
    await turn();
    expect(list).toEqual([]);
    world.advance(1000);
    expect(world.socket.server).toBe("b:2");
    world.refuse();
    await turn();
    expect(list).toEqual(["0 ConnectionLoss", "1 ConnectionLoss"]);
    world.advance(1000);
    world.serve();
    expect(world.sent()).toEqual([]);
  });

  test("a server that accepts but says nothing is given T divided by the servers", () => {
    const world = new ScriptedWorld("a:1,b:2,c:3", { timeoutMs: 30_000 });
    world.accept();
    world.advance(9_999);
    expect(world.socket.server).toBe("a:1");
    world.advance(1_001);
    expect(world.sockets.map(({ state }) => state)).toEqual(["destroyed", "connecting"]);
    expect(world.socket.server).toBe("b:2");
  });

  test("attempts are spaced by a random delay that grows to a bound", () => {
    const world = new ScriptedWorld("a:1", { backoff: { firstMs: 100, longestMs: 400 } });
    const delays: number[] = [];
    for (let i = 0; i < 5; i++) {
      world.refuse();
      const before = world.sockets.length;
      let waited = 0;
      while (world.sockets.length === before) {
        world.advance(1);
        waited++;
      }
      delays.push(waited);
    }
    expect(delays).toEqual([100, 200, 200, 200, 200]); // half (random is 0.5) of 200, 400, 400 …
  });
});

describe("a connection is lost", () => {
  test("outstanding requests fail in order, sent or not, and the next server takes the session up", async () => {
    const world = connected();
    const list = outcomes(world.zk.create("/a"), world.zk.create("/b"));
    const [first] = world.sent();
    const unsent = outcomes(world.zk.create("/c"));
    world.reply(first, { zxid: 0x500, body: (writer) => writer.ustring("/a") });
    world.disconnect("ECONNRESET");
    await turn();
    expect(list).toEqual(["0 /a", "1 ConnectionLoss"]);
    expect(unsent).toEqual(["0 ConnectionLoss"]);
    expect(world.zk.state).toBe("disconnected");
    world.advance(1000);
    expect(world.socket.server).toBe("b:2");
    expect(world.serve()).toMatchObject({ sessionId: SESSION, passwd: PASSWORD, lastZxidSeen: 0x500 });
    expect(world.states).toEqual(["SyncConnected", "Disconnected", "SyncConnected"]);
    expect(world.zk.generation).toBe(2);
    expect(world.sent()).toEqual([]);
  });

  test("a reply out of order ends the connection; nobody gets an answer meant for another", async () => {
    const world = connected();
    const list = outcomes(world.zk.exists("/a"), world.zk.exists("/b"));
    const [, second] = world.sent();
    world.reply(second, { body: (writer) => Stat.write(writer, STAT) });
    await turn();
    expect(list).toEqual(["0 ConnectionLoss", "1 ConnectionLoss"]);
    expect(world.socket.state).toBe("destroyed");
    expect(world.reports.at(-1)).toMatchObject({ level: "error", data: { server: "a:1" } });
  });

  const rubbish: readonly (readonly [string, (xid: number) => Buffer])[] = [
    ["a negative frame length", () => Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2])],
    ["a huge frame length", () => Buffer.from("HTTP/1.1 400 Bad Request\r\n")],
    ["a frame too short for its header", () => Buffer.from([0, 0, 0, 2, 1, 2])],
    ["an empty frame", () => Buffer.from([0, 0, 0, 0])],
    ["a reply to nothing", () => replyFrame(4711)],
    ["a body cut short", (xid) => replyFrame(xid, { body: (writer) => writer.int(1000) })],
    ["a Stat cut short", (xid) => replyFrame(xid, { body: (writer) => writer.buffer(Buffer.from("data")) })],
    ["a watch event of no known type", () => eventFrame(99, "/x")],
    ["an answer to credentials never sent", () => replyFrame(Xid.auth)],
  ];
  test.each(rubbish)("%s ends the connection, never the process", async (_name, bytes) => {
    const world = connected();
    const list = outcomes(world.zk.getData("/a"), world.zk.getData("/b"));
    world.receive(bytes(world.sent()[0]!.xid));
    await turn();
    expect(list).toEqual(["0 ConnectionLoss", "1 ConnectionLoss"]);
    expect(world.zk.state).toBe("disconnected");
    world.advance(1000);
    world.serve();
    expect(world.zk.state).toBe("connected");
  });

  test("rubbish instead of a handshake is a failed attempt", () => {
    const world = new ScriptedWorld("a:1,b:2");
    world.accept();
    world.receive(frame((writer) => writer.int(1)));
    expect(world.zk.state).toBe("disconnected");
    world.advance(1000);
    world.serve();
    expect(world.zk.server).toBe("b:2");
  });

  test("an error reply instead of a handshake does not end the session: only a ConnectResponse can", () => {
    const world = connected("a:1,b:2");
    world.moveOn();
    world.accept();
    world.connectRequest();
    // What a read-only server of 3.8 answers when it may not open a session.
    world.receive(replyFrame(0, { zxid: 0, err: ErrorCode.NOTREADONLY }));
    expect(world.zk.state).toBe("disconnected");
    world.advance(1000);
    expect(world.serve().sessionId).toBe(SESSION);
  });

  test("what a dropped socket still brings is ignored", () => {
    const world = connected();
    const old = world.socket.id;
    world.moveOn();
    world.serve();
    world.core.socketData(old, replyFrame(1));
    world.core.socketClosed(old);
    expect(world.zk.state).toBe("connected");
    expect(world.reports.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("keeping the session alive", () => {
  test("a ping every third of T, also while only watch events come in", () => {
    const world = connected("a:1", { timeoutMs: 30_000 });
    for (let i = 0; i < 30; i++) {
      world.advance(1000);
      world.event(EventType.dataChanged, "/x");
    }
    expect(world.frames().map(({ xid, op }) => [xid, op])).toEqual([
      [Xid.ping, OpCode.ping],
      [Xid.ping, OpCode.ping],
      [Xid.ping, OpCode.ping],
    ]);
    expect(world.zk.state).toBe("connected");
  });

  test("two thirds of T after the last answer the client moves to another server", () => {
    const world = connected("a:1,b:2", { timeoutMs: 30_000 });
    world.advance(7_000);
    world.event(EventType.dataChanged, "/x");
    world.advance(19_999);
    expect(world.zk.state).toBe("connected");
    world.advance(1);
    expect(world.zk.state).toBe("disconnected");
    expect(world.socket.state).toBe("destroyed");
    world.advance(1000);
    expect(world.socket.server).toBe("b:2");
    expect(world.serve().sessionId).toBe(SESSION);
  });

  test("an answer to a ping is an answer", () => {
    const world = connected("a:1,b:2", { timeoutMs: 30_000 });
    for (let i = 0; i < 100; i++) {
      world.advance(10_000);
      for (const ping of world.frames()) world.reply(ping, { zxid: 1 });
    }
    expect(world.zk.state).toBe("connected");
    expect(world.sockets).toHaveLength(1);
  });
});

describe("the end of a session", () => {
  test("cut off for however long, the session is not expired until a server says so (S9)", async () => {
    const world = connected("a:1,b:2");
    const seen: WatchedEvent[] = [];
    void world.zk.getData("/x", (event) => seen.push(event));
    world.reply(world.sent()[0], { body: data("x") });
    world.disconnect();
    for (let i = 0; i < 200; i++) {
      world.advance(10_000);
      if (world.socket.state === "connecting") world.refuse();
    }
    expect(world.states).toEqual(["SyncConnected", "Disconnected"]);
    while (world.socket.state !== "connecting") world.advance(100);
    const waiting = outcomes(world.zk.exists("/y"));
    world.accept();
    world.connectRequest();
    world.expire();
    await turn();
    expect(world.states).toEqual(["SyncConnected", "Disconnected", "Expired"]);
    expect(waiting).toEqual(["0 SessionExpired"]);
    expect(seen).toEqual([{ type: "None", state: "Expired", path: null }]);
    await expect(world.zk.exists("/z")).rejects.toBeInstanceOf(SessionExpired);
    await expect(world.zk.connected()).rejects.toBeInstanceOf(SessionExpired);
    expect(world.armedTimers).toBe(0);
  });

  test("close answers what was asked before, then ends the session, then refuses", async () => {
    const world = connected();
    const list = outcomes(world.zk.create("/a"), world.zk.close());
    await expect(world.zk.create("/b")).rejects.toBeInstanceOf(ClientClosed);
    const requests = world.sent();
    expect(requests.map(({ op }) => op)).toEqual([OpCode.create, OpCode.closeSession]);
    world.reply(requests[0], { body: (writer) => writer.ustring("/a") });
    world.reply(requests[1]);
    await turn();
    expect(list).toEqual(["0 /a", "1 ok"]);
    expect(world.socket.state).toBe("destroyed");
    expect(world.armedTimers).toBe(0);
    expect(world.states.at(-1)).toBe("Closed");
    await world.zk.close();
  });

  test("close without a connection ends at once", async () => {
    const world = new ScriptedWorld("a:1");
    const list = outcomes(world.zk.create("/a"), world.zk.close());
    await turn();
    expect(list).toEqual(["0 ClientClosed", "1 ok"]);
    expect(world.socket.state).toBe("destroyed");
    expect(world.armedTimers).toBe(0);
  });

  test("close does not wait for a silent server longer than a third of T", async () => {
    const world = connected("a:1", { timeoutMs: 30_000 });
    const list = outcomes(world.zk.create("/a"), world.zk.close());
    world.endTurn();
    world.advance(10_000);
    await turn();
    expect(list).toEqual(["0 ConnectionLoss", "1 ok"]);
    expect(world.zk.state).toBe("closed");
  });

  test("an existing session can be taken up by its id and password", () => {
    const session = { id: 77n as SessionId, password: PASSWORD };
    const world = new ScriptedWorld("a:1", { session });
    expect(world.serve({ sessionId: 77n as SessionId })).toMatchObject({ sessionId: 77n, passwd: PASSWORD });
  });
});

describe("credentials", () => {
  test("are sent before everything else on each connection", async () => {
    const world = new ScriptedWorld("a:1,b:2");
    const added = world.zk.addAuth("digest", "user:secret");
    void world.zk.exists("/x").catch(() => {});
    world.serve();
    let requests = world.sent();
    expect(requests.map(({ xid, op }) => [xid, op])).toEqual([
      [Xid.auth, OpCode.auth],
      [1, OpCode.exists],
    ]);
    world.reply(requests[0], { zxid: 0 });
    await added;
    world.moveOn();
    world.serve();
    requests = world.sent();
    expect(requests.map(({ op }) => op)).toEqual([OpCode.auth]);
    expect([requests[0]!.record.int(), requests[0]!.record.ustring()]).toEqual([0, "digest"]);
  });

  test("once refused, the client is of no more use and says why", async () => {
    const world = connected();
    const list = outcomes(world.zk.addAuth("nonsense", "x"), world.zk.create("/a"));
    world.reply(world.sent()[0], { zxid: 0, err: ErrorCode.AUTHFAILED });
    await turn();
    expect(list).toEqual(["0 AuthFailed", "1 AuthFailed"]);
    expect(world.states.at(-1)).toBe("AuthFailed");
    await expect(world.zk.exists("/x")).rejects.toBeInstanceOf(AuthFailed);
    await expect(world.zk.addAuth("digest", "a:b")).rejects.toBeInstanceOf(AuthFailed);
    await world.zk.close();
    expect(world.zk.state).toBe("closed");
  });
});

describe("read-only", () => {
  test("a server without a quorum lends a session id that the next server must not see", () => {
    const world = new ScriptedWorld("a:1,b:2", { readOnly: true });
    expect(world.serve({ readOnly: true, sessionId: 5n as SessionId })).toMatchObject({ readOnly: true });
    expect(world.zk.state).toBe("readOnly");
    expect(world.states).toEqual(["ConnectedReadOnly"]);
    world.moveOn();
    expect(world.serve()).toMatchObject({ sessionId: 0n });
  });

  test("the client looks for a server that takes writes, and moves there", async () => {
    const world = new ScriptedWorld("a:1,b:2,c:3", { readOnly: true, timeoutMs: 30_000 });
    world.serve({ readOnly: true });
    const main = world.socket;
    const ask = (answer: string): void => {
      world.advance(10_000);
      for (const xid of frames(main)) if (xid === Xid.ping) world.core.socketData(main.id, replyFrame(xid));
      world.accept();
      world.receive(Buffer.from(answer));
    };
    ask("ro");
    expect(world.zk.state).toBe("readOnly");
    expect(world.socket.server).toBe("b:2");
    const list = outcomes(world.zk.exists("/x"));
    ask("rw");
    expect(world.zk.state).toBe("connecting");
    expect(world.socket.server).toBe("c:3");
    world.serve();
    await turn();
    expect(list).toEqual(["0 ConnectionLoss"]);
    expect(world.states).toEqual(["ConnectedReadOnly", "Disconnected", "SyncConnected"]);
  });

  function frames({ received }: ScriptedWorld["socket"]): number[] {
    const xids: number[] = [];
    while (received.next()) xids.push(received.bytes.readInt32BE(received.start));
    return xids;
  }
});

test("a lost operation is a ConnectionLoss that applications can tell apart", async () => {
  const world = connected();
  const write = world.zk.create("/a");
  world.disconnect();
  await expect(write).rejects.toBeInstanceOf(ConnectionLoss);
});
