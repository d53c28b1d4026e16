/** How fast the checker is, as a measurement: a million operations for the witness, 50,000 over 250 keys for the search. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readHistoryFile } from "../histories/read-history.ts";
import { checkBySearch } from "./search/search.ts";
import { readServerLogs } from "./witness/server-log.ts";
import { checkByWitness } from "./witness/witness.ts";

const SERVERS = [1, 2, 3];
/** In a process of its own, whose memory does not count. */
const MAKER = fileURLToPath(new URL("../speed-data.js", import.meta.url));

/** @returns an exit code: 0 when both found their (legal) histories valid */
export function measureSpeed(print: (line: string) => void): number {
  const folder = mkdtempSync(join(tmpdir(), "zoetrope-speed-"));
  try {
    print("making a legal run of 1,000,000 operations, and one of 50,000 over 250 znodes …");
    const [a, b] = [join(folder, "a"), join(folder, "b")];
    const made = spawnSync(process.execPath, ["--max-old-space-size=6000", MAKER, a, b], { stdio: "inherit" });
    if (made.status !== 0) return 2;
    const witness = measureWitness(a, print);
    const search = measureSearch(b, print);
    return witness && search ? 0 : 2;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measureWitness(folder: string, print: (line: string) => void): boolean {
  const started = performance.now();
  const history = readHistoryFile(join(folder, "history.jsonl"));
  const logs = SERVERS.flatMap((id) => readServerLogs(id, join(folder, "servers", String(id))));
  const read = performance.now();
  const { violations, log } = checkByWitness(history, { logs, tickTimeMs: 1000 });
  const done = performance.now();
  const resident = (process.resourceUsage().maxRSS / 1024).toFixed(0);
  print(
    `A: ${history.operations.count} operations, ${log!.count} txns in ${logs.length} logs: ${seconds(done - started)} ` +
      `(reading ${seconds(read - started)}, checking ${seconds(done - read)}), at most ${resident} MB resident, ${violations.length} violations`,
  );
  return violations.length === 0;
}

function measureSearch(folder: string, print: (line: string) => void): boolean {
  const history = readHistoryFile(join(folder, "history.jsonl"));
  const started = performance.now();
  const { result, partitions, operations } = checkBySearch(history);
  print(`B: ${operations} operations in ${partitions} partitions: ${seconds(performance.now() - started)}, ${result}`);
  return result === "valid";
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
