/**
 * The operator's log: one line per report on standard output, `2026-11-22T19:52:29.123Z INFO message key=value …`. Plain lines instead of a
 * logging library: the lightest good one (pino) costs every server 22 ms at start and 9 MB, for a handful of lines a minute.
 */
import type { Report, Reporter } from "../runtime/environment.ts";

const LEVELS = { debug: 0, info: 1, warn: 2, error: 3 } as const;

/** Lines of one message in one window; a peer or client that keeps sending garbage must not fill the disk through the log. */
const MAX_REPEATS = 20;
const WINDOW_MS = 10_000;
const MAX_MESSAGES = 1000;

interface Repeats {
  windowStartMs: number;
  count: number;
}

export interface ReportLogOptions {
  readonly level: Report["level"];
  readonly write: (line: string) => void;
  /** Wall clock. */
  readonly nowMs: () => number;
}

/** A reporter that writes lines. Reports of one message beyond 20 in 10 s are counted and told in one line when it next speaks. */
export function reportLog(options: ReportLogOptions): Reporter {
  const repeats = new Map<string, Repeats>();
  return (report) => {
    if (LEVELS[report.level] < LEVELS[options.level]) return;
    const nowMs = options.nowMs();
    const seen = repeats.get(report.message);
    if (seen === undefined || nowMs - seen.windowStartMs >= WINDOW_MS) {
      if (seen !== undefined && seen.count > MAX_REPEATS) {
        const data = { suppressed: seen.count - MAX_REPEATS };
        options.write(
          formatReport({ level: report.level, message: report.message, data }, seen.windowStartMs + WINDOW_MS),
        );
      }
      // Messages are constants with their data apart; should one not be, the map must not grow with it.
      if (repeats.size >= MAX_MESSAGES) repeats.clear();
      repeats.set(report.message, { windowStartMs: nowMs, count: 1 });
    } else if (++seen.count > MAX_REPEATS) return;
    options.write(formatReport(report, nowMs));
  };
}

export function formatReport({ level, message, data }: Report, wallMs: number): string {
  let line = `${new Date(wallMs).toISOString()} ${level.toUpperCase().padEnd(5)} ${oneLine(message)}`;
  for (const [key, value] of Object.entries(data ?? {})) line += ` ${key}=${formatValue(value)}`;
  return `${line}\n`;
}

function formatValue(value: unknown): string {
  if (typeof value === "bigint") return `0x${BigInt.asUintN(64, value).toString(16)}`;
  if (typeof value === "string") return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  if (value instanceof Error) return JSON.stringify(value.message);
  return JSON.stringify(value) ?? "undefined";
}

/** What a peer sent may be part of a message; it must not forge a line. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}

/** The log of this process; ZOETROPE_LOG_LEVEL may be debug, info (default), warn or error. */
export function processReportLog(): Reporter {
  // A closed pipe (`zoetrope server … | head`) ends the log, not the server.
  process.stdout.on("error", () => {});
  const asked = process.env["ZOETROPE_LOG_LEVEL"] ?? "info";
  return reportLog({
    level: asked in LEVELS ? (asked as Report["level"]) : "info",
    write: (line) => process.stdout.write(line),
    nowMs: () => Date.now(),
  });
}
