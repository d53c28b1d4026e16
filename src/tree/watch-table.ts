import type { Zxid } from "../../spec/vocabulary.ts";
import type { EventType } from "../protocol/watch-events.ts";

const notYet = (): never => {
  throw new Error("not yet");
};

/** What the database tells of while it applies a txn. */
export interface WatchTriggers {
  trigger(path: string, type: EventType, zxid: Zxid): void;
}

/** `data`: getData and exists. `child`: getChildren. The others: addWatch. */
export type WatchKind = "data" | "child" | "persistent" | "persistentRecursive";

/** Which standard or persistent registrations a removal means (WatcherType). */
export type WatchSelection = "data" | "child" | "any";

export type WatchSink<W> = (watcher: W, type: EventType, path: string, zxid: Zxid) => void;

/** Who watches what on this server (WatchManager, both tables in one). W: the connection object. */
export class WatchTable<W extends object> implements WatchTriggers {
  constructor(_sink: WatchSink<W>) {}
  add(_watcher: W, _path: string, _kind: WatchKind): void {
    notYet();
  }
  /** checkWatches. */
  has(_watcher: W, _path: string, _selection: WatchSelection): boolean {
    return notYet();
  }
  /** removeWatches; false when there was none (NOWATCHER). */
  remove(_watcher: W, _path: string, _selection: WatchSelection): boolean {
    return notYet();
  }
  /** The connection closed. Costs what this watcher registered, nothing else. */
  removeWatcher(_watcher: W): void {
    notYet();
  }
  /** Events go to the sink before this returns; one per watcher. */
  trigger(_path: string, _type: EventType, _zxid: Zxid): void {
    notYet();
  }
  /** Data and child watches in all; a persistent watch counts in both tables. */
  get watchCount(): number {
    return notYet();
  }
  get dataWatchCount(): number {
    return notYet();
  }
  get dataWatchedPaths(): number {
    return notYet();
  }
  get dataWatchers(): number {
    return notYet();
  }
  forEachDataWatch(_visit: (path: string, watcher: W) => void): void {
    notYet();
  }
  clear(): void {
    notYet();
  }
}
