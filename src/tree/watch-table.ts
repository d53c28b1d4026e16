/**
 * Who watches what on this server (WatchManager, its two tables and WatcherModeManager in one). A registration is a record
 * of integers in two lists, one per path and one per watcher: an event costs the watchers it reaches, a closing connection
 * costs its own registrations, and a hundred thousand watches are no objects.
 *
 * Deviation from 3.8: there a standard watch replaces a persistent one of the same connection and path, which is then lost
 * after one event (ZOOKEEPER-4466). Here they coexist, as from 3.9 on. Removal goes by table, whatever the mode, as in 3.8.
 */
import type { Zxid } from "../../spec/vocabulary.ts";
import { EventType } from "../protocol/watch-events.ts";
import { WatchRecords } from "./watch-records.ts";

/** What the database tells of while it applies a txn. */
export interface WatchTriggers {
  nodeCreated(path: string, zxid: Zxid): void;
  nodeDeleted(path: string, zxid: Zxid): void;
  nodeDataChanged(path: string, zxid: Zxid): void;
}

/** `data`: getData and exists. `child`: getChildren. The others: addWatch. */
export type WatchKind = "data" | "child" | "persistent" | "persistentRecursive";

/** Which table a check or a removal means (WatcherType). */
export type WatchSelection = "data" | "child" | "any";

/** Called while a txn is applied; must not apply another one. It may remove watchers. */
export type WatchSink<W> = (watcher: W, type: EventType, path: string, zxid: Zxid) => void;

/** What one registration consists of: a bit per table and mode. Standard watches are gone after one event. */
const DATA = 1;
const CHILD = 2;
const PERSISTENT_DATA = 4;
const PERSISTENT_CHILD = 8;
const RECURSIVE_DATA = 16;
const RECURSIVE_CHILD = 32;
const DATA_TABLE = DATA | PERSISTENT_DATA | RECURSIVE_DATA;
const CHILD_TABLE = CHILD | PERSISTENT_CHILD | RECURSIVE_CHILD;
const RECURSIVE = RECURSIVE_DATA | RECURSIVE_CHILD;

const BITS_OF_KIND: Readonly<Record<WatchKind, number>> = {
  data: DATA,
  child: CHILD,
  persistent: PERSISTENT_DATA | PERSISTENT_CHILD,
  persistentRecursive: RECURSIVE,
};

const BITS_OF_SELECTION: Readonly<Record<WatchSelection, number>> = {
  data: DATA_TABLE,
  child: CHILD_TABLE,
  any: DATA_TABLE | CHILD_TABLE,
};

export class WatchTable<W extends object> implements WatchTriggers {
  readonly #sink: WatchSink<W>;
  readonly #records = new WatchRecords<W>();
  /** Whom the event at hand goes to: gathered first, because the sink may change the table. */
  readonly #reached: W[] = [];
  #dataWatches = 0;
  #childWatches = 0;
  #recursive = 0;

  constructor(sink: WatchSink<W>) {
    this.#sink = sink;
  }

  add(watcher: W, path: string, kind: WatchKind): void {
    const record = this.#records.ensure(watcher, path);
    this.#setBits(record, this.#records.bits(record) | BITS_OF_KIND[kind]);
  }

