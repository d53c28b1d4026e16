/** Loads snapshots, and decides whether a file is one. */
import { gunzipSync } from "node:zlib";
import { messageOf, OperatingError } from "../runtime/errors.ts";
import type { Database } from "../tree/database.ts";
import { TreeLoader } from "../tree/snapshot-source.ts";
import { ADLER_START, adler32 } from "./adler32.ts";
import type { DiskClient } from "./disk-client.ts";
import type { SnapshotCompression, SnapshotFile } from "./file-names.ts";
import { SNAPPY_MAGIC, unsnappy } from "./snappy.ts";
import {
  isSnapshotHeader,
  MAX_TRAILER_BYTES,
  MIN_SNAPSHOT_BYTES,
  readTrailer,
  SNAPSHOT_END,
  SNAPSHOT_HEADER_BYTES,
  type SnapshotDigest,
} from "./snapshot-format.ts";
import type { StorageFailure } from "./storage-facts.ts";

const CHUNK_BYTES = 2 ** 19;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** A file that cannot be used as a snapshot. */
export class SnapshotError extends OperatingError<"BAD_SNAPSHOT"> {
  constructor(reason: string, options?: ErrorOptions) {
    super({ code: "BAD_SNAPSHOT", reason }, options);
  }
}

/** Parses the bytes of an uncompressed snapshot, wherever they are cut, straight into a database. */
export class SnapshotParser {
  readonly #loader: TreeLoader;
  #sum = ADLER_START;
  #started = false;
  #trailer: Buffer[] = [];
  #trailerBytes = 0;

  /** Empties the database. `bytes`: of the whole snapshot, 0 if nobody knows. */
  constructor(database: Database, bytes = 0) {
    this.#loader = new TreeLoader(database, undefined, bytes);
  }

  /** Throws SnapshotError or TreeLoadError; the database must then be cleared. The first chunk holds the whole header. */
  push(chunk: Buffer): void {
    if (!this.#started) {
      this.#started = true;
      if (!isSnapshotHeader(chunk)) throw new SnapshotError("it does not start with ZKSN");
      this.#sum = adler32(this.#sum, chunk, 0, SNAPSHOT_HEADER_BYTES);
      return this.#body(chunk.subarray(SNAPSHOT_HEADER_BYTES));
    }
    if (this.#loader.done) this.#rest(chunk);
    else this.#body(chunk);
  }

  /** All chunks are in: checks the seals. Throws SnapshotError. */
  end(): SnapshotDigest | null {
    if (!this.#loader.done) throw new SnapshotError("it ends before its nodes do");
    const trailer = readTrailer(Buffer.concat(this.#trailer), this.#sum);
    if (!trailer.valid) throw new SnapshotError(trailer.reason);
    return trailer.digest;
  }

  #body(chunk: Buffer): void {
    this.#loader.push(chunk);
    if (!this.#loader.done) {
      this.#sum = adler32(this.#sum, chunk, 0, chunk.length);
      return;
    }
    const rest = this.#loader.rest();
    this.#sum = adler32(this.#sum, chunk, 0, chunk.length - rest.length);
    this.#rest(rest);
  }

  #rest(chunk: Buffer): void {
    this.#trailer.push(chunk);
    this.#trailerBytes += chunk.length;
    if (this.#trailerBytes > MAX_TRAILER_BYTES) throw new SnapshotError("it goes on long after its nodes");
  }
}

/** `unusable` says why the file is no snapshot; then the next older one has its turn. `failure`: the disk failed. */
export type SnapshotVerdict =
  | { readonly type: "whole"; readonly digest: SnapshotDigest | null }
  | { readonly type: "unusable"; readonly reason: string }
  | { readonly type: "failed"; readonly failure: StorageFailure };

/** Looks at the first or last bytes only, as SnapStream.isValidSnapshot does. */
export function inspectSnapshot(disk: DiskClient, file: SnapshotFile, done: (verdict: SnapshotVerdict) => void): void {
  const { offset, mark } = finishedMark(file);
  if (file.size < MIN_SNAPSHOT_BYTES) return done({ type: "unusable", reason: `it has only ${file.size} bytes` });
  disk.read("snap", file.name, offset, mark.length, (failure, bytes) => {
    if (failure !== null) done({ type: "failed", failure });
    else if (bytes.equals(mark)) done({ type: "whole", digest: null });
    else done({ type: "unusable", reason: "it does not end (or start) as a finished one does" });
  });
}

/** Reads the file into the database; one chunk is parsed while the next is read. */
export function loadSnapshot(
  disk: DiskClient,
  file: SnapshotFile,
  database: Database,
  done: (verdict: SnapshotVerdict) => void,
): void {
  const parser = new SnapshotParser(database, file.compression === "none" ? file.size : 0);
  const compressed: Buffer[] = [];
  const take = (bytes: Buffer): void => {
    if (file.compression === "none") parser.push(bytes);
    else compressed.push(bytes);
  };
  const finish = (): SnapshotDigest | null => {
    if (compressed.length > 0) parser.push(decompress(file.compression, Buffer.concat(compressed)));
    return parser.end();
  };
  let settled = false;
  const settle = (verdict: SnapshotVerdict): void => {
    settled = true;
    done(verdict);
  };
  const read = (offset: number): void =>
    disk.read("snap", file.name, offset, CHUNK_BYTES, (failure, bytes) => {
      if (settled) return;
      if (failure !== null) return settle({ type: "failed", failure });
      const last = bytes.length < CHUNK_BYTES;
      if (!last) read(offset + CHUNK_BYTES);
      try {
        if (bytes.length > 0) take(bytes);
        if (last) settle({ type: "whole", digest: finish() });
      } catch (error) {
        if (!(error instanceof OperatingError)) throw error;
        settle({ type: "unusable", reason: error.message });
      }
    });
  read(0);
}

function finishedMark(file: SnapshotFile): { offset: number; mark: Buffer } {
  if (file.compression === "gzip") return { offset: 0, mark: GZIP_MAGIC };
  if (file.compression === "snappy") return { offset: 0, mark: SNAPPY_MAGIC };
  return { offset: file.size - SNAPSHOT_END.length, mark: SNAPSHOT_END };
}

function decompress(compression: SnapshotCompression, bytes: Buffer): Buffer {
  if (compression === "snappy") return unsnappy(bytes);
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new SnapshotError(`it cannot be decompressed: ${messageOf(error)}`, { cause: error });
  }
}
