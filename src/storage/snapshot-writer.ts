/**
 * Writes one snapshot, fuzzily: the tree goes on changing while slices of it are serialised (ZooKeeper ATC'10, section 4.3).
 * A slice takes about two milliseconds; the next one starts when the disk has taken the last, so memory stays bounded.
 * The file appears under its name only when it is complete and durable.
 */
import type { Zxid } from "../../spec/vocabulary.ts";
import type { Environment } from "../runtime/environment.ts";
import type { Database } from "../tree/database.ts";
import { TreeSnapshotter } from "../tree/snapshot-source.ts";
import { ADLER_START, adler32 } from "./adler32.ts";
import type { DiskClient } from "./disk-client.ts";
import { snapshotName, unfinishedSnapshotName } from "./file-names.ts";
import { type SnapshotDigest, snapshotHeader, snapshotTrailer } from "./snapshot-format.ts";
import type { StorageFailure } from "./storage-facts.ts";

const SLICE_MS = 2;
const SLICE_BYTES = 2 ** 20;
/** Small enough that even slow nodes cannot spoil a slice much, large enough that the clock is not read for every node. */
const NODES_AT_A_TIME = 64;
/** Synced every so often: each sync of the log waits for what the disk was given before it. With 8 MB it waited twice as long. */
const SYNC_EVERY_BYTES = 2 ** 20;

export interface SnapshotWriterOptions {
  readonly disk: DiskClient;
  readonly database: Database;
  readonly environment: Environment;
  readonly digestEnabled: boolean;
  /** Calls back once everything in the log up to now is durable. */
  readonly whenLogDurable: (callback: () => void) => void;
  readonly done: (zxid: Zxid) => void;
  readonly failed: (failure: StorageFailure) => void;
  /** The database was emptied for a leader's snapshot or a recovery: this one will never be whole. */
  readonly overtaken: () => void;
}

export class SnapshotWriter {
  /** What the file will be named after: replay starts behind it. */
  readonly zxid: Zxid;
  readonly #options: SnapshotWriterOptions;
  readonly #source: TreeSnapshotter;
  readonly #temporary: string;
  #offset = 0;
  #synced = 0;
  #sum = ADLER_START;
  #over = false;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    this.zxid = options.database.lastProcessedZxid;
    this.#source = new TreeSnapshotter(options.database);
    this.#temporary = unfinishedSnapshotName(this.zxid);
  }

  start(): void {
    const header = snapshotHeader();
    this.#sum = adler32(this.#sum, header, 0, header.length);
    this.#slice([header]);
  }

  /** Gives up. What is on the disk by then is removed, and `removed` called, unless the disk fails. */
  abandon(removed: () => void): void {
    if (!this.#over) this.#source.close();
    this.#over = true;
    this.#options.disk.remove("snap", this.#temporary, () => removed());
  }

  #slice(bytes: Buffer[]): void {
    const { environment } = this.#options;
    const until = environment.monotonicMs() + SLICE_MS;
    let size = 0;
    do {
      if (this.#source.abandoned) return this.#options.overtaken();
      const part = this.#source.next(NODES_AT_A_TIME);
      if (part === null) break;
      this.#sum = adler32(this.#sum, part, 0, part.length);
      bytes.push(part);
      size += part.length;
    } while (!this.#source.ended && size < SLICE_BYTES && environment.monotonicMs() < until);
    if (this.#source.ended) this.#last(bytes);
    else this.#write(bytes, this.#offset - this.#synced >= SYNC_EVERY_BYTES, () => this.#slice([]));
  }

  #last(bytes: Buffer[]): void {
    bytes.push(snapshotTrailer(this.#sum, this.#digest()));
    this.#write(bytes, true, () => this.#waitForLog());
  }

  /** Of the tree as it is after the last node was written: from that zxid on, replay has caught up with every node. */
  #digest(): SnapshotDigest | null {
    const { database, digestEnabled } = this.#options;
    const digest = digestEnabled ? database.digest : null;
    return digest === null ? null : { zxid: database.lastProcessedZxid, digest };
  }

  /**
   * A follower applies a COMMIT even if its own log is still being written, so nodes may show txns that a crash would take
   * out of the log. Such a snapshot must not become visible before its log.
   */
  #waitForLog(): void {
    this.#options.whenLogDurable(() => {
      if (this.#over) return;
      const name = snapshotName(this.zxid);
      this.#options.disk.rename("snap", this.#temporary, name, (failure) => {
        if (this.#over) return;
        if (failure !== null) return this.#options.failed(failure);
        this.#over = true;
        this.#options.done(this.zxid);
      });
    });
  }

  #write(bytes: Buffer[], sync: boolean, next: () => void): void {
    const offset = this.#offset;
    for (const part of bytes) this.#offset += part.length;
    if (sync) this.#synced = this.#offset;
    this.#options.disk.write("snap", this.#temporary, offset, bytes, { sync }, (failure) => {
      if (this.#over) return;
      if (failure === null) next();
      else this.#options.failed(failure);
    });
  }
}
