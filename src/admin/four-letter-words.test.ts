/** Answers are compared with recordings of Apache ZooKeeper 3.8.0 in the same situation, line by line. */
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { makeZxid, type SessionId, type Zxid } from "../../spec/vocabulary.ts";
import { ConnectionCounters, ServerCounters } from "../runtime/counters.ts";
import { parseConfig, type ServerConfig, withMyId } from "../server/config.ts";
import { FULL_VERSION } from "../server/version.ts";
import type { ConnectionView, ServerView, ServingMode } from "../server/view.ts";
import { FourLetterWords } from "./four-letter-words.ts";

const NOTHING = Buffer.alloc(0);
const A = 0x1000012dbfc0000n as SessionId;
const B = 0x1000012dbfc0001n as SessionId;
/** Sun Nov 22 19:52:29 UTC 2026 */
const WALL_MS = Date.UTC(2026, 10, 22, 19, 52, 29);

const standalone = parseConfig(
  "dataDir=/data\nclientPort=21810\ntickTime=2000\n4lw.commands.whitelist=*",
  "zoo.cfg",
).config;
const member = withMyId(
  parseConfig(
    "dataDir=/data\nclientPort=21821\ntickTime=2000\ninitLimit=10\nsyncLimit=5\n4lw.commands.whitelist=*\n" +
      "server.1=127.0.0.1:21831:21841\nserver.2=127.0.0.1:21832:21842",
    "zoo.cfg",
  ),
  "1",
).config;

function connection(
  port: number,
  sessionId: SessionId,
  change: (counters: ConnectionCounters) => void,
): ConnectionView {
  const counters = new ConnectionCounters(1795377139277);
  change(counters);
  const established = sessionId !== 0n;
  return {
    remote: { host: "127.0.0.1", port },
    sessionId,
    timeoutMs: 10_000,
    counters,
    reading: established,
    writing: false,
  };
}

function view(mode: ServingMode | null, config: ServerConfig = standalone): ServerView {
  const counters = new ServerCounters(1000);
  Object.assign(counters, { packetsReceived: 16, packetsSent: 15 });
  for (const ms of [0, 1, 2, 7]) counters.latency.add(ms);
  for (const bytes of [89, 48]) counters.proposalSize.add(bytes);
  const asking = connection(34754, 0n as SessionId, (stats) => {
    stats.received = 1;
  });
  const first = connection(34700, A, (stats) => {
    Object.assign(stats, { received: 11, sent: 10 });
    for (const ms of [0, 7]) stats.answered(8, 10, 5, 1240010.5, ms);
  });
  const idle = connection(34706, B, (stats) => {
    stats.answered(11, -2, 6, 1240023, 0);
  });
  return {
    config,
    counters,
    host: {
      environment: () => [["host.name", "localhost"]],
      dataDirSize: () => 1234,
      logDirSize: () => 67109337,
      openFileDescriptors: () => 41,
      maxFileDescriptors: () => 1024,
    },
    mode: () => mode,
    peerState: () => "leading - broadcast",
    monotonicMs: () => 6000,
    wallMs: () => WALL_MS,
    lastProcessedZxid: () => (mode === "leader" ? makeZxid(1, 0x12) : (6 as Zxid)),
    nodeCount: () => 9,
    ephemeralCount: () => 2,
    approximateDataSize: () => 60,
    digestHistory: () => [
      { zxid: 0x80 as Zxid, hi: 0, lo: 4061445261 },
      { zxid: 0x100 as Zxid, hi: 0xffffffff, lo: 0xfffffffe },
    ],
    ephemerals: () => [
      [A, ["/a/e", "/a/f"]],
      [B, []],
    ],
    connections: () => [asking, first, idle],
    connectionCount: () => 3,
    sessions: {
      all: () => [
        [A, 10_000],
        [B, 10_000],
      ],
      count: () => 2,
      buckets: () =>
        mode === "follower"
          ? null
          : [
              { expiresAtMs: 6000, sessions: [] },
              { expiresAtMs: 8000, sessions: [A, B] },
            ],
    },
    watches: {
      watchCount: () => 4,
      dataWatchCount: () => 3,
      dataWatchingSessions: () => 2,
      dataWatchedPaths: () => 2,
      dataWatchesByPath: () => [
        ["/q", [A]],
        ["/a/b", [A, B]],
      ],
    },
    ensembleConfigText: () => "server.1=127.0.0.1:21831:21841:participant\nversion=0",
    quorumSize: () => 3,
    leader: () =>
      mode === "leader"
        ? {
            learners: 2,
            syncedFollowers: 2,
            syncedNonVotingFollowers: 0,
            syncedObservers: 0,
            pendingSyncs: 0,
            establishedAtMs: 2000,
          }
        : null,
    observedServerId: () => null,
  };
}

