/**
 * Nodes that go away by themselves: containers whose last child is gone, TTL nodes that nobody has changed for their time to
 * live. The primary looks now and then and submits a deleteContainer for each; prepare judges again (ContainerManager).
 */
import type { Database } from "../tree/database.ts";

/** ContainerManager.maxPerMinute: a large clean-up must not crowd out clients. */
const MAX_PER_MINUTE = 10_000;

/** Paths to remove. `wallMs`: now, on the clock of mtime. `sinceMs`: time since the last look. */
export function removable(database: Database, wallMs: number, sinceMs: number): string[] {
  const { tree } = database;
  const most = Math.max(1, Math.floor((MAX_PER_MINUTE * sinceMs) / 60_000));
  const paths: string[] = [];
  database.forEachContainer((node) => {
    // A container that never had a child is being set up.
    if (tree.numChildren(node) === 0 && tree.cversion(node) > 0) paths.push(tree.path(node));
  });
  database.forEachTtl((node, ttlMs) => {
    if (tree.numChildren(node) === 0 && wallMs - tree.mtime(node) > ttlMs) paths.push(tree.path(node));
  });
  return paths.slice(0, most);
}
