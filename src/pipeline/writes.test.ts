import { expect, test } from "vitest";
import * as op from "../../model-tests/support/raw-requests.ts";
import { type RawClient, StandaloneServer } from "../../model-tests/support/standalone-server.ts";
import { CONTRADICTIONS, onlyPerms, READ_ONLY, STAGE, WRITE_ERRORS } from "../../model-tests/support/write-errors.ts";
import { ErrorCode, errorName } from "../protocol/error-codes.ts";
import { JuteReader } from "../protocol/jute-reader.ts";
import { OpCode, Perms } from "../protocol/opcodes.ts";
import { Create2Response, CreateResponse, GetACLResponse, Stat } from "../protocol/records.ts";

/** A server with the nodes that the error tables speak of. */
function stage(): { server: StandaloneServer; client: RawClient } {
  const server = new StandaloneServer();
  const client = server.connect();
  for (const request of STAGE) expect(client.one(...request).err).toBe(ErrorCode.OK);
  return { server, client };
}

test.each([...WRITE_ERRORS, ...CONTRADICTIONS])("%s → %s", (_what, request, err) => {
  const { server, client } = stage();
  const { zxid } = server;
  const reply = client.one(...request);
  expect(errorName(reply.err)).toBe(err);
  // A failed write is a txn like any other, and its reply says so.
  expect(server.zxid).toBe(zxid + 1);
  expect(reply.zxid).toBe(zxid + 1);
  expect(reply.body).toHaveLength(0);
  expect(client.closed).toBe(false);
});

test("paths with surrogates, as Java writes them, are refused", () => {
  const { client } = stage();
  const cesu = Buffer.from([0x2f, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]);
  const create = client.one(OpCode.create, (w) => {
    w.buffer(cesu);
    w.buffer(null);
    w.vectorCount(1);
    w.int(31);
    w.ustring("world");
    w.ustring("anyone");
    w.int(0);
  });
  expect(create.err).toBe(ErrorCode.BADARGUMENTS);
  expect(client.one(...op.create("/\u{1f600}")).err).toBe(ErrorCode.BADARGUMENTS);
});

test("create answers with the path, create2 and createContainer with path and Stat", () => {
  const { server, client } = stage();
  expect(CreateResponse.read(new JuteReader(client.one(...op.create("/x", { data: null })).body))).toEqual({
    path: "/x",
  });
  const reply = client.one(...op.create("/y", { type: OpCode.create2, data: "abc" }));
  const { zxid } = server;
  expect(Create2Response.read(new JuteReader(reply.body))).toEqual({
    path: "/y",
    stat: {
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: server.time.ms,
      mtime: server.time.ms,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: 0n,
      dataLength: 3,
      numChildren: 0,
    },
  });
  const container = client.one(...op.create("/c", { type: OpCode.createContainer, flags: 4 }));
  expect(Create2Response.read(new JuteReader(container.body)).stat.ephemeralOwner).toBe(0n);
  const ephemeral = client.one(...op.create("/e", { type: OpCode.create2, flags: 1 }));
  expect(Create2Response.read(new JuteReader(ephemeral.body)).stat.ephemeralOwner).toBe(client.sessionId);
});

test("setData and setACL answer with the Stat they leave; delete and closeSession with nothing", () => {
  const { client } = stage();
  const stat = (request: op.RawRequest) => Stat.read(new JuteReader(client.one(...request).body));
  expect(stat(op.setData("/a", "longer", 0))).toMatchObject({ version: 1, dataLength: 6, aversion: 0, numChildren: 1 });
  expect(stat(op.setData("/a", null, 1))).toMatchObject({ version: 2, dataLength: 0 });
  expect(stat(op.setAcl("/a", READ_ONLY, 0))).toMatchObject({ version: 2, aversion: 1 });
  expect(client.one(...op.remove("/a/b", 0)).body).toHaveLength(0);
  const last = client.one(...op.closeSession);
  expect(last).toMatchObject({ err: ErrorCode.OK, body: Buffer.alloc(0) });
  expect(client.closed).toBe(true);
});

