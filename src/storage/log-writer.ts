/**
 * Appends to the txn log with group commit (FileTxnLog, SyncRequestProcessor): while one group is written and synced, the
 * next gathers. One write and one sync per group, never two under way, so what is durable is always a prefix.
 */
import { NO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import { assert } from "../runtime/assert.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { DiskClient } from "./disk-client.ts";
import { logName } from "./file-names.ts";
import { LOG_HEADER_BYTES, logHeader, putRecord, RECORD_OVERHEAD_BYTES } from "./log-format.ts";
import type { StorageConfig, StorageFailure } from "./storage-facts.ts";

const FIRST_GROUP_BYTES = 64 * 1024;
/** A group ends here (or with its first entry, if that is larger): a tear is never longer than one group. */
export const MAX_GROUP_BYTES = 4 * 2 ** 20;
/** The file grows when less than this is left (FilePadding). */
const GROW_BEFORE_BYTES = 4096;

export interface LogWriterOptions {
  readonly disk: DiskClient;
  readonly config: Pick<StorageConfig, "preAllocSizeBytes" | "forceSync" | "fsyncWarningThresholdMs">;
  readonly environment: Environment;
  readonly report: Reporter;
  /** Everything up to this zxid is durable. */
  readonly appended: (upTo: Zxid) => void;
  readonly failed: (failure: StorageFailure) => void;
}

/** The file that is appended to, and how far it is written. */
export interface ActiveLog {
  readonly name: string;
  /** Bytes written, durable or under way. */
  readonly end: number;
}

interface Group {
  bytes: Buffer;
  used: number;
  firstZxid: Zxid;
  lastZxid: Zxid;
}

export class LogWriter {
  readonly #options: LogWriterOptions;
  /** Full groups, oldest first, before the one that gathers. */
  readonly #full: Group[] = [];
  #gathering: Group = emptyGroup();
  /** Memory of the last group that was written, for reuse. */
  #spare: Buffer | null = null;
  #underWay = false;
  #flushWanted = false;
  #file: string | null = null;
  #end = 0;
  #size = 0;
  #lastAppended: Zxid = NO_ZXID;
  #lastWritten: Zxid = NO_ZXID;
  #durable: Zxid = NO_ZXID;
  /** While above zero, nothing is handed to the disk, only gathered. */
  #holds = 0;
  /** The group under way belongs to a history that was replaced. */
  #underWayIsStale = false;
  readonly #whenIdle: (() => void)[] = [];
  #stopped = false;
  #waiting: { readonly zxid: Zxid; readonly callback: () => void }[] = [];
  /** Since the log was last rolled. */
  #txns = 0;
  #bytes = 0;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** After recovery: the log holds entries up to `zxid`, `txns` of them not in a snapshot. The next one starts a new file. */
  start(zxid: Zxid, txns: number): void {
    assert(!this.#underWay && this.#holds === 0, "Recovery waits for what is being written.");
    this.#restart(zxid, txns);
  }

  /**
   * The history now comes from elsewhere (SNAP) and ends at `zxid`. What was gathered before is forgotten, what is under way
   * is not acknowledged, and nothing is written until each call is followed by `release`. Calls back when the disk is done
   * with the old log.
   */
  replaceHistory(zxid: Zxid, idle: () => void): void {
    this.#waiting.length = 0;
    this.#restart(zxid, 0);
    this.#holds += 1;
    this.#underWayIsStale = this.#underWay;
    if (this.#underWay) this.#whenIdle.push(idle);
    else idle();
  }

  release(): void {
    if (this.#stopped) return;
    this.#holds -= 1;
    if (this.#flushWanted) this.flush();
    this.#tell();
  }

  append(zxid: Zxid, entry: Buffer): void {
    if (this.#stopped) return;
    assert(zxid > this.#lastAppended, "The log only grows.");
    const size = entry.length + RECORD_OVERHEAD_BYTES;
    let group = this.#gathering;
    if (group.used + size > MAX_GROUP_BYTES && group.used > 0) {
      this.#full.push(group);
      group = this.#gathering = emptyGroup();
    }
    if (group.bytes.length - group.used < size) this.#grow(group, size);
    if (group.used === 0) group.firstZxid = zxid;
    group.used = putRecord(group.bytes, group.used, entry);
    group.lastZxid = zxid;
    this.#lastAppended = zxid;
    this.#txns += 1;
    this.#bytes += size;
  }

  /** Hands what was gathered to the disk: now, or as soon as the group under way is durable. */
  flush(): void {
    if (this.#stopped || (this.#gathering.used === 0 && this.#full.length === 0)) return;
    if (this.#underWay || this.#holds > 0) this.#flushWanted = true;
    else this.#write();
  }

  /** The next group starts a new file, named after its first zxid. */
  roll(): void {
    const file = this.#file;
    this.#txns = 0;
    this.#bytes = 0;
    if (file === null) return;
    const { disk, report } = this.#options;
    const length = this.#end;
    this.#file = null;
    if (this.#size <= length) return;
    // A closed log without padding tells its true size to readers and purges. Nothing depends on it.
    this.whenDurable(this.#lastWritten, () =>
      disk.truncate("log", file, length, (failure) => {
        if (failure !== null) report({ level: "warn", message: failure.message, data: { code: failure.code } });
      }),
    );
  }

  /** Calls back once everything up to `zxid` is durable; at once if it is. Never after a failure. */
  whenDurable(zxid: Zxid, callback: () => void): void {
    if (this.#isDurable(zxid)) return callback();
    this.#waiting.push({ zxid, callback });
    this.flush();
  }

  /** Last zxid appended; durable or not. */
  get lastAppended(): Zxid {
    return this.#lastAppended;
  }

  get durable(): Zxid {
    return this.#durable;
  }

  /** Txns and bytes since the log was last rolled. */
  get txns(): number {
    return this.#txns;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get active(): ActiveLog | null {
    return this.#file === null ? null : { name: this.#file, end: this.#end };
  }

  /** Forgets what was not handed to the disk yet, and acknowledges nothing any more. */
  stop(): void {
    this.#stopped = true;
    this.#full.length = 0;
    this.#gathering = emptyGroup();
    this.#waiting.length = 0;
    this.#whenIdle.length = 0;
  }

  #restart(zxid: Zxid, txns: number): void {
    this.#full.length = 0;
    this.#gathering = emptyGroup();
    this.#flushWanted = false;
    this.#file = null;
    this.#lastAppended = zxid;
    this.#lastWritten = zxid;
    this.#durable = zxid;
    this.#txns = txns;
    this.#bytes = 0;
  }

  #isDurable(zxid: Zxid): boolean {
    return this.#durable >= zxid && this.#holds === 0;
  }

  #write(): void {
    const { disk, config, environment } = this.#options;
    const group = this.#takeGroup();
    const name = this.#file ?? logName(group.firstZxid);
    const bytes = [group.bytes.subarray(0, group.used)];
    if (this.#file === null) {
      this.#file = name;
      this.#end = 0;
      this.#size = 0;
      bytes.unshift(logHeader());
    }
    this.#lastWritten = group.lastZxid;
    const offset = this.#end;
    this.#end += group.used + (bytes.length === 1 ? 0 : LOG_HEADER_BYTES);
    this.#underWay = true;
    const since = environment.monotonicMs();
    const growth = this.#growth();
    disk.write("log", name, offset, bytes, { sync: config.forceSync, ...growth }, (failure) => {
      if (failure === null) this.#written(group, since, name);
      else this.#failed(failure);
    });
  }

  #takeGroup(): Group {
    this.#flushWanted = false;
    const full = this.#full.shift();
    if (full !== undefined) {
      this.#flushWanted = true;
      return full;
    }
    const group = this.#gathering;
    this.#gathering = { ...emptyGroup(), bytes: this.#spare ?? EMPTY };
    this.#spare = null;
    return group;
  }

  #growth(): { size: number } | undefined {
    const ahead = this.#options.config.preAllocSizeBytes;
    if (ahead === 0 || this.#end + GROW_BEFORE_BYTES < this.#size) return undefined;
    this.#size = this.#end + ahead;
    return { size: this.#size };
  }

  #written(group: Group, since: number, file: string): void {
    this.#underWay = false;
    if (this.#stopped) return;
    if (this.#underWayIsStale) {
      this.#underWayIsStale = false;
      for (const idle of this.#whenIdle.splice(0)) idle();
      return;
    }
    const { environment, config, report } = this.#options;
    const tookMs = environment.monotonicMs() - since;
    if (tookMs > config.fsyncWarningThresholdMs) {
      const data = { code: "SLOW_FSYNC", file: `log/${file}`, tookMs, bytes: group.used };
      report({ level: "warn", message: "Writing to the log was slow; every client waits for it.", data });
    }
    if (group.bytes.length <= MAX_GROUP_BYTES) this.#spare = group.bytes;
    this.#durable = group.lastZxid;
    // What is appended while the fact is handled joins the next group.
    this.#options.appended(group.lastZxid);
    if (this.#flushWanted) this.flush();
    this.#tell();
  }

  #tell(): void {
    const due = this.#waiting.filter(({ zxid }) => this.#isDurable(zxid));
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(({ zxid }) => !this.#isDurable(zxid));
    for (const { callback } of due) callback();
  }

  /** The file may now hold any part of the group, and a second sync would lie: only a fresh start may read it again. */
  #failed(failure: StorageFailure): void {
    this.#underWay = false;
    if (this.#stopped) return;
    this.stop();
    this.#options.failed(failure);
  }

  #grow(group: Group, size: number): void {
    let capacity = Math.max(group.bytes.length, FIRST_GROUP_BYTES);
    while (capacity - group.used < size) capacity *= 2;
    const grown = Buffer.allocUnsafeSlow(capacity);
    group.bytes.copy(grown, 0, 0, group.used);
    group.bytes = grown;
  }
}

const EMPTY = Buffer.alloc(0);

function emptyGroup(): Group {
  return { bytes: EMPTY, used: 0, firstZxid: NO_ZXID, lastZxid: NO_ZXID };
}
