import { expect, test } from "vitest";
import { closeSession, create, getData, ping } from "../../model-tests/support/raw-requests.ts";
import { frame, StandaloneServer } from "../../model-tests/support/standalone-server.ts";
import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { sessionPassword } from "../protocol/session-password.ts";

const ZEROS = Buffer.alloc(16);

test("a new session: negotiated timeout, an id with this server's number, a password derived from it", () => {
  const server = new StandaloneServer();
  const response = server.accept().connect({ timeOut: 10_000, passwd: Buffer.alloc(0) });
  expect(response).toMatchObject({ protocolVersion: 0, timeOut: 10_000, readOnly: false });
  expect(response?.sessionId && response.sessionId >> 56n).toBe(1n);
  expect(response?.passwd).toEqual(sessionPassword(response?.sessionId as SessionId));
  expect(server.zxid).toBe(1);
  expect(server.database.sessions.get(response?.sessionId as SessionId)).toBe(10_000);
});

test.each([
  [1, 4000],
  [0, 4000],
  [-5, 4000],
  [4001, 4001],
  [100_000_000, 40_000],
])("a timeout of %i ms becomes %i", (asked, given) => {
  expect(new StandaloneServer().accept().connect({ timeOut: asked })?.timeOut).toBe(given);
});

test("clients from before 3.4 send no readOnly byte and get none: 36 bytes instead of 37", () => {
  const server = new StandaloneServer();
  const old = server.accept();
  old.connect({ readOnly: null });
  old.send(frame((w) => w.raw(Buffer.alloc(0))));
  const bytes = (readOnly: boolean | null): number | undefined => {
    const client = server.accept();
    client.send(
      frame((w) => {
        w.int(0);
        w.long(0);
        w.int(10_000);
        w.long(0);
        w.buffer(ZEROS);
        if (readOnly !== null) w.bool(readOnly);
      }),
    );
    return client.frames()[0]?.length;
  };
  expect(bytes(null)).toBe(36);
  expect(bytes(true)).toBe(37);
});

test("a client that has seen a later zxid than this server is dropped without an answer", () => {
  const server = new StandaloneServer();
  server.connect();
  const future = server.accept();
  expect(future.connect({ lastZxidSeen: (server.zxid + 1) as Zxid })).toBeNull();
  expect(future.closed).toBe(true);
  const present = server.accept();
  expect(present.connect({ lastZxidSeen: server.zxid })?.timeOut).toBe(10_000);
});

test("a zxid that no number holds is from the future as well", () => {
  const server = new StandaloneServer();
  const client = server.accept();
  client.send(
    frame((w) => {
      w.int(0);
      w.int64(0x7fffffffffffffffn);
      w.int(10_000);
      w.int64(0n);
      w.buffer(ZEROS);
    }),
  );
  expect(client.frames()).toEqual([]);
  expect(client.closed).toBe(true);
});

test("a client comes back: same session, same password, a renegotiated timeout, no txn", () => {
  const server = new StandaloneServer();
  const first = server.connect(10_000);
  first.one(...create("/e", { flags: 1 }));
  const { zxid } = server;
  first.hangUp();
  const again = server.accept().connect({ sessionId: first.sessionId, timeOut: 20_000 });
  expect(again).toMatchObject({
    sessionId: first.sessionId,
    timeOut: 20_000,
    passwd: sessionPassword(first.sessionId),
  });
  expect(server.zxid).toBe(zxid);
  expect(server.database.tree.get("/e")).toBeDefined();
});

test("a session has one connection: the other one is closed when it reattaches", () => {
  const server = new StandaloneServer();
  const first = server.connect();
  const second = server.accept();
  second.connect({ sessionId: first.sessionId });
  expect(first.closed).toBe(true);
  expect(second.one(...ping).err).toBe(ErrorCode.OK);
});

test("a wrong password is refused, and the session's real owner notices nothing", () => {
  const server = new StandaloneServer();
  const owner = server.connect();
  const thief = server.accept();
  const refused = { timeOut: 0, sessionId: 0n, passwd: ZEROS, readOnly: false };
  expect(thief.connect({ sessionId: owner.sessionId, passwd: Buffer.alloc(16, 7) })).toMatchObject(refused);
  expect(thief.closed).toBe(true);
  expect(owner.closed).toBe(false);
  expect(owner.one(...ping).err).toBe(ErrorCode.OK);
});

test("a null or empty password is a wrong one", () => {
  const server = new StandaloneServer();
  const owner = server.connect();
  expect(server.accept().connect({ sessionId: owner.sessionId, passwd: null })?.timeOut).toBe(0);
  expect(server.accept().connect({ sessionId: owner.sessionId, passwd: Buffer.alloc(0) })?.timeOut).toBe(0);
});

