/** `zoetrope cli` against real servers, and beside Apache's own shell. */
import { PassThrough } from "node:stream";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { type Ensemble, startEnsemble } from "../support/ensemble.ts";
import { apacheClassPath, unless } from "../support/installed.ts";
import type { ServerKind } from "../support/server-process.ts";

interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

async function cli(args: readonly string[], typed = ""): Promise<Outcome> {
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const [out, err] = [collect(output), collect(errors)];
  input.end(typed);
  const code = await runCli(args, { input, output, errors, terminal: false });
  return { code, output: out(), errors: err() };
}

function collect(stream: PassThrough): () => string {
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}

const LOST_CONNECTION = /ConnectionLoss|rc=-4/;
const ANNOUNCEMENT = /\nWATCHER::\n/g;
const EVENT = /\nWatchedEvent .*\n/g;

/**
 * Output without what differs from run to run: zxids, times, session ids, addresses. Apache's shell prints events in
 * two pieces from a thread of their own, before, after or in the middle of an answer, so they are compared apart.
 */
function comparable(text: string): { readonly answers: string; readonly events: readonly string[] } {
  const unannounced = text.replace(ANNOUNCEMENT, "");
  // The end of the session is told, or not any more: Apache's shell may be gone by then.
  const events = (unannounced.match(EVENT) ?? []).filter((event) => !event.includes("state:Closed"));
  const answers = unannounced
    .replace(EVENT, "")
    .replace(/0x[0-9a-f]+/g, "0xN")
    .replace(/time = .*/g, "time = T")
    .replace(/Connecting to .*/g, "Connecting to S");
  return { answers, events };
}

const SCRIPT = [
  'create /t "hello world"',
  "get /t",
  "get -s /t",
  "ls -w /",
  "create /t/c 'x y'",
  "create -s -e /t/s-",
  "ls -s /t",
  "ls -R /",
  "stat -w /t",
  "set -s /t v2",
  "set -v 7 /t v3",
  "get /t watch",
  "set /t v4",
  "delete /t",
  "delete -v 3 /t/c",
  "create /e//x",
  "create noslash",
  "create /nopar/x d",
  "create -e /eph d",
  "create /eph/x d",
  "create /null",
  "get /null",
  "getAcl /t",
  "getAcl -s /t",
  "setAcl /t world:anyone:ra",
  "setAcl /t digest:u:crdwa",
  "create /t/d data",
  "setAcl /t world:anyone:cdrwa",
  "addauth digest u:p",
  "addauth",
  "create /auth d auth::cdrwa",
  "getAcl /auth",
  "getAcl",
  "ls",
  "get",
  "stat /none",
  "stat",
  "create",
  "set /t",
  "sync /t",
  "sync",
  "history",
  "redo 1",
  "redo 99",
  "printwatches",
  "printwatches off",
  "set /t v5",
  "printwatches on",
  "deleteall /t -b x",
  "deleteall /t",
  "get /t",
  "delete",
  "create -c -e /q",
  "create -t 5 -e /q",
  "deleteall /none",
  "getAllChildrenNumber /",
  "close",
  "ls /",
  "quit",
];

const KINDS: readonly { readonly kind: ServerKind; readonly installed: boolean; readonly what: string }[] = [
  { kind: "zoetrope", installed: true, what: "" },
  { kind: "apache", installed: apacheClassPath !== null, what: "Apache ZooKeeper" },
];

