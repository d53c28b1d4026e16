/** Walks over subtrees (org.apache.zookeeper.ZKUtil). Not snapshots: the tree may change under the walk. */
import { NoNode, type Watcher, type ZooKeeper } from "../client/index.ts";

export function childPath(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

/** Calls `visit` for the root, then for the children of each node before any grandchildren of it, names sorted. */
export async function visitSubtree(
  zk: ZooKeeper,
  root: string,
  watcher: Watcher | undefined,
  visit: (path: string) => void | Promise<void>,
): Promise<void> {
  await zk.getData(root, watcher);
  await visit(root);
  await visitChildren(zk, root, watcher, visit);
}

async function visitChildren(
  zk: ZooKeeper,
  path: string,
  watcher: Watcher | undefined,
  visit: (path: string) => void | Promise<void>,
): Promise<void> {
  const children = await childrenUnlessGone(zk, path, watcher);
  const paths = [...children].sort().map((name) => childPath(path, name));
  for (const child of paths) await visit(child);
  for (const child of paths) await visitChildren(zk, child, watcher, visit);
}

async function childrenUnlessGone(
  zk: ZooKeeper,
  path: string,
  watcher: Watcher | undefined,
): Promise<readonly string[]> {
  try {
    return await zk.getChildren(path, watcher);
  } catch (error) {
    // Listed a moment ago, deleted since.
    if (error instanceof NoNode) return [];
    throw error;
  }
}

/** Batches in flight at once. */
const LANES = 10;

/**
 * Deletes a node and everything below it, leaves first, in multis of `batchSize`. A whole batch stays if one of its nodes
 * cannot be deleted.
 * @returns whether everything was deleted
 */
export async function deleteSubtree(zk: ZooKeeper, root: string, batchSize: number): Promise<boolean> {
  const paths = [root];
  for (let level = [root]; level.length > 0; ) {
    const lists = await Promise.all(level.map((path) => zk.getChildren(path)));
    level = lists.flatMap((names, i) => names.map((name) => childPath(level[i]!, name)));
    for (const path of level) paths.push(path);
  }
  paths.reverse();
  const batches: string[][] = [];
  for (let i = 0; i < paths.length; i += batchSize) batches.push(paths.slice(i, i + batchSize));
  let success = true;
  while (batches.length > 0 && success) {
    const lane = batches.splice(0, LANES);
    const results = await Promise.allSettled(
      lane.map((batch) => zk.multi(batch.map((path) => ({ type: "delete", path })))),
    );
    success = results.every(({ status }) => status === "fulfilled");
  }
  return success;
}
