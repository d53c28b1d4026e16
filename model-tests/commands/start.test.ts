/** `npm start` as a person uses it: three servers, Ctrl-C, everything kept; and the sentences when it cannot. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { connect } from "../../src/client/index.ts";
import { zoetrope, zoetropeConversation } from "../support/command.ts";
import { askFourLetterWord } from "../support/four-letter-word.ts";
import { freePorts } from "../support/ports.ts";
import { until } from "../support/until.ts";

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "zoetrope-start-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The first of three client ports in a row whose quorum and election ports are most likely free too. */
async function clientPort(): Promise<string> {
  return String((await freePorts(1))[0]);
}

const READY = /Zoetrope serves, 3 servers; data in .*\n(?: {2}server \d.*\n){3}/;

test("three servers serve until Ctrl-C, and again with what was kept", { timeout: 90_000 }, async () => {
  const data = temporaryDirectory();
  const port = await clientPort();
  for (const run of ["first", "second"]) {
    await using start = zoetropeConversation("start", "--client-port", port, "--data", data);
    const [summary] = await start.hears(READY);
    expect(summary.match(/ leads /g)).toHaveLength(1);
    expect(summary.match(/ follows /g)).toHaveLength(2);
    const [, addresses] = await start.hears(/bin\/zoetrope cli -server (\S+)\n/);
    expect(addresses).toBe([0, 1, 2].map((i) => `127.0.0.1:${Number(port) + i}`).join(","));
    const zk = connect(addresses!);
    if (run === "first") await zk.create("/kept", "first");
    expect((await zk.getData("/kept")).data?.toString()).toBe("first");
    await zk.close();
    start.signal("SIGINT");
    await start.hears(/Stopping\./);
    expect(await start.ended()).toBe(0);
  }
});

test("a server that is killed is told, the others go on, and it comes back", { timeout: 60_000 }, async () => {
  const data = temporaryDirectory();
  await using start = zoetropeConversation("start", "--client-port", await clientPort(), "--data", data);
  const [summary] = await start.hears(READY);
  const [, id, pid] = /server (\d) .* leads .*\(pid (\d+)\)/.exec(summary)!;
  process.kill(Number(pid), "SIGKILL");
  await start.hears(new RegExp(`Server ${id} was killed \\(SIGKILL\\), 2 of 3 run. It comes back in 5 s.\n`));
  await start.hears(/Zoetrope serves, 2 servers/);
  const [again] = await start.hears(READY);
  expect(again).toContain(`server ${id} `);
  start.signal("SIGTERM");
  expect(await start.ended()).toBe(0);
});

test("its servers end with it, even by kill -9", { timeout: 60_000 }, async () => {
  const port = await clientPort();
  await using start = zoetropeConversation(
    "start",
    "--servers",
    "1",
    "--client-port",
    port,
    "--data",
    temporaryDirectory(),
  );
  await start.hears(/Zoetrope serves, one server/);
  start.signal("SIGKILL");
  await until(
    "the server to go",
    async () => (await askFourLetterWord(Number(port), "ruok").catch(() => "gone")) === "gone",
  );
});

test("a busy port is one sentence", async () => {
  const port = await clientPort();
  const other = createServer().listen(Number(port), "127.0.0.1");
  onTestFinished(() => void other.close());
  expect(await zoetrope("start", "--client-port", port, "--data", temporaryDirectory())).toEqual({
    exitCode: 2,
    output: `Port ${port} is in use, perhaps by another ensemble; choose others with --client-port.`,
  });
});

test("a data directory that another ensemble uses is one sentence; what a dead one left is no hindrance", {
  timeout: 60_000,
}, async () => {
  const data = temporaryDirectory();
  const options = async () => ["start", "--servers", "1", "--client-port", await clientPort(), "--data", data];
  await using start = zoetropeConversation(...(await options()));
  await start.hears(/Zoetrope serves/);
  const { exitCode, output } = await zoetrope(...(await options()));
  expect(exitCode).toBe(2);
  expect(output).toMatch(/^.* is in use by another ensemble \(pid \d+\); choose another place with --data\.$/);
  start.signal("SIGKILL");
  await start.ended();
  await using again = zoetropeConversation(...(await options()));
  await again.hears(/Zoetrope serves/);
});

test("a data directory that cannot be is one sentence", async () => {
  const file = join(temporaryDirectory(), "file");
  writeFileSync(file, "");
  const { exitCode, output } = await zoetrope("start", "--client-port", await clientPort(), "--data", file);
  expect(exitCode).toBe(2);
  expect(output).toMatch(
    /^Cannot write to the data directory .*\/file\/1: a (part of the path is not a directory|file of that name is in the way)\.$/,
  );
});

test("help is no wrong option", async () => {
  const { exitCode, output } = await zoetrope("start", "--help");
  expect(exitCode).toBe(0);
  expect(output).toMatch(/^Zoetrope .*\n\n {2}zoetrope server/);
});

test("wrong options are one sentence", async () => {
  expect(await zoetrope("start", "--servers", "4")).toEqual({ exitCode: 2, output: "--servers is 1, 3 or 5, not 4." });
});

test("the configuration of each server is left to be read and copied", { timeout: 60_000 }, async () => {
  const data = temporaryDirectory();
  const port = await clientPort();
  await using start = zoetropeConversation("start", "--servers", "1", "--client-port", port, "--data", data);
  await start.hears(/Zoetrope serves/);
  expect(readFileSync(join(data, "1", "zoo.cfg"), "utf8")).toContain(`clientPort=${port}\n`);
});
