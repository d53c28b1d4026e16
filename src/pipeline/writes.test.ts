import { expect, test } from "vitest";
import * as op from "../../model-tests/support/raw-requests.ts";
import { type RawClient, StandaloneServer } from "../../model-tests/support/standalone-server.ts";
import type { Acl } from "../../spec/vocabulary.ts";
import { ErrorCode, errorName } from "../protocol/error-codes.ts";
import { JuteReader } from "../protocol/jute-reader.ts";
import { OpCode, Perms } from "../protocol/opcodes.ts";
import { Create2Response, CreateResponse, GetACLResponse, Stat } from "../protocol/records.ts";

const READ_ONLY: readonly Acl[] = [{ perms: Perms.READ, scheme: "world", id: "anyone" }];
const only = (perms: number): readonly Acl[] => [{ perms, scheme: "world", id: "anyone" }];

/** A server with one node of each kind that the error tables speak of. */
function stage(): { server: StandaloneServer; client: RawClient } {
  const server = new StandaloneServer();
  const client = server.connect();
  const made = [
    op.create("/a", { data: "one" }),
    op.create("/a/b"),
    op.create("/eph", { flags: 1 }),
    op.create("/noCreate", { acl: only(Perms.ALL & ~Perms.CREATE) }),
    op.create("/noDelete", { acl: only(Perms.ALL & ~Perms.DELETE) }),
    op.create("/noDelete/x"),
    op.create("/readOnly", { acl: READ_ONLY }),
    op.create("/noRead", { acl: only(Perms.ALL & ~Perms.READ) }),
  ];
  for (const request of made) expect(client.one(...request).err).toBe(ErrorCode.OK);
  return { server, client };
}

type Case = readonly [what: string, request: op.RawRequest, err: keyof typeof ErrorCode];

