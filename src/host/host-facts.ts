/** What `envi`, `conf`, `dirs` and `mntr` tell about the machine and the process. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { arch, freemem, homedir, hostname, type as osType, release, tmpdir, totalmem, userInfo } from "node:os";
import { join } from "node:path";
import type { HostFacts } from "../server/view.ts";

/** Sizes are read when asked for: these words are for operators, not for the request path. */
export function hostFacts(config: { readonly dataDir: string; readonly dataLogDir: string }): HostFacts {
  return {
    environment,
    dataDirSize: () => directorySize(join(config.dataDir, "version-2")),
    logDirSize: () => directorySize(join(config.dataLogDir, "version-2")),
    openFileDescriptors: () => entryCount("/proc/self/fd"),
    maxFileDescriptors,
  };
}

/** Apache's keys where Node has the thing; `node.*` in place of its `java.*`. */
function environment(): [string, string][] {
  const mebibytes = (bytes: number) => `${Math.trunc(bytes / 2 ** 20)}MB`;
  return [
    ["host.name", hostname()],
    ["node.version", process.version],
    ["node.execPath", process.execPath],
    ["node.options", process.execArgv.join(" ")],
    ["java.io.tmpdir", tmpdir()],
    ["os.name", osType()],
    ["os.arch", arch()],
    ["os.version", release()],
    ["user.name", userName()],
    ["user.home", homedir()],
    ["user.dir", process.cwd()],
    ["os.memory.free", mebibytes(freemem())],
    ["os.memory.max", mebibytes(totalmem())],
    ["os.memory.total", mebibytes(process.memoryUsage().rss)],
  ];
}

/** A container may run under a uid that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}

function directorySize(directory: string): number {
  let bytes = 0;
  for (const name of namesIn(directory)) {
    // A purge may remove a file between the listing and this line.
    const entry = statSync(join(directory, name), { throwIfNoEntry: false });
    if (entry?.isFile() === true) bytes += entry.size;
  }
  return bytes;
}

function entryCount(directory: string): number {
  const names = namesIn(directory);
  return names.length === 0 ? -1 : names.length;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function maxFileDescriptors(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? -1);
  } catch {
    return -1;
  }
}
