import fc from "fast-check";
import { expect, test } from "vitest";
import * as op from "../../model-tests/support/raw-requests.ts";
import { type RawClient, StandaloneServer } from "../../model-tests/support/standalone-server.ts";
import { onlyPerms } from "../../model-tests/support/write-errors.ts";
import type { ServerId, Zxid } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { JuteReader } from "../protocol/jute-reader.ts";
import { readMultiResponse } from "../protocol/multi.ts";
import { OpCode, Perms } from "../protocol/opcodes.ts";
import { decodeTxn, type Txn, type TxnBody } from "../protocol/txn.ts";

const bodyOf = (entry: Buffer | undefined): TxnBody => decodeTxn(entry ?? Buffer.alloc(0)).body;
const last = (server: StandaloneServer): Txn => decodeTxn(server.entries.at(-1) ?? Buffer.alloc(0));

function stage(): { server: StandaloneServer; client: RawClient } {
  const server = new StandaloneServer();
  const client = server.connect();
  client.one(...op.create("/m", { data: "0" }));
  return { server, client };
}

const results = (client: RawClient, ops: readonly op.RawRequest[]) => {
  const reply = client.one(...op.multi(ops));
  expect(reply.err).toBe(ErrorCode.OK);
  return readMultiResponse(new JuteReader(reply.body));
};

test("a txn names its request, the time, and what will be: versions and counters as results", () => {
  const { server, client } = stage();
  server.time.ms += 1000;
  client.one(...op.setData("/m", "1", 0), 77);
  expect(last(server)).toMatchObject({
    sessionId: client.sessionId,
    cxid: 77,
    zxid: server.zxid,
    time: server.time.ms,
    type: OpCode.setData,
    body: { path: "/m", version: 1 },
    digest: { version: 2 },
  });
  client.one(...op.create("/m/x", { flags: 1 }));
  expect(last(server).body).toMatchObject({ path: "/m/x", ephemeral: true, parentCVersion: 1 });
  client.one(...op.setAcl("/m", onlyPerms(Perms.ALL), 0));
  expect(last(server).body).toMatchObject({ path: "/m", version: 1 });
});

test("an error txn has no digest", () => {
  const { server, client } = stage();
  client.one(...op.remove("/none"));
  expect(last(server)).toMatchObject({ body: { type: OpCode.error, err: ErrorCode.NONODE }, digest: null });
});

test("a server may be told not to write digests", () => {
  const server = new StandaloneServer({ digestEnabled: false });
  server.connect().one(...op.create("/x"));
  expect(last(server).digest).toBeNull();
});

test("a multi: later ops see earlier ones, all share one zxid, each Stat is that op's own", () => {
  const { server, client } = stage();
  const { zxid } = server;
  const made = results(client, [
    op.create("/m/t", { type: OpCode.create2, data: "12" }),
    op.setData("/m/t", "123", 0),
    op.create("/m/t/u"),
    op.check("/m/t", 1),
    op.remove("/m/t/u", 0),
    op.create("/m/s-", { flags: 2 }),
  ]);
  expect(server.zxid).toBe(zxid + 1);
  expect(made).toMatchObject([
    { type: OpCode.create2, path: "/m/t", stat: { version: 0, dataLength: 2, numChildren: 0 } },
    { type: OpCode.setData, stat: { version: 1, dataLength: 3, mzxid: zxid + 1 } },
    { type: OpCode.create, path: "/m/t/u" },
    { type: OpCode.check },
    { type: OpCode.delete },
    { type: OpCode.create, path: "/m/s-0000000001" },
  ]);
});

test("container and TTL creates come back from a multi as create2", () => {
  const client = new StandaloneServer({ extendedTypesEnabled: true }).connect();
  const ops = [op.create("/c", { type: OpCode.createContainer, flags: 4 }), op.createTtl("/t", 5, 1000)];
  expect(results(client, ops)).toMatchObject([{ type: OpCode.create2 }, { type: OpCode.create2 }]);
});

test("an empty multi succeeds and is a txn", () => {
  const { server, client } = stage();
  const { zxid } = server;
  expect(results(client, [])).toEqual([]);
  expect(server.zxid).toBe(zxid + 1);
});

test("one failing op fails all: 0 before it, its code, -2 after it, and nothing has changed", () => {
  const { server, client } = stage();
  const before = server.database.digest;
  const ops = [op.create("/m/a"), op.setData("/m", "x", 0), op.remove("/none"), op.create("/m/b"), op.create("/m/c")];
  expect(results(client, ops)).toEqual(
    [ErrorCode.OK, ErrorCode.OK, ErrorCode.NONODE, -2, -2].map((err) => ({ type: OpCode.error, err })),
  );
  expect(server.database.digest).toEqual(before);
  expect(last(server).body).toMatchObject({ type: OpCode.multi, txns: [0, 0, -101, -2, -2].map((err) => ({ err })) });
});

