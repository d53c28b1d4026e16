/** One server of the ensemble under test: an operating system process with its directory in the run folder. */
import { createWriteStream, mkdirSync, type WriteStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { askFourLetterWord } from "../../model-tests/support/four-letter-word.ts";
import type { ServerPorts } from "./network.ts";

export type SystemKind = "zoetrope" | "zookeeper";

/** What a process is started as; `wrap` puts another program before it, such as a tracer. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It ends when this process is gone, however that went. */
  readonly ipc?: boolean;
}

export interface MemberEvents {
  started(member: Member): void;
  /** `expected`: somebody here ended it. */
  ended(member: Member, how: string, expected: boolean): void;
  line(member: Member, line: string): void;
}

export interface MemberOptions {
  readonly ports: ServerPorts;
  /** servers/<id> */
  readonly directory: string;
  readonly zooCfg: string;
  readonly launch: (configFile: string) => Launch;
  readonly events: MemberEvents;
}

type Child = ResultPromise<{ all: true }>;

export class Member {
  readonly id: number;
  readonly ports: ServerPorts;
  readonly directory: string;
  paused = false;
  /** Ended by somebody who will start it again; nobody else may. */
  heldDown = false;
  /** Why it may end by itself now; null: nothing explains that. */
  excused: string | null = null;
  /** Its files are on a small file system of their own. */
  smallDisk = false;
  /** Puts another program before the server's. */
  wrap: ((launch: Launch) => Launch) | null = null;
  readonly #options: MemberOptions;
  readonly #log: WriteStream;
  #child: Child | null = null;
  #ending = false;
  #rest = "";

  constructor(options: MemberOptions) {
    this.id = options.ports.id;
    this.ports = options.ports;
    this.directory = options.directory;
    this.#options = options;
    mkdirSync(this.dataDir, { recursive: true });
    writeFileSync(join(this.directory, "zoo.cfg"), options.zooCfg);
    writeFileSync(join(this.dataDir, "myid"), `${this.id}\n`);
    this.#log = createWriteStream(join(this.directory, "server.log"), { flags: "a" });
  }

  /** Holds myid and version-2. */
  get dataDir(): string {
    return join(this.directory, "data");
  }

  get filesDir(): string {
    return join(this.dataDir, "version-2");
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** Running, and neither paused nor in anybody's hands. */
  get healthy(): boolean {
    return this.running && !this.paused;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`Server ${this.id} does not run`);
    return pid;
  }

  start(): void {
    if (this.#child !== null) throw new Error(`Server ${this.id} runs already`);
    const plain = this.#options.launch(join(this.directory, "zoo.cfg"));
    const { command, args, env = {}, ipc = false } = this.wrap?.(plain) ?? plain;
    this.#log.write(`--- started: ${command} ${args.join(" ")}\n`);
    const child = execa(command, args, {
      all: true,
      reject: false,
      buffer: false,
      stdin: "ignore",
      cleanup: true,
      env,
      ipc,
    }) as unknown as Child;
    child.all.on("data", (chunk: Buffer) => this.#said(chunk));
    this.#child = child;
    this.#ending = false;
    this.paused = false;
    void child.then((result) => this.#ended(child, result.exitCode ?? null, result.signal ?? null));
    this.#options.events.started(this);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** SIGTERM, and SIGKILL when that does not do within 10 s. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  pause(): void {
    process.kill(this.pid, "SIGSTOP");
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.running) process.kill(this.pid, "SIGCONT");
  }

  ask(word: string): Promise<string> {
    return askFourLetterWord(this.ports.client, word);
  }

  /** No more lines are written. */
  closeLog(): Promise<void> {
    return new Promise((resolve) => this.#log.end(() => resolve()));
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#ending = true;
    child.kill(signal);
    // A stopped process does not see SIGTERM before it goes on.
    if (signal === "SIGTERM" && child.pid !== undefined) process.kill(child.pid, "SIGCONT");
    const impatient = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await child;
    clearTimeout(impatient);
    this.#ended(child, null, signal);
  }

  /** Called by whoever hears of it first. */
  #ended(child: Child, code: number | null, signal: string | null): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.paused = false;
    const how = signal ?? `exit code ${code}`;
    this.#log.write(`--- ended: ${how}\n`);
    this.#options.events.ended(this, how, this.#ending);
  }

  #said(chunk: Buffer): void {
    this.#log.write(chunk);
    const lines = (this.#rest + chunk.toString()).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#options.events.line(this, line);
  }
}
