/**
 * What a power failure may take from a disk. From a tracer's notes of one process (strace.ts): which bytes of which files were
 * written and not covered by a sync that had returned, nor written through a descriptor that syncs by itself (O_DSYNC).
 */

export interface UnsyncedWrite {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** `4711  pwrite64(18</dir/log.1>, ""..., 120, 4096) = 120`, and the two halves of a call that others interrupted. */
const CALL = /^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)/;
const UNFINISHED = /^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>$/;
const RESUMED = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)/;
const FILE = /^(\d+)<([^>]*)>/;

interface Written extends UnsyncedWrite {
  readonly order: number;
}

/** A call that has begun: of a sync, what it covers; of a write, what it may leave behind. */
interface Begun {
  readonly name: string;
  readonly args: string;
  readonly order: number;
}

/** In the order of the writes. */
export function unsyncedWrites(notes: string): UnsyncedWrite[] {
  const reading = new Reading();
  for (const line of notes.split("\n")) reading.line(line);
  return reading.left();
}

class Reading {
  #order = 0;
  readonly #pending = new Map<string, Written[]>();
  readonly #begun = new Map<string, Begun>();
  /** Descriptors whose writes are durable when they return. */
  readonly #durable = new Set<string>();

  line(line: string): void {
    const call = CALL.exec(line);
    if (call !== null) {
      const [, , name = "", args = "", returned = ""] = call;
      this.#returned(name, args, Number(returned), this.#order);
      return;
    }
    const unfinished = UNFINISHED.exec(line);
    if (unfinished !== null) {
      const [, thread = "", name = "", args = ""] = unfinished;
      this.#begun.set(thread, { name, args, order: this.#order });
      return;
    }
    const resumed = RESUMED.exec(line);
    if (resumed === null) return;
    const [, thread = "", , rest = "", returned = ""] = resumed;
    const begun = this.#begun.get(thread);
    this.#begun.delete(thread);
    if (begun !== undefined) this.#returned(begun.name, begun.args + rest, Number(returned), begun.order);
  }

  left(): UnsyncedWrite[] {
    // Under way when the process was killed: the kernel may have done any part of it.
    for (const { name, args } of this.#begun.values()) if (isWrite(name)) this.#written(args, lengthIn(args));
    const all = [...this.#pending.values()].flat().sort((a, b) => a.order - b.order);
    return all.map(({ file, offset, length }) => ({ file, offset, length }));
  }

  #returned(name: string, args: string, result: number, begunAt: number): void {
    if (name === "openat") this.#opened(args, String(result));
    else if (isWrite(name)) {
      if (!this.#durable.has(FILE.exec(args)?.[1] ?? "")) this.#written(args, result);
    } else if (result === 0) this.#synced(args, begunAt);
  }

  #opened(args: string, descriptor: string): void {
    if (/\bO_D?SYNC\b/.test(args)) this.#durable.add(descriptor);
    else this.#durable.delete(descriptor);
  }

  #written(args: string, length: number): void {
    const file = FILE.exec(args)?.[2];
    const offset = Number(/, (\d+)$/.exec(args)?.[1]);
    if (file === undefined || length <= 0 || Number.isNaN(offset)) return;
    const list = this.#pending.get(file) ?? [];
    list.push({ file, offset, length, order: ++this.#order });
    this.#pending.set(file, list);
  }

  /** A sync covers what had been written when it began. */
  #synced(args: string, begunAt: number): void {
    const file = FILE.exec(args)?.[2] ?? "";
    const left = (this.#pending.get(file) ?? []).filter(({ order }) => order > begunAt);
    this.#pending.set(file, left);
  }
}

const isWrite = (name: string): boolean => name === "pwrite64" || name === "pwritev";

/** What a write was asked to write: of several buffers their sum, of one the argument before the offset. */
function lengthIn(args: string): number {
  const parts = [...args.matchAll(/iov_len=(\d+)/g)].map(([, length]) => Number(length));
  if (parts.length > 0) return parts.reduce((sum, length) => sum + length, 0);
  return Number(/, (\d+), \d+$/.exec(args)?.[1] ?? 0);
}
