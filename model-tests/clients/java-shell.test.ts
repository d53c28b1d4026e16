/** A full session with Apache ZooKeeper's own shell (org.apache.zookeeper.ZooKeeperMain), unmodified. */
import { describe, expect, test } from "vitest";
import { Conversation } from "../support/conversation.ts";
import { type Ensemble, startEnsemble } from "../support/ensemble.ts";
import { apacheClassPath, unless } from "../support/installed.ts";
import { KINDS } from "./kinds.ts";

function shell(addresses: string): Conversation {
  const options = ["-Xmx64m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"];
  const main = [
    "-cp",
    apacheClassPath!,
    "org.apache.zookeeper.ZooKeeperMain",
    "-timeout",
    "10000",
    "-server",
    addresses,
  ];
  return new Conversation("java", [...options, ...main]);
}

const CONNECTED = /state:SyncConnected type:None path:null/;

async function basics(zk: Conversation): Promise<void> {
  await zk.hears(CONNECTED);
  await zk.say('create /app "hello"', /Created \/app\n/);
  await zk.say("create /app again", /Node already exists: \/app/);
  await zk.say(
    "get -s /app",
    /hello\ncZxid = 0x[0-9a-f]+\n[\s\S]*dataVersion = 0\n[\s\S]*dataLength = 5\nnumChildren = 0\n/,
  );
  await zk.say("set -v 0 -s /app world", /dataVersion = 1\n/);
  await zk.say("set -v 0 /app never", /version No is not valid : \/app/);
  await zk.say("get /app", /^world\n/m);
  await zk.say("create /app/a/b x", /Node does not exist: \/app\/a\/b/);
  await zk.say("get /nothing", /Node does not exist: \/nothing/);
  await zk.say("create /app//b x", /Invalid path string/);
}

async function children(zk: Conversation): Promise<void> {
  await zk.say("create -e /app/mine me", /Created \/app\/mine\n/);
  await zk.say("create /app/mine/child x", /Ephemerals cannot have children: \/app\/mine\/child/);
  await zk.say("create -s /app/job- x", /Created \/app\/job-0000000001\n/);
  await zk.say("create -s -e /app/job- x", /Created \/app\/job-0000000002\n/);
  await zk.say("ls /app", /\[job-0000000001, job-0000000002, mine\]\n/);
  await zk.say("ls -R /app", /\/app\n\/app\/job-0000000001\n\/app\/job-0000000002\n\/app\/mine\n/);
  await zk.say("ls -s /app", /cversion = 3\n[\s\S]*numChildren = 3\n/);
  await zk.say("stat /app/mine", /ephemeralOwner = 0x[1-9a-f][0-9a-f]*\n/);
  await zk.say("getEphemerals", /\[\/app\/job-0000000002, \/app\/mine\]|\[\/app\/mine, \/app\/job-0000000002\]/);
  await zk.say("delete -v 7 /app/job-0000000001", /version No is not valid : \/app\/job-0000000001/);
  zk.tell("delete /app/job-0000000001");
  await zk.say("delete /app", /Node not empty: \/app/);
  await zk.say("ls /app", /\[job-0000000002, mine\]\n/);
}

async function watches(zk: Conversation): Promise<void> {
  await zk.say("get -w /app", /^world\n/m);
  await zk.say("set /app fired", /type:NodeDataChanged path:\/app\n/);
  await zk.say("ls -w /app", /\[job-0000000002, mine\]\n/);
  await zk.say("create /app/new x", /type:NodeChildrenChanged path:\/app\n/);
  await zk.say("stat -w /app/new", /numChildren = 0\n/);
  await zk.say("delete /app/new", /type:NodeDeleted path:\/app\/new\n/);
  await zk.say("sync /app", /Sync is OK\n/);
}

async function accessControl(zk: Conversation): Promise<void> {
  await zk.say("getAcl /app", /'world,'anyone\n: cdrwa\n/);
  zk.tell("addauth digest bob:secret");
  await zk.say("create /private s", /Created \/private\n/);
  await zk.say("setAcl -s /private auth:bob:cdrwa", /aclVersion = 1\n/);
  await zk.say("getAcl /private", /'digest,'bob:[A-Za-z0-9+/]{27}=\n: cdrwa\n/);
  await zk.say("get /private", /^s\n/m);
  await zk.say("setAcl /app ip:nonsense:r", /Acl is not valid : \/app/);
}

/** The same shell session goes on through the death of its server. */
async function reconnect(zk: Conversation, ensemble: Ensemble): Promise<void> {
  await zk.say("get -w /app", /^fired\n/m);
  if (ensemble.servers.length === 1) {
    await ensemble.servers[0]!.kill();
    await zk.hears(/state:Disconnected type:None path:null/);
    ensemble.servers[0]!.start();
  } else {
    await (await ensemble.leader()).kill();
  }
  await ensemble.leader();
  if (ensemble.servers.length === 1) await zk.hears(CONNECTED);
  // A shell connected to another server than the one killed is told nothing, or gets a Disconnected while there is no leader.
  await sayUntil(zk, "get /app", /^fired\n/m);
  await zk.say("getEphemerals", /\[\/app\/job-0000000002, \/app\/mine\]|\[\/app\/mine, \/app\/job-0000000002\]/);
  await zk.say("get /private", /^s\n/m);
  await zk.say("set /app later", /type:NodeDataChanged path:\/app\n/);
}

/** Says a line again until it is answered: the shell answers ConnectionLoss while it has no server. */
async function sayUntil(zk: Conversation, line: string, answer: RegExp): Promise<void> {
  for (;;) {
    const said = await zk.say(line, new RegExp(`${answer.source}|ConnectionLoss`, "m"));
    if (answer.test(said[0])) return;
  }
}

describe.skipIf(apacheClassPath === null)(
  `Apache's Java shell${unless(apacheClassPath !== null, "Apache ZooKeeper")}`,
  () => {
    test.each(KINDS)(
      "has a full session with one server of %s, through its restart",
      { timeout: 60_000 },
      async (kind) => {
        await using ensemble = await startEnsemble({ servers: 1, kind });
        await using zk = shell(ensemble.addresses);
        await basics(zk);
        await children(zk);
        await watches(zk);
        await accessControl(zk);
        await reconnect(zk, ensemble);

        await using other = shell(ensemble.addresses);
        await other.hears(CONNECTED);
        await other.say("get /private", /Insufficient permission : \/private/);
        zk.tell("quit");
        expect(await zk.ended()).toBe(0);
        await other.say("ls /app", /\[\]\n/);
        other.tell("deleteall /app");
        await other.say("ls /", /\[private, zookeeper\]\n/);
      },
    );

    test.each(KINDS)(
      "keeps its session when the leader of three servers of %s is killed",
      { timeout: 90_000 },
      async (kind) => {
        await using ensemble = await startEnsemble({ servers: 3, kind });
        await using zk = shell(ensemble.addresses);
        await basics(zk);
        await children(zk);
        await watches(zk);
        await accessControl(zk);
        await reconnect(zk, ensemble);
        zk.tell("quit");
        expect(await zk.ended()).toBe(0);
      },
    );
  },
);