test("sequence numbers come from the parent's counter of creates, also between txns that are not applied yet", () => {
  const { server, client } = stage();
  server.immediate = false;
  const path = (flags: number) => client.send(Buffer.alloc(0)).ask(...op.create("/s/n-", { flags }));
  client.ask(...op.create("/s"));
  path(2);
  client.ask(...op.create("/s/other"));
  path(2);
  path(3);
  client.ask(...op.remove("/s/other"));
  path(2);
  server.commit();
  server.endTurn();
  const replies = client.replies();
  expect(replies.map(({ err }) => err)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect([1, 3, 4, 6].map((at) => new JuteReader(replies[at]!.body).ustring())).toEqual([
    "/s/n-0000000000",
    "/s/n-0000000002",
    "/s/n-0000000003",
    "/s/n-0000000004",
  ]);
});

test("a sequential node may be nothing but its number", () => {
  const { client } = stage();
  expect(new JuteReader(client.one(...op.create("/a/", { flags: 2 })).body).ustring()).toBe("/a/0000000001");
});

test("checks see what is prepared and not yet applied", () => {
  const { server, client } = stage();
  server.immediate = false;
  const requests: readonly (readonly [op.RawRequest, number])[] = [
    [op.create("/p"), ErrorCode.OK],
    [op.create("/p"), ErrorCode.NODEEXISTS],
    [op.create("/p/c"), ErrorCode.OK],
    [op.remove("/p"), ErrorCode.NOTEMPTY],
    [op.setData("/p", "x", 0), ErrorCode.OK],
    [op.setData("/p", "x", 0), ErrorCode.BADVERSION],
    [op.setAcl("/p", onlyPerms(Perms.READ | Perms.WRITE), 0), ErrorCode.OK],
    [op.create("/p/d"), ErrorCode.NOAUTH],
    [op.remove("/p/c"), ErrorCode.NOAUTH],
    [op.create("/q", { flags: 1 }), ErrorCode.OK],
    [op.create("/q/c"), ErrorCode.NOCHILDRENFOREPHEMERALS],
    [op.remove("/q"), ErrorCode.OK],
    [op.remove("/q"), ErrorCode.NONODE],
    [op.create("/q"), ErrorCode.OK],
  ];
  for (const [request] of requests) client.ask(...request);
  server.commit();
  server.endTurn();
  expect(client.replies().map(({ err }) => err)).toEqual(requests.map(([, err]) => err));
});

test("ids of the connection: digest users, auth expanded, super allowed everything", () => {
  const superDigest = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=";
  const server = new StandaloneServer({ superDigest });
  const [alice, bob, root] = [server.connect(), server.connect(), server.connect()];
  const ok = { zxid: 0, err: ErrorCode.OK, xid: -4 };
  expect(alice.one(...op.auth("digest", "alice:secret"), -4)).toMatchObject(ok);
  expect(bob.one(...op.auth("digest", "bob:secret"), -4)).toMatchObject(ok);
  expect(alice.one(...op.create("/hers", { acl: [{ perms: 31, scheme: "auth", id: "ignored" }] })).err).toBe(0);
  expect(bob.one(...op.setData("/hers", "")).err).toBe(ErrorCode.NOAUTH);
  expect(alice.one(...op.setData("/hers", "")).err).toBe(ErrorCode.OK);
  const { acl } = GetACLResponse.read(new JuteReader(alice.one(...op.getAcl("/hers")).body));
  expect(acl).toEqual([{ perms: 31, scheme: "digest", id: expect.stringMatching(/^alice:.{28}$/) }]);
  expect(root.one(...op.auth("digest", "super:test"), -4)).toMatchObject(ok);
  expect(root.one(...op.setData("/hers", "")).err).toBe(ErrorCode.OK);
});

test.each(["world", "nope", ""])("auth by scheme %j fails and closes the connection", (scheme) => {
  const client = new StandaloneServer().connect();
  expect(client.one(...op.auth(scheme, "x"), -4)).toMatchObject({ xid: -4, zxid: 0, err: ErrorCode.AUTHFAILED });
  expect(client.closed).toBe(true);
});

test("TTL and container nodes where extended types are on", () => {
  const server = new StandaloneServer({ extendedTypesEnabled: true });
  const client = server.connect();
  expect(client.one(...op.createTtl("/t", 5, 1000)).err).toBe(ErrorCode.OK);
  expect(client.one(...op.createTtl("/t-", 6, 1000)).err).toBe(ErrorCode.OK);
  expect(client.one(...op.create("/t/child")).err).toBe(ErrorCode.OK);
  expect(client.one(...op.createTtl("/u", 5, 0)).err).toBe(ErrorCode.BADARGUMENTS);
  expect(client.one(...op.createTtl("/u", 5, 2 ** 40)).err).toBe(ErrorCode.BADARGUMENTS);
  expect(client.one(...op.createTtl("/u", 0, 1000)).err).toBe(ErrorCode.BADARGUMENTS);
  expect(client.one(...op.create("/u", { flags: 5 })).err).toBe(ErrorCode.BADARGUMENTS);
});

test("hard quotas are enforced only when asked for", () => {
  for (const enforceQuota of [false, true]) {
    const client = new StandaloneServer({ enforceQuota }).connect();
    const setup = [
      op.create("/q"),
      op.create("/zookeeper/quota/q"),
      op.create("/zookeeper/quota/q/zookeeper_limits", {
        data: "count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3",
      }),
      op.create("/zookeeper/quota/q/zookeeper_stats", { data: "count=0,bytes=0" }),
      op.create("/q/one", { data: "12345" }),
    ];
    for (const request of setup) expect(client.one(...request).err).toBe(ErrorCode.OK);
    const exceeded = enforceQuota ? ErrorCode.QUOTAEXCEEDED : ErrorCode.OK;
    expect(client.one(...op.create("/q/big", { data: "123456" })).err).toBe(exceeded);
    expect(client.one(...op.setData("/q/one", "12345678901")).err).toBe(exceeded);
    expect(client.one(...op.setData("/q/one", "1234567890", enforceQuota ? 0 : 1)).err).toBe(ErrorCode.OK);
  }
});
