/** A talk with an interactive program: say a line, wait for the answer that is meant. */
import { execa } from "execa";
import { until } from "./until.ts";

export interface ConversationOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export class Conversation implements AsyncDisposable {
  readonly #child;
  readonly #timeoutMs: number;
  #output = "";
  /** How much of the output has been matched already. */
  #read = 0;
  #exitCode: number | null | undefined;

  constructor(command: string, args: readonly string[], { env = {}, timeoutMs = 20_000 }: ConversationOptions = {}) {
    this.#timeoutMs = timeoutMs;
    this.#child = execa(command, args, { env, all: true, reject: false, buffer: false, cleanup: true });
    this.#child.all.on("data", (chunk: Buffer) => {
      this.#output += chunk.toString();
    });
    // A program that has ended does not read any more.
    this.#child.stdin.on("error", () => {});
    this.#child.then((result) => {
      this.#exitCode = result.exitCode ?? null;
    });
  }

  /** Everything it has said so far. */
  get transcript(): string {
    return this.#output;
  }

  /** Says a line and returns the first match in what comes after it. */
  async say(line: string, answer: RegExp): Promise<RegExpExecArray> {
    this.tell(line);
    return this.hears(answer, line);
  }

  /** Says a line that gets no answer. */
  tell(line: string): void {
    this.#output += `» ${line}\n`;
    this.#read = this.#output.length;
    this.#child.stdin.write(`${line}\n`);
  }

  /** Waits for something that it says by itself. */
  async hears(answer: RegExp, after = ""): Promise<RegExpExecArray> {
    const look = () => {
      const match = new RegExp(answer.source, answer.flags.replace("g", "")).exec(this.#output.slice(this.#read));
      if (match === null && this.#exitCode !== undefined) throw new Error(`It ended with ${this.#exitCode}`);
      return match;
    };
    try {
      const match = await until(`${answer}${after === "" ? "" : ` after "${after}"`}`, look, {
        timeoutMs: this.#timeoutMs,
        everyMs: 10,
      });
      this.#read += match.index + match[0].length;
      return match;
    } catch (error) {
      throw new Error(`${(error as Error).message}\n--- the talk so far:\n${this.#output}`, { cause: error });
    }
  }

  signal(name: "SIGINT" | "SIGTERM" | "SIGKILL"): void {
    this.#child.kill(name);
  }

  /** Waits until it has ended and returns its exit code. */
  async ended(): Promise<number | null> {
    this.#child.stdin.end();
    const result = await this.#child;
    return result.exitCode ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child;
  }
}
