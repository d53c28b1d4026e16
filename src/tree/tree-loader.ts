import { OperatingError } from "../runtime/errors.ts";
import type { Database } from "./database.ts";

const notYet = (): never => {
  throw new Error("not yet");
};

/** `offset`: from the start of the body; `path` where one is known. */
export class TreeLoadError extends OperatingError<
  "BAD_LENGTH" | "BAD_PATH" | "MISSING_PARENT" | "DUPLICATE_NODE" | "OUT_OF_RANGE"
> {}

/** Reads a snapshot body into a database, chunk by chunk, wherever the chunks are cut. */
export class TreeLoader {
  /** Empties the database. Afterwards the caller sets `lastProcessedZxid`. */
  constructor(_database: Database) {}
  /** Throws TreeLoadError; the database is then of no use until it is cleared. */
  push(_chunk: Buffer): void {
    notYet();
  }
  /** The end marker was read. */
  get done(): boolean {
    return notYet();
  }
  /** Bytes read so far that belong to the body. */
  get bodyBytes(): number {
    return notYet();
  }
  /** What followed the end marker in the last chunk. */
  rest(): Buffer {
    return notYet();
  }
}
