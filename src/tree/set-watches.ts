import type { Zxid } from "../../spec/vocabulary.ts";
import type { EventType } from "../protocol/watch-events.ts";
import type { DataTree } from "./data-tree.ts";
import type { WatchTable } from "./watch-table.ts";

/** A client that reconnected tells its watches (setWatches, setWatches2). Null lists are empty. */
export interface SetWatchesLists {
  readonly relativeZxid: number;
  readonly dataWatches: readonly (string | null)[] | null;
  readonly existWatches: readonly (string | null)[] | null;
  readonly childWatches: readonly (string | null)[] | null;
  readonly persistentWatches?: readonly (string | null)[] | null;
  readonly persistentRecursiveWatches?: readonly (string | null)[] | null;
}

/** Registers, or `emit`s what was missed while away. Order and rules: DataTree.setWatches. */
export function setWatches<W extends object>(
  _tree: DataTree,
  _watches: WatchTable<W>,
  _watcher: W,
  _lists: SetWatchesLists,
  _emit: (watcher: W, type: EventType, path: string, zxid: Zxid) => void,
): void {
  throw new Error("not yet");
}
