/** One ensemble per data directory: two that wrote the same logs would destroy both histories. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILE = "start.pid";

/** Process id of the `zoetrope start` that uses this directory; null if none does, whatever an earlier one left behind. */
export function ownerOf(dataDir: string): number | null {
  const pid = Number(read(join(dataDir, FILE)));
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid || !isRunning(pid)) return null;
  // After a crash another program may have got the number. Without /proc, believe the number.
  const commandLine = read(`/proc/${pid}/cmdline`);
  return commandLine === null || commandLine.includes("zoetrope") ? pid : null;
}

/** Marks the directory as used by this process, until the returned function is called or the process is gone. */
export function claim(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, FILE);
  writeFileSync(file, `${process.pid}\n`);
  return () => rmSync(file, { force: true });
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
