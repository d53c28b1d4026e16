/** Checks the traces of one ensemble: each server's lives one after the other, then what the servers say of each other. */
import { ReplayCoverage } from "./chart-replay.ts";
import { Crossing } from "./crossing.ts";
import type { TraceLine } from "./format.ts";
import { Life } from "./life.ts";
import { TraceRefused, type Violation } from "./violation.ts";

export interface TraceSource {
  /** For messages. */
  readonly file: string;
  /** Without their line ends. */
  readonly lines: Iterable<string>;
}

export interface TraceVerdict {
  readonly lines: number;
  readonly servers: number;
  /** Server lives: starts of a process. */
  readonly lives: number;
  /** null: the traces are accepted. */
  readonly violation: Violation | null;
}

export function checkTraces(sources: Iterable<TraceSource>, coverage = new ReplayCoverage()): TraceVerdict {
  const crossing = new Crossing();
  const counts = { lines: 0, servers: 0, lives: 0 };
  try {
    coverage.during(() => {
      for (const source of sources) checkServer(source, crossing, coverage, counts);
      crossing.finish();
    });
    return { ...counts, violation: null };
  } catch (error) {
    if (!(error instanceof TraceRefused)) throw error;
    return { ...counts, violation: error.violation };
  }
}

function checkServer(
  { file, lines }: TraceSource,
  crossing: Crossing,
  coverage: ReplayCoverage,
  counts: { lines: number; servers: number; lives: number },
): void {
  counts.servers++;
  let life: Life | null = null;
  let at = 0;
  for (const text of lines) {
    at++;
    counts.lines++;
    const line = parsed(text, file, at);
    if (line[1] === "server") {
      if (line[0] !== 1) refuse("numbered", file, at, `line ${line[0]} begins a life`, "line 1");
      counts.lives++;
      life = new Life(line[2], file, at, coverage, crossing);
      continue;
    }
    if (life === null) refuse("numbered", file, at, text.slice(0, 80), 'a "server" line first');
    try {
      life.take(line, at);
    } catch (error) {
      if (error instanceof TraceRefused) throw error;
      refuse(
        "readable",
        file,
        at,
        `${text.slice(0, 200)} (${(error as Error).message})`,
        "values that its kind can have",
      );
    }
  }
}

function parsed(text: string, file: string, at: number): TraceLine {
  try {
    const line: unknown = JSON.parse(text);
    if (Array.isArray(line) && typeof line[0] === "number" && typeof line[1] === "string") return line as never;
  } catch {
    // Said below, as for all else that is no line.
  }
  return refuse("readable", file, at, text.slice(0, 200), "a JSON array: number, kind, …");
}

function refuse(rule: "readable" | "numbered", file: string, line: number, found: string, expected: string): never {
  throw new TraceRefused({ rule, file, line, found, expected });
}
