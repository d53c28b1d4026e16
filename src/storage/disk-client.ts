import { assert } from "../runtime/assert.ts";
import type { DiskArea, DiskEffect, DiskInput } from "./disk-io.ts";
import type { StoredFile } from "./file-names.ts";
import type { StorageFailure } from "./storage-facts.ts";

type Done = (failure: StorageFailure | null) => void;

interface Waiting {
  readonly answer: (input: Extract<DiskInput, { type: "DISK_DONE" }>) => void;
  readonly failed: (failure: StorageFailure) => void;
  readonly what: string;
  readonly file: string;
  readonly offset: number;
}

/** Turns file operations into effects, and their answers into calls: one per group or chunk, never per txn. */
export class DiskClient {
  readonly #effects: () => { push(effect: DiskEffect): unknown };
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(effects: () => { push(effect: DiskEffect): unknown }) {
    this.#effects = effects;
  }

  /** Answers to effects that were not sent from here, or that nobody waits for any more, are passed over. */
  input(input: DiskInput): void {
    const waiting = this.#waiting.get(input.id);
    if (waiting === undefined) return;
    this.#waiting.delete(input.id);
    if (input.type === "DISK_DONE") return waiting.answer(input);
    const { code, message } = input;
    const { what, file, offset } = waiting;
    waiting.failed({ code, message: `cannot ${what} ${file} at offset ${offset}: ${message}`, file, offset });
  }

  /** What is under way stays under way, but its answers reach nobody. */
  abandon(): void {
    this.#waiting.clear();
  }

  list(area: DiskArea, done: (failure: StorageFailure | null, files: readonly StoredFile[]) => void): void {
    const id = this.#wait(
      "list",
      area,
      null,
      0,
      (input) => done(null, input.files ?? []),
      (f) => done(f, []),
    );
    this.#effects().push({ type: "disk.list", id, area });
  }

  /** Fewer bytes than `length` mean that the file ends there. */
  read(
    area: DiskArea,
    file: string,
    offset: number,
    length: number,
    done: (failure: StorageFailure | null, bytes: Buffer) => void,
  ): void {
    assert(offset >= 0 && length > 0, "A read names bytes.");
    const id = this.#wait(
      "read",
      area,
      file,
      offset,
      (input) => done(null, input.bytes ?? EMPTY),
      (f) => done(f, EMPTY),
    );
    this.#effects().push({ type: "disk.read", id, area, file, offset, length });
  }

  write(
    area: DiskArea,
    file: string,
    offset: number,
    bytes: readonly Buffer[],
    options: { readonly sync: boolean; readonly size?: number },
    done: Done,
  ): void {
    const id = this.#wait("write", area, file, offset, () => done(null), done);
    this.#effects().push({ type: "disk.write", id, area, file, offset, bytes, ...options });
  }

  rename(area: DiskArea, from: string, to: string, done: Done): void {
    const id = this.#wait("rename", area, from, 0, () => done(null), done);
    this.#effects().push({ type: "disk.rename", id, area, from, to });
  }

  remove(area: DiskArea, file: string, done: Done): void {
    const id = this.#wait("remove", area, file, 0, () => done(null), done);
    this.#effects().push({ type: "disk.remove", id, area, file });
  }

  truncate(area: DiskArea, file: string, length: number, done: Done): void {
    const id = this.#wait("truncate", area, file, length, () => done(null), done);
    this.#effects().push({ type: "disk.truncate", id, area, file, length });
  }

  #wait(
    what: string,
    area: DiskArea,
    name: string | null,
    offset: number,
    answer: Waiting["answer"],
    failed: Waiting["failed"],
  ): number {
    const id = ++this.#lastId;
    this.#waiting.set(id, { what, file: name === null ? area : `${area}/${name}`, offset, answer, failed });
    return id;
  }
}

const EMPTY = Buffer.alloc(0);
