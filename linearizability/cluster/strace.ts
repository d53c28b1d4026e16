/** System calls that are watched, delayed or made to fail from outside: by strace, where it is installed and may attach. */
import { spawnSync } from "node:child_process";
import { execa } from "execa";
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
  const options = [
    "-D",
    "-f",
    "-qq",
    "--seccomp-bpf",
    "-y",
    "-s",
    "0",
    "-e",
    `trace=openat,${DURABLE_CALLS}`,
    "-e",
    "signal=none",
  ];
  return { ...launch, command: "strace", args: [...options, "-o", notes, launch.command, ...launch.args] };
}
