/**
 * The disk: performs storage's effects with node:fs in libuv's pool, so that the event loop never waits for it. Effects on one
 * file run in order, those on different files beside each other: a snapshot does not hold up the log.
 */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { DiskArea, DiskEffect, DiskInput } from "../storage/disk-io.ts";
import { type LogAppender, openAppender } from "./log-appender.ts";

export type DiskDirs = Readonly<Record<DiskArea, string>>;

/** Where Apache ZooKeeper keeps its files below dataDir and dataLogDir. */
export function diskDirs(dataDir: string, dataLogDir: string): DiskDirs {
  return { data: dataDir, snap: join(dataDir, "version-2"), log: join(dataLogDir, "version-2") };
}

/** Open files that no effect is using: the log, a snapshot being written, some being read. */
const MAX_IDLE_FILES = 16;

interface OpenFile {
  readonly handle: FileHandle;
  readonly writable: boolean;
  /** null until the file is synced a second time. */
  appender: LogAppender | null;
  /** Its last write was synced, and there is nothing before it that was not. */
  synced: boolean;
  /** From here on there is nothing but zeros; infinity where that is not known. */
  end: number;
  /** It was made so long; 0 where nobody asked for that. */
  size: number;
}

type Answer = Omit<Extract<DiskInput, { type: "DISK_DONE" }>, "type" | "id">;
type EffectOf<T extends DiskEffect["type"]> = Extract<DiskEffect, { type: T }>;

const NOTHING: Answer = {};

export class NodeDisk {
  readonly #dirs: DiskDirs;
  readonly #deliver: (input: DiskInput) => void;
  /** Effects per file, the first of each being performed. */
  readonly #lanes = new Map<string, DiskEffect[]>();
  /** Least recently used first. */
  readonly #files = new Map<string, OpenFile>();
  /** Created here, and their names not synced yet. */
  readonly #unnamed = new Set<string>();

  constructor(dirs: DiskDirs, deliver: (input: DiskInput) => void) {
    this.#dirs = dirs;
    this.#deliver = deliver;
  }

  perform(effect: DiskEffect): void {
    const path = this.#pathOf(effect);
    const lane = this.#lanes.get(path);
    if (lane !== undefined) {
      lane.push(effect);
      return;
    }
    const started = [effect];
    this.#lanes.set(path, started);
    this.#start(path, started, effect);
  }

  /** Closes what is open. Effects that are still under way may fail. */
  async close(): Promise<void> {
    for (const path of [...this.#files.keys()]) await this.#closeFile(path);
  }

  #start(path: string, lane: DiskEffect[], effect: DiskEffect): void {
    const file = this.#files.get(path);
    if (effect.type === "disk.write" && effect.sync && effect.size === undefined && file !== undefined) {
      const { appender, synced } = file;
      const [bytes, ...more] = effect.bytes;
      if (appender !== null && synced && bytes !== undefined && more.length === 0) {
        const { id, offset } = effect;
        if (appender.takes(offset, bytes.length)) return this.#append(path, lane, file, appender, id, bytes, offset);
      }
    }
    void this.#run(path, lane, effect);
  }

  async #run(path: string, lane: DiskEffect[], effect: DiskEffect): Promise<void> {
    const input = await this.#answer(path, effect);
    await this.#closeIdleFiles();
    this.#done(path, lane, input);
  }

