/**
 * `zoetrope start` (npm start): an ensemble on this machine, one operating system process per server. This is for looking at an
 * ensemble, and for killing its members: one that is killed stays away long enough to see the others go on, and comes back.
 * One that ends by itself has told why, and would do it again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { claim, ownerOf } from "./data-dir-lock.ts";
import { type EnsemblePlan, HOST, type MemberPlan, planEnsemble, UsageError, zooCfg } from "./ensemble-plan.ts";
import { modeOf } from "./four-letter-query.ts";

const LAUNCHER = fileURLToPath(new URL("../../../bin/zoetrope", import.meta.url));
const POLL_MS = 150;
/** An ensemble that has no leader by then is told so; it may still find one. */
const LEADER_PATIENCE_MS = 20_000;
const RESTART_AFTER_MS = 5000;
const STOP_PATIENCE_MS = 10_000;

interface RunningMember {
  readonly plan: MemberPlan;
  readonly child: ChildProcess;
  running: boolean;
}

/** How a process ended: by a signal, or with an exit code of its own. */
interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Runs until Ctrl-C or until the last server has ended. */
export async function startCommand(args: readonly string[]): Promise<number> {
  let plan: EnsemblePlan;
  let release: () => void;
  try {
    plan = planEnsemble(args);
    release = await prepare(plan);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(error.message);
    return 2;
  }
  try {
    return await new Promise<number>((resolve) => new Ensemble(plan, resolve).start());
  } finally {
    release();
  }
}

class Ensemble {
  readonly #plan: EnsemblePlan;
  readonly #ended: (code: number) => void;
  #members: RunningMember[] = [];
  readonly #restarts = new Set<NodeJS.Timeout>();
  #stopping = false;
  #watching = false;

  constructor(plan: EnsemblePlan, ended: (code: number) => void) {
    this.#plan = plan;
    this.#ended = ended;
  }

  start(): void {
    this.#members = this.#plan.members.map((member) => this.#startMember(member));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => this.#stop());
    void this.#announceLeader();
  }

  #startMember(plan: MemberPlan): RunningMember {
    // Limits of memory that this process was started with are the launcher's.
    const child = spawn(process.execPath, [...memoryFlags(), LAUNCHER, "server", join(plan.directory, "zoo.cfg")], {
      // The channel tells a server that this process is gone, however it went.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, ZOETROPE_SKIP_BUILD: "1" },
    });
    const member: RunningMember = { plan, child, running: true };
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on("line", (line) => process.stdout.write(`[${plan.id}] ${line}\n`));
    child.on("close", (code, signal) => this.#memberEnded(member, { code, signal }));
    return member;
  }

  #memberEnded(member: RunningMember, { code, signal }: End): void {
    member.running = false;
    const left = this.#members.filter((other) => other.running).length;
    if (!this.#stopping) {
      const running = `${left} of ${this.#members.length} run`;
      if (signal !== null) {
        say(
          `Server ${member.plan.id} was killed (${signal}), ${running}. It comes back in ${RESTART_AFTER_MS / 1000} s.`,
        );
        this.#startLater(member);
      } else {
        const again = `bin/zoetrope server ${relative(process.cwd(), join(member.plan.directory, "zoo.cfg"))}`;
        say(`Server ${member.plan.id} has ended (exit code ${code}), ${running}. Start it again with: ${again}`);
      }
      if (left > 0) void this.#announceLeader();
    }
    if (left === 0 && this.#restarts.size === 0) this.#ended(this.#stopping ? 0 : 1);
  }

