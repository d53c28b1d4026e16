/** `zoetrope cli`: a shell like zkCli.sh, or one command. */
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { complete } from "./cli-completion.ts";
import { CliError } from "./cli-error.ts";
import { Shell } from "./cli-shell.ts";
import { errorText } from "./cli-text.ts";

export interface CliIo {
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  /** Somebody sits at it: show a prompt, complete words, keep lines for the arrow keys. */
  readonly terminal: boolean;
}

interface CliOptions {
  readonly server: string;
  readonly timeoutMs: number;
  readonly readOnly: boolean;
  readonly waitForConnection: boolean;
  /** One command, or none for the interactive shell. */
  readonly command: readonly string[];
}

export function cliCommand(argv: readonly string[]): Promise<number> {
  const { stdin: input, stdout: output, stderr: errors } = process;
  return runCli(argv, { input, output, errors, terminal: input.isTTY === true && output.isTTY === true });
}

/**
 * `[-server LIST] [-timeout MS] [-r] [-waitforconnection] [COMMAND …]`
 * @returns the exit code: that of the last command
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const printError = (text: string): void => void io.errors.write(text);
  try {
    const options = parseOptions(argv);
    return await run(options, io, printError);
  } catch (error) {
    printError(`${errorText(error)}\n`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}

async function run(options: CliOptions, io: CliIo, printError: (text: string) => void): Promise<number> {
  const print = (text: string): void => void io.output.write(text);
  print(`Connecting to ${options.server}\n`);
  let interrupting = (text: () => void): void => text();
  const shell = new Shell({ ...options, print, printError, interrupting: (text) => interrupting(text) });
  try {
    if (options.waitForConnection) await connectedWithin(shell, options.timeoutMs);
    if (options.command.length > 0) {
      await shell.run(options.command);
    } else {
      print("Welcome to ZooKeeper!\n");
      await interact(shell, io, (hook) => {
        interrupting = hook;
      });
    }
    return shell.exitCode;
  } finally {
    await shell.close();
  }
}

async function interact(
  shell: Shell,
  { input, output, terminal }: CliIo,
  onInterruption: (hook: (print: () => void) => void) => void,
): Promise<void> {
  const reader = createInterface({
    input,
    terminal,
    ...(terminal ? { output } : {}),
    completer: (line, callback) => {
      complete(line, Shell.commandNames, shell.zk).then((result) => callback(null, result));
    },
  });
  let waiting = false;
  const ask = (): void => {
    if (!terminal) return;
    waiting = true;
    reader.setPrompt(shell.prompt);
    reader.prompt();
  };
  onInterruption((print) => {
    print();
    // The event has torn the line that is being typed: show it again, with the state that it may have changed.
    if (!waiting) return;
    reader.setPrompt(shell.prompt);
    reader.prompt(true);
  });
  reader.on("SIGINT", () => reader.close());
  ask();
  for await (const line of reader) {
    waiting = false;
    await shell.line(line);
    if (shell.ended) break;
    ask();
  }
  waiting = false;
  reader.close();
}

async function connectedWithin(shell: Shell, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CliError("KeeperErrorCode = ConnectionLoss")), timeoutMs);
  });
  try {
    await Promise.race([shell.zk.connected(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function parseOptions(argv: readonly string[]): CliOptions {
  let server = "localhost:2181";
  let timeoutMs = 30_000;
  let readOnly = false;
  let waitForConnection = false;
  for (let i = 0; i < argv.length; i++) {
    const option = argv[i]!;
    if (!option.startsWith("-")) {
      return { server, timeoutMs, readOnly, waitForConnection, command: argv.slice(i) };
    }
    switch (option) {
      case "-server":
        server = argumentOf(option, argv[++i]);
        break;
      case "-timeout":
        timeoutMs = Number(argumentOf(option, argv[++i]));
        if (!Number.isInteger(timeoutMs) || timeoutMs <= 0) throw new CliError(`-timeout takes milliseconds`);
        break;
      case "-r":
        readOnly = true;
        break;
      case "-waitforconnection":
        waitForConnection = true;
        break;
      default:
        throw new CliError(`Unrecognized option: ${option}`);
    }
  }
  return { server, timeoutMs, readOnly, waitForConnection, command: [] };
}

function argumentOf(option: string, value: string | undefined): string {
  if (value === undefined) throw new CliError(`Error: no argument found for option ${option}`);
  return value;
}