test("a multi that failed leaves no trace in what is prepared after it, the parent's counter included", () => {
  const { server, client } = stage();
  client.one(...op.create("/m/0"));
  server.immediate = false;
  client.ask(...op.setData("/m", "pending", 0));
  client.ask(...op.multi([op.create("/m/a"), op.remove("/m/0"), op.setData("/m", "lost", 1), op.check("/m", 9)]));
  client.ask(...op.create("/m/s-", { flags: 2 }));
  client.ask(...op.setData("/m", "kept", 1));
  client.ask(...op.remove("/m/a"));
  client.ask(...op.remove("/m/0", 0));
  const errors = server.entries.slice(-5).map((entry) => bodyOf(entry));
  expect(errors).toMatchObject([
    { type: OpCode.multi },
    { path: "/m/s-0000000001" },
    { version: 2 },
    { err: ErrorCode.NONODE },
    { path: "/m/0" },
  ]);
  server.commit();
});

test("a body that cannot be decoded is a txn too, and not even a change record remains of it", () => {
  const { server, client } = stage();
  expect(client.one(...op.cut(op.multi([op.create("/m/a"), op.create("/m/b")]), 4)).err).toBe(
    ErrorCode.MARSHALLINGERROR,
  );
  expect(last(server).body).toEqual({ type: OpCode.error, err: ErrorCode.MARSHALLINGERROR });
  expect(client.one(...op.create("/m/a")).err).toBe(ErrorCode.OK);
});

test("closeSession lists what the session owns, created and not yet applied included, deleted ones not", () => {
  const { server, client } = stage();
  client.one(...op.create("/m/old", { flags: 1 }));
  client.one(...op.create("/m/gone", { flags: 1 }));
  server.immediate = false;
  client.ask(...op.create("/m/new", { flags: 1 }));
  client.ask(...op.remove("/m/gone"));
  client.ask(...op.closeSession);
  const body = bodyOf(server.entries.at(-1));
  expect(body.type === OpCode.closeSession && [...(body.paths ?? [])].sort()).toEqual(["/m/new", "/m/old"]);
  server.commit();
  expect(server.database.ephemeralsOf(client.sessionId)).toEqual([]);
  expect(server.database.tree.get("/m/new")).toBeUndefined();
});

test("what comes behind a closeSession of its session is refused, so that nothing outlives the session (ZOOKEEPER-1208)", () => {
  const { server, client } = stage();
  server.immediate = false;
  const from = { sessionId: client.sessionId, authInfo: [], owner: server.serverId };
  server.submit({ ...from, cxid: 8, op: OpCode.closeSession, body: Buffer.alloc(0) });
  server.submit({ ...from, cxid: 9, op: OpCode.create, body: recordOf(op.create("/late", { flags: 1 })) });
  expect(bodyOf(server.entries.at(-1))).toEqual({ type: OpCode.error, err: ErrorCode.SESSIONEXPIRED });
  server.commit();
  expect(server.database.tree.get("/late")).toBeUndefined();
});

test("the parent of an ephemeral may be deleted right behind the closeSession that empties it", () => {
  const { server, client } = stage();
  const other = server.connect();
  client.one(...op.create("/m/e", { flags: 1 }));
  server.immediate = false;
  client.ask(...op.closeSession);
  other.ask(...op.remove("/m"));
  server.commit();
  server.endTurn();
  expect(other.replies()).toMatchObject([{ err: ErrorCode.OK }]);
});

test("only the owner of a session may write for it; who closes it is not asked", () => {
  const { server, client } = stage();
  const from = { sessionId: client.sessionId, cxid: 5, authInfo: [], owner: 9 as ServerId };
  server.submit({ ...from, op: OpCode.create, body: recordOf(op.create("/x")) });
  expect(bodyOf(server.entries.at(-1))).toEqual({ type: OpCode.error, err: ErrorCode.SESSIONMOVED });
  server.submit({ ...from, cxid: 0, op: OpCode.closeSession, body: Buffer.alloc(0) });
  expect(bodyOf(server.entries.at(-1)).type).toBe(OpCode.closeSession);
});