  /** One more group in the log: what every acknowledged write waits for, so without promises. */
  #append(
    path: string,
    lane: DiskEffect[],
    file: OpenFile,
    appender: LogAppender,
    id: number,
    bytes: Buffer,
    offset: number,
  ): void {
    file.end = Math.max(file.end, offset + bytes.length);
    appender.append(bytes, offset, (error) => {
      this.#done(path, lane, error === null ? { type: "DISK_DONE", id } : failed(id, error));
    });
  }

  #done(path: string, lane: DiskEffect[], input: DiskInput): void {
    lane.shift();
    const next = lane[0];
    // A lane that is empty goes before its answer is delivered: the answer may bring the next effect at once.
    if (next === undefined) this.#lanes.delete(path);
    this.#deliver(input);
    if (next !== undefined) this.#start(path, lane, next);
  }

  async #answer(path: string, effect: DiskEffect): Promise<DiskInput> {
    try {
      return { type: "DISK_DONE", id: effect.id, ...(await this.#perform(path, effect)) };
    } catch (error) {
      return failed(effect.id, error as NodeJS.ErrnoException);
    }
  }

  async #perform(path: string, effect: DiskEffect): Promise<Answer> {
    switch (effect.type) {
      case "disk.list":
        return { files: await listFiles(path) };
      case "disk.read":
        return this.#read(path, effect);
      case "disk.write":
        return this.#write(path, effect);
      case "disk.rename": {
        const to = join(this.#dirs[effect.area], effect.to);
        await this.#closeFile(path);
        await this.#closeFile(to);
        this.#unnamed.delete(path);
        await rename(path, to);
        await syncDirectory(this.#dirs[effect.area]);
        return NOTHING;
      }
      case "disk.remove":
        await this.#closeFile(path);
        this.#unnamed.delete(path);
        await unlinkIfThere(path);
        await syncDirectory(this.#dirs[effect.area]);
        return NOTHING;
      case "disk.truncate": {
        const file = await this.#open(path, true);
        await file.appender?.close();
        file.appender = null;
        file.end = Number.POSITIVE_INFINITY;
        file.size = 0;
        await file.handle.truncate(effect.length);
        await file.handle.sync();
        return NOTHING;
      }
    }
  }

  async #read(path: string, { offset, length }: EffectOf<"disk.read">): Promise<Answer> {
    const { handle } = await this.#open(path, false);
    const bytes = Buffer.allocUnsafeSlow(length);
    let used = 0;
    while (used < length) {
      const { bytesRead } = await handle.read(bytes, used, length - used, offset + used);
      if (bytesRead === 0) break;
      used += bytesRead;
    }
    // The end of the file: whoever read it has it all, and another file may take its name.
    if (used < length && this.#files.get(path)?.writable === false) await this.#closeFile(path);
    return { bytes: bytes.subarray(0, used) };
  }

  async #write(path: string, { offset, bytes, size, sync, area }: EffectOf<"disk.write">): Promise<Answer> {
    const file = await this.#open(path, true);
    const { handle } = file;
    const again = file.synced;
    const beyond = offset >= file.end;
    file.synced = false;
    file.end = Math.max(file.end, offset + sizeOf(bytes));
    if (size !== undefined && (await handle.stat()).size < size) {
      await handle.truncate(size);
      file.size = size;
    }
    await writeAll(handle, bytes, offset);
    if (!sync) return NOTHING;
    await handle.datasync();
    file.synced = true;
    if (this.#unnamed.delete(path)) await syncDirectory(this.#dirs[area]);
    // Synced twice in a row: a log. One that has grown goes on in another way, if at all; so does one that was written over.
    if (again && (file.appender === null || !beyond || !file.appender.takes(file.end, 1))) {
      const { appender } = file;
      file.appender = null;
      await appender?.close();
      file.appender = await openAppender({ path, ...file });
    }
    return NOTHING;
  }

  async #open(path: string, writable: boolean): Promise<OpenFile> {
    const known = this.#files.get(path);
    if (known !== undefined && (known.writable || !writable)) {
      this.#files.delete(path);
      this.#files.set(path, known);
      return known;
    }
    await this.#closeFile(path);
    const file = writable
      ? await this.#openForWriting(path)
      : openFile(await open(path, constants.O_RDONLY), false, Number.POSITIVE_INFINITY);
    this.#files.set(path, file);
    return file;
  }

  async #openForWriting(path: string): Promise<OpenFile> {
    try {
      const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o644);
      this.#unnamed.add(path);
      return openFile(handle, true, 0);
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
      return openFile(await open(path, constants.O_RDWR), true, Number.POSITIVE_INFINITY);
    }
  }

  async #closeFile(path: string): Promise<void> {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#files.delete(path);
    await file.appender?.close();
    await file.handle.close();
  }

  async #closeIdleFiles(): Promise<void> {
    if (this.#files.size <= MAX_IDLE_FILES) return;
    for (const path of [...this.#files.keys()]) {
      if (this.#files.size <= MAX_IDLE_FILES) return;
      if (!this.#lanes.has(path)) await this.#closeFile(path);
    }
  }

  #pathOf(effect: DiskEffect): string {
    const dir = this.#dirs[effect.area];
    if (effect.type === "disk.list") return dir;
    return join(dir, effect.type === "disk.rename" ? effect.from : effect.file);
  }
}

async function listFiles(dir: string): Promise<{ name: string; size: number }[]> {
  await mkdir(dir, { recursive: true });
  const files: { name: string; size: number }[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    try {
      files.push({ name: entry.name, size: (await stat(join(dir, entry.name))).size });
    } catch (error) {
      // Removed since: then it is not there.
      if (!isErrno(error, "ENOENT")) throw error;
    }
  }
  return files;
}

function openFile(handle: FileHandle, writable: boolean, end: number): OpenFile {
  return { handle, writable, appender: null, synced: false, end, size: 0 };
}

function sizeOf(bytes: readonly Buffer[]): number {
  let size = 0;
  for (const part of bytes) size += part.length;
  return size;
}

const NOTHING_WRITTEN = Object.assign(new Error("nothing was written"), { code: "EIO" });

function failed(id: number, { code, message }: NodeJS.ErrnoException): DiskInput {
  return { type: "DISK_FAILED", id, code: code ?? "EIO", message };
}

async function writeAll(handle: FileHandle, bytes: readonly Buffer[], offset: number): Promise<void> {
  let left = bytes;
  let position = offset;
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, position);
    // A disk that is full first writes less, then fails; one that does neither must not spin.
    if (bytesWritten === 0) throw NOTHING_WRITTEN;
    position += bytesWritten;
    left = withoutFirst(left, bytesWritten);
  }
}

function withoutFirst(bytes: readonly Buffer[], count: number): readonly Buffer[] {
  let left = count;
  for (const [index, part] of bytes.entries()) {
    if (left < part.length) return [part.subarray(left), ...bytes.slice(index + 1)];
    left -= part.length;
  }
  return [];
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}

/** Makes names durable: those of new, renamed and removed files. Apache ZooKeeper leaves that to luck. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isErrno(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
