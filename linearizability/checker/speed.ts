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
  const clock = startClock();
  const history = readHistoryFile(join(folder, "history.jsonl"));
  const logs = SERVERS.flatMap((id) => readServerLogs(id, join(folder, "servers", String(id))));
  const read = clock();
  const { violations, log } = checkByWitness(history, { logs, tickTimeMs: 1000 });
  const done = clock();
  const resident = (process.resourceUsage().maxRSS / 1024).toFixed(0);
  print(
    `A: ${history.operations.count} operations, ${log!.count} txns in ${logs.length} logs: ${done} ` +
      `(of which reading ${read}), at most ${resident} MB resident, ${violations.length} violations`,
  );
  return violations.length === 0;
}

function measureSearch(folder: string, print: (line: string) => void): boolean {
  const history = readHistoryFile(join(folder, "history.jsonl"));
  const clock = startClock();
  const { result, partitions, operations } = checkBySearch(history);
  print(`B: ${operations} operations in ${partitions} partitions: ${clock()}, ${result}`);
  return result === "valid";
}

/** Since then: by the wall, and of the processor's, which a busy machine does not change. */
function startClock(): () => string {
  const started = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return `${((performance.now() - started) / 1000).toFixed(1)} s, CPU ${((user + system) / 1e6).toFixed(1)} s`;
  };
}
