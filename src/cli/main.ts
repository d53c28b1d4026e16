/** `bin/zoetrope`: finds the command and runs it. Commands load only what they need, so that `help` is instant. */
import { FULL_VERSION, PRODUCT_VERSION } from "../server/version.ts";

const HELP = `Zoetrope ${PRODUCT_VERSION}: a coordination service for ZooKeeper clients, run by its statecharts.

  zoetrope server CONFIG              one server in the foreground, from a zoo.cfg
  zoetrope start [OPTIONS]            an ensemble on this machine, one process per server;
                                      one that is killed is started again after 5 seconds
      --servers 1|3|5                 how many (3)
      --client-port PORT              of the first server; the others count up (2181)
      --data DIR                      where they keep their data (./data)
  zoetrope cli [-server LIST] [COMMAND …]
                                      a shell like zkCli.sh, or one command
  zoetrope version
  zoetrope help
`;

const ASKS_FOR_HELP: readonly (string | undefined)[] = ["--help", "-h"];

/** A command gets the arguments behind its name and returns the exit code. */
type Command = (args: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  server: async () => (await import("./server.ts")).serverCommand,
  start: async () => (await import("./start.ts")).startCommand,
  cli: async () => (await import("./cli.ts")).cliCommand,
  version: async () => async () => print(`Zoetrope ${PRODUCT_VERSION} (ZooKeeper ${FULL_VERSION})\n`),
  help: async () => async () => print(HELP),
};

const ALIASES: Readonly<Record<string, string>> = {
  "--help": "help",
  "-h": "help",
  "--version": "version",
  "-v": "version",
};

async function print(text: string): Promise<number> {
  process.stdout.write(text);
  return 0;
}

async function main([name = "help", ...args]: readonly string[]): Promise<number> {
  const command = ALIASES[name] ?? name;
  const load = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (load === undefined) {
    process.stderr.write(`There is no command ${JSON.stringify(name)}.\n\n${HELP}`);
    return 2;
  }
  // Further back it may be data: `cli create /a --help`.
  return ASKS_FOR_HELP.includes(args[0]) ? print(HELP) : (await load())(args);
}

process.exitCode = await main(process.argv.slice(2));
