/** One server, Zoetrope's or Apache's, as an operating system process that a test starts, stops, pauses and kills. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, type ResultPromise } from "execa";
import { askFourLetterWord } from "./four-letter-word.ts";
import { apacheClassPath } from "./installed.ts";
import { until } from "./until.ts";

export type ServerKind = "zoetrope" | "apache";

const LAUNCHER = fileURLToPath(new URL("../../bin/zoetrope", import.meta.url));
const BUILDER = fileURLToPath(new URL("../../bin/build.js", import.meta.url));
const HOST = "127.0.0.1";

let built = false;

/** Builds the sources if they are newer, once for all servers of this test file. */
function ensureBuilt(): void {
  if (built) return;
  const { status, stderr } = spawnSync(process.execPath, [BUILDER], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  built = true;
}

export interface ServerProcessOptions {
  readonly kind: ServerKind;
  /** myid; anything standalone. */
  readonly id: number;
  readonly clientPort: number;
  /** Holds zoo.cfg, myid and version-2. */
  readonly directory: string;
  /** The whole zoo.cfg. */
  readonly zooCfg: string;
}

export class ServerProcess {
  readonly kind: ServerKind;
  readonly id: number;
  readonly clientPort: number;
  readonly directory: string;
  readonly #zooCfg: string;
  #process: ResultPromise<{ all: true }> | null = null;
  #log = "";

  constructor(options: ServerProcessOptions) {
    this.kind = options.kind;
    this.id = options.id;
    this.clientPort = options.clientPort;
    this.directory = options.directory;
    this.#zooCfg = options.zooCfg;
  }

  /** `host:port` for clients. */
  get address(): string {
    return `${HOST}:${this.clientPort}`;
  }

  /** What all incarnations have written, for failure messages. */
  get log(): string {
    return this.#log;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`Server ${this.id} does not run`);
    return pid;
  }

  get running(): boolean {
    return this.#process !== null;
  }

  /** Starts the process; does not wait until it serves. */
  start(): void {
    if (this.#process !== null) throw new Error(`Server ${this.id} runs already`);
    mkdirSync(this.directory, { recursive: true });
    const file = join(this.directory, "zoo.cfg");
    writeFileSync(file, this.#zooCfg);
    writeFileSync(join(this.directory, "myid"), `${this.id}\n`);
    const child = this.kind === "zoetrope" ? startZoetrope(file) : startApache(file);
    child.all.on("data", (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
    this.#process = child;
    const ended = () => {
      if (this.#process === child) this.#process = null;
    };
    child.then(ended, ended);
  }

  /** kill -9, without waiting for anything but the end of the process. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** SIGTERM; returns the exit code, null when a signal ended it. */
  async stop(): Promise<number | null> {
    return this.#end("SIGTERM");
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.#process;
    if (child === null) return null;
    child.kill(signal);
    // A paused process does not see SIGTERM before it goes on.
    if (signal === "SIGTERM") process.kill(child.pid!, "SIGCONT");
    const result = await child;
    this.#process = null;
    return result.exitCode ?? null;
  }

  /** SIGSTOP: alive for the operating system, silent for everyone else. */
  pause(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  resume(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** A fresh disk. */
  wipe(): void {
    if (this.running) throw new Error(`Server ${this.id} still runs`);
    rmSync(join(this.directory, "version-2"), { recursive: true, force: true });
  }

  ask(word: string): Promise<string> {
    return askFourLetterWord(this.clientPort, word);
  }

  /** `leader`, `follower`, `observer`, `standalone`; null while it does not serve. */
  async mode(): Promise<string | null> {
    const answer = await this.ask("srvr").catch(() => "");
    return /^Mode: (.+)$/m.exec(answer)?.[1] ?? null;
  }

  /** Waits until it serves clients and returns its mode. */
  async serves(timeoutMs = 30_000): Promise<string> {
    try {
      return await until(`server ${this.id} (${this.kind}) to serve`, () => this.#modeUnlessEnded(), { timeoutMs });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n--- its log:\n${this.#log.slice(-6000)}`, { cause: error });
    }
  }

  async #modeUnlessEnded(): Promise<string | null> {
    if (this.#process === null) throw new Error(`Server ${this.id} (${this.kind}) has ended`);
    return this.mode();
  }
}

const CHILD = { all: true, reject: false, buffer: false, stdin: "ignore", cleanup: true } as const;

function startZoetrope(file: string): ResultPromise<{ all: true }> {
  ensureBuilt();
  const env = { ZOETROPE_SKIP_BUILD: "1" };
  return execa(process.execPath, [LAUNCHER, "server", file], { ...CHILD, env }) as unknown as ResultPromise<{
    all: true;
  }>;
}

function startApache(file: string): ResultPromise<{ all: true }> {
  if (apacheClassPath === null) throw new Error("Apache ZooKeeper is not installed");
  const options = ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dzookeeper.jmx.log4j.disable=true", "-cp", apacheClassPath];
  const main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
  return execa("java", [...options, main, file], CHILD) as unknown as ResultPromise<{ all: true }>;
}