const CASES: readonly Case[] = [
  // create
  ["create cut short", op.cut(op.create("/x"), 1), "MARSHALLINGERROR"],
  ["create with flags 7", op.create("/x", { flags: 7 }), "BADARGUMENTS"],
  ["create with flags -1", op.create("/x", { flags: -1 }), "BADARGUMENTS"],
  ["create with TTL flags", op.create("/x", { flags: 5 }), "UNIMPLEMENTED"],
  ["createTTL while TTLs are off", op.createTtl("/x", 5, 1000), "UNIMPLEMENTED"],
  ["createTTL with a mode that has no TTL", op.createTtl("/x", 0, -1), "BADARGUMENTS"],
  ["create with the container flag", op.create("/x", { flags: 4 }), "BADARGUMENTS"],
  ["create2 with the container flag", op.create("/x", { flags: 4, type: OpCode.create2 }), "BADARGUMENTS"],
  ["createContainer without it", op.create("/x", { type: OpCode.createContainer }), "BADARGUMENTS"],
  ["create without a slash", op.create("x"), "BADARGUMENTS"],
  ["create of nothing", op.create(""), "BADARGUMENTS"],
  ["create with NUL", op.create("/x\0y"), "BADARGUMENTS"],
  ["bad flags before a bad path", op.create("x", { flags: 9 }), "BADARGUMENTS"],
  ["create with an empty ACL", op.create("/x", { acl: [] }), "INVALIDACL"],
  ["a bad ACL before a missing parent", op.create("/no/x", { acl: [] }), "INVALIDACL"],
  ["an unknown scheme", op.create("/x", { acl: [{ perms: 31, scheme: "nope", id: "x" }] }), "INVALIDACL"],
  ["world but not anyone", op.create("/x", { acl: [{ perms: 31, scheme: "world", id: "me" }] }), "INVALIDACL"],
  ["auth without being authenticated", op.create("/x", { acl: [{ perms: 31, scheme: "auth", id: "" }] }), "INVALIDACL"],
  ["a digest without a colon", op.create("/x", { acl: [{ perms: 31, scheme: "digest", id: "u" }] }), "INVALIDACL"],
  ["an ip that is none", op.create("/x", { acl: [{ perms: 31, scheme: "ip", id: "1.2.3" }] }), "INVALIDACL"],
  ["create below nothing", op.create("/no/x"), "NONODE"],
  ["an empty component: the parent is looked up first", op.create("/a//b"), "NONODE"],
  ["create without CREATE on the parent", op.create("/noCreate/x"), "NOAUTH"],
  ["no CREATE before a bad path", op.create("/noCreate/."), "NOAUTH"],
  ["a trailing slash", op.create("/a/"), "BADARGUMENTS"],
  ["a relative component", op.create("/a/."), "BADARGUMENTS"],
  ["two of them", op.create("/a/.."), "BADARGUMENTS"],
  ["a control character", op.create("/a/\u0001"), "BADARGUMENTS"],
  ["a private-use character", op.create("/a/\ue000"), "BADARGUMENTS"],
  ["a special", op.create("/a/\ufff5"), "BADARGUMENTS"],
  ["the root", op.create("/"), "NODEEXISTS"],
  ["a node that is there", op.create("/a"), "NODEEXISTS"],
  ["a child of an ephemeral", op.create("/eph/x"), "NOCHILDRENFOREPHEMERALS"],
  // delete
  ["delete cut short", op.cut(op.remove("/a"), 1), "MARSHALLINGERROR"],
  ["delete without a slash", op.remove("a"), "BADARGUMENTS"],
  ["delete of the root", op.remove("/"), "BADARGUMENTS"],
  ["delete of /zookeeper", op.remove("/zookeeper"), "BADARGUMENTS"],
  ["delete of /zookeeper/quota", op.remove("/zookeeper/quota"), "BADARGUMENTS"],
  ["delete of /zookeeper/config", op.remove("/zookeeper/config"), "BADARGUMENTS"],
  ["delete with NUL", op.remove("/a\0"), "BADARGUMENTS"],
  ["delete below nothing", op.remove("/no/x"), "NONODE"],
  ["delete of nothing", op.remove("/no"), "NONODE"],
  ["no DELETE before a missing node", op.remove("/noDelete/none"), "NOAUTH"],
  ["delete without DELETE on the parent", op.remove("/noDelete/x"), "NOAUTH"],
  ["delete of another version", op.remove("/a/b", 3), "BADVERSION"],
  ["the version before the children", op.remove("/a", 3), "BADVERSION"],
  ["delete of a node with children", op.remove("/a"), "NOTEMPTY"],
  // setData
  ["setData cut short", op.cut(op.setData("/a", ""), 1), "MARSHALLINGERROR"],
  ["setData on a bad path", op.setData("/a/", ""), "BADARGUMENTS"],
  ["setData on nothing", op.setData("/no", ""), "NONODE"],
  ["setData without WRITE", op.setData("/readOnly", ""), "NOAUTH"],
  ["no WRITE before the version", op.setData("/readOnly", "", 9), "NOAUTH"],
  ["setData of another version", op.setData("/a", "", 9), "BADVERSION"],
  ["a negative version that is not -1", op.setData("/a", "", -2), "BADVERSION"],
  ["setData of the configuration", op.setData("/zookeeper/config", ""), "NOAUTH"],
  // setACL
  ["setACL on a bad path", op.setAcl("a", op.OPEN), "BADARGUMENTS"],
  ["a bad ACL before a missing node", op.setAcl("/no", []), "INVALIDACL"],
  ["setACL on nothing", op.setAcl("/no", op.OPEN), "NONODE"],
  ["setACL without ADMIN", op.setAcl("/readOnly", op.OPEN), "NOAUTH"],
  ["setACL of another aversion", op.setAcl("/a", op.OPEN, 5), "BADVERSION"],
  // others
  ["reconfig", op.reconfig("server.4=h:1:2"), "RECONFIGDISABLED"],
  ["a multi cut short", op.cut(op.multi([op.create("/x")]), 3), "MARSHALLINGERROR"],
  ["a multi with a read", op.multi([op.create("/x"), op.getData("/a")]), "MARSHALLINGERROR"],
  ["a multi with an op that nobody knows", op.multi([op.empty(55)]), "MARSHALLINGERROR"],
];

test.each(CASES)("%s → %s", (_what, request, err) => {
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
  expect(CreateResponse.read(new JuteReader(client.one(...op.create("/x", { data: null })).body))).toEqual({ path: "/x" });
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
    [op.setAcl("/p", only(Perms.READ | Perms.WRITE), 0), ErrorCode.OK],
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
      op.create("/zookeeper/quota/q/zookeeper_limits", { data: "count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3" }),
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
