import { describe, expect, test } from "vitest";
import { BadArguments, errorFor, Perms, type SessionId, type Stat } from "../client/index.ts";
import { aclText, dateText, errorText, eventText, listText, parseAcl, statText } from "./cli-text.ts";

test("a date is Java's", () => {
  expect(dateText(0)).toMatch(/^(Wed|Thu) (Dec|Jan) (01|31) \d\d:00:00 \S+ (1970|1969)$|:30:00|:45:00/);
  // Midnight is 00, not 24.
  expect(dateText(new Date(2024, 1, 3, 0, 5, 6).getTime())).toMatch(/^Sat Feb 03 00:05:06 \S+ 2024$/);
});

test("a stat has zkCli's eleven lines", () => {
  const stat = {
    czxid: 0x100000002,
    mzxid: 3,
    ctime: 0,
    mtime: 0,
    version: 1,
    cversion: -2,
    aversion: 0,
    ephemeralOwner: -2n as SessionId,
    dataLength: 5,
    numChildren: 0,
    pzxid: 4,
  } as Stat;
  expect(statText(stat).replace(/time = .*/g, "time = T")).toBe(
    [
      "cZxid = 0x100000002",
      "ctime = T",
      "mZxid = 0x3",
      "mtime = T",
      "pZxid = 0x4",
      "cversion = -2",
      "dataVersion = 1",
      "aclVersion = 0",
      "ephemeralOwner = 0xfffffffffffffffe",
      "dataLength = 5",
      "numChildren = 0",
      "",
    ].join("\n"),
  );
});

describe("an ACL", () => {
  test("is read and shown", () => {
    const complaints: string[] = [];
    const acl = parseAcl("world:anyone:r,digest:u:h:sh=:crdwa", (line) => complaints.push(line));
    expect(acl).toEqual([
      { scheme: "world", id: "anyone", perms: Perms.READ },
      { scheme: "digest", id: "u:h:sh=", perms: Perms.ALL },
    ]);
    expect(aclText(acl)).toBe("'world,'anyone\n: r\n'digest,'u:h:sh=\n: cdrwa\n");
    expect(complaints).toEqual([]);
  });

  test("that is wrong in part is taken in part, with a complaint", () => {
    const complaints: string[] = [];
    expect(parseAcl("foo,auth::rz,a:b", (line) => complaints.push(line))).toEqual([
      { scheme: "auth", id: "", perms: Perms.READ },
    ]);
    expect(complaints).toEqual([
      "foo does not have the form scheme:id:perm",
      "Unknown perm type: z",
      "a:b does not have the form scheme:id:perm",
    ]);
  });
});

test("names are sorted by UTF-16 units", () => {
  expect(listText(["b", "a10", "a2", "B", "é"])).toBe("[B, a10, a2, b, é]");
  expect(listText([])).toBe("[]");
});

test("an event is zkCli's block", () => {
  expect(eventText({ type: "NodeDeleted", state: "SyncConnected", path: "/a" })).toBe(
    "\nWATCHER::\n\nWatchedEvent state:SyncConnected type:NodeDeleted path:/a\n",
  );
});

test("errors are in zkCli's words", () => {
  expect(errorText(errorFor(-101, "/a"))).toBe("Node does not exist: /a");
  expect(errorText(errorFor(-103, "/a"))).toBe("version No is not valid : /a");
  expect(errorText(errorFor(-4, "/a"))).toBe("KeeperErrorCode = ConnectionLoss for /a");
  expect(errorText(errorFor(-6, null))).toBe("KeeperErrorCode = Unimplemented");
  expect(errorText(errorFor(-8, "/a"))).toBe("Arguments are not valid : /a");
  expect(errorText(new BadArguments("a", "Path must start with / character"))).toBe("Path must start with / character");
  expect(errorText(errorFor(-999, "/a"))).toBe("KeeperErrorCode = Unknown error -999 for /a");
});
