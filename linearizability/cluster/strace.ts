/** System calls that are watched, delayed or made to fail from outside: by strace, where it is installed and may attach. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { execa } from "execa";
import { until } from "../../model-tests/support/until.ts";
import type { Launch, Member } from "./member.ts";

let missing: string | null | undefined;

/** Why it cannot be used here; null if it can. */
export function straceLacks(): string | null {
  missing ??= probe();
  return missing;
}

function probe(): string | null {
  const inject = ["-f", "-qq", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO", "-o", "/dev/null"];
  const { error, status } = spawnSync("strace", [...inject, "true"], { stdio: "ignore", timeout: 10_000 });
  if (error !== undefined) return "strace is not installed";
  return status === 0 ? null : "strace may not attach to processes here";
}

export interface Injection {
  /** Lets the process go on as it was. */
  lift(): Promise<void>;
}

/** What makes bytes durable: syncs, and positional writes, which may go through descriptors that sync by themselves. */
const DURABLE_CALLS = "fsync,fdatasync,pwrite64,pwritev";

/** A write whose bytes are noted returns this much later, as from a disk that turns: there is something to lose at any moment. */
const NOTED_WRITE_US = 4000;

/** Attaches to a running server. Every write and sync of a file by it from now on is treated so, until lifted. */
export async function injectIntoSyncs(member: Member, what: string): Promise<Injection> {
  const trace = ["-e", `trace=${DURABLE_CALLS}`, "-e", `inject=${DURABLE_CALLS}:${what}`];
  const options = ["-f", "-o", "/dev/null", ...trace];
  const tracer = execa("strace", [...options, "-p", String(member.pid)], {
    reject: false,
    cleanup: true,
    stdin: "ignore",
  });
  await attached(tracer);
  return {
    lift: async () => {
      // strace lets go of what it traces before it ends.
      tracer.kill("SIGINT");
      await tracer;
    },
  };
}

/** strace says so on its standard error. */
function attached(tracer: PromiseLike<unknown> & { readonly stderr: NodeJS.ReadableStream }): Promise<void> {
  return new Promise((resolve) => {
    tracer.stderr.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("attached")) resolve();
    });
    void tracer.then(() => resolve());
  });
}

/**
 * Starts a server under a tracer that notes every write to a file and every sync (`LostWrites` reads it). The tracer is a
 * grandchild (-D), so that the process that is started, signalled and awaited is the server.
 */
export function noteWrites(launch: Launch, notes: string): Launch {
  const noted = ["-e", `trace=openat,${DURABLE_CALLS}`, "-e", "signal=none", "-y", "-s", "0"];
  const late = ["-e", `inject=${DURABLE_CALLS}:delay_exit=${NOTED_WRITE_US}`];
  const options = ["-D", "-f", "-qq", "--seccomp-bpf", ...noted, ...late];
  return { ...launch, command: "strace", args: [...options, "-o", notes, launch.command, ...launch.args] };
}

/**
 * Ends a server that is traced, and returns when its tracer has written all its notes: a sync whose line is missing would make
 * durable writes look lost.
 */
export async function killTraced(member: Member): Promise<void> {
  const tracer = member.running ? tracerOf(member.pid) : 0;
  await member.kill();
  if (tracer > 0)
    await until("the tracer to end", () => !existsSync(`/proc/${tracer}`), { timeoutMs: 5000, everyMs: 10 });
}

function tracerOf(pid: number): number {
  return Number(/^TracerPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0);
}
