import { describe, expect, test } from "vitest";
import { ConfigError, parseConfig, withMyId } from "./config.ts";
import { ensembleConfigText, parseServerSpec } from "./server-address.ts";

const ensemble = `
tickTime=2000
initLimit=10
syncLimit=5
dataDir=/var/lib/zoetrope
clientPort=2181
server.1=zoo1:2888:3888
server.2=zoo2:2888:3888
server.3=zoo3:2888:3888
`;

function failure(text: string, myid?: string | null): ConfigError {
  try {
    const parsed = parseConfig(text, "zoo.cfg");
    if (myid !== undefined) withMyId(parsed, myid);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("This configuration was accepted.");
}

describe("a standard zoo.cfg", () => {
  test("of an ensemble gives each server its role and the defaults of the administrator's guide", () => {
    const { config, warnings } = withMyId(parseConfig(ensemble, "zoo.cfg"), "2\n");
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      serverId: 2,
      standalone: false,
      peerType: "participant",
      tickTimeMs: 2000,
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40_000,
      dataLogDir: "/var/lib/zoetrope",
      connectToLearnerMasterLimitTicks: 10,
      maxClientCnxns: 60,
      snapCount: 100_000,
      preAllocSizeBytes: 65_536 * 1024,
      forceSync: true,
      fourLetterWordWhitelist: ["srvr"],
      juteMaxBuffer: 0xfffff,
    });
    expect(config.servers.map((server) => server.id)).toEqual([1, 2, 3]);
  });

  test("without server lines is a standalone server, which needs no myid", () => {
    const { config } = withMyId(parseConfig("dataDir=/d\nclientPort=2181", "zoo.cfg"), null);
    expect(config).toMatchObject({ standalone: true, serverId: 0, servers: [], tickTimeMs: 3000 });
  });

  test("with one server line is standalone too, unless standaloneEnabled=false", () => {
    const one = "dataDir=/d\nclientPort=2181\ninitLimit=5\nsyncLimit=2\nserver.1=a:1:2\n";
    expect(parseConfig(one, "zoo.cfg")).toMatchObject({
      config: { standalone: true },
      warnings: ["zoo.cfg: only one server line, so this server is standalone."],
    });
    expect(parseConfig(`${one}standaloneEnabled=false`, "zoo.cfg").config.standalone).toBe(false);
  });

  test("may write Java's system properties with and without their prefix", () => {
    const text = `${ensemble}snapCount=77\nzookeeper.forceSync=no\nzookeeper.4lw.commands.whitelist=stat, ruok\njute.maxbuffer=0x1fffff\n`;
    expect(parseConfig(text, "zoo.cfg")).toMatchObject({
      config: { snapCount: 77, forceSync: false, fourLetterWordWhitelist: ["stat", "ruok"], juteMaxBuffer: 0x1fffff },
      warnings: [],
    });
  });

  test("says whether a server without data may count as one that never had any", () => {
    expect(parseConfig(ensemble, "zoo.cfg").config).toMatchObject({ autoCreate: true, trustEmptySnapshot: false });
    const text = `${ensemble}db.autocreate=false\nzookeeper.snapshot.trust.empty=true\n`;
    expect(parseConfig(text, "zoo.cfg")).toMatchObject({
      config: { autoCreate: false, trustEmptySnapshot: true },
      warnings: [],
    });
  });

  test("may ask for a trace, which is off otherwise", () => {
    expect(parseConfig(ensemble, "zoo.cfg").config.traceFile).toBeNull();
    const { config, warnings } = parseConfig(`${ensemble}zoetrope.traceFile=/tmp/s1.trace\n`, "zoo.cfg");
    expect([config.traceFile, warnings]).toEqual(["/tmp/s1.trace", []]);
  });

  test("is a Java properties file: comments, blanks, colons, continued lines", () => {
    const text = "# a comment\n! another\n dataDir : /d\\u0061ta \\\n   dir\r\nclientPort 2181\n";
    expect(parseConfig(text, "zoo.cfg").config).toMatchObject({ dataDir: "/data dir", clientPort: 2181 });
  });

  test("takes the client address of its own server line", () => {
    const text = ensemble
      .replace("clientPort=2181\n", "")
      .replace("zoo3:2888:3888", "zoo3:2888:3888:observer;[::1]:2191");
    expect(withMyId(parseConfig(text, "zoo.cfg"), "3").config).toMatchObject({
      peerType: "observer",
      clientPort: 2191,
      clientPortAddress: "::1",
    });
    expect(withMyId(parseConfig(text, "zoo.cfg"), "1").config.clientPort).toBe(null);
  });
});

