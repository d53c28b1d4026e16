/**
 * `npm run check:replay -- FILE ...`: makes real servers do what a counterexample's replay file tells, step by step, and says
 * at which step they do otherwise, if they do.
 *
 * Exit code: 0 the violation does not show on real servers, 1 it does, 2 wrong usage or a model that has no servers.
 */
import { readFileSync } from "node:fs";
import { ReplayError } from "./replay-error.ts";
import { parseReplayFile, replayFile, replayLines, shows } from "./replay-file.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(files: readonly string[]): Promise<number> {
  if (files.length === 0) {
    say("usage: npm run check:replay -- FILE ...   (npm run check:model -- NAME --diagrams DIR writes them)");
    return 2;
  }
  let found = false;
  for (const file of files) {
    const replayed = await replayFile(parseReplayFile(readFileSync(file, "utf8")));
    for (const line of replayLines(replayed)) say(line);
    found = found || shows(replayed);
  }
  return found ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ReplayError)) throw error;
  say(error.message);
  process.exitCode = 2;
}
