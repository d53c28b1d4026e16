/** A command line, in words and options, as zkCli takes it. */
import { CliError } from "./cli-error.ts";

/** Words in quotes keep their spaces (ZooKeeperMain.MyCommandOptions.parseCommand). */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  for (const [, word = ""] of line.trim().matchAll(/\s*([^"']\S*|"[^"]*"|'[^']*')\s*/g)) {
    const quoted = /^(["'])(.*)\1$/s.exec(word);
    words.push(quoted === null ? word : quoted[2]!);
  }
  return words;
}

export interface Arguments {
  /** Without the command and the options, in order. */
  readonly words: readonly string[];
  has(option: string): boolean;
  value(option: string): string | undefined;
}

/**
 * Options may stand anywhere, and join (`-se`) as in zkCli, whose parser is Commons CLI.
 * @param spec options of the command; a colon behind one means that it takes a value: "sev:"
 */
export function parseArguments(args: readonly string[], spec: string): Arguments {
  const words: string[] = [];
  const options = new Map<string, string>();
  const takesValue = (option: string): boolean => spec[spec.indexOf(option) + 1] === ":";
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      words.push(...args.slice(i + 1));
      break;
    }
    // A negative number is data or a version, not an option.
    if (!/^-\D/.test(arg)) {
      words.push(arg);
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const option = arg[at]!;
      if (option === ":" || !spec.includes(option)) throw new CliError(`Unrecognized option: ${arg}`);
      if (!takesValue(option)) {
        options.set(option, "");
        continue;
      }
      const value = at + 1 < arg.length ? arg.slice(at + 1) : args[++i];
      if (value === undefined) throw new CliError(`Missing argument for option: ${option}`);
      options.set(option, value);
      break;
    }
  }
  return { words, has: (option) => options.has(option), value: (option) => options.get(option) };
}

/** A whole number as Java's Integer.parseInt takes it. */
export function parseInteger(text: string): number {
  const number = Number(text);
  if (!/^[+-]?\d+$/.test(text) || number < -(2 ** 31) || number >= 2 ** 31)
    throw new CliError(`For input string: "${text}"`);
  return number;
}