  #startLater(member: RunningMember): void {
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#members[this.#members.indexOf(member)] = this.#startMember(member.plan);
      void this.#announceLeader();
    }, RESTART_AFTER_MS);
    this.#restarts.add(timer);
  }

  /** Asks every running server who it is until one leads, then tells how to connect. */
  async #announceLeader(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    const deadline = performance.now() + LEADER_PATIENCE_MS;
    let told = false;
    while (!this.#stopping && this.#members.some((member) => member.running)) {
      const modes = await this.#modes();
      if (
        modes.every(([, mode]) => mode !== null) &&
        modes.some(([, mode]) => mode === "leader" || mode === "standalone")
      ) {
        say(summary(this.#plan, modes));
        break;
      }
      if (!told && performance.now() > deadline) {
        told = true;
        say("No leader yet. An ensemble serves while more than half of its servers run.");
      }
      await new Promise((wake) => setTimeout(wake, POLL_MS));
    }
    this.#watching = false;
  }

  async #modes(): Promise<(readonly [RunningMember, string | null])[]> {
    const running = this.#members.filter((member) => member.running);
    return Promise.all(running.map(async (member) => [member, await modeOf(HOST, member.plan.clientPort)] as const));
  }

  #stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    say("Stopping.");
    for (const timer of this.#restarts) clearTimeout(timer);
    this.#restarts.clear();
    const running = () => this.#members.filter((member) => member.running);
    if (running().length === 0) return this.#ended(0);
    for (const { child } of running()) child.kill("SIGTERM");
    setTimeout(() => {
      for (const { plan, child } of running()) {
        say(`Server ${plan.id} does not end; killing it. Its log keeps every acknowledged write.`);
        child.kill("SIGKILL");
      }
    }, STOP_PATIENCE_MS).unref();
  }
}

function summary(plan: EnsemblePlan, modes: readonly (readonly [RunningMember, string | null])[]): string {
  const all = plan.members.map((member) => `${HOST}:${member.clientPort}`).join(",");
  const servers = modes.map(([{ plan: member, child }, mode]) => {
    const marked = mode === "leader" ? "leads" : mode === "follower" ? "follows" : mode;
    return `  server ${member.id}  ${HOST}:${member.clientPort}  ${marked}  (pid ${child.pid})`;
  });
  return [
    `Zoetrope serves, ${modes.length === 1 ? "one server" : `${modes.length} servers`}; data in ${plan.dataDir}`,
    ...servers,
    "Connect with any ZooKeeper client:",
    `  bin/zoetrope cli -server ${all}`,
    `  zkCli.sh -server ${all}`,
    `  kazoo: KazooClient(hosts="${all}")`,
    "Ctrl-C ends it; everything is kept for the next start.",
  ].join("\n");
}

/**
 * Finds out what can go wrong before any process is started.
 * @returns how to give the data directory free
 * @throws UsageError with one sentence
 */
async function prepare(plan: EnsemblePlan): Promise<() => void> {
  const owner = ownerOf(plan.dataDir);
  if (owner !== null)
    throw new UsageError(
      `${plan.dataDir} is in use by another ensemble (pid ${owner}); choose another place with --data.`,
    );
  for (const member of plan.members) {
    for (const port of portsOf(plan, member)) {
      const problem = await portProblem(port);
      if (problem === "EADDRINUSE")
        throw new UsageError(`Port ${port} is in use, perhaps by another ensemble; choose others with --client-port.`);
      if (problem !== null)
        throw new UsageError(`Cannot listen on port ${port} (${problem}); choose others with --client-port.`);
    }
    inDirectory(member.directory, () => {
      mkdirSync(member.directory, { recursive: true });
      writeFileSync(join(member.directory, "myid"), `${member.id}\n`);
      writeFileSync(join(member.directory, "zoo.cfg"), zooCfg(plan, member));
    });
  }
  return inDirectory(plan.dataDir, () => claim(plan.dataDir));
}

/** @throws UsageError with one sentence when the files cannot be written */
function inDirectory<T>(directory: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(`Cannot write to the data directory ${directory}: ${REASONS[code ?? ""] ?? message}.`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  ENOTDIR: "a part of the path is not a directory",
  EEXIST: "a file of that name is in the way",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};

function portsOf(plan: EnsemblePlan, member: MemberPlan): number[] {
  return plan.members.length === 1 ? [member.clientPort] : [member.clientPort, member.quorumPort, member.electionPort];
}

/** The error code of trying to listen there, or null. */
function portProblem(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen({ host: HOST, port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function memoryFlags(): string[] {
  return process.execArgv.filter((flag) => flag.startsWith("--max-"));
}
