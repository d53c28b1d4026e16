/** What the tab key offers: commands, and paths below the node that is typed so far (JLineZNodeCompleter). */
import type { ZooKeeper } from "../client/index.ts";
import { childPath } from "./cli-tree.ts";

/** Candidates for the last word of a line, and that word, as readline wants them. */
export async function complete(
  line: string,
  commands: readonly string[],
  zk: ZooKeeper,
): Promise<[candidates: string[], word: string]> {
  const word = /\S*$/.exec(line)![0];
  if (word.startsWith("/")) return [await paths(word, zk), word];
  const isFirst = line.trimStart() === word || /^\s*help\s+\S*$/.test(line);
  return [isFirst ? commands.filter((name) => name.startsWith(word)) : [], word];
}

async function paths(word: string, zk: ZooKeeper): Promise<string[]> {
  if (zk.state !== "connected" && zk.state !== "readOnly") return [];
  const slash = word.lastIndexOf("/");
  const parent = slash === 0 ? "/" : word.slice(0, slash);
  try {
    const names = await zk.getChildren(parent);
    const prefix = word.slice(slash + 1);
    return names
      .filter((name) => name.startsWith(prefix))
      .map((name) => childPath(parent, name))
      .sort();
  } catch {
    // Nothing there, or nobody to ask: no candidates, and no noise while typing.
    return [];
  }
}
