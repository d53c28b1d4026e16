/** Where a run is, and what is in its folder (format.ts). */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { OperatingError } from "../../src/runtime/errors.ts";
import { HISTORY_FILE, MANIFEST_FILE, REPORT_FOLDER, type RunManifest, serverFolder } from "./format.ts";

/** NO_RUN: there is nothing there. NO_HISTORY: a folder without one. BAD_MANIFEST: run.json is not what it should be. */
export class RunError extends OperatingError<"NO_RUN" | "NO_HISTORY" | "BAD_MANIFEST"> {}

export interface RunFolder {
  /** null: only a history, without the folder of a run around it. */
  readonly folder: string | null;
  readonly historyFile: string;
  readonly manifest: RunManifest;
}

/** For a bare history: nothing is known of the servers, and nothing is asked for. */
const BARE: Omit<RunManifest, "name"> = {
  format: "zoetrope-history",
  version: 1,
  command: "",
  seed: 0,
  box: "black",
  system: "unknown",
  servers: [],
  workloads: [],
  nemeses: [],
  tickTimeMs: 2000,
  floors: {},
};

/** `path`: a run folder, or a history file. Throws RunError. */
export function openRun(path: string): RunFolder {
  if (!existsSync(path)) throw new RunError({ code: "NO_RUN", path });
  if (!statSync(path).isDirectory()) {
    const folder = dirname(path);
    if (basename(path) === HISTORY_FILE && existsSync(join(folder, MANIFEST_FILE))) return openRun(folder);
    return { folder: null, historyFile: path, manifest: { ...BARE, name: basename(path) } };
  }
  const historyFile = join(path, HISTORY_FILE);
  if (!existsSync(historyFile)) throw new RunError({ code: "NO_HISTORY", path });
  return { folder: path, historyFile, manifest: readManifest(join(path, MANIFEST_FILE), basename(path)) };
}

/** The run whose history was written last; null if there is none. */
export function newestRun(runs: string): string | null {
  if (!existsSync(runs)) return null;
  const found = readdirSync(runs, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(runs, entry.name, HISTORY_FILE)))
    .map(({ name }) => ({ path: join(runs, name), at: statSync(join(runs, name, HISTORY_FILE)).mtimeMs }));
  return found.sort((a, b) => b.at - a.at)[0]?.path ?? null;
}

export function serverPath(folder: string, id: number): string {
  return join(folder, serverFolder(id));
}

export function reportPath(folder: string): string {
  return join(folder, REPORT_FOLDER);
}

function readManifest(file: string, name: string): RunManifest {
  if (!existsSync(file)) return { ...BARE, name };
  try {
    const manifest = JSON.parse(readFileSync(file, "utf8")) as RunManifest;
    if (manifest.format !== BARE.format || !Array.isArray(manifest.servers)) throw new TypeError("it is no manifest");
    return manifest;
  } catch (error) {
    throw new RunError({ code: "BAD_MANIFEST", file, message: String(error) }, { cause: error });
  }
}
