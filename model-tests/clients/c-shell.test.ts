/** A full session with ZooKeeper's C client shell (cli_mt), unmodified. It prints every reply from its callbacks. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Conversation } from "../support/conversation.ts";
import { startEnsemble } from "../support/ensemble.ts";
import { cShell, unless } from "../support/installed.ts";
import { KINDS } from "./kinds.ts";

const CONNECTED = /SESSION_EVENT state = CONNECTED_STATE/;

function shell(addresses: string, clientIdFile: string): Conversation {
  // Its output stays in a buffer unless it believes in a terminal.
  return new Conversation("stdbuf", ["-o0", cShell!, "-h", addresses, "-m", clientIdFile]);
}

async function basics(zk: Conversation): Promise<void> {
  await zk.hears(CONNECTED);
  await zk.say("create /c", /\[\/c\]: rc = 0\n\tname = \/c\n/);
  await zk.say("create /c", /\[\/c\]: rc = -110\n/);
  await zk.say("set /c hello", /\/c: rc = 0 Stat:\n[\s\S]*version=1\taversion=0\n/);
  await zk.say("get /c", /\/c: rc = 0\n value_len = 5\nhello\nStat:\n[\s\S]*version=1\t/);
  await zk.say("get /none", /\/none: rc = -101\n/);
  await zk.say("exists /none", /Error -101 for \/none\n/);
  await zk.say("create2 /c/two", /\[\/c\/two\]: rc = 0\n\tname = \/c\/two\n/);
  await zk.say("sync /c", /\[\/c\]: rc = 0\n/);
}

async function children(zk: Conversation): Promise<void> {
  await zk.say("create +e /c/eph", /\[\/c\/eph\]: rc = 0\n/);
  await zk.say("create /c/eph/child", /\[\/c\/eph\/child\]: rc = -108\n/);
  await zk.say("create +s /c/seq-", /name = \/c\/seq-0000000002\n/);
  await zk.say("create +es /c/es-", /name = \/c\/es-0000000003\n/);
  await zk.say(
    "ls /c",
    /\/c: rc = 0\n\tes-0000000003\n\teph\n\tseq-0000000002\n\ttwo\n|\/c: rc = 0\n(\t[a-z0-9-]+\n){4}/,
  );
  await zk.say("ls2 /c", /\/c: rc = 0\n(\t[a-z0-9-]+\n){4}[\s\S]*version=1\t/);
  await zk.say("delete /c", /\/c: rc = -111\n/);
  await zk.say("delete /c/seq-0000000002", /seq-0000000002: rc = 0\n/);
}

/** A synchronous `wexists` of a node that is there says nothing, and is done before the shell reads its next line. */
async function watches(zk: Conversation): Promise<void> {
  zk.tell("wexists /c");
  await zk.say("set /c fired", /CHANGED_EVENT state = CONNECTED_STATE for path \/c\n/);
  await zk.say("wexists /c/none", /Error -101 for \/c\/none\n/);
  await zk.say("create /c/none", /CREATED_EVENT state = CONNECTED_STATE for path \/c\/none\n/);
}

describe.skipIf(cShell === null)(`the C client's shell${unless(cShell !== null, "cli_mt")}`, () => {
  const clientIdFile = () => {
    const directory = mkdtempSync(join(tmpdir(), "zoetrope-c-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    return join(directory, "client-id");
  };

  test.each(KINDS)(
    "has a full session with one server of %s, through its restart",
    { timeout: 60_000 },
    async (kind) => {
      await using ensemble = await startEnsemble({ servers: 1, kind });
      const file = clientIdFile();
      await using zk = shell(ensemble.addresses, file);
      await basics(zk);
      await children(zk);
      await watches(zk);
      zk.tell("wexists /c");
      await zk.say("sync /c", /rc = 0/);
      await ensemble.servers[0]!.kill();
      await zk.hears(/SESSION_EVENT state = CONNECTING_STATE/);
      ensemble.servers[0]!.start();
      await zk.hears(CONNECTED);
      await zk.say("get /c/eph", /\/c\/eph: rc = 0\n/);
      await zk.say("set /c again", /CHANGED_EVENT state = CONNECTED_STATE for path \/c\n/);

      // Another process takes the session over by id and password, and with it the ephemerals.
      await using heir = shell(ensemble.addresses, file);
      await heir.hears(CONNECTED);
      await heir.say("get /c/eph", /\/c\/eph: rc = 0\n/);
      heir.tell("quit");
      expect(await heir.ended()).toBe(0);
    },
  );

  test.each(KINDS)(
    "keeps its session when the leader of three servers of %s is killed",
    { timeout: 90_000 },
    async (kind) => {
      await using ensemble = await startEnsemble({ servers: 3, kind });
      const leader = await ensemble.leader();
      await using zk = shell(`${leader.address},${ensemble.addresses}`, clientIdFile());
      await basics(zk);
      await children(zk);
      await watches(zk);
      await leader.kill();
      await ensemble.leader();
      await zk.say("get /c/eph", /\/c\/eph: rc = 0\n/);
    },
  );
});
