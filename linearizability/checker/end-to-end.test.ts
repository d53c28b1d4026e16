/**
 * From an ensemble of processes to the verdict: a small run with a fault is made, judged and found valid; then the evidence is
 * tampered with, as a faulty server would have it, and what is wrong is named.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HISTORY_FILE, type Line } from "../histories/format.ts";
import { openRun, serverPath } from "../histories/run-folder.ts";
import { logOf } from "../proof/txns.ts";
import { run } from "../run/run.ts";
import { planRun, type RunPlan } from "../run/tiers.ts";
import { checkRun, type Judgement } from "./check-run.ts";

const BUILDER = fileURLToPath(new URL("../../bin/build.js", import.meta.url));
const MAIN = fileURLToPath(new URL("../../build/linearizability/checker/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "zoetrope-end-to-end-"));
const original = join(folder, "run");

const PLAN: RunPlan = {
  ...planRun({
    seed: 7,
    load: 0.5,
    kind: "zoetrope",
    serverBuild: null,
    servers: 3,
    seconds: 9,
    workloads: ["register", "watch"],
    nemeses: ["kill-leader"],
  }),
  holdMs: 1000,
  calmMs: 1500,
  healMs: 1500,
  // What a busy machine reaches, too.
  floors: { completed: 100, leaderChanges: 1 },
};

function copy(name: string): string {
  const path = join(folder, name);
  cpSync(original, path, { recursive: true });
  return path;
}

function linesIn(path: string): Line[] {
  const text = readFileSync(join(path, HISTORY_FILE), "utf8").trimEnd();
  return text.split("\n").map((line) => JSON.parse(line) as Line);
}

function writeLines(path: string, lines: readonly Line[]): void {
  const counted = lines.map((line) => (line.kind === "end" ? { ...line, lines: lines.length } : line));
  writeFileSync(join(path, HISTORY_FILE), `${counted.map((line) => JSON.stringify(line)).join("\n")}\n`);
}

/** The last write that succeeded, as its completion. */
function lastWrite(lines: readonly Line[]) {
  const writes = new Set(lines.flatMap((line) => (line.kind === "invoke" && line.op === "setData" ? [line.id] : [])));
  const found = lines.findLast((line) => line.kind === "ok" && writes.has(line.id));
  if (found?.kind !== "ok") throw new Error("no write succeeded");
  return found;
}

function judge(path: string, box?: "black"): Judgement {
  return checkRun(openRun(path), { traces: false, ...(box === undefined ? {} : { box }) });
}

function found({ violations }: Judgement): string[] {
  return [...new Set(violations.map(({ property, anomaly }) => `${property}: ${anomaly}`))];
}

function command(...args: string[]) {
  const { status, stdout } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
  return { status, stdout };
}

beforeAll(async () => {
  const { status, stderr } = spawnSync(process.execPath, [BUILDER], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  const options = { plan: PLAN, directory: original, signal: new AbortController().signal };
  const { findings } = await run({ ...options, say: () => {}, started: () => {} });
  expect(findings).toEqual([]);
}, 90_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a run of real processes, its leader killed", () => {
  test("is valid, with logs and without, and its traces follow the charts", () => {
    const { status, stdout } = command(original);
    expect(stdout).toContain("verdict: valid");
    expect(stdout).toMatch(/A and B agree +yes/);
    expect(stdout).toMatch(/traces +accepted/);
    expect(status).toBe(0);
    const blind = judge(original, "black");
    expect([blind.verdict, found(blind), blind.doubts]).toEqual(["valid", [], []]);
  });

  test("is refused when no log has an acknowledged write any more", () => {
    const path = copy("lost-write");
    const { logs, witness } = judge(path);
    const lost = witness!.log!.find(lastWrite(linesIn(path)).zxid);
    for (const { server } of logs!) rmSync(join(serverPath(path, server), "data"), { recursive: true });
    const kept = Array.from({ length: witness!.log!.count }, (_, row) => row).filter((row) => row !== lost);
    for (const { server } of logs!) {
      const log = join(serverPath(path, server), "log.100000001");
      writeFileSync(log, logOf(kept.map((row) => witness!.log!.txn(row))));
      writeFileSync(join(serverPath(path, server), "snapshot.0"), "");
    }
    const { status, stdout } = command("--no-traces", path);
    expect(stdout).toContain("VIOLATION C5 durability: lost write");
    expect(status).toBe(1);
  });

  test("is refused when a read saw what nobody wrote", () => {
    for (const box of [undefined, "black"] as const) {
      const path = copy(`read-${box}`);
      const lines = linesIn(path);
      const at = lines.findLastIndex(({ kind, ...line }) => kind === "ok" && "res" in line && hasData(line.res));
      const line = lines[at]! as Line & { kind: "ok" };
      writeLines(path, lines.with(at, { ...line, res: { ...line.res, data: "never" } } as Line));
      expect(found(judge(path, box))).toContain("C6 no read of what never was: read of what was never written");
    }
  });

  test("is refused when a txn is nobody's request", () => {
    const path = copy("invented");
    const lines = linesIn(path);
    const { id } = lastWrite(lines);
    writeLines(
      path,
      lines.filter((line) => !("id" in line) || line.id !== id),
    );
    expect(found(judge(path))).toContain("Z1 integrity: invented txn");
  });

  test("is refused when two servers have different trees", () => {
    const path = copy("digests");
    const lines = linesIn(path);
    const at = lines.findIndex(({ kind }) => kind === "digest");
    const line = lines[at]! as Line & { kind: "digest" };
    writeLines(path, lines.with(at, { ...line, digest: "0" }));
    expect(found(judge(path))).toContain("I10 digests agree: servers with different trees");
  });

  test("is no evidence when its history was cut off, or nothing happened to the leader", () => {
    const path = copy("cut-off");
    writeLines(path, linesIn(path).slice(0, -1));
    const { status, stdout } = command("--no-traces", path);
    expect(stdout).toContain("verdict: unknown, cut off");
    expect(status).toBe(2);
    const silent = linesIn(original).filter((line) => line.kind !== "digest" || line.server !== 2);
    writeLines(path, silent);
    expect(judge(path).doubts.map(({ summary }) => summary)).toEqual([
      "Without a digest of its tree at the end: server 2.",
    ]);
    const calm = linesIn(original).filter(({ kind }) => kind !== "server");
    writeLines(path, calm);
    const judged = judge(path);
    expect([judged.verdict, judged.doubts.map(({ reason }) => reason)]).toEqual(["unknown", ["vacuous"]]);
  });
});

function hasData(res: unknown): boolean {
  return typeof res === "object" && res !== null && "data" in res && typeof res.data === "string" && res.data !== "";
}

test("histories of other systems are judged by their exit code", () => {
  const jepsen = join(folder, "register.log");
  const cas = ["0 :invoke :write 1", "0 :ok :write 1", "1 :invoke :cas [1 2]", "1 :info :cas :timed-out"];
  const read = (value: number): string[] => ["2 :invoke :read nil", `2 :ok :read ${value}`];
  const judged = (...lines: string[]): number | null => {
    writeFileSync(jepsen, lines.map((line) => `INFO  jepsen.util - ${line}\n`).join(""));
    return command("--model", "register", "--format", "jepsen", jepsen).status;
  };
  expect(judged(...cas, ...read(1), ...read(2))).toBe(0);
  expect(judged(...cas, ...read(2), ...read(1))).toBe(1);
  expect(judged()).toBe(2);
});
