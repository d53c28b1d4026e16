/** `bin/zoetrope server CONFIG` as a service manager uses it: the process is the server; what keeps it from starting is one line. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { zoetrope } from "../support/command.ts";
import { startEnsemble } from "../support/ensemble.ts";
import { freePorts } from "../support/ports.ts";

function configured(...lines: readonly string[]): { file: string; directory: string } {
  const directory = mkdtempSync(join(tmpdir(), "zoetrope-server-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "zoo.cfg");
  writeFileSync(file, `dataDir=${directory}\n${lines.join("\n")}\n`);
  return { file, directory };
}

const line = (level: string, sentence: string) => new RegExp(`^\\S+Z ${level} +${sentence}$`, "m");

test("SIGTERM ends it cleanly and it starts again on the same data", { timeout: 60_000 }, async () => {
  await using ensemble = await startEnsemble({ servers: 1 });
  const server = ensemble.servers[0]!;
  expect(await server.stop()).toBe(0);
  server.start();
  expect(await server.serves()).toBe("standalone");
  await server.kill();
  server.start();
  expect(await server.serves()).toBe("standalone");
});

test("a wrong setting stops with key, line and what was expected", async () => {
  const { file } = configured("clientPort=2181", "tickTime=soon");
  const { exitCode, output } = await zoetrope("server", file);
  expect(exitCode).toBe(1);
  expect(output).toMatch(
    line("ERROR", `${file} line 3: tickTime=soon is wrong; expected a whole number of at least 1 \\(ms\\)\\.`),
  );
  expect(output).not.toContain("    at ");
});

test("a missing configuration, and a member without its number, are one line each", async () => {
  expect((await zoetrope("server", "/nowhere/zoo.cfg")).output).toMatch(
    line("ERROR", "Cannot read the configuration /nowhere/zoo.cfg: there is no such file or directory\\."),
  );
  const { file, directory } = configured(
    "initLimit=5",
    "syncLimit=2",
    "server.1=127.0.0.1:1:2",
    "server.2=127.0.0.1:3:4",
  );
  expect((await zoetrope("server", file)).output).toMatch(
    line("ERROR", `${directory}/myid: myid is missing; expected a file with this server's number, one of 1, 2\\.`),
  );
  writeFileSync(join(directory, "myid"), "7");
  expect((await zoetrope("server", file)).output).toMatch(
    line("ERROR", `${directory}/myid line 1: myid=7 is wrong; expected a number of the server list: 1, 2\\.`),
  );
});

test("unknown keys are warned of by name", async () => {
  await using ensemble = await startEnsemble({ servers: 1, settings: ["ticktime=2000", "secureClientPort=2281"] });
  const { log } = ensemble.servers[0]!;
  expect(log).toMatch(line("WARN", ".*/zoo.cfg line \\d+: unknown key ticktime is ignored\\."));
  expect(log).toMatch(
    line("WARN", ".*/zoo.cfg line \\d+: secureClientPort is a setting of Apache ZooKeeper that has no effect here\\."),
  );
});

test("a busy client port is one line and exit code 1", { timeout: 60_000 }, async () => {
  const [port] = await freePorts(1);
  const other = createServer().listen(port, "127.0.0.1");
  onTestFinished(() => void other.close());
  const { file } = configured(`clientPort=${port}`, "clientPortAddress=127.0.0.1");
  const { exitCode, output } = await zoetrope("server", file);
  expect(exitCode).toBe(1);
  expect(output).toMatch(new RegExp(`ERROR .*${port}`));
  expect(output).not.toContain("    at ");
});

test("files that it cannot go on from are named with the place where they are", { timeout: 60_000 }, async () => {
  const [port] = await freePorts(1);
  const { file, directory } = configured(`clientPort=${port}`, "clientPortAddress=127.0.0.1");
  mkdirSync(join(directory, "version-2"));
  writeFileSync(join(directory, "version-2", "snapshot.0"), "");
  const { exitCode, output } = await zoetrope("server", file);
  expect(exitCode).toBe(1);
  expect(output).toMatch(line("ERROR", `the server stops: NO_VALID_SNAPSHOT: .* snap=${directory}/version-2 .*`));
  expect(output).not.toContain("    at ");
});