  /** checkWatches. */
  has(watcher: W, path: string, selection: WatchSelection): boolean {
    const record = this.#records.find(watcher, path);
    return record !== 0 && (this.#records.bits(record) & BITS_OF_SELECTION[selection]) !== 0;
  }

  /** removeWatches; false when there was none (NOWATCHER). */
  remove(watcher: W, path: string, selection: WatchSelection): boolean {
    if (!this.has(watcher, path, selection)) return false;
    const record = this.#records.find(watcher, path);
    this.#setBits(record, this.#records.bits(record) & ~BITS_OF_SELECTION[selection]);
    return true;
  }

  /** The connection closed. Costs what this watcher registered, nothing else. */
  removeWatcher(watcher: W): void {
    let record = this.#records.firstOfWatcher(watcher);
    while (record !== 0) {
      const next = this.#records.nextOfWatcher(record);
      this.#setBits(record, 0);
      record = next;
    }
  }

  /** NodeCreated, then the parent's NodeChildrenChanged. */
  nodeCreated(path: string, zxid: Zxid): void {
    if (this.#records.isEmpty) return;
    this.trigger(path, EventType.created, zxid);
    this.trigger(parentOf(path), EventType.childrenChanged, zxid);
  }

  /** NodeDeleted, once to a watcher of both tables; then the parent's NodeChildrenChanged. */
  nodeDeleted(path: string, zxid: Zxid): void {
    if (this.#records.isEmpty) return;
    this.trigger(path, EventType.deleted, zxid);
    this.trigger(parentOf(path), EventType.childrenChanged, zxid);
  }

  nodeDataChanged(path: string, zxid: Zxid): void {
    if (this.#records.isEmpty) return;
    this.trigger(path, EventType.dataChanged, zxid);
  }

  /** One event: to the sink before this returns, once per watcher. */
  trigger(path: string, type: EventType, zxid: Zxid): void {
    const records = this.#records;
    records.startGathering();
    this.#gather(path, reachedBy(type), type);
    if (this.#recursive > 0 && type !== EventType.childrenChanged) {
      const mask = type === EventType.deleted ? RECURSIVE : RECURSIVE_DATA;
      for (let above = path; above.length > 1; ) {
        above = parentOf(above);
        this.#gather(above, mask, type);
      }
    }
    const reached = this.#reached;
    if (reached.length === 0) return;
    for (let i = 0; i < reached.length; i++) this.#sink(reached[i]!, type, path, zxid);
    reached.length = 0;
  }

  /** Data and child watches in all; one that is in both tables counts twice. */
  get watchCount(): number {
    return this.#dataWatches + this.#childWatches;
  }

  get dataWatchCount(): number {
    return this.#dataWatches;
  }

  /** Paths with data watches and who has them. Do not change the table while iterating. */
  *dataWatchersByPath(): Generator<readonly [string, readonly W[]]> {
    const records = this.#records;
    for (const [path, first] of records.paths()) {
      const watchers: W[] = [];
      for (let record = first; record !== 0; record = records.nextOfPath(record)) {
        if ((records.bits(record) & DATA_TABLE) !== 0) watchers.push(records.watcher(record));
      }
      if (watchers.length > 0) yield [path, watchers];
    }
  }

  /** Nobody watches anything. */
  clear(): void {
    this.#records.clear();
    this.#dataWatches = 0;
    this.#childWatches = 0;
    this.#recursive = 0;
  }

  #gather(path: string, mask: number, type: EventType): void {
    const records = this.#records;
    let record = records.firstOfPath(path);
    while (record !== 0) {
      const next = records.nextOfPath(record);
      const bits = records.bits(record);
      if ((bits & mask) !== 0) {
        const watcher = records.watcher(record);
        if (records.gatherOnce(record)) this.#reached.push(watcher);
        const spent = bits & spentBy(type) & mask;
        if (spent !== 0) this.#setBits(record, bits & ~spent);
      }
      record = next;
    }
  }

  /** Keeps the counts; a registration without bits is gone. */
  #setBits(record: number, bits: number): void {
    const before = this.#records.bits(record);
    this.#dataWatches += one(bits & DATA_TABLE) - one(before & DATA_TABLE);
    this.#childWatches += one(bits & CHILD_TABLE) - one(before & CHILD_TABLE);
    this.#recursive += one(bits & RECURSIVE) - one(before & RECURSIVE);
    if (bits === 0) this.#records.remove(record);
    else this.#records.setBits(record, bits);
  }
}

/** Registrations on the very path that an event reaches. Recursive ones never hear NodeChildrenChanged. */
function reachedBy(type: EventType): number {
  if (type === EventType.deleted) return DATA_TABLE | CHILD_TABLE;
  return type === EventType.childrenChanged ? CHILD | PERSISTENT_CHILD : DATA_TABLE;
}

/** Standard watches that an event uses up. */
function spentBy(type: EventType): number {
  if (type === EventType.deleted) return DATA | CHILD;
  return type === EventType.childrenChanged ? CHILD : DATA;
}

function one(bits: number): number {
  return bits === 0 ? 0 : 1;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
