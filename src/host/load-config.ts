/** Reads zoo.cfg and myid, and makes sure the data directories can be used, so that a server fails with one sentence or not at all. */
import { accessSync, constants, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError, type ParsedConfig, parseConfig, withMyId } from "../server/config.ts";

/** A file or directory of the configuration that cannot be used; the message is a sentence for the operator. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** @throws ConfigError for wrong settings, StartError for files that cannot be read. */
export function loadConfig(file: string): ParsedConfig {
  const parsed = parseConfig(readText(file, "configuration"), file);
  if (parsed.config.standalone) return parsed;
  return withMyId(parsed, readMyId(parsed.config.dataDir));
}

function readMyId(dataDir: string): string | null {
  const file = join(dataDir, "myid");
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new StartError(codeOf(error), `Cannot read ${file}: ${reason(error)}.`, { cause: error });
  }
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new StartError(codeOf(error), `Cannot read the ${what} ${file}: ${reason(error)}.`, { cause: error });
  }
}

/** Creates `version-2` below dataDir and dataLogDir if need be. @throws StartError when one of them cannot be read and written. */
export function prepareDirectories(config: { readonly dataDir: string; readonly dataLogDir: string }): void {
  for (const [key, directory] of [
    ["dataDir", config.dataDir],
    ["dataLogDir", config.dataLogDir],
  ] as const) {
    const versioned = join(directory, "version-2");
    try {
      makeDirectory(versioned);
      accessSync(versioned, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      throw new StartError(codeOf(error), `Cannot use ${versioned} (${key}): ${reason(error)}.`, { cause: error });
    }
  }
}

/** With its parents. Node's own `recursive` never returns where a directory cannot be made in one that exists, as in /proc. */
export function makeDirectory(path: string): void {
  const parent = dirname(path);
  if (parent !== path && !isMade(path)) {
    makeDirectory(parent);
    if (!isMade(path)) mkdirSync(path);
  }
}

/** False: its parent is missing. Another server may make the same parents at the same time. */
function isMade(path: string): boolean {
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    if (codeOf(error) !== "EEXIST" || !statSync(path).isDirectory()) throw error;
  }
  return true;
}

/** One line for a person: what a failed start says instead of a stack trace; null for errors that are ours. */
export function startFailure(error: unknown): string | null {
  return error instanceof ConfigError || error instanceof StartError ? error.message : null;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "UNKNOWN";
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or directory",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  EEXIST: "a file is in the way",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};

function reason(error: unknown): string {
  return REASONS[codeOf(error)] ?? (error as Error).message;
}
