/** `npm run check:traces -- FILE…`: replays the traces of one ensemble, one file per server, through the charts. */
import { existsSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { checkTraces } from "./check.ts";
import { readLines } from "./read-lines.ts";
import { formatViolation, RULES } from "./violation.ts";

const USAGE = `usage: npm run check:traces -- FILE…     the traces of one ensemble, one file per server
       npm run check:traces -- --rules   what a trace may be refused for

A server writes its trace with zoetrope.traceFile=PATH in its zoo.cfg. Check them when the servers have ended.
`;

function main(args: readonly string[]): number {
  if (args.includes("--rules")) {
    for (const [rule, sentence] of Object.entries(RULES)) process.stdout.write(`${rule.padEnd(20)} ${sentence}\n`);
    return 0;
  }
  if (args.length === 0 || args.some((arg) => arg.startsWith("-"))) {
    process.stderr.write(USAGE);
    return 2;
  }
  const missing = args.find((file) => !existsSync(file));
  if (missing !== undefined) {
    process.stderr.write(`There is no file ${missing}.\n`);
    return 2;
  }
  const startMs = performance.now();
  const { lines, servers, lives, violation } = checkTraces(args.map((file) => ({ file, lines: readLines(file) })));
  const tookMs = performance.now() - startMs;
  if (violation !== null) {
    process.stdout.write(`${formatViolation(violation)}\nrefused after ${lines} lines\n`);
    return 1;
  }
  const perSecond = Math.round((lines / tookMs) * 1000);
  process.stdout.write(
    `accepted: ${lines} lines of ${servers} servers (${lives} lives) in ${(tookMs / 1000).toFixed(1)} s, ${perSecond} lines/s\n`,
  );
  return 0;
}

process.exitCode = main(process.argv.slice(2));
