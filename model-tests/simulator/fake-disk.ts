/**
 * A disk in memory that does what real ones do at the worst moment. It performs effects on one file in order, those on
 * different files in any order, and only when told to (`step`). A crash keeps, of every file, what was synced and any prefix of
 * the writes after that, the last of them torn at any byte; names of files that were created but never synced may vanish.
 *
 * ```ts
 * const disk = new FakeDisk({ random });
 * disk.attach((input) => server.step(input, effects));
 * disk.perform(effect);
 * while (disk.step()) {}
 * disk.crash(); // then attach a new server
 * ```
 */
import type { DiskArea, DiskEffect, DiskInput } from "../../src/storage/disk-io.ts";

export interface FakeDiskOptions {
  /** Uniform in [0, 1). All that the disk decides by chance comes from here. */
  readonly random: () => number;
}

/** What goes wrong with an effect. `torn`: a write leaves part of its bytes behind, as a full disk does. */
export interface DiskFault {
  readonly code: string;
  readonly torn?: boolean;
}

/** A change to a file's bytes that is not durable yet. */
type Change =
  | { readonly type: "write"; readonly offset: number; readonly bytes: Buffer }
  | { readonly type: "resize"; readonly length: number };

interface FakeFile {
  /** What a crash cannot take. */
  durable: Buffer;
  /** Later changes, oldest first. */
  readonly changes: Change[];
  /** As the process sees it. */
  content: Buffer;
  /** The directory entry is durable. */
  named: boolean;
}

const AREAS = ["log", "snap", "data"] as const;

export class FakeDisk {
  /** Asked for every effect when it is performed. */
  fault: ((effect: DiskEffect) => DiskFault | null) | null = null;
  /** A write that would make all files together longer than this fails with ENOSPC. */
  capacityBytes = Number.POSITIVE_INFINITY;

  readonly #random: () => number;
  #deliver: (input: DiskInput) => void = () => {};
  readonly #areas: Record<DiskArea, Map<string, FakeFile>> = { log: new Map(), snap: new Map(), data: new Map() };
  /** Effects not performed yet, by file. */
  readonly #lanes = new Map<string, DiskEffect[]>();

  constructor({ random }: FakeDiskOptions) {
    this.#random = random;
  }

  /** Who gets the answers from now on. */
  attach(deliver: (input: DiskInput) => void): void {
    this.#deliver = deliver;
  }

  perform(effect: DiskEffect): void {
    const lane = laneOf(effect);
    const queue = this.#lanes.get(lane);
    if (queue === undefined) this.#lanes.set(lane, [effect]);
    else queue.push(effect);
  }