const ask = (word: string, mode: ServingMode | null = "standalone", config?: ServerConfig) =>
  new FourLetterWords(view(mode, config)).answer(word, NOTHING);

describe("every word answers as Apache ZooKeeper does", () => {
  test.each([
    ["ruok", "imok"],
    ["isro", "rw"],
    ["crst", "Connection stats reset.\n"],
    ["srst", "Server stats reset.\n"],
    ["dirs", "datadir_size: 1234\nlogdir_size: 67109337\n"],
    ["gtmk", "306"],
    ["hash", "80: 4061445261\n100: -2\n"],
    ["wchs", "2 connections watching 2 paths\nTotal watches:3\n"],
    ["wchc", "0x1000012dbfc0000\n\t/q\n\t/a/b\n0x1000012dbfc0001\n\t/a/b\n\n"],
    ["wchp", "/q\n\t0x1000012dbfc0000\n/a/b\n\t0x1000012dbfc0000\n\t0x1000012dbfc0001\n\n"],
    ["envi", `Environment:\nzookeeper.version=${FULL_VERSION}\nhost.name=localhost\n`],
  ])("%s", (word, text) => {
    expect(ask(word)).toBe(text);
  });

  test("srvr", () => {
    expect(ask("srvr")).toBe(`Zookeeper version: ${FULL_VERSION}
Latency min/avg/max: 0/2.5/7
Received: 16
Sent: 15
Connections: 3
Outstanding: 0
Zxid: 0x6
Mode: standalone
Node count: 9
`);
  });

  test("srvr of a leader ends with the sizes of its proposals", () => {
    const text = ask("srvr", "leader", member)!;
    expect(text.split("\n").slice(-5)).toEqual([
      "Zxid: 0x100000012",
      "Mode: leader",
      "Node count: 9",
      "Proposal sizes last/min/max: 48/48/89",
      "",
    ]);
  });

  test("stat lists the connections behind the version", () => {
    expect(ask("stat")).toContain(`Zookeeper version: ${FULL_VERSION}
Clients:
 /127.0.0.1:34754[0](queued=0,recved=1,sent=0)
 /127.0.0.1:34700[1](queued=0,recved=11,sent=10)
 /127.0.0.1:34706[1](queued=0,recved=0,sent=0)

Latency min/avg/max: 0/2.5/7
`);
  });

  test("cons tells more of those in a session", () => {
    expect(ask("cons")).toBe(
      " /127.0.0.1:34754[0](queued=0,recved=1,sent=0)\n" +
        " /127.0.0.1:34700[1](queued=0,recved=11,sent=10,sid=0x1000012dbfc0000,lop=GETC,est=1795377139277,to=10000," +
        "lcxid=0xa,lzxid=0x5,lresp=1240010,llat=7,minlat=0,avglat=3,maxlat=7)\n" +
        " /127.0.0.1:34706[1](queued=0,recved=0,sent=0,sid=0x1000012dbfc0001,lop=PING,est=1795377139277,to=10000," +
        "lcxid=0xfffffffffffffffe,lzxid=0x6,lresp=1240023,llat=0,minlat=0,avglat=0,maxlat=0)\n\n",
    );
  });

  test("conf of a standalone server", () => {
    expect(ask("conf")).toBe(`clientPort=21810
secureClientPort=-1
dataDir=/data/version-2
dataDirSize=1234
dataLogDir=/data/version-2
dataLogSize=67109337
tickTime=2000
maxClientCnxns=60
minSessionTimeout=4000
maxSessionTimeout=40000
clientPortListenBacklog=-1
serverId=0
`);
  });

  test("conf of an ensemble's member goes on with its ports and the membership", () => {
    expect(ask("conf", "follower", member)).toContain(`serverId=1
initLimit=10
syncLimit=5
electionAlg=3
electionPort=21841
quorumPort=21831
peerType=0
membership: 
server.1=127.0.0.1:21831:21841:participant
version=0`);
  });

  test("dump shows the expiry buckets of whoever tracks the sessions", () => {
    expect(ask("dump")).toBe(`SessionTracker dump:
Session Sets (2)/(2):
0 expire at Sun Nov 22 19:52:29 UTC 2026:
2 expire at Sun Nov 22 19:52:31 UTC 2026:
\t0x1000012dbfc0000
\t0x1000012dbfc0001
ephemeral nodes dump:
Sessions with Ephemerals (1):
0x1000012dbfc0000:
\t/a/e
\t/a/f
Connections dump:
Connections Sets (1)/(3):
3 expire at Sun Nov 22 19:52:29 UTC 2026:
\tip: /127.0.0.1:34754 sessionId: 0x0
\tip: /127.0.0.1:34700 sessionId: 0x1000012dbfc0000
\tip: /127.0.0.1:34706 sessionId: 0x1000012dbfc0001
`);
  });

  test("dump of a follower lists the global sessions with their timeouts", () => {
    expect(ask("dump", "follower", member)).toContain(
      "SessionTracker dump:\nGlobal Sessions(2):\n0x1000012dbfc0000\t10000ms\n0x1000012dbfc0001\t10000ms\nephemeral nodes dump:\n",
    );
  });

  test("mntr: keys and values, one line each, doubles with a point", () => {
    const text = ask("mntr", "leader", member)!;
    expect(text).toMatch(/^(zk_[a-z_]+\t[^\t\n]+\n)+$/);
    const values = Object.fromEntries(
      text
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t")),
    );
    expect(values).toMatchObject({
      zk_version: FULL_VERSION,
      zk_server_state: "leader",
      zk_peer_state: "leading - broadcast",
      zk_avg_latency: "2.5",
      zk_znode_count: "9",
      zk_ephemerals_count: "2",
      zk_watch_count: "4",
      zk_uptime: "5000",
      zk_quorum_size: "3",
      zk_synced_followers: "2",
      zk_leader_uptime: "4000",
      zk_last_proposal_size: "48",
      zk_avg_fsynctime: "0.0",
    });
    const single = ask("mntr")!;
    expect(single).not.toContain("peer_state");
    expect(single).not.toContain("quorum_size");
  });

  test("a read-only server says so", () => {
    expect(ask("isro", "read-only")).toBe("ro");
    expect(ask("srvr", "read-only")).toContain("\nREAD-ONLY mode; serving only read-only clients\nLatency");
  });
});