test.each(["unknown", "closed", "expired"])("a session that is %s is refused", (kind) => {
  const server = new StandaloneServer();
  const client = server.connect(4000);
  let { sessionId } = client;
  if (kind === "unknown") sessionId = (sessionId + 77n) as SessionId;
  if (kind === "closed") client.one(...closeSession);
  if (kind === "expired") server.pass(100_000);
  const again = server.accept();
  expect(again.connect({ sessionId })).toMatchObject({ timeOut: 0, sessionId: 0n, passwd: ZEROS });
  expect(again.closed).toBe(true);
});

test("an expired session's connection is closed, its ephemerals are gone", () => {
  const server = new StandaloneServer();
  const client = server.connect(4000);
  const other = server.connect(40_000);
  client.one(...create("/e", { flags: 1 }));
  server.pass(3000);
  other.one(...ping);
  server.pass(7000);
  expect(client.closed).toBe(true);
  expect(other.closed).toBe(false);
  expect(other.one(...getData("/e")).err).toBe(ErrorCode.NONODE);
});

test("requests sent together with the ConnectRequest wait for the session and are answered after it", () => {
  const server = new StandaloneServer();
  server.immediate = false;
  const client = server.accept();
  client.send(
    Buffer.concat([
      frame((w) => {
        w.int(0);
        w.long(0);
        w.int(10_000);
        w.long(0);
        w.buffer(ZEROS);
        w.bool(false);
      }),
      Buffer.from([0, 0, 0, 8, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]),
    ]),
  );
  expect(client.received).toEqual([]);
  expect(client.paused).toBe(true);
  server.commit();
  server.endTurn();
  expect(client.paused).toBe(false);
  expect(client.frames().map((bytes) => bytes.length)).toEqual([37, 16]);
});

test("a session that is closed while it is being confirmed is refused", () => {
  const server = new StandaloneServer();
  const first = server.connect(4000);
  first.hangUp();
  server.revalidates = false;
  const again = server.accept();
  expect(again.connect({ sessionId: first.sessionId })).toBeNull();
  server.pass(100_000);
  expect(again.frames()).toHaveLength(1);
  expect(again.closed).toBe(true);
  server.service.revalidated(first.sessionId, true, 4000);
  server.endTurn();
  expect(again.received).toEqual([]);
});

test("a session whose client hung up before it was created expires like any other", () => {
  const server = new StandaloneServer();
  server.immediate = false;
  const client = server.accept();
  client.connect();
  client.hangUp();
  server.commit();
  expect(server.database.sessions.size).toBe(1);
  server.immediate = true;
  server.pass(100_000);
  expect(server.database.sessions.size).toBe(0);
});

test("nobody is answered while the server does not serve, except four-letter words", () => {
  const server = new StandaloneServer();
  const client = server.connect();
  const effects: Parameters<typeof server.service.close>[0] = [];
  server.service.close(effects);
  server.perform(effects);
  expect(client.closed).toBe(true);
  const late = server.accept();
  expect(late.connect()).toBeNull();
  expect(late.closed).toBe(true);
  const operator = server.accept().send(Buffer.from("ruok"));
  expect(Buffer.concat(operator.received).toString()).toBe("imok");
  expect(operator.closed).toBe(true);
  server.service.open(server);
  expect(server.accept().connect({ sessionId: client.sessionId })?.sessionId).toBe(client.sessionId);
});

test("a four-letter word may come byte by byte", () => {
  const operator = new StandaloneServer().accept();
  for (const letter of "ruok") operator.send(Buffer.from(letter));
  expect(Buffer.concat(operator.received).toString()).toBe("imok");
  expect(operator.closed).toBe(true);
});

test.each([
  ["a word nobody knows", Buffer.from("wxyz")],
  ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["telnet's interrupt", Buffer.from([0xff, 0xf4, 0xff, 0xfd])],
  ["a negative frame length", Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3])],
  ["a frame length above jute.maxbuffer", Buffer.from([0x00, 0x10, 0x00, 0x00])],
  ["an empty first frame", Buffer.from([0, 0, 0, 0])],
  ["a first frame that is cut short", Buffer.from([0, 0, 0, 4, 0, 0, 0, 0])],
])("first bytes that mean nothing close the connection, and only that: %s", (_what, bytes) => {
  const server = new StandaloneServer();
  const other = server.connect();
  const client = server.accept().send(bytes);
  expect(client.received).toEqual([]);
  expect(client.closed).toBe(true);
  expect(server.reports).toMatchObject([{ data: { remote: { host: "127.0.0.1" } } }]);
  expect(other.one(...ping).err).toBe(ErrorCode.OK);
});

test("more connections from one address than maxClientCnxns are closed at once", () => {
  const server = new StandaloneServer({ maxClientCnxns: 2 });
  const clients = [server.accept("10.0.0.1"), server.accept("10.0.0.1"), server.accept("10.0.0.1")];
  expect(clients.map(({ closed }) => closed)).toEqual([false, false, true]);
  expect(server.accept("10.0.0.2").closed).toBe(false);
  clients[0]?.hangUp();
  expect(server.accept("10.0.0.1").closed).toBe(false);
  expect(server.accept("10.0.0.1").closed).toBe(true);
  expect(server.counters.connectionsRejected).toBe(2);
});
