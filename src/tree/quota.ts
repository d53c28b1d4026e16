import type { DataTree } from "./data-tree.ts";

/** Would this write break a hard limit (QUOTAEXCEEDED)? `bytes` and `count`: by how much usage grows. */
export function exceedsHardQuota(_tree: DataTree, _path: string, _bytes: number, _count: number): boolean {
  throw new Error("not yet");
}
