/** The hottest functions of CPU profiles that servers have left. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** µs between a sample and the one before. */
  readonly timeDeltas: readonly number[];
}

const SHOWN = 40;

/** A list per profile: share of the busy time, function, file and line. */
export function hottest(directory: string): string {
  const files = readdirSync(directory).filter((file) => file.endsWith(".cpuprofile"));
  return files.map((file) => `\n${join(directory, file)}\n${hottestOf(join(directory, file))}`).join("\n");
}

function hottestOf(file: string): string {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8")) as Profile;
  const names = new Map(nodes.map((node) => [node.id, nameOf(node)]));
  const spent = new Map<string, number>();
  let busy = 0;
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? "?";
    const micros = timeDeltas[i] ?? 0;
    if (name === "(idle)") continue;
    busy += micros;
    spent.set(name, (spent.get(name) ?? 0) + micros);
  }
  return [...spent]
    .sort(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([name, micros]) => `${((micros / busy) * 100).toFixed(1).padStart(6)} %  ${name}`)
    .join("\n");
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  if (url === "") return name;
  return `${name}  ${url.replace(/^.*\/build\//, "").replace(/^node:/, "node:")}:${lineNumber + 1}`;
}
