/** The watches this client has set, by the server's paths, so that they survive a change of connection (ZKWatchManager). */
import { EventType } from "../protocol/watch-events.ts";

/** What the application sees of its session's connection (Watcher.Event.KeeperState). */
export type SessionState = "Disconnected" | "SyncConnected" | "AuthFailed" | "ConnectedReadOnly" | "Expired" | "Closed";

export type WatchedEventType =
  | "None"
  | "NodeCreated"
  | "NodeDeleted"
  | "NodeDataChanged"
  | "NodeChildrenChanged"
  | "DataWatchRemoved"
  | "ChildWatchRemoved"
  | "PersistentWatchRemoved";

export interface WatchedEvent {
  readonly type: WatchedEventType;
  readonly state: SessionState;
  /** The client's path; null for events of type None. */
  readonly path: string | null;
}

/**
 * Gets each event of its watch, in the order of the wire, between the replies before and after it. When the session ends
 * for good (Expired, AuthFailed, Closed) every watch gets one last event of type None and is gone; a mere disconnection is
 * not told here (see `ZooKeeper.onState`), since the watch is set again on the next connection.
 */
export type Watcher = (event: WatchedEvent) => void;

/** The tables of a server's watches. `exist` is a data watch on a node that was not there. */
export type WatchKind = "data" | "exist" | "child" | "persistent" | "recursive";

type Table = Map<string, Set<Watcher>>;

const NAMES: Readonly<Record<number, WatchedEventType>> = {
  [EventType.created]: "NodeCreated",
  [EventType.deleted]: "NodeDeleted",
  [EventType.dataChanged]: "NodeDataChanged",
  [EventType.childrenChanged]: "NodeChildrenChanged",
  [EventType.dataWatchRemoved]: "DataWatchRemoved",
  [EventType.childWatchRemoved]: "ChildWatchRemoved",
  [EventType.persistentWatchRemoved]: "PersistentWatchRemoved",
};

export function watchedEventType(type: number): WatchedEventType | undefined {
  return NAMES[type];
}

export class WatchRegistry {
  readonly #tables: Readonly<Record<WatchKind, Table>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  };

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const table = this.#tables[kind];
    const watchers = table.get(path);
    if (watchers === undefined) table.set(path, new Set([watcher]));
    else watchers.add(watcher);
  }

  /** Whom an event concerns, each watcher once; one-shot watches are used up by it. */
  triggered(type: number, path: string): ReadonlySet<Watcher> {
    const { data, exist, child, persistent, recursive } = this.#tables;
    const watchers = new Set<Watcher>();
    if (type !== EventType.childrenChanged) {
      useUp(data, path, watchers);
      useUp(exist, path, watchers);
    }
    if (type === EventType.childrenChanged || type === EventType.deleted) useUp(child, path, watchers);
    collect(persistent, path, watchers);
    // A recursive watch hears of the children themselves; NodeChildrenChanged is for the other kinds.
    if (type !== EventType.childrenChanged && recursive.size > 0) {
      for (let at = path; ; at = parent(at)) {
        collect(recursive, at, watchers);
        if (at === "/") break;
      }
    }
    return watchers;
  }

  /** Forgets watches of these kinds on a path: all, or those of one watcher. Says who lost which. */
  remove(path: string, kinds: readonly WatchKind[], watcher: Watcher | undefined): ReadonlyMap<Watcher, WatchKind> {
    const removed = new Map<Watcher, WatchKind>();
    for (const kind of kinds) {
      const table = this.#tables[kind];
      const watchers = table.get(path);
      if (watchers === undefined) continue;
      for (const one of watchers) {
        if (watcher !== undefined && one !== watcher) continue;
        watchers.delete(one);
        removed.set(one, kind);
      }
      if (watchers.size === 0) table.delete(path);
    }
    return removed;
  }

  has(path: string, kinds: readonly WatchKind[], watcher?: Watcher): boolean {
    return kinds.some((kind) => {
      const watchers = this.#tables[kind].get(path);
      return watchers !== undefined && (watcher === undefined || watchers.has(watcher));
    });
  }

  /** Would somebody still need the server's watch if this watcher's were removed? */
  othersThan(path: string, kinds: readonly WatchKind[], watcher: Watcher | undefined): boolean {
    if (watcher === undefined) return false;
    return kinds.some((kind) => {
      const watchers = this.#tables[kind].get(path);
      return watchers !== undefined && watchers.size > (watchers.has(watcher) ? 1 : 0);
    });
  }

  paths(kind: WatchKind): readonly string[] {
    return [...this.#tables[kind].keys()];
  }

  get size(): number {
    return Object.values(this.#tables).reduce((sum, table) => sum + table.size, 0);
  }

  /** The session is over: everybody who still waits, each once. */
  drain(): ReadonlySet<Watcher> {
    const all = new Set<Watcher>();
    for (const table of Object.values(this.#tables)) {
      for (const path of [...table.keys()]) useUp(table, path, all);
    }
    return all;
  }
}

function collect(table: Table, path: string, into: Set<Watcher>): void {
  const watchers = table.get(path);
  if (watchers !== undefined) for (const watcher of watchers) into.add(watcher);
}

function useUp(table: Table, path: string, into: Set<Watcher>): void {
  collect(table, path, into);
  table.delete(path);
}

function parent(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}