test("the leader removes containers and TTL nodes that are empty, and no others", () => {
  const server = new StandaloneServer({ extendedTypesEnabled: true });
  const client = server.connect();
  for (const request of [
    op.create("/c", { type: OpCode.createContainer, flags: 4 }),
    op.create("/full", { type: OpCode.createContainer, flags: 4 }),
    op.create("/full/x"),
    op.createTtl("/t", 5, 1000),
    op.create("/plain"),
  ]) {
    client.one(...request);
  }
  const verdicts = ["/c", "/full", "/t", "/plain", "/none", "/", "x"].map((path) => {
    const body = recordOf(op.plain(OpCode.deleteContainer, path));
    server.submit({
      sessionId: 0n as never,
      cxid: 0,
      op: OpCode.deleteContainer,
      body,
      authInfo: [],
      owner: server.serverId,
    });
    const txn = bodyOf(server.entries.at(-1));
    return txn.type === OpCode.error ? txn.err : txn.type;
  });
  const { BADARGUMENTS, BADVERSION, NONODE, NOTEMPTY } = ErrorCode;
  const gone = OpCode.deleteContainer;
  expect(verdicts).toEqual([gone, NOTEMPTY, gone, BADVERSION, NONODE, BADARGUMENTS, BADARGUMENTS]);
});

test("a request that only another server's bug could send is an error txn, not the end", () => {
  const { server, client } = stage();
  for (const type of [OpCode.check, OpCode.getData, 55]) {
    server.submit({
      sessionId: client.sessionId,
      cxid: 5,
      op: type,
      body: Buffer.alloc(3),
      authInfo: [],
      owner: server.serverId,
    });
    expect(bodyOf(server.entries.at(-1))).toEqual({ type: OpCode.error, err: ErrorCode.UNIMPLEMENTED });
  }
});

test("after reset the tree alone counts", () => {
  const { server, client } = stage();
  server.immediate = false;
  client.ask(...op.create("/m/never"));
  server.prepare.reset();
  const from = { sessionId: client.sessionId, cxid: 9, authInfo: [], owner: server.serverId };
  const made = server.prepare.prepare(
    { ...from, op: OpCode.delete, body: recordOf(op.remove("/m/never")) },
    99 as Zxid,
    0,
  );
  expect(made.txn.body).toEqual({ type: OpCode.error, err: ErrorCode.NONODE });
});

// ---- when txns are applied must not matter

const name = fc.constantFrom("/a", "/b", "/a/x", "/a/y", "/a/x/z", "/b/x");
const version = fc.constantFrom(-1, -1, 0, 1, 2);
const flags = fc.constantFrom(0, 0, 0, 1, 1, 2, 3);
const change: fc.Arbitrary<op.RawRequest> = fc.oneof(
  fc
    .tuple(name, flags, fc.constantFrom("", "data"))
    .map(([path, mode, data]) => op.create(path, { flags: mode, data })),
  fc.tuple(name, version).map(([path, expected]) => op.remove(path, expected)),
  fc.tuple(name, version, fc.string()).map(([path, expected, data]) => op.setData(path, data, expected)),
  fc.tuple(name, version).map(([path, expected]) => op.check(path, expected)),
);
const topLevel = change.filter(([type]) => type !== OpCode.check);
const setAcl = fc
  .tuple(name, version, fc.constantFrom(31, 31, 31, 27, 15))
  .map(([path, expected, perms]) => op.setAcl(path, onlyPerms(perms), expected));
const step = fc.oneof(
  { weight: 6, arbitrary: topLevel.map((request) => ({ request })) },
  { weight: 1, arbitrary: setAcl.map((request) => ({ request })) },
  { weight: 3, arbitrary: fc.array(change, { maxLength: 5 }).map((ops) => ({ request: op.multi(ops) })) },
  { weight: 1, arbitrary: fc.constant({ request: op.closeSession }) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }).map((commits) => ({ commits })) },
);

test("txns come out the same, to the byte and with the digest of the tree they make, whenever they are applied", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [eager, lazy] = [new StandaloneServer(), new StandaloneServer()];
      const servers = [eager, lazy];
      const sessions = servers.map((server) => [server.connect().sessionId, server.connect().sessionId]);
      lazy.immediate = false;
      for (const [cxid, made] of steps.entries()) {
        if ("commits" in made) {
          lazy.commit(made.commits);
          continue;
        }
        const [type, write] = made.request;
        for (const [at, server] of servers.entries()) {
          const sessionId = sessions[at]?.[cxid % 2] ?? (0n as never);
          const body = recordOf([type, write]);
          server.submit({ sessionId, cxid, op: type, body, authInfo: [], owner: server.serverId });
        }
      }
      lazy.commit();
      // Commits assert that each txn's digest is the tree's.
      expect(lazy.entries.map(sorted)).toEqual(eager.entries.map(sorted));
      expect(lazy.database.digest).toEqual(eager.database.digest);
    }),
    { numRuns: 300 },
  );
});

/** The entry; with the paths of a closeSession in order, which is nobody's promise. */
function sorted(entry: Buffer): Buffer | Txn {
  const txn = decodeTxn(entry);
  if (txn.body.type !== OpCode.closeSession) return entry;
  return { ...txn, body: { ...txn.body, paths: [...(txn.body.paths ?? [])].sort() } };
}

function recordOf([, write]: op.RawRequest): Buffer {
  return op.bytesOf(write);
}