for (const { kind, installed, what } of KINDS) {
  describe.skipIf(!installed)(`the shell with a server of ${kind}${unless(installed, what)}`, () => {
    let ensemble: Ensemble;
    const at = (...command: string[]) => cli(["-server", ensemble.addresses, ...command]);

    beforeAll(async () => {
      ensemble = await startEnsemble({ servers: 1, kind });
    }, 60_000);
    afterAll(() => ensemble[Symbol.asyncDispose]());

    test("one command prints its result and ends with 0", async () => {
      expect(await at("create", "/one", "hello there")).toEqual({
        code: 0,
        output: `Connecting to ${ensemble.addresses}\n\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n`,
        errors: "Created /one\n",
      });
      expect((await at("get", "/one")).output).toMatch(/^hello there\n$/m);
      expect((await at("-timeout", "5000", "-waitforconnection", "ls", "/")).output).toMatch(/^\[one, zookeeper\]\n$/m);
      expect(await at("delete", "/one")).toMatchObject({ code: 0, errors: "" });
    });

    test("one command that fails says why and ends with 1, an unknown one with 127", async () => {
      expect(await at("get", "/none")).toMatchObject({ code: 1, errors: "Node does not exist: /none\n" });
      expect(await at("set", "-v", "x", "/", "y")).toMatchObject({ code: 1, errors: 'For input string: "x"\n' });
      const unknown = await at("frobnicate");
      expect(unknown.code).toBe(127);
      expect(unknown.errors).toMatch(
        /\tls \[-s\] \[-w\] \[-R\] path\n[\s\S]*Command not found: Command not found frobnicate\n$/,
      );
    });

    test("an ephemeral node of one command is gone with it", async () => {
      expect((await at("create", "-e", "/short")).code).toBe(0);
      expect((await at("ls", "/")).output).toContain("[zookeeper]");
    });

    test("a session of lines runs them in order; the last one's failure is the exit code", async () => {
      const { code, output, errors } = await cli(["-server", ensemble.addresses], "create /l x\nget /l\n\nget /no\n");
      expect(output).toContain("Welcome to ZooKeeper!\n");
      expect(output).toMatch(/^x$/m);
      expect(errors).toBe("Created /l\nNode does not exist: /no\n");
      expect(code).toBe(1);
      expect((await cli(["-server", ensemble.addresses], "delete /l\nquit\nget /never\n")).code).toBe(0);
    });

    test("help lists the commands, close and connect change the connection", async () => {
      const lines = ["help", "help ls", "close", "ls /", `connect ${ensemble.addresses}`, "ls /", "quit", ""];
      const { output } = await cli(["-server", ensemble.addresses], lines.join("\n"));
      expect(output).toMatch(/\tsetAcl \[-s\] \[-v version\] \[-R\] path acl\n/);
      expect(output).toMatch(/^ls \[-s\] \[-w\] \[-R\] path$/m);
      expect(output).toMatch(
        /state:Closed type:None path:null\nNot connected\n[\s\S]*state:SyncConnected[\s\S]*\[zookeeper\]\n/,
      );
    });

    test.skipIf(apacheClassPath === null)(
      `says the same as Apache's shell${unless(apacheClassPath !== null, "Apache ZooKeeper")}`,
      { timeout: 180_000 },
      async () => {
        let theirs: Omit<Outcome, "code"> = { output: "", errors: "" };
        const script = `${SCRIPT.join("\n")}\n`;
        const sides = (attempt: number) => [`/ours${attempt}`, `/theirs${attempt}`] as const;
        // Apache's shell may lose its connection on a machine that is very busy: then there is nothing to compare.
        let attempt = 0;
        for (const attempts of [1, 2, 3]) {
          attempt = attempts;
          await cli(["-server", ensemble.addresses], `create ${sides(attempt).join("\ncreate ")}\n`);
          theirs = await apacheShell(`${ensemble.addresses}${sides(attempt)[1]}`, script);
          if (!LOST_CONNECTION.test(theirs.output + theirs.errors)) break;
        }
        const ours = await cli(["-server", `${ensemble.addresses}${sides(attempt)[0]}`], script);
        expect(comparable(ours.output)).toEqual(comparable(theirs.output));
        expect(ours.errors).toBe(theirs.errors);
      },
    );
  });
}

test("without a server one command fails with a sentence", async () => {
  expect(await cli(["-server", "127.0.0.1:1", "ls", "/"])).toMatchObject({
    code: 1,
    errors: "KeeperErrorCode = ConnectionLoss for /\n",
  });
});

test("options that are wrong are named", async () => {
  expect(await cli(["-server"])).toMatchObject({ code: 1, errors: "Error: no argument found for option -server\n" });
  expect(await cli(["-serve", "x"])).toMatchObject({ code: 1, errors: "Unrecognized option: -serve\n" });
  expect(await cli(["-timeout", "soon", "ls"])).toMatchObject({ code: 1, errors: "-timeout takes milliseconds\n" });
  expect((await cli(["-server", "localhost:99999", "ls"])).errors).toBe(
    'A port is a number from 1 to 65535: "localhost:99999"\n',
  );
});

async function apacheShell(address: string, typed: string): Promise<Omit<Outcome, "code">> {
  const options = ["-Xmx64m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"];
  const main = ["-cp", apacheClassPath!, "org.apache.zookeeper.ZooKeeperMain", "-server", address];
  const { stdout, stderr } = await execa("java", [...options, ...main], { input: typed, stripFinalNewline: false });
  return { output: stdout.replace("JLine support is disabled\n", ""), errors: stderr };
}