describe("server addresses", () => {
  const one = 1 as Parameters<typeof parseServerSpec>[0];
  test.each([
    ["host:2888:3888", { host: "host", quorumPort: 2888, electionPort: 3888, kind: "participant", client: null }],
    ["[2001:db8::1]:2888:3888:observer", { host: "2001:db8::1", kind: "observer" }],
    ["h:2888:3888;2181", { client: { host: null, port: 2181 } }],
    ["h:2888:3888:PARTICIPANT;10.0.0.1:2181", { kind: "participant", client: { host: "10.0.0.1", port: 2181 } }],
    ["h:2888:3888;[::]:2181", { client: { host: null, port: 2181 } }],
  ])("%s", (text, spec) => {
    expect(parseServerSpec(one, text)).toMatchObject(spec);
  });

  test.each([
    "host",
    "host:2888",
    "host:2888:3888:leader",
    "host:0:3888",
    "host:2888:99999",
    ":1:2",
    "2001:db8::1:2888:3888",
    "[::1:1:2",
    "h:1:2;",
    "h:1:2;x:",
    "h:1:2;1;2",
  ])("%s is refused", (text) => {
    expect(parseServerSpec(one, text)).toBe(null);
  });

  test("become the text of /zookeeper/config", () => {
    const { config } = parseConfig(ensemble.replace("zoo2:2888:3888", "[::1]:2888:3888:observer;2182"), "zoo.cfg");
    expect(ensembleConfigText(config.servers, config.groups, config.weights, 0x1f)).toBe(
      "server.1=zoo1:2888:3888:participant\nserver.2=[::1]:2888:3888:observer;0.0.0.0:2182\nserver.3=zoo3:2888:3888:participant\nversion=1f",
    );
  });
});

describe("a wrong value stops with its key, its line and what was expected", () => {
  test.each([
    ["tickTime=soon", "tickTime", "a whole number of at least 1 (ms)"],
    ["clientPort=70000", "clientPort", "a port from 1 to 65535, or 0 for none"],
    ["peerType=leader", "peerType", "participant or observer"],
    ["forceSync=false", "forceSync", "yes or no"],
    ["standaloneEnabled=1", "standaloneEnabled", "true or false"],
    ["electionAlg=1", "electionAlg", "a whole number from 3 to 3 (fast leader election, the only one there is)"],
    ["jute.maxbuffer=1M", "jute.maxbuffer", "a number of bytes, decimal or 0x…, at least 1024"],
    [
      "DigestAuthenticationProvider.superDigest=super:secret",
      "DigestAuthenticationProvider.superDigest",
      "super:<base64 of sha1(super:password)>",
    ],
    [
      "server.4=zoo4:2888",
      "server.4",
      "host:quorumPort:electionPort[:participant|observer][;[clientHost:]clientPort], IPv6 addresses in brackets",
    ],
    ["server.x=zoo4:2888:3888", "server.x", "server.N with N from 0 to 255"],
    ["server.1=zoo4:2888:3888", "server.1", "one server.1 line; the first is on line 7"],
    ["server.4=zoo1:3888:4888", "server.4", "another quorum port: zoo1:3888 is already the election port of server.1"],
    ["weight.9=2", "weight.9", "a member of the server list"],
    ["group.1=1:9", "group.1", "members of the server list; there is no server.9"],
  ])("%s", (line, key, expected) => {
    expect(failure(`${ensemble}${line}`)).toMatchObject({ key, line: 10, expected });
  });

  test("as one sentence", () => {
    expect(failure("dataDir=/d\nclientPort=zero").message).toBe(
      "zoo.cfg line 2: clientPort=zero is wrong; expected a port from 1 to 65535, or 0 for none.",
    );
  });

  test.each([
    ["clientPort=2181", "dataDir"],
    ["dataDir=/d", "clientPort"],
    [ensemble.replace("initLimit=10", ""), "initLimit"],
    [ensemble.replace("syncLimit=5", ""), "syncLimit"],
    [`${ensemble}group.1=1:2`, "group of server.3"],
  ])("and a missing one too (%#)", (text, key) => {
    expect(failure(text)).toMatchObject({ key, value: null });
  });

  test("min over max session timeout", () => {
    expect(failure(`${ensemble}minSessionTimeout=50000`)).toMatchObject({ key: "minSessionTimeout", line: 10 });
  });

  test("observers without participants, or beside a standalone server", () => {
    expect(failure("dataDir=/d\nserver.1=a:1:2:observer")).toMatchObject({ key: "server.1", line: 2 });
    expect(failure("dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2:observer")).toMatchObject({ key: "server.2", line: 3 });
  });
});

