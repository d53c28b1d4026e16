import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Acl, Id } from "../../spec/vocabulary.ts";
import { Perms } from "../protocol/opcodes.ts";
import { authenticate, checkAcl, digestId, fixupAcl, OPEN_ACL, redactAcl } from "./acl.ts";

const sha1 = (bytes: Uint8Array): Uint8Array => createHash("sha1").update(bytes).digest();
const address: Id = { scheme: "ip", id: "10.1.2.3" };
const ann: Id = { scheme: "digest", id: digestId(Buffer.from("ann:secret"), sha1) };
const bob: Id = { scheme: "digest", id: digestId(Buffer.from("bob:secret"), sha1) };
const allFor = (id: Id, perms: number = Perms.ALL): Acl => ({ perms, ...id });

describe("a check", () => {
  test("lets anyone pass an open ACL, and an empty one", () => {
    expect(checkAcl(OPEN_ACL, Perms.ADMIN, [address])).toBe(true);
    expect(checkAcl([], Perms.ADMIN, [address])).toBe(true);
  });

  test("lets pass whose id is listed with the permission", () => {
    const acl = [allFor(ann, Perms.READ | Perms.WRITE)];
    expect(checkAcl(acl, Perms.READ, [address, ann])).toBe(true);
    expect(checkAcl(acl, Perms.CREATE, [address, ann])).toBe(false);
    expect(checkAcl(acl, Perms.READ, [address, bob])).toBe(false);
    expect(checkAcl(acl, Perms.READ, [])).toBe(false);
  });

  test("is content with one of several permissions (getACL asks for READ or ADMIN)", () => {
    expect(checkAcl([allFor(ann, Perms.ADMIN)], Perms.READ | Perms.ADMIN, [ann])).toBe(true);
  });

  test("lets super pass everything", () => {
    expect(checkAcl([allFor(ann, 0)], Perms.ALL, [{ scheme: "super", id: "" }])).toBe(true);
  });

  test("compares addresses under the mask", () => {
    const from = (id: string) => [{ perms: Perms.READ, scheme: "ip", id }];
    expect(checkAcl(from("10.1.2.3"), Perms.READ, [address])).toBe(true);
    expect(checkAcl(from("10.1.2.4"), Perms.READ, [address])).toBe(false);
    expect(checkAcl(from("10.1.0.0/16"), Perms.READ, [address])).toBe(true);
    expect(checkAcl(from("10.2.0.0/16"), Perms.READ, [address])).toBe(false);
    expect(checkAcl(from("99.9.9.9/0"), Perms.READ, [address])).toBe(true);
    expect(checkAcl(from("10.1.2.3/32"), Perms.READ, [{ scheme: "ip", id: "::ffff:10.1.2.3" }])).toBe(true);
    expect(checkAcl(from("10.1.2.3"), Perms.READ, [{ scheme: "ip", id: "fe80::1" }])).toBe(false);
  });

  test("knows no ids of scheme world but anyone", () => {
    expect(checkAcl([{ perms: 31, scheme: "world", id: "someone" }], Perms.READ, [address])).toBe(false);
  });
});

describe("what a node stores", () => {
  test("is the list without duplicates, in order", () => {
    const acl = [allFor(ann), ...OPEN_ACL, allFor(ann), allFor(ann, 1)];
    expect(fixupAcl(acl, [])).toEqual([allFor(ann), ...OPEN_ACL, allFor(ann, 1)]);
  });

  test("has auth replaced by every authenticated id of the connection; an address does not count", () => {
    const acl = [{ perms: 3, scheme: "auth", id: "" }];
    expect(fixupAcl(acl, [address, ann, bob])).toEqual([allFor(ann, 3), allFor(bob, 3)]);
    expect(fixupAcl(acl, [address])).toBeNull();
    expect(fixupAcl(acl, [{ scheme: "super", id: "" }])).toBeNull();
  });

  test.each([
    ["nothing", []],
    ["an unknown scheme", [{ perms: 31, scheme: "kerberos", id: "x" }]],
    ["sasl without a provider", [{ perms: 31, scheme: "sasl", id: "x" }]],
    ["world: not anyone", [{ perms: 31, scheme: "world", id: "someone" }]],
    ["a digest without colon", [{ perms: 31, scheme: "digest", id: "ann" }]],
    ["a digest without hash", [{ perms: 31, scheme: "digest", id: "ann:" }]],
    ["a digest in three parts", [{ perms: 31, scheme: "digest", id: "a:b:c" }]],
    ["an address with a letter", [{ perms: 31, scheme: "ip", id: "10.0.0.x" }]],
    ["an address of three bytes", [{ perms: 31, scheme: "ip", id: "10.0.0" }]],
    ["an address beyond 255", [{ perms: 31, scheme: "ip", id: "10.0.0.256" }]],
    ["33 bits of address", [{ perms: 31, scheme: "ip", id: "10.0.0.0/33" }]],
    ["an IPv6 address, as in 3.8", [{ perms: 31, scheme: "ip", id: "fe80::1" }]],
  ])("is refused: %s", (_, acl) => {
    expect(fixupAcl(acl, [ann])).toBeNull();
  });

  test("is refused when the list is missing", () => {
    expect(fixupAcl(null, [ann])).toBeNull();
  });

  test("may have good digests and addresses", () => {
    const acl = [allFor(ann), { perms: 1, scheme: "ip", id: "10.0.0.0/8" }, { perms: 1, scheme: "ip", id: "10.0.0.1" }];
    expect(fixupAcl(acl, [])).toEqual(acl);
  });
});

describe("authentication", () => {
  const options = { sha1, superDigest: "super:D/InIHSb7yEEbrWz8b9l71RjZJU=", remoteHost: "10.1.2.3" };

  test("by digest gives user and hash, as Apache computes it", () => {
    // From Apache's documentation of the super user: super:test.
    expect(authenticate("digest", Buffer.from("super:test"), { ...options, superDigest: null })).toEqual([
      { scheme: "digest", id: "super:D/InIHSb7yEEbrWz8b9l71RjZJU=" },
    ]);
  });

  test("as the super user gives the id that may do everything, too", () => {
    expect(authenticate("digest", Buffer.from("super:test"), options)).toEqual([
      { scheme: "super", id: "" },
      { scheme: "digest", id: "super:D/InIHSb7yEEbrWz8b9l71RjZJU=" },
    ]);
  });

  test("hashes the password with its colons", () => {
    expect(digestId(Buffer.from("ann:a:b"), sha1)).not.toBe(digestId(Buffer.from("ann:a"), sha1));
    expect(digestId(Buffer.from("ann:a:b"), sha1)).toMatch(/^ann:[^:]+$/);
  });

  test("by address gives the peer's own; other schemes are refused", () => {
    expect(authenticate("ip", Buffer.alloc(0), options)).toEqual([address]);
    expect(authenticate("world", Buffer.from("anyone"), options)).toBeNull();
  });
});

test("without ADMIN, getACL shows users but no hashes", () => {
  expect(redactAcl([allFor(ann, 5), ...OPEN_ACL])).toEqual([{ perms: 5, scheme: "digest", id: "ann:x" }, ...OPEN_ACL]);
});
