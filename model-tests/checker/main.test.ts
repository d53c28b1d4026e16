import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COMPILER = join(ROOT, "node_modules", "typescript", "bin", "tsc");
/** Below node_modules, so that the compiled files find their packages; worker threads need files that Node can run. */
let build = "";

beforeAll(async () => {
  build = mkdtempSync(join(ROOT, "node_modules", ".checker-"));
  const options = ["--outDir", build, "--incremental", "false", "--tsBuildInfoFile", "null"];
  await execa("node", [COMPILER, "-p", join(ROOT, "tsconfig.build.json"), ...options]);
}, 120_000);

afterAll(() => rmSync(build, { recursive: true, force: true }));

const run = (...args: string[]) =>
  execa("node", [join(build, "model-tests", "checker", "main.js"), ...args], { reject: false });

test("two workers find what one thread finds", async () => {
  const { stdout, exitCode } = await run("zab-tla/2,2,1,1 authors", "--workers", "2");
  expect(stdout).toContain("  2 workers;");
  expect(stdout.split("\n").at(-1)).toMatch(
    /^zab-tla\/2,2,1,1 authors .*distinct 39,143 {2}generated 53,725 {2}depth 38 .*holds, counts as TLC's$/,
  );
  expect(exitCode).toBe(0);
});

test("a named mutant shows its trace, and its sequence chart and replay file are written", async () => {
  const { stdout, exitCode } = await run("--mutants", "a new leader skips", "--diagrams", join(build, "out"));
  expect(stdout).toContain("Leadership1 fails after 2 steps");
  expect(stdout).toContain("1 of 1 mutants killed");
  expect(exitCode).toBe(0);
  const files = readdirSync(join(build, "out")).sort();
  expect(files.map((file) => file.split(".").at(-1))).toEqual(["html", "json"]);
  expect(JSON.parse(readFileSync(join(build, "out", files[1]!), "utf8"))).toMatchObject({
    property: "Leadership1",
    actions: ["UpdateLeader s1", "UpdateLeader s2"],
  });
});

test("a search that is cut short does not pass", async () => {
  const { stdout, exitCode } = await run("zab-tla/3,2,1,0", "--seconds", "0");
  expect(stdout.split("\n").at(-1)).toMatch(/incomplete$/);
  expect(exitCode).toBe(1);
});

test("unknown names and options are wrong usage", async () => {
  expect((await run("zab-tla/9,9,9,9")).exitCode).toBe(2);
  expect((await run("--nosuch")).exitCode).toBe(2);
});
