/**
 * Reads the log for a learner that is further behind than the committed log in memory reaches (LearnerHandler,
 * TxnLogProposalIterator). It runs beside the writer, so the file that is being appended to may end in half a record.
 */
import type { Zxid } from "../../spec/vocabulary.ts";
import type { DiskClient } from "./disk-client.ts";
import { logsFrom, logsOf, type StoredFile, snapshotsOf } from "./file-names.ts";
import type { RecordScanner } from "./log-format.ts";
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
  readonly active: ActiveLog | null;
  readonly visitor: LogVisitor;
  /** The reading is over, whatever its outcome. */
  readonly closed: (reader: LogReader) => void;
}

export class LogReader implements LogReading {
  readonly #options: LogReaderOptions;
  #walk: LogWalk | null = null;
  /** Zxids of the snapshots on disk. */
  #snapshots: readonly Zxid[] = [];
  /** The newest entry below `from`, until it is known that no entry equals `from`. */
  #anchor: { readonly zxid: Zxid; readonly entry: Buffer } | null = null;
  /** Last zxid that was handed out. */
  #last: Zxid | null = null;
  #paused = false;
  #over = false;

  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  start(): void {
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
    const { disk, maxEntryBytes, from, active, maxBytes } = this.#options;
    const logs = logsFrom(logsOf(files), from);
    if (logs.length === 0 || logs[0]!.zxid > from) return this.#end("missing");
    // Padding is not read by anybody.
    const bytes = logs.reduce((sum, log) => sum + (log.name === active?.name ? active.end : log.size), 0);
    if (maxBytes > 0 && bytes > maxBytes) return this.#end("tooLarge");
    this.#walk = new LogWalk(disk, logs, maxEntryBytes, {
      record: (scanner) => this.#record(scanner),
      fileEnded: (_end, next) => next(),
      done: () => this.#end(this.#last === null ? "missing" : "gap"),
      failed: () => this.#end("failed"),
    });
    this.#walk.start();
  }

  #record(scanner: RecordScanner): Step {
    const { zxid, entry } = scanner;
    if (this.#last === null) {
      if (zxid < this.#options.from) {
        this.#anchor = { zxid, entry };
        return "on";
      }
      if (zxid > this.#options.from && !this.#handOutAnchor()) return "stop";
    }
    // A learner that came by SNAP has holes in its log. Whoever is sent such a history would have them for good.
    if (this.#last !== null && (!follows(this.#last, zxid) || leapsOver(this.#snapshots, this.#last, zxid)))
      return this.#stop("gap");
    this.#hand(zxid, entry);
    if (this.#over) return "stop";
    if (this.#paused) return "pause";
    return zxid >= this.#options.to ? this.#stop("complete") : "on";
  }

  #handOutAnchor(): boolean {
    const anchor = this.#anchor;
    this.#anchor = null;
    if (anchor === null) this.#end("missing");
    else this.#hand(anchor.zxid, anchor.entry);
    return !this.#over;
  }

  #hand(zxid: Zxid, entry: Buffer): void {
    this.#last = zxid;
    if (!this.#options.visitor.entry(zxid, entry)) this.#paused = true;
  }

  #stop(outcome: LogReadingEnd): "stop" {
    this.#end(outcome);
    return "stop";
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
