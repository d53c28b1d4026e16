/** A command that ends with a message and an exit code instead of its work. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Exit code of a command that does not exist, as in a shell. */
export const COMMAND_NOT_FOUND = 127;
