/** What happened to the paths that somebody watches, gathered while the tree is replayed. */
import type { Change } from "../../../spec/models/znode-tree.ts";
import type { History } from "../../histories/history.ts";
import { Op } from "../../histories/operations.ts";
import type { Fog } from "./fog.ts";
import type { Timeline } from "./timeline.ts";

export interface WatchedChange {
  readonly zxid: number;
  readonly kind: Change["kind"];
  readonly path: string;
}

export class WatchedChanges {
  /** By path, in order. */
  readonly #changes = new Map<string, WatchedChange[]>();
  /** Roots of recursive watches, with all that happened below. */
  readonly #below = new Map<string, WatchedChange[]>();

  readonly #fog: Fog;

  /** Prepares for every watch that the history asks for. */
  constructor({ operations }: History, { fog }: Timeline) {
    this.#fog = fog;
    for (let i = 0; i < operations.count; i++) {
      const recursive = operations.op[i] === Op.addWatch && operations.extra[i]!.watches === "persistentRecursive";
      if (recursive) this.#below.set(operations.path[i]!, []);
      else if (operations.watch[i] === 1 || operations.op[i] === Op.addWatch)
        this.#changes.set(operations.path[i]!, []);
    }
  }

  note(zxid: number, changes: readonly Change[]): void {
    if (this.#changes.size === 0 && this.#below.size === 0) return;
    for (const { kind, path } of changes) {
      this.#changes.get(path)?.push({ zxid, kind, path });
      if (kind === "childrenChanged") continue;
      for (const [root, list] of this.#below) {
        if (path === root || path.startsWith(root === "/" ? "/" : `${root}/`)) list.push({ zxid, kind, path });
      }
    }
  }

  /** Can a watch on this path be judged? */
  isCertain(path: string, recursive: boolean): boolean {
    return !this.#fog.hidesChanges(path, recursive);
  }

  of(path: string): readonly WatchedChange[] {
    return this.#changes.get(path) ?? [];
  }

  /** Of the path and all below it; without childrenChanged. */
  below(root: string): readonly WatchedChange[] {
    return this.#below.get(root) ?? [];
  }
}
