import type { Zxid } from "../../spec/vocabulary.ts";
import { NO_ZXID } from "../../spec/vocabulary.ts";
import { EventType } from "../protocol/watch-events.ts";
import type { DataTree } from "./data-tree.ts";
import type { WatchKind, WatchSink, WatchTable } from "./watch-table.ts";

type Paths = readonly (string | null)[] | null;

/** A client that reconnected tells its watches (setWatches, setWatches2). A null list is empty. */
export interface SetWatchesLists {
  /** The last zxid the client has seen; as far as that goes it knows. */
  readonly relativeZxid: number;
  readonly dataWatches: Paths;
  readonly existWatches: Paths;
  readonly childWatches: Paths;
  readonly persistentWatches?: Paths;
  readonly persistentRecursiveWatches?: Paths;
}

/**
 * Registers what still holds, and emits at once, with zxid -1, what happened while the client was away (DataTree.setWatches).
 * Not seen: a node that came and went in between.
 */
export function setWatches<W extends object>(
  tree: DataTree,
  watches: WatchTable<W>,
  watcher: W,
  lists: SetWatchesLists,
  emit: WatchSink<W>,
): void {
  const { relativeZxid } = lists;
  const settle = (path: string, kind: WatchKind, missed: EventType | null): void => {
    if (missed === null) watches.add(watcher, path, kind);
    else emit(watcher, missed, path, NO_ZXID as Zxid);
  };
  for (const path of present(lists.dataWatches)) {
    const node = tree.get(path);
    if (node === undefined) settle(path, "data", EventType.deleted);
    else settle(path, "data", tree.mzxid(node) > relativeZxid ? EventType.dataChanged : null);
  }
  for (const path of present(lists.existWatches)) {
    settle(path, "data", tree.get(path) === undefined ? null : EventType.created);
  }
  for (const path of present(lists.childWatches)) {
    const node = tree.get(path);
    if (node === undefined) settle(path, "child", EventType.deleted);
    else settle(path, "child", tree.pzxid(node) > relativeZxid ? EventType.childrenChanged : null);
  }
  for (const path of present(lists.persistentWatches)) settle(path, "persistent", null);
  for (const path of present(lists.persistentRecursiveWatches)) settle(path, "persistentRecursive", null);
}

function* present(paths: Paths | undefined): Generator<string> {
  for (const path of paths ?? []) {
    if (path !== null) yield path;
  }
}
