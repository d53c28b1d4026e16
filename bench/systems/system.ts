/** What is measured: servers of one kind, as processes on this machine. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askFourLetterWord } from "../../model-tests/support/four-letter-word.ts";
import { freePorts } from "../../model-tests/support/ports.ts";
import { until } from "../../model-tests/support/until.ts";

/** How to start a server from its zoo.cfg. */
export interface System {
  /** A word for tables. */
  readonly name: string;
  /** With version, for the record. */
  readonly title: string;
  command(zooCfg: string): {
    readonly file: string;
    readonly args: readonly string[];
    readonly env?: NodeJS.ProcessEnv;
  };
}

export interface ClusterOptions {
  readonly servers: number;
  /** Where data goes; the speed of its disk is part of what is measured. */
  readonly directory?: string;
}

const SERVES_MS = 60_000;
const STOP_MS = 10_000;

/** The same for every system; all else is their own default. */
const SETTINGS = [
  "tickTime=2000",
  "initLimit=10",
  "syncLimit=5",
  "maxClientCnxns=0",
  "4lw.commands.whitelist=*",
  "admin.enableServer=false",
];

export class Cluster {
  readonly system: System;
  readonly ports: readonly number[];
  readonly #members: readonly Member[];
  readonly #directory: string;

  private constructor(system: System, members: readonly Member[], directory: string) {
    this.system = system;
    this.#members = members;
    this.#directory = directory;
    this.ports = members.map((member) => member.port);
  }

  /** Starts the servers in a fresh directory and waits until all of them serve. */
  static async start(system: System, options: ClusterOptions): Promise<Cluster> {
    const { servers } = options;
    const directory = mkdtempSync(join(options.directory ?? tmpdir(), "zoetrope-bench-"));
    const ports = await freePorts(servers * 3);
    const ids = Array.from({ length: servers }, (_, index) => index + 1);
    const lines = ids.map((id) => `server.${id}=127.0.0.1:${ports[servers + id - 1]}:${ports[2 * servers + id - 1]}`);
    const members = ids.map((id) => {
      const own = new Member(system, id, ports[id - 1] as number, join(directory, String(id)));
      own.start(servers > 1 ? lines : []);
      return own;
    });
    const cluster = new Cluster(system, members, directory);
    try {
      await Promise.all(members.map((member) => member.serves()));
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get pids(): readonly number[] {
    return this.#members.map((member) => member.pid);
  }

  /** Index of the member that leads. */
  async leader(): Promise<number> {
    const modes = await Promise.all(this.#members.map((member) => member.mode()));
    return modes.findIndex((mode) => mode === "leader" || mode === "standalone");
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

class Member {
  readonly port: number;
  readonly #system: System;
  readonly #id: number;
  readonly #home: string;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(system: System, id: number, port: number, home: string) {
    this.#system = system;
    this.#id = id;
    this.port = port;
    this.#home = home;
  }

  start(memberLines: readonly string[]): void {
    mkdirSync(this.#home, { recursive: true });
    const own = [`dataDir=${this.#home}`, `clientPort=${this.port}`, "clientPortAddress=127.0.0.1"];
    const config = join(this.#home, "zoo.cfg");
    writeFileSync(config, `${[...SETTINGS, ...own, ...memberLines].join("\n")}\n`);
    writeFileSync(join(this.#home, "myid"), `${this.#id}\n`);
    const { file, args, env = {} } = this.#system.command(config);
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    const log = createWriteStream(join(this.#home, "log"));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("close", () => resolve()));
    child.once("close", () => {
      this.#child = null;
      log.end();
    });
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined)
      throw new Error(`Server ${this.#id} of ${this.#system.name} has ended; its log: ${this.#home}/log`);
    return pid;
  }

  async mode(): Promise<string | null> {
    const answer = await askFourLetterWord(this.port, "srvr").catch(() => "");
    return /^Mode: (.+)$/m.exec(answer)?.[1] ?? null;
  }

  async serves(): Promise<void> {
    const serves = () => (this.pid > 0 ? this.mode() : null);
    await until(`server ${this.#id} of ${this.#system.name} to serve`, serves, { timeoutMs: SERVES_MS });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await this.#ended;
    clearTimeout(killer);
  }
}