describe("the whitelist", () => {
  const words = (line: string) =>
    new FourLetterWords(view("standalone", parseConfig(`dataDir=/d\nclientPort=1\n${line}`, "f").config));
  test("admits srvr alone unless it is set", () => {
    expect(words("").answer("srvr", NOTHING)).toContain("Mode: standalone");
    expect(words("").answer("ruok", NOTHING)).toBe("ruok is not executed because it is not in the whitelist.\n");
    expect(words("4lw.commands.whitelist=ruok,mntr").answer("ruok", NOTHING)).toBe("imok");
    expect(words("4lw.commands.whitelist=ruok,mntr").answer("srvr", NOTHING)).toContain("not in the whitelist");
  });
  test("admits isro where read-only clients look for it", () => {
    expect(words("readonlymode.enabled=true").answer("isro", NOTHING)).toBe("rw");
  });
  test("does not make a word of what is none: those four bytes are a frame's length", () => {
    expect(ask("abcd")).toBe(null);
    expect(ask("lsnp")).toBe(null);
  });
  test("telnet's Ctrl-C gets no answer", () => {
    expect(ask("\xff\xf4\xff\xfd")).toBe("");
  });
});

describe("a server that does not serve", () => {
  test.each(["srvr", "stat", "mntr", "conf", "cons", "crst", "srst", "dirs", "dump", "wchs", "wchc", "wchp"])(
    "answers %s with a sentence",
    (word) => {
      expect(ask(word, null)).toBe("This ZooKeeper instance is not currently serving requests\n");
    },
  );
  test("still answers what does not need its data", () => {
    expect(ask("ruok", null)).toBe("imok");
    expect(ask("isro", null)).toBe("null");
    expect(ask("envi", null)).toContain("host.name=localhost");
  });
});

describe("words with an effect", () => {
  test("srst and crst zero the statistics", () => {
    const server = view("standalone");
    const words = new FourLetterWords(server);
    words.answer("srst", NOTHING);
    words.answer("crst", NOTHING);
    expect(words.answer("srvr", NOTHING)).toContain("Latency min/avg/max: 0/0.0/0\nReceived: 0\nSent: 0\n");
    expect(words.answer("stat", NOTHING)).toContain("34700[1](queued=0,recved=0,sent=0)");
  });
  test("stmk sets the trace mask that gtmk tells", () => {
    const words = new FourLetterWords(view("standalone"));
    const mask = Buffer.alloc(8);
    mask.writeBigInt64BE(258n);
    expect(words.answer("stmk", mask)).toBe("258");
    expect(words.answer("gtmk", NOTHING)).toBe("258");
  });
});
