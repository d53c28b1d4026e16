/**
 * acceptedEpoch and currentEpoch: a decimal number each, replaced atomically (AtomicFileOutputStream). Durable means: content
 * synced before the rename, directory synced after it.
 */
import { type Epoch, MAX_EPOCH, NO_EPOCH } from "../../spec/vocabulary.ts";
import type { DiskClient } from "./disk-client.ts";
import type { EpochKind, StorageFailure } from "./storage-facts.ts";

/** No epoch takes more; what is longer is no epoch file. */
const MAX_FILE_BYTES = 64;

/** null: no such file. NaN never comes out: anything but a number is a failure. */
export type EpochRead = (failure: StorageFailure | null, epoch: Epoch | null) => void;

/** The number in the file's first line, or NO_EPOCH (-1). Empty, cut off or garbled content is no epoch: null. */
export function parseEpoch(bytes: Buffer): Epoch | null {
  const text = bytes.toString("latin1").split(/\r?\n/, 1)[0] ?? "";
  if (text === String(NO_EPOCH)) return NO_EPOCH;
  if (!/^\d{1,10}$/.test(text)) return null;
  const epoch = Number(text);
  return epoch <= MAX_EPOCH ? (epoch as Epoch) : null;
}

export class EpochFiles {
  readonly #disk: DiskClient;
  readonly #failed: (failure: StorageFailure) => void;
  readonly #queue: { kind: EpochKind; epoch: Epoch; done: () => void; failed: (failure: StorageFailure) => void }[] =
    [];
  readonly #whenQuiet: (() => void)[] = [];
  /** Kinds whose temporary file is known to be gone. */
  readonly #clean = new Set<EpochKind>();

  constructor(disk: DiskClient, failed: (failure: StorageFailure) => void) {
    this.#disk = disk;
    this.#failed = failed;
  }

  /** One write at a time, in the order asked for. `failed`: whoever must hear of it first; nothing is written after that. */
  write(kind: EpochKind, epoch: Epoch, done: () => void, failed = this.#failed): void {
    this.#queue.push({ kind, epoch, done, failed });
    if (this.#queue.length === 1) this.#next();
  }

  /** Calls back when no write is under way; at once if none is. Never after a failure. */
  whenQuiet(callback: () => void): void {
    if (this.#queue.length === 0) callback();
    else this.#whenQuiet.push(callback);
  }

  /** `listed`: whether the directory has the file; a missing one is no failure. */
  read(file: string, listed: boolean, done: EpochRead): void {
    if (!listed) return done(null, null);
    this.#disk.read("snap", file, 0, MAX_FILE_BYTES, (failure, bytes) => {
      if (failure !== null) return done(failure, null);
      const epoch = parseEpoch(bytes);
      if (epoch !== null) return done(null, epoch);
      const message = `snap/${file} does not hold a number: ${JSON.stringify(bytes.toString("latin1"))}. Which epoch this server promised is unknown.`;
      done({ code: "BAD_EPOCH_FILE", message, file: `snap/${file}`, offset: 0 }, null);
    });
  }

  #next(): void {
    const next = this.#queue[0];
    if (next === undefined) {
      for (const callback of this.#whenQuiet.splice(0)) callback();
      return;
    }
    if (this.#clean.has(next.kind)) return this.#write(next.kind, next.epoch, next.failed);
    // An interrupted write may have left a longer number, whose last digits would stay.
    this.#disk.remove("snap", temporary(next.kind), (failure) => {
      if (failure !== null) return next.failed(failure);
      this.#clean.add(next.kind);
      this.#write(next.kind, next.epoch, next.failed);
    });
  }

  #write(kind: EpochKind, epoch: Epoch, failed: (failure: StorageFailure) => void): void {
    const bytes = [Buffer.from(String(epoch), "latin1")];
    this.#disk.write("snap", temporary(kind), 0, bytes, { sync: true }, (failure) => {
      if (failure !== null) return failed(failure);
      this.#disk.rename("snap", temporary(kind), kind, (renameFailure) => {
        if (renameFailure !== null) return failed(renameFailure);
        // In the queue until it is told: what `done` asks to be written next must not start beside `#next`.
        this.#queue[0]?.done();
        this.#queue.shift();
        this.#next();
      });
    });
  }
}

function temporary(kind: EpochKind): string {
  return `${kind}.tmp`;
}
