/** One shell: its connection, its history, and what it does with a line (ZooKeeperMain). */
import { type ClientPhase, connect, type WatchedEvent, type ZooKeeper } from "../client/index.ts";
import { COMMANDS, type CommandScope } from "./cli-commands.ts";
import { CliError, COMMAND_NOT_FOUND } from "./cli-error.ts";
import { parseArguments, splitLine } from "./cli-line.ts";
import { errorText, eventText } from "./cli-text.ts";

export interface ShellOptions {
  readonly server: string;
  readonly timeoutMs: number;
  readonly readOnly: boolean;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  /** Before and after text that comes between the lines, such as an event while a prompt is shown. */
  readonly interrupting?: (print: () => void) => void;
}

/** Commands that the shell itself carries out. */
const OWN_COMMANDS: Readonly<Record<string, string>> = {
  connect: "host:port",
  help: "[command]",
  history: "",
  printwatches: "on|off",
  quit: "",
  redo: "cmdno",
};

/** ZooKeeper.States. */
const STATE_NAMES: Readonly<Record<ClientPhase, string>> = {
  connecting: "CONNECTING",
  disconnected: "CONNECTING",
  connected: "CONNECTED",
  readOnly: "CONNECTEDREADONLY",
  closing: "CLOSED",
  closed: "CLOSED",
  expired: "CLOSED",
  authFailed: "AUTH_FAILED",
};

const HISTORY_SHOWN = 10;

export class Shell {
  readonly #options: ShellOptions;
  readonly #history: string[] = [];
  #zk: ZooKeeper;
  #server: string;
  #printWatches = true;
  /** Set by `quit`. */
  ended = false;
  /** Of the last command, as a process's exit code. */
  exitCode = 0;

  constructor(options: ShellOptions) {
    this.#options = options;
    this.#server = options.server;
    this.#zk = this.#connect(options.server);
  }

  static get commandNames(): readonly string[] {
    return [...Object.keys(COMMANDS), ...Object.keys(OWN_COMMANDS)].sort();
  }

  static get usage(): string {
    const lines = Shell.commandNames.map((name) => `\t${name} ${COMMANDS[name]?.usage ?? OWN_COMMANDS[name]}\n`);
    return `ZooKeeper -server host:port [-timeout ms] [-r] [-waitforconnection] cmd args\n${lines.join("")}`;
  }

  get zk(): ZooKeeper {
    return this.#zk;
  }

  /** `[zk: 127.0.0.1:2181(CONNECTED) 0] ` */
  get prompt(): string {
    return `[zk: ${this.#server}(${STATE_NAMES[this.#zk.state]}) ${this.#history.length}] `;
  }

  /** Runs a line as typed and keeps it in the history. Never rejects. */
  async line(line: string): Promise<void> {
    const words = splitLine(line);
    if (words.length === 0) return;
    // Only now is the number of this command taken: `history` shows itself last, `redo` cannot mean itself.
    this.#history.push(line);
    await this.run(words);
  }

  /** Runs one command. Never rejects: what goes wrong is printed, and in `exitCode`. */
  async run(words: readonly string[]): Promise<void> {
    try {
      await this.#dispatch(words);
      this.exitCode = 0;
    } catch (error) {
      this.exitCode = error instanceof CliError ? error.exitCode : 1;
      this.#options.printError(`${errorText(error)}\n`);
    }
  }

  /** Ends the session quietly. */
  async close(): Promise<void> {
    this.#printWatches = false;
    await this.#zk.close();
  }

  async #dispatch([name = "", ...args]: readonly string[]): Promise<void> {
    if (Object.hasOwn(OWN_COMMANDS, name)) return this.#own(name, args);
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) {
      this.#options.printError(Shell.usage);
      throw new CliError(`Command not found: Command not found ${name}`, COMMAND_NOT_FOUND);
    }
    if (!this.#isAlive()) {
      this.#options.print("Not connected\n");
      return;
    }
    const parsed = parseArguments(args, command.options);
    if (parsed.words.length < command.words) throw new CliError(`${name} ${command.usage}`);
    await command.run(this.#scope(), parsed);
  }

  async #own(name: string, args: readonly string[]): Promise<void> {
    const { print } = this.#options;
    switch (name) {
      case "quit":
        await this.#zk.close();
        this.ended = true;
        break;
      case "connect":
        if (this.#isAlive()) await this.#zk.close();
        this.#zk = this.#connect(args[0] ?? this.#server);
        break;
      case "help":
        print(args[0] === undefined ? Shell.usage : this.#help(args[0]));
        break;
      case "history": {
        const last = this.#history.length - 1;
        for (let i = Math.max(0, last - HISTORY_SHOWN); i <= last; i++) print(`${i} - ${this.#history[i]}\n`);
        break;
      }
      case "printwatches":
        if (args[0] === undefined) print(`printwatches is ${this.#printWatches ? "on" : "off"}\n`);
        else this.#printWatches = args[0] === "on";
        break;
      case "redo":
        await this.#redo(args[0]);
    }
  }

  async #redo(number: string | undefined): Promise<void> {
    if (number === undefined) return;
    const own = this.#history.length - 1;
    const index = Number(number);
    const line = this.#history[index];
    if (!Number.isInteger(index) || index >= own || line === undefined) {
      throw new CliError("Command index out of range");
    }
    const words = splitLine(line);
    if (words[0] === "redo") throw new CliError("No redoing redos");
    this.#history[own] = line;
    await this.#dispatch(words);
  }

  #help(name: string): string {
    const usage = COMMANDS[name]?.usage ?? OWN_COMMANDS[name];
    if (usage === undefined) throw new CliError(`Command not found: Command not found ${name}`, COMMAND_NOT_FOUND);
    return `${name} ${usage}\n`;
  }

  #connect(server: string): ZooKeeper {
    const { timeoutMs, readOnly } = this.#options;
    const zk = connect(server, { timeoutMs, readOnly });
    this.#server = server;
    zk.onState((state) => this.#event({ type: "None", state, path: null }));
    return zk;
  }

  #event(event: WatchedEvent): void {
    if (!this.#printWatches) return;
    const print = (): void => this.#options.print(eventText(event));
    if (this.#options.interrupting === undefined) print();
    else this.#options.interrupting(print);
  }

  #isAlive(): boolean {
    return STATE_NAMES[this.#zk.state].startsWith("CONNECT");
  }

  #scope(): CommandScope {
    const { print, printError } = this.#options;
    return {
      zk: this.#zk,
      watcher: (event) => {
        // The end of the session is told once, by the session itself.
        if (event.type !== "None") this.#event(event);
      },
      print,
      complain: (line) => printError(`${line}\n`),
    };
  }
}
