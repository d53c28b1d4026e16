/**
 * Every way in which a write can fail, in ZooKeeper's order of checks: the request that fails in the first of two ways is told
 * the first. Run against our server by unit tests, and against Apache's by the differential test.
 */
import type { Acl } from "../../spec/vocabulary.ts";
import type { ErrorCode } from "../../src/protocol/error-codes.ts";
import { OpCode, Perms } from "../../src/protocol/opcodes.ts";
import * as op from "./raw-requests.ts";

export const onlyPerms = (perms: number): readonly Acl[] => [{ perms, scheme: "world", id: "anyone" }];
export const READ_ONLY = onlyPerms(Perms.READ);

/** One node of each kind that the tables speak of. */
export const STAGE: readonly op.RawRequest[] = [
  op.create("/a", { data: "one" }),
  op.create("/a/b"),
  op.create("/eph", { flags: 1 }),
  op.create("/noCreate", { acl: onlyPerms(Perms.ALL & ~Perms.CREATE) }),
  op.create("/noDelete", { acl: onlyPerms(Perms.ALL & ~Perms.DELETE) }),
  op.create("/noDelete/x"),
  op.create("/readOnly", { acl: READ_ONLY }),
  op.create("/noRead", { acl: onlyPerms(Perms.ALL & ~Perms.READ) }),
];

export type WriteError = readonly [what: string, request: op.RawRequest, err: keyof typeof ErrorCode];

/** What Apache 3.8.0 takes, to its own harm: it may not see these. */
export const CONTRADICTIONS: readonly WriteError[] = [
  ["createTTL with a mode that has no TTL", op.createTtl("/x", 0, -1), "BADARGUMENTS"],
  ["create with the container flag", op.create("/x", { flags: 4 }), "BADARGUMENTS"],
  ["create2 with the container flag", op.create("/x", { flags: 4, type: OpCode.create2 }), "BADARGUMENTS"],
  ["createContainer without it", op.create("/x", { type: OpCode.createContainer }), "BADARGUMENTS"],
];

export const WRITE_ERRORS: readonly WriteError[] = [
  // create
  ["create cut short", op.cut(op.create("/x"), 1), "MARSHALLINGERROR"],
  ["create with flags 7", op.create("/x", { flags: 7 }), "BADARGUMENTS"],
  ["create with flags -1", op.create("/x", { flags: -1 }), "BADARGUMENTS"],
  ["create with TTL flags", op.create("/x", { flags: 5 }), "UNIMPLEMENTED"],
  ["createTTL while TTLs are off", op.createTtl("/x", 5, 1000), "UNIMPLEMENTED"],
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