describe("myid", () => {
  test("missing", () => {
    expect(failure(ensemble, null).message).toBe(
      "/var/lib/zoetrope/myid: myid is missing; expected a file with this server's number, one of 1, 2, 3.",
    );
  });
  test("not a number, or not in the list", () => {
    expect(failure(ensemble, "one").message).toContain("myid=one is wrong; expected a whole number from 0 to 255");
    expect(failure(ensemble, "4").message).toContain("myid=4 is wrong; expected a number of the server list: 1, 2, 3");
    expect(failure(`${ensemble}server.255=z:1:2\nextendedTypesEnabled=true`, "255").message).toContain("from 0 to 254");
  });
  test("whose server line contradicts the client port", () => {
    expect(failure(ensemble.replace("zoo1:2888:3888", "zoo1:2888:3888;2199"), "1")).toMatchObject({
      key: "clientPort",
    });
    expect(failure(ensemble.replace("clientPort=2181", "clientPort=3888"), "1").message).toContain(
      "another port than server.1 uses for the election",
    );
  });
});

describe("warnings name", () => {
  const warnings = (line: string, myid = "1") => withMyId(parseConfig(`${ensemble}${line}`, "zoo.cfg"), myid).warnings;
  test("unknown keys, those of Apache that have no effect here, and repeated ones", () => {
    expect(warnings("tickTimes=3")).toEqual(["zoo.cfg line 10: unknown key tickTimes is ignored."]);
    expect(warnings("zookeeper.tickTime=3")).toEqual(["zoo.cfg line 10: unknown key zookeeper.tickTime is ignored."]);
    expect(warnings("secureClientPort=2281")).toEqual([
      "zoo.cfg line 10: secureClientPort is a setting of Apache ZooKeeper that has no effect here.",
    ]);
    expect(warnings("tickTime=3000")).toEqual([
      "zoo.cfg line 10: tickTime was already set on line 2; this line counts.",
    ]);
  });
  test("settings that nothing acts on yet, unless they say the default", () => {
    expect(warnings("leaderServes=no")).toEqual(["zoo.cfg line 10: leaderServes=no has no effect here yet."]);
    expect(warnings("leaderServes=yes\nadmin.enableServer=false")).toEqual([]);
  });
  test("numbers of voters that gain nothing", () => {
    expect(warnings("server.4=zoo4:2888:3888")).toEqual([
      "zoo.cfg: an even number of voters (4) survives no more failures than 3.",
    ]);
  });
  test("a peerType that differs from the server list", () => {
    expect(warnings("peerType=observer")).toEqual([
      "zoo.cfg: peerType=observer differs from server.1, which counts: participant.",
    ]);
  });
  test("too small a number of kept snapshots", () => {
    const parsed = parseConfig(`${ensemble}autopurge.snapRetainCount=1`, "zoo.cfg");
    expect(parsed).toMatchObject({
      config: { snapRetainCount: 3 },
      warnings: ["zoo.cfg line 10: autopurge.snapRetainCount is raised to 3."],
    });
  });
});
