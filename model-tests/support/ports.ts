/** TCP ports for servers under test, on 127.0.0.1. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Below the range from which Linux takes ports for outgoing connections (32768–60999), so that no client can sit on one. */
const FIRST = 10_000;
const LAST = 32_000;

/**
 * A file per port that a process here has been given. Until its server listens, which may be seconds later or between two of
 * its lives, nothing else tells that it is taken; and clients of one ensemble must never meet servers of another.
 */
const CLAIMS = join(tmpdir(), "zoetrope-ports");

const given = new Set<number>();

/** Ports nobody listens on, nor is going to: chosen at random, never given twice, not to two processes either. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !claim(port) || !(await isFree(port))) continue;
    ports.push(port);
  }
  return ports;
}

function claim(port: number): boolean {
  const file = join(CLAIMS, String(port));
  mkdirSync(CLAIMS, { recursive: true });
  if (isHeld(file)) return false;
  try {
    rmSync(file, { force: true });
    writeFileSync(file, String(process.pid), { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  if (given.size === 0) process.once("exit", release);
  given.add(port);
  return true;
}

/** By a process that lives. */
function isHeld(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function release(): void {
  for (const port of given) rmSync(join(CLAIMS, String(port)), { force: true });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ host: "127.0.0.1", port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
