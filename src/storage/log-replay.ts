/**
 * Applies the logs to the database, from the snapshot's zxid to the end or to a limit, and decides what recovery must cut.
 * What it will not do is guess: a gap, a damaged record with good ones behind it, or a txn that cannot be read stops the
 * start, because going on might mean to forget acknowledged txns without anyone noticing.
 */
import type { Cut } from "../../spec/storage/recovery-setup.ts";
import { counterOf, epochOf, formatZxid, ZERO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import { JuteError } from "../protocol/jute-reader.ts";
import { decodeTxn, type Txn } from "../protocol/txn.ts";
import type { Reporter } from "../runtime/environment.ts";
import { messageOf } from "../runtime/errors.ts";
import type { Database } from "../tree/database.ts";
import type { DiskClient } from "./disk-client.ts";
import { type LogFile, logsFrom, snapshotName } from "./file-names.ts";
import { isTornHeader, judgeTail, lengthWithoutZeros, type RecordScanner } from "./log-format.ts";
import { type LogEnd, LogWalk, type Step } from "./log-walk.ts";
import type { SnapshotDigest } from "./snapshot-format.ts";
import type { ReplayedTxn, StorageFailure } from "./storage-facts.ts";

/** A tear is shorter than any group that was ever written at once; what is longer must be all padding. */
const TAIL_WINDOW_BYTES = 16 * 2 ** 20;

export interface LogReplayOptions {
  readonly disk: DiskClient;
  readonly database: Database;
  /** All logs, oldest first. */
  readonly logs: readonly LogFile[];
  /** Last zxid to keep; null = all. */
  readonly limit: Zxid | null;
  /** Zxids of newer snapshots that could not be loaded. */
  readonly unusable: readonly Zxid[];
  /** Of the snapshot that was loaded. */
  readonly digest: SnapshotDigest | null;
  readonly maxEntryBytes: number;
  readonly replayed: ReplayedTxn;
  readonly report: Reporter;
  readonly done: (lastZxid: Zxid, cuts: readonly Cut[]) => void;
  readonly refused: (failure: StorageFailure) => void;
  readonly failed: (failure: StorageFailure) => void;
}

export class LogReplay {
  readonly #options: LogReplayOptions;
  readonly #walk: LogWalk;
  readonly #digest: SnapshotDigest | null;
  /** Last zxid in the tree. */
  #last: Zxid;
  /** Until here the tree may hold effects of txns that replay has not reached yet. Without a digest nobody knows. */
  readonly #fuzzyUpTo: Zxid;
  #digestDiffers = false;
  #count = 0;
  /** Where the good part of the last file with records ends, if anything follows it there. */
  #tail: { file: LogFile; length: number } | null = null;
  /** A file without a header: harmless only if nothing was ever written after it. */
  #headless: LogFile | null = null;

  constructor(options: LogReplayOptions) {
    this.#options = options;
    this.#last = options.database.lastProcessedZxid;
    // A section older than the snapshot's name would never be reached: Java drops it too.
    this.#digest = options.digest !== null && options.digest.zxid >= this.#last ? options.digest : null;
    this.#fuzzyUpTo = this.#digest?.zxid ?? (Number.MAX_SAFE_INTEGER as Zxid);
    options.database.exact = this.#last >= this.#fuzzyUpTo;
    const files = logsFrom(options.logs, (this.#last + 1) as Zxid);
    this.#walk = new LogWalk(options.disk, files, options.maxEntryBytes, {
      record: (scanner, file, offset) => this.#record(scanner, file, offset),
      fileEnded: (end, next) => this.#fileEnded(end, next),
      done: () => this.#done(),
      failed: options.failed,
    });
  }

  start(): void {
    if (this.#digest?.zxid === this.#last) this.#compareDigest(this.#digest.digest, this.#last);
    this.#walk.start();
  }

  #record(scanner: RecordScanner, file: LogFile, offset: number): Step {
    const { zxid } = scanner;
    const { limit, database } = this.#options;
    // In the snapshot already: a log goes on while a snapshot is written.
    if (this.#count === 0 && zxid <= this.#last) return "on";
    if (limit !== null && zxid > limit) {
      this.#tail = { file, length: offset };
      this.#done();
      return "stop";
    }
    if (!follows(this.#last, zxid)) return this.#gap(zxid, file, offset);
    if (leapsOver(this.#options.unusable, this.#last, zxid)) return this.#gap(zxid, file, offset);
    if (this.#headless !== null) return this.#refuseHeadless(this.#headless);
    let txn: Txn;
    const { entry } = scanner;
    try {
      txn = decodeTxn(entry);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      const message = `Txn ${formatZxid(zxid)} in log/${file.name} at offset ${offset} cannot be read: ${messageOf(error)}`;
      return this.#refuse("BAD_TXN", message, file, offset);
    }
    database.exact = zxid >= this.#fuzzyUpTo;
    database.apply(txn);
    this.#last = zxid;
    this.#count += 1;
    this.#checkDigest(txn);
    this.#options.replayed(txn, entry);
    return "on";
  }

  #gap(zxid: Zxid, file: LogFile, offset: number): Step {
    const found = formatZxid(zxid);
    const last = formatZxid(this.#last);
    const message = `log/${file.name} goes on with ${found} at offset ${offset} after ${last}: txns are missing or out of order.`;
    return this.#refuse("LOG_GAP", message, file, offset);
  }

  #refuse(code: string, message: string, file: LogFile, offset: number): Step {
    this.#options.refused({ code, message, file: `log/${file.name}`, offset });
    return "stop";
  }

  #refuseHeadless(file: LogFile): Step {
    const message = `log/${file.name} has no header, though its txns were written: later ones are in the log or in the snapshot.`;
    return this.#refuse("BAD_LOG_HEADER", message, file, 0);
  }

  #checkDigest(txn: Txn): void {
    const snapshot = this.#digest;
    if (snapshot !== null && txn.zxid === snapshot.zxid) this.#compareDigest(snapshot.digest, txn.zxid);
    else if (txn.digest !== null && txn.zxid > this.#fuzzyUpTo) this.#compareDigest(txn.digest, txn.zxid);
  }

  /** Apache ZooKeeper 3.8 itself logs wrong digests in rare cases, so a difference is only reported, once. */
  #compareDigest(digest: SnapshotDigest["digest"], zxid: Zxid): void {
    if (this.#digestDiffers || this.#options.database.agreesWith(digest)) return;
    this.#digestDiffers = true;
    const message =
      "The tree differs from what the digest in the log or snapshot says. Compare this server's data with the others'.";
    this.#options.report({ level: "error", message, data: { code: "DIGEST_MISMATCH", zxid: formatZxid(zxid) } });
  }

  /** A snapshot gets its name when it is whole, so this is no crash. What it stood for may have been acknowledged. */
  #refuseLost(snapshot: Zxid): void {
    const file = `snap/${snapshotName(snapshot)}`;
    const message = `${file} cannot be used, and the log ends before it, at ${formatZxid(this.#last)}. Restore the file, or empty this server's directories and let it synchronize.`;
    this.#options.refused({ code: "SNAPSHOT_LOST", message, file, offset: 0 });
  }

  #fileEnded(end: LogEnd, next: () => void): void {
    const { limit } = this.#options;
    if (limit !== null && this.#last >= limit) {
      this.#tail = end;
      return this.#done();
    }
    if (end.headless) this.#headless = end.file;
    if (end.exact) next();
    else this.#readTail(end, next);
  }

  #readTail(end: LogEnd, next: () => void): void {
    const { file, length } = end;
    this.#options.disk.read("log", file.name, length, TAIL_WINDOW_BYTES, (failure, tail) => {
      if (failure !== null) return this.#options.failed(failure);
      const after = length + tail.length;
      if (tail.length < TAIL_WINDOW_BYTES) return this.#judge(end, tail, true, next);
      this.#onlyZeros(file, after, (zeros) => this.#judge(end, tail, zeros, next));
    });
  }

  /** Is everything from `offset` on padding? */
  #onlyZeros(file: LogFile, offset: number, answer: (zeros: boolean) => void): void {
    this.#options.disk.read("log", file.name, offset, TAIL_WINDOW_BYTES, (failure, bytes) => {
      if (failure !== null) this.#options.failed(failure);
      else if (lengthWithoutZeros(bytes) > 0) answer(false);
      else if (bytes.length < TAIL_WINDOW_BYTES) answer(true);
      else this.#onlyZeros(file, offset + TAIL_WINDOW_BYTES, answer);
    });
  }

  #judge(end: LogEnd, tail: Buffer, rest: boolean, next: () => void): void {
    const { file, length, headless } = end;
    const verdict = !rest
      ? "corrupt"
      : headless
        ? isTornHeader(tail)
          ? "torn"
          : "corrupt"
        : judgeTail(tail, this.#last, this.#options.maxEntryBytes);
    if (verdict === "corrupt") {
      if (headless) return void this.#refuse("BAD_LOG_HEADER", `log/${file.name} does not start with ZKLG.`, file, 0);
      const message = `log/${file.name} is damaged at offset ${length}, after ${formatZxid(this.#last)}, where a whole record should be. Cutting it there could lose acknowledged txns: restore the file, or empty this server's directories and let it synchronize.`;
      return void this.#refuse("CORRUPT_RECORD", message, file, length);
    }
    if (verdict === "torn") {
      const lost = lengthWithoutZeros(tail);
      const message = `log/${file.name} ends inside a write at offset ${length}, after ${formatZxid(this.#last)}: ${lost} bytes that nobody was told of.`;
      const data = { code: "TORN_RECORD", file: `log/${file.name}`, offset: length, bytes: lost };
      this.#options.report({ level: "warn", message, data });
    }
    this.#tail = { file, length };
    next();
  }

  #done(): void {
    const { logs, limit, unusable } = this.#options;
    const lost = unusable.find((zxid) => zxid > this.#last);
    if (lost !== undefined) return this.#refuseLost(lost);
    if (this.#headless !== null && this.#headless.zxid <= this.#last) return void this.#refuseHeadless(this.#headless);
    const cuts: Cut[] = [];
    // Newest first. They hold nothing but what comes after the limit, or nothing at all; and the next file may need the name.
    for (const log of logs.toReversed()) {
      if (log.zxid > this.#last) cuts.push({ kind: "removeLog", file: log.name });
    }
    const tail = this.#tail;
    if (tail !== null && tail.file.zxid <= this.#last) {
      cuts.push({ kind: "truncateLog", file: tail.file.name, length: tail.length });
    }
    if (limit !== null && this.#last < limit) {
      const data = { code: "TRUNC_BEYOND_LOG", asked: formatZxid(limit), last: formatZxid(this.#last) };
      this.#options.report({ level: "warn", message: "The log ends before the zxid it was to be cut at.", data });
    }
    if (this.#digest !== null && this.#fuzzyUpTo > this.#last) {
      const data = {
        code: "SNAPSHOT_AHEAD_OF_LOG",
        log: formatZxid(this.#last),
        snapshot: formatZxid(this.#fuzzyUpTo),
      };
      const message =
        "The snapshot shows parts of txns that the log has lost; they come back when this server synchronizes.";
      this.#options.report({ level: "warn", message, data });
    }
    this.#options.done(this.#last, cuts);
  }
}

/** The next txn of the same leader, or the first of a later one (verification: log continuity). */
export function follows(last: Zxid, zxid: Zxid): boolean {
  if (zxid === last + 1) return true;
  return counterOf(zxid) === 1 && epochOf(zxid) > epochOf(last < ZERO_ZXID ? ZERO_ZXID : last);
}

/**
 * Is the txn that one of these snapshots is named after missing between two records? A snapshot that a server takes itself
 * is named after a txn of its log. One that came from a leader (SNAP) is not, and the txns it stands for were never logged:
 * after it the log may go on with the first txn of a later epoch, and look unbroken.
 */
export function leapsOver(snapshots: readonly Zxid[], last: Zxid, zxid: Zxid): boolean {
  return snapshots.some((snapshot) => snapshot > last && snapshot < zxid);
}
