/**
 * Reads the log for a learner that is further behind than the committed log in memory reaches (LearnerHandler,
 * TxnLogProposalIterator). It runs beside the writer, so the file that is being appended to may end in half a record.
 *
 * What it hands out goes to the learner as committed, though a log may hold txns that never were: those that a deposed leader
 * had logged alone stay in it when a SNAP replaces its history, and only the hole behind them tells. So the log is read twice:
 * nothing is handed out before the whole stretch is known to be there.
 */
import type { Zxid } from "../../spec/vocabulary.ts";
import type { DiskClient } from "./disk-client.ts";
import { type LogFile, logsFrom, logsOf, type StoredFile, snapshotsOf } from "./file-names.ts";
import { follows, leapsOver } from "./log-replay.ts";
import { LogWalk, type Step } from "./log-walk.ts";
import type { ActiveLog } from "./log-writer.ts";
import type { LogReading, LogReadingEnd, LogVisitor } from "./storage-facts.ts";

export interface LogReaderOptions {
  readonly disk: DiskClient;
  readonly maxEntryBytes: number;
  readonly from: Zxid;
  readonly to: Zxid;
  /** More log than this is not worth reading; 0 = any amount. */
  readonly maxBytes: number;
  /** The file that is being appended to. */
  readonly active: () => ActiveLog | null;
  readonly visitor: LogVisitor;
  /** The reading is over, whatever its outcome. */
  readonly closed: (reader: LogReader) => void;
}

export class LogReader implements LogReading {
  readonly #options: LogReaderOptions;
  #walk: LogWalk | null = null;
  /** The first time over: nothing is handed out. */
  #surveying = true;
  /** Zxids of the snapshots on disk. */
  #snapshots: readonly Zxid[] = [];
  /** The newest entry below `from`, until it is known that no entry equals `from`. */
  #anchor: { readonly zxid: Zxid; readonly entry: Buffer } | null = null;
  /** Last zxid of the stretch that was seen, or handed out. */
  #last: Zxid | null = null;
  #paused = false;
  #over = false;

  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  /** Everything up to `to` that was ever appended is in the files. */
  start(): void {
    if (this.#over) return;
    const { disk } = this.#options;
    disk.list("snap", (snapFailure, snapFiles) => {
      if (this.#over) return;
      if (snapFailure !== null) return this.#end("failed");
      this.#snapshots = snapshotsOf(snapFiles).map((file) => file.zxid);
      disk.list("log", (failure, files) => {
        if (this.#over) return;
        if (failure !== null) this.#end("failed");
        else this.#open(files);
      });
    });
  }

  resume(): void {
    if (this.#over || !this.#paused) return;
    this.#paused = false;
    if (this.#last !== null && this.#last >= this.#options.to) return this.#end("complete");
    this.#walk?.resume();
  }

  cancel(): void {
    if (!this.#over) this.#close();
  }

  /** The storage starts anew: what was read so far is no longer a part of anything. */
  fail(): void {
    this.#end("failed");
  }

  #open(files: readonly StoredFile[]): void {
    const { from, maxBytes } = this.#options;
    const active = this.#options.active();
    const logs = logsFrom(logsOf(files), from);
    if (logs.length === 0 || logs[0]!.zxid > from) return this.#end("missing");
    // Padding is not read by anybody.
    const bytes = logs.reduce((sum, log) => sum + (log.name === active?.name ? active.end : log.size), 0);
    if (maxBytes > 0 && bytes > maxBytes) return this.#end("tooLarge");
    this.#read(logs);
  }

  #read(logs: readonly LogFile[]): void {
    const { disk, maxEntryBytes } = this.#options;
    this.#walk = new LogWalk(disk, logs, maxEntryBytes, {
      record: ({ zxid, entry }) => this.#record(zxid, entry, logs),
      fileEnded: (_end, next) => next(),
      done: () => this.#short(this.#last === null ? "missing" : "gap"),
      failed: () => this.#end("failed"),
    });
    this.#walk.start();
  }

  #record(zxid: Zxid, entry: Buffer, logs: readonly LogFile[]): Step {
    if (this.#last === null) {
      if (zxid < this.#options.from) {
        this.#anchor = { zxid, entry };
        return "on";
      }
      if (zxid > this.#options.from && !this.#takeAnchor()) return "stop";
    }
    // A learner that came by SNAP has holes in its log. Whoever is sent such a history would have them for good.
    if (this.#last !== null && (!follows(this.#last, zxid) || leapsOver(this.#snapshots, this.#last, zxid))) {
      this.#short("gap");
      return "stop";
    }
    this.#take(zxid, entry);
    if (this.#over) return "stop";
    if (this.#paused) return "pause";
    if (zxid < this.#options.to) return "on";
    if (this.#surveying) this.#readAgain(logs);
    else this.#end("complete");
    return "stop";
  }

  #takeAnchor(): boolean {
    const anchor = this.#anchor;
    this.#anchor = null;
    if (anchor === null) this.#short("missing");
    else this.#take(anchor.zxid, anchor.entry);
    return !this.#over;
  }

  #take(zxid: Zxid, entry: Buffer): void {
    this.#last = zxid;
    if (!this.#surveying && !this.#options.visitor.entry(zxid, entry)) this.#paused = true;
  }

  #readAgain(logs: readonly LogFile[]): void {
    this.#surveying = false;
    this.#last = null;
    this.#read(logs);
  }

  /** The second time over, what is not there any more was there. */
  #short(outcome: "missing" | "gap"): void {
    this.#end(this.#surveying ? outcome : "failed");
  }

  #end(outcome: LogReadingEnd): void {
    if (this.#over) return;
    this.#close();
    this.#options.visitor.end(outcome);
  }

  #close(): void {
    this.#over = true;
    this.#anchor = null;
    this.#walk?.stop();
    this.#options.closed(this);
  }
}
