/** Runs bin/zoetrope as a person does. */
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { Conversation } from "./conversation.ts";

const LAUNCHER = fileURLToPath(new URL("../../bin/zoetrope", import.meta.url));

export interface CommandResult {
  readonly exitCode: number | undefined;
  /** Standard output and error, interleaved. */
  readonly output: string;
}

/** To its end. */
export async function zoetrope(...args: readonly string[]): Promise<CommandResult> {
  const { exitCode, all } = await execa(LAUNCHER, args, { all: true, reject: false, timeout: 60_000, stdin: "ignore" });
  return { exitCode, output: all };
}

/** A command that goes on until it is told to end. */
export function zoetropeConversation(...args: readonly string[]): Conversation {
  return new Conversation(LAUNCHER, args, { timeoutMs: 30_000 });
}