  /** Effects that were not performed yet. */
  get pending(): number {
    let count = 0;
    for (const queue of this.#lanes.values()) count += queue.length;
    return count;
  }

  /** Performs one effect, of any file, and delivers its answer. False: there is none. */
  step(): boolean {
    const lanes = [...this.#lanes.keys()];
    const lane = lanes[Math.floor(this.#random() * lanes.length)];
    if (lane === undefined) return false;
    const queue = this.#lanes.get(lane)!;
    const effect = queue.shift()!;
    if (queue.length === 0) this.#lanes.delete(lane);
    this.#deliver(this.#answer(effect));
    return true;
  }

  /**
   * The power goes. Of the effects not answered yet some may have been performed, in any way the order allows. Nobody gets
   * answers any more.
   */
  crash(): void {
    for (const queue of this.#lanes.values()) {
      const performed = Math.floor(this.#random() * (queue.length + 1));
      for (const effect of queue.slice(0, performed)) {
        if (this.#misses(effect)) break;
        this.#perform(withoutSync(effect));
      }
    }
    this.#lanes.clear();
    this.#deliver = () => {};
    for (const area of AREAS) {
      for (const [name, file] of [...this.#areas[area]]) {
        if (!file.named && this.#random() < 0.5) this.#areas[area].delete(name);
        else this.#settle(file);
      }
    }
  }

  /** The process dies, the machine lives on: what was written stays, effects not performed yet do not happen. */
  kill(): void {
    this.#lanes.clear();
    this.#deliver = () => {};
  }

  /** The files of a directory as the process sees them. The buffers are the disk's own. */
  files(area: DiskArea): ReadonlyMap<string, Buffer> {
    return new Map([...this.#areas[area]].map(([name, file]) => [name, file.content]));
  }

  /** Puts a durable file there, or changes one behind the server's back. */
  put(area: DiskArea, name: string, content: Buffer): void {
    this.#areas[area].set(name, { durable: content, changes: [], content, named: true });
  }

  remove(area: DiskArea, name: string): void {
    this.#areas[area].delete(name);
  }

  /** A copy of the files; effects under way are not copied. */
  clone(random: () => number = this.#random): FakeDisk {
    const copy = new FakeDisk({ random });
    for (const area of AREAS) {
      for (const [name, file] of this.#areas[area]) {
        copy.#areas[area].set(name, { ...file, changes: [...file.changes] });
      }
    }
    return copy;
  }

  #answer(effect: DiskEffect): DiskInput {
    const fault = this.fault?.(effect) ?? this.#spaceLeftFor(effect);
    if (fault === null && this.#misses(effect)) {
      return { type: "DISK_FAILED", id: effect.id, code: "ENOENT", message: "no such file" };
    }
    if (fault === null) return { type: "DISK_DONE", id: effect.id, ...this.#perform(effect) };
    if (fault.torn === true && effect.type === "disk.write") this.#perform(this.#torn(effect));
    return { type: "DISK_FAILED", id: effect.id, code: fault.code, message: `injected ${fault.code}` };
  }

  /** The file is not there, though it must be. */
  #misses(effect: DiskEffect): boolean {
    const files = this.#areas[effect.area];
    if (effect.type === "disk.rename") return !files.has(effect.from);
    return (effect.type === "disk.read" || effect.type === "disk.truncate") && !files.has(effect.file);
  }

  #spaceLeftFor(effect: DiskEffect): DiskFault | null {
    if (effect.type !== "disk.write" || this.capacityBytes === Number.POSITIVE_INFINITY) return null;
    let used = sizeOf(effect.bytes);
    for (const area of AREAS) for (const file of this.#areas[area].values()) used += file.content.length;
    return used > this.capacityBytes ? { code: "ENOSPC", torn: true } : null;
  }

  /** Some first bytes of a write, not synced. */
  #torn(effect: Extract<DiskEffect, { type: "disk.write" }>): DiskEffect {
    const whole = Buffer.concat(effect.bytes);
    const { size: _, ...rest } = effect;
    return { ...rest, bytes: [whole.subarray(0, Math.floor(this.#random() * (whole.length + 1)))], sync: false };
  }

  #perform(effect: DiskEffect): { bytes?: Buffer; files?: { name: string; size: number }[] } {
    const files = this.#areas[effect.area];
    switch (effect.type) {
      case "disk.list":
        return { files: [...files].map(([name, { content }]) => ({ name, size: content.length })) };
      case "disk.read": {
        const content = files.get(effect.file)?.content ?? Buffer.alloc(0);
        return { bytes: Buffer.from(content.subarray(effect.offset, effect.offset + effect.length)) };
      }
      case "disk.write":
        this.#write(effect);
        return {};
      case "disk.rename": {
        const file = this.#fileFor(effect.area, effect.from);
        files.delete(effect.from);
        files.set(effect.to, file);
        file.named = true;
        return {};
      }
      case "disk.remove":
        files.delete(effect.file);
        return {};
      case "disk.truncate": {
        const file = this.#fileFor(effect.area, effect.file);
        change(file, { type: "resize", length: effect.length });
        sync(file);
        return {};
      }
    }
  }

  #write(effect: Extract<DiskEffect, { type: "disk.write" }>): void {
    const file = this.#fileFor(effect.area, effect.file);
    if (effect.size !== undefined && effect.size > file.content.length) {
      change(file, { type: "resize", length: effect.size });
    }
    // The caller may use its memory again once it has the answer.
    change(file, { type: "write", offset: effect.offset, bytes: Buffer.concat(effect.bytes) });
    if (effect.sync) sync(file);
  }

  #fileFor(area: DiskArea, name: string): FakeFile {
    let file = this.#areas[area].get(name);
    if (file === undefined) {
      file = { durable: Buffer.alloc(0), changes: [], content: Buffer.alloc(0), named: false };
      this.#areas[area].set(name, file);
    }
    return file;
  }

  /** Keeps any prefix of what was not synced. */
  #settle(file: FakeFile): void {
    const kept = Math.floor(this.#random() * (file.changes.length + 1));
    let content = file.durable;
    for (const whole of file.changes.slice(0, kept)) content = applied(content, whole);
    const next = file.changes[kept];
    if (next?.type === "write") {
      const torn = next.bytes.subarray(0, Math.floor(this.#random() * next.bytes.length));
      content = applied(content, { ...next, bytes: torn });
    }
    file.content = content;
    file.durable = content;
    file.changes.length = 0;
    file.named = true;
  }
}

function laneOf(effect: DiskEffect): string {
  if (effect.type === "disk.list") return effect.area;
  return `${effect.area}/${effect.type === "disk.rename" ? effect.from : effect.file}`;
}

function withoutSync(effect: DiskEffect): DiskEffect {
  return effect.type === "disk.write" ? { ...effect, sync: false } : effect;
}

function sizeOf(bytes: readonly Buffer[]): number {
  return bytes.reduce((size, part) => size + part.length, 0);
}

function change(file: FakeFile, made: Change): void {
  file.changes.push(made);
  file.content = applied(file.content, made);
}

function sync(file: FakeFile): void {
  file.durable = file.content;
  file.changes.length = 0;
  file.named = true;
}

/** A new buffer, so that others may go on looking at the old one. */
function applied(content: Buffer, made: Change): Buffer {
  if (made.type === "resize") {
    const resized = Buffer.alloc(made.length);
    content.copy(resized);
    return resized;
  }
  if (made.bytes.length === 0) return content;
  const grown = Buffer.alloc(Math.max(content.length, made.offset + made.bytes.length));
  content.copy(grown);
  made.bytes.copy(grown, made.offset);
  return grown;
}
