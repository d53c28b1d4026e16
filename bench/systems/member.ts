/** One server process of a system under load: started, asked, killed, started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { askFourLetterWord } from "../../model-tests/support/four-letter-word.ts";
import { until } from "../../model-tests/support/until.ts";
import { residentBytes } from "../load/process-usage.ts";
import { WireSession } from "../load/wire-session.ts";
import type { ProbeAnswer, ProbeRequest, Stalls } from "../probe/server-probe.ts";
import type { System } from "./system.ts";

const SERVES_MS = 120_000;
const STOP_MS = 10_000;
const PROBE_MS = 20_000;
const KNOCK_EVERY_MS = 2;
const KNOCK_TIMEOUT_MS = 10_000;
const KNOCK_PATIENCE_MS = 2000;

export interface MemberOptions {
  readonly system: System;
  readonly id: number;
  readonly port: number;
  readonly home: string;
  /** All of zoo.cfg that is not this member's own. */
  readonly settings: readonly string[];
}

export class Member {
  readonly port: number;
  /** Also its dataDir. */
  readonly home: string;
  readonly #options: MemberOptions;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: MemberOptions) {
    this.#options = options;
    this.port = options.port;
    this.home = options.home;
    mkdirSync(this.home, { recursive: true });
  }

  start(): void {
    const { system, id, settings } = this.#options;
    const own = [`dataDir=${this.home}`, `clientPort=${this.port}`, "clientPortAddress=127.0.0.1"];
    const config = join(this.home, "zoo.cfg");
    writeFileSync(config, `${[...own, ...settings].join("\n")}\n`);
    writeFileSync(join(this.home, "myid"), `${id}\n`);
    const { file, args, env = {} } = system.command(config);
    const child = spawn(file, args, {
      stdio: ["ignore", "pipe", "pipe", system.probed ? "ipc" : "ignore"],
      env: { ...process.env, ...env },
    });
    const log = createWriteStream(join(this.home, "log"), { flags: "a" });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("close", () => resolve()));
    child.once("close", () => {
      if (this.#child === child) this.#child = null;
      log.end();
    });
  }

  get pid(): number {
    const pid = this.#child?.pid;
    const { id, system } = this.#options;
    if (pid === undefined) throw new Error(`Server ${id} of ${system.name} has ended; its log: ${this.home}/log`);
    return pid;
  }

  get memory(): number {
    return residentBytes(this.pid);
  }

  async mode(): Promise<string | null> {
    if (this.#child === null) return null;
    const answer = await askFourLetterWord(this.port, "srvr").catch(() => "");
    return /^Mode: (.+)$/m.exec(answer)?.[1] ?? null;
  }

  async serves(): Promise<void> {
    const serves = () => (this.pid > 0 ? this.mode() : null);
    const { id, system } = this.#options;
    await until(`server ${id} of ${system.name} to serve`, serves, { timeoutMs: SERVES_MS });
  }

  /** Knocks until a session stands: what a client sees of a start. */
  async greets(): Promise<void> {
    const deadline = performance.now() + SERVES_MS;
    while (this.pid > 0) {
      const options = { port: this.port, timeoutMs: KNOCK_TIMEOUT_MS, patienceMs: KNOCK_PATIENCE_MS };
      const session = await WireSession.open(options).catch(() => null);
      if (session !== null) return void session.close();
      if (performance.now() > deadline) throw new Error(`A server of ${this.#options.system.name} does not greet`);
      await new Promise((wake) => setTimeout(wake, KNOCK_EVERY_MS));
    }
  }

  /** A figure of `mntr`, without its prefix. */
  async monitored(name: string): Promise<number | null> {
    const answer = await askFourLetterWord(this.port, "mntr").catch(() => "");
    const text = new RegExp(`^zk_${name}\\s+([\\d.]+)$`, "m").exec(answer)?.[1];
    return text === undefined ? null : Number(text);
  }

  watchStalls(): void {
    this.#child?.send("watch" satisfies ProbeRequest);
  }

  async stalls(): Promise<Stalls> {
    return (await this.#ask("stalls")) as Stalls;
  }

  /** Heap and buffers that are alive, after a full collection. */
  async liveMemory(): Promise<number> {
    return ((await this.#ask("live-memory")) as { liveBytes: number }).liveBytes;
  }

  #ask(request: ProbeRequest): Promise<ProbeAnswer> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      if (child === null) return reject(new Error("The server has ended"));
      const timer = setTimeout(() => reject(new Error("The probe in a server does not answer")), PROBE_MS);
      child.once("message", (answer: ProbeAnswer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      child.send(request);
    });
  }

  /** kill -9; `ended` tells when it is gone. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  get ended(): Promise<void> {
    return this.#ended;
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
