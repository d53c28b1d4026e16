/**
 * How a log is appended to: a group takes one trip to libuv's pool, and is durable when it comes back.
 *
 * Past the page cache where the file system allows that. Nobody reads a log soon, and the cache would take a fresh page for each
 * 4 KB of it: on a virtual machine that is often memory which the host has to find and clear first, and took more time than all
 * the rest of writing a group.
 */
import { constants, write as writeAt } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

type Done = (error: NodeJS.ErrnoException | null) => void;

export interface LogAppender {
  /** So many bytes at this offset can be appended this way. */
  takes(offset: number, length: number): boolean;
  /** One at a time. `bytes` are read until `done` is called. */
  append(bytes: Buffer, offset: number, done: Done): void;
  close(): Promise<void>;
}

/** As far as whoever opens an appender knows it. */
export interface LogFile {
  readonly path: string;
  /** Open for reading and writing. */
  readonly handle: FileHandle;
  /** From here on there is nothing but zeros; infinity where that is not known. */
  readonly end: number;
  /** Where the zeros end; 0 where that is not known. */
  readonly size: number;
}

/**
 * null: not here, or not now. The descriptors are Linux's; elsewhere a sync may have to do more (F_FULLFSYNC on macOS). Where all
 * descriptors are in use, a log that is open already can still be written to.
 */
export async function openAppender(log: LogFile): Promise<LogAppender | null> {
  if (process.platform !== "linux") return null;
  try {
    return (await openDirect(log)) ?? new CachedAppender(await open(log.path, constants.O_WRONLY | constants.O_DSYNC));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EMFILE" || code === "ENFILE") return null;
    throw error;
  }
}

/** Through the page cache. */
class CachedAppender implements LogAppender {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  takes(): boolean {
    return true;
  }

  append(bytes: Buffer, offset: number, done: Done): void {
    writeAll(this.#handle.fd, bytes, 0, bytes.length, offset, done);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** A multiple of what any disk addresses, and what the alignment of memory is counted in. */
const BLOCK_BYTES = 4096;
const MEMORY_BYTES = 2 ** 20;

/** Memory of this kind starts where a page does, which a Buffer's does not. No code is compiled for it. */
declare const WebAssembly: {
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum: number;
  }) => { readonly buffer: ArrayBuffer };
};
const WEB_ASSEMBLY_PAGE_BYTES = 65_536;

/** Of appenders that were closed. */
const idleMemory: Buffer[] = [];
/** Where addresses are limited (`ulimit -v`), V8 collects garbage for seconds before it says no: it is asked once. */
let memoryRefused = false;

async function openDirect({ path, handle, end, size }: LogFile): Promise<LogAppender | null> {
  if (wholeBlocks(end + 1) > size) return null;
  const memory = takeMemory();
  if (memory === null) return null;
  let direct: FileHandle | null = null;
  try {
    direct = await open(path, constants.O_WRONLY | constants.O_DSYNC | constants.O_DIRECT);
    const appender = new DirectAppender(direct, memory, end, size);
    await appender.begin(handle);
    return appender;
  } catch {
    // This file system has no such thing. What is wrong with the disk shows in the next group as well.
    idleMemory.push(memory);
    await direct?.close();
    return null;
  }
}

/**
 * Whole blocks, out of memory that starts where one does. The last block of a group is written again with the next one, as the
 * page cache would do, so its first bytes stay here.
 */
class DirectAppender implements LogAppender {
  readonly #handle: FileHandle;
  readonly #memory: Buffer;
  readonly #size: number;
  #end: number;
  #busy = false;

  constructor(handle: FileHandle, memory: Buffer, end: number, size: number) {
    this.#handle = handle;
    this.#memory = memory;
    this.#end = end;
    this.#size = size;
  }

  /** Fetches the last block, and writes it as it is: whether that works is known only then. */
  async begin(log: FileHandle): Promise<void> {
    const memory = this.#memory;
    const kept = this.#end % BLOCK_BYTES;
    const from = this.#end - kept;
    memory.fill(0, 0, BLOCK_BYTES);
    const { bytesRead } = await log.read(memory, 0, kept, from);
    if (bytesRead !== kept) throw NOTHING_WRITTEN;
    const { bytesWritten } = await this.#handle.write(memory, 0, BLOCK_BYTES, from);
    if (bytesWritten !== BLOCK_BYTES) throw NOTHING_WRITTEN;
  }

  takes(offset: number, length: number): boolean {
    return offset === this.#end && wholeBlocks(offset + length) <= this.#size;
  }

  append(bytes: Buffer, _offset: number, done: Done): void {
    this.#busy = true;
    this.#append(bytes, 0, (error) => {
      this.#busy = false;
      done(error);
    });
  }

  async close(): Promise<void> {
    // Closed in the middle of a group, it may still be read from.
    if (!this.#busy) idleMemory.push(this.#memory);
    await this.#handle.close();
  }

  /** `bytes` from `from` on, as many at a time as there is memory for. */
  #append(bytes: Buffer, from: number, done: Done): void {
    const memory = this.#memory;
    const kept = this.#end % BLOCK_BYTES;
    const used = Math.min(kept + bytes.length - from, MEMORY_BYTES);
    const to = from + used - kept;
    bytes.copy(memory, kept, from, to);
    const length = wholeBlocks(used);
    memory.fill(0, used, length);
    writeAll(this.#handle.fd, memory, 0, length, this.#end - kept, (error) => {
      if (error !== null) return done(error);
      this.#end += used - kept;
      memory.copyWithin(0, used - (used % BLOCK_BYTES), used);
      if (to < bytes.length) this.#append(bytes, to, done);
      else done(null);
    });
  }
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** One log takes over from another: there is hardly ever more than one of these. null: there is none. */
function takeMemory(): Buffer | null {
  const idle = idleMemory.pop();
  if (idle !== undefined || memoryRefused) return idle ?? null;
  const initial = MEMORY_BYTES / WEB_ASSEMBLY_PAGE_BYTES;
  try {
    return Buffer.from(new WebAssembly.Memory({ initial, maximum: initial }).buffer);
  } catch {
    memoryRefused = true;
    return null;
  }
}

const NOTHING_WRITTEN = Object.assign(new Error("nothing was written"), { code: "EIO" });

/** A disk that is full first writes less, then fails; one that does neither must not spin. */
function writeAll(fd: number, bytes: Buffer, from: number, to: number, offset: number, done: Done): void {
  writeAt(fd, bytes, from, to - from, offset, (error, written) => {
    if (error !== null) done(error);
    else if (written === 0) done(NOTHING_WRITTEN);
    else if (written < to - from) writeAll(fd, bytes, from + written, to, offset + written, done);
    else done(null);
  });
}
