/**
 * Reads txn logs in order, chunk by chunk, and hands out their records: for recovery and for learners that are sent a DIFF.
 * Every chunk starts at a record, so nothing is copied together and an entry is a view into its chunk.
 */
import { NO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import type { DiskClient } from "./disk-client.ts";
import type { LogFile } from "./file-names.ts";
import { isLogHeader, LOG_HEADER_BYTES, RecordScanner } from "./log-format.ts";
import type { StorageFailure } from "./storage-facts.ts";

const CHUNK_BYTES = 2 ** 20;

/** Where the good records of a file end, and what the walk found there. */
export interface LogEnd {
  readonly file: LogFile;
  /** Length of the good part. */
  readonly length: number;
  /** Last zxid of this file; NO_ZXID when it has no records. */
  readonly lastZxid: Zxid;
  /** No file header: the file was created, but nothing ever became durable in it; or it is no log at all. */
  readonly headless: boolean;
  /** The file ends exactly there: nothing follows, not even padding. */
  readonly exact: boolean;
}

/** What to do after a record: read on, wait for `resume`, or never read again. */
export type Step = "on" | "pause" | "stop";

export interface LogWalkVisitor {
  /** `scanner` describes the record; valid during the call. */
  record(scanner: RecordScanner, file: LogFile, offset: number): Step;
  /** A file ends; then call `next` to go on with the one after it. */
  fileEnded(end: LogEnd, next: () => void): void;
  /** No files are left. */
  done(): void;
  failed(failure: StorageFailure): void;
}

export class LogWalk {
  readonly #disk: DiskClient;
  readonly #files: readonly LogFile[];
  readonly #visitor: LogWalkVisitor;
  readonly #scanner: RecordScanner;
  #index = -1;
  /** File offset of the chunk in the scanner. */
  #base = 0;
  #wanted = CHUNK_BYTES;
  #lastZxid: Zxid = NO_ZXID;
  #atEnd = false;
  #stopped = false;

  /** `files`: oldest first. */
  constructor(disk: DiskClient, files: readonly LogFile[], maxEntryBytes: number, visitor: LogWalkVisitor) {
    this.#disk = disk;
    this.#files = files;
    this.#visitor = visitor;
    this.#scanner = new RecordScanner(maxEntryBytes);
  }

  start(): void {
    this.#nextFile();
  }

  /** Goes on after a "pause". */
  resume(): void {
    if (!this.#stopped) this.#scan();
  }

  stop(): void {
    this.#stopped = true;
  }

  get #file(): LogFile {
    return this.#files[this.#index]!;
  }

  #nextFile(): void {
    if (this.#stopped) return;
    this.#index += 1;
    if (this.#index >= this.#files.length) return this.#visitor.done();
    this.#lastZxid = NO_ZXID;
    this.#read(0, CHUNK_BYTES);
  }

  #read(offset: number, length: number): void {
    this.#base = offset;
    this.#wanted = length;
    this.#disk.read("log", this.#file.name, offset, length, (failure, bytes) => {
      if (this.#stopped) return;
      if (failure !== null) this.#visitor.failed(failure);
      else this.#chunk(bytes);
    });
  }

  #chunk(bytes: Buffer): void {
    this.#atEnd = bytes.length < this.#wanted;
    if (this.#base > 0) {
      this.#scanner.reset(bytes, 0);
    } else {
      if (!isLogHeader(bytes)) return this.#ended(0, true, bytes.length === 0);
      this.#scanner.reset(bytes, LOG_HEADER_BYTES);
    }
    this.#scan();
  }

  #scan(): void {
    const scanner = this.#scanner;
    while (scanner.next()) {
      this.#lastZxid = scanner.zxid;
      const step = this.#visitor.record(scanner, this.#file, this.#base + scanner.recordAt);
      if (step === "stop") this.#stopped = true;
      if (step !== "on" || this.#stopped) return;
    }
    const offset = this.#base + scanner.offset;
    if (scanner.stop !== "more") return this.#ended(offset, false, false);
    if (!this.#atEnd) return this.#read(offset, Math.max(CHUNK_BYTES, scanner.needed));
    this.#ended(offset, false, scanner.exhausted);
  }

  #ended(length: number, headless: boolean, exact: boolean): void {
    const end: LogEnd = { file: this.#file, length, lastZxid: this.#lastZxid, headless, exact };
    this.#visitor.fileEnded(end, () => this.#nextFile());
  }
}
