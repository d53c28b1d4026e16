/** Reads the lines of a history (format.ts) into columns. A line that cannot be understood is an error with its number. */
import { closeSync, openSync, readSync } from "node:fs";
import { OperatingError } from "../../src/runtime/errors.ts";
import { type Completion, HISTORY_FORMAT, HISTORY_VERSION, type Line, type Where } from "./format.ts";
import type { History, Noted } from "./history.ts";
import { LineReader } from "./line-reader.ts";
import { Op, Operations, Outcome } from "./operations.ts";

/**
 * - NOT_JSON, NOT_A_HISTORY, BAD_LINE: somebody else's file, or a broken writer.
 * - NO_INVOKE: a completion to nothing, or a second one. ID_USED_TWICE: two operations under way share an id.
 */
export class HistoryError extends OperatingError<
  "NOT_JSON" | "NOT_A_HISTORY" | "BAD_LINE" | "NO_INVOKE" | "ID_USED_TWICE"
> {}

const CHUNK_BYTES = 1 << 18;
const LINE_FEED = 0x0a;

/** Throws HistoryError, or what the file system throws. */
export function readHistoryFile(path: string): History {
  const builder = new HistoryBuilder();
  const file = openSync(path, "r");
  try {
    let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let kept = 0;
    for (;;) {
      const read = readSync(file, chunk, kept, chunk.length - kept, null);
      if (read === 0) break;
      const length = kept + read;
      const end = chunk.subarray(0, length).lastIndexOf(LINE_FEED) + 1;
      builder.lines(chunk.subarray(0, end));
      kept = length - end;
      // A line longer than the chunk: it needs a longer one.
      const rest = kept === chunk.length ? Buffer.allocUnsafe(2 * kept) : chunk;
      chunk.copy(rest, 0, end, length);
      chunk = rest;
    }
    // Without its line feed the last line was cut off while it was written: it is no line, and then there is no `end` either.
  } finally {
    closeSync(file);
  }
  return builder.finish();
}

/** From lines that are in memory already. */
export function historyOf(lines: Iterable<Line>): History {
  const builder = new HistoryBuilder();
  for (const line of lines) builder.line(line);
  return builder.finish();
}

class HistoryBuilder {
  readonly #operations = new Operations();
  readonly #reader = new LineReader(this.#operations.sessions);
  readonly #events: History["events"][number][] = [];
  readonly #connections: History["connections"][number][] = [];
  readonly #faults: History["faults"][number][] = [];
  readonly #servers: History["servers"][number][] = [];
  readonly #phases: History["phases"][number][] = [];
  readonly #digests: History["digests"][number][] = [];
  /** Operations without completion, by id. */
  readonly #open = new Map<number, number>();
  #lines = 0;
  #startedAt = 0;
  #endedAt = 0;
  #whole = false;

  /** Whole lines. */
  lines(bytes: Buffer): void {
    for (let from = 0; from < bytes.length; ) {
      const next = this.#lines === 0 ? -1 : this.#reader.read(bytes, from);
      if (next >= 0) {
        this.#usual(this.#reader);
        from = next;
      } else {
        const end = bytes.indexOf(LINE_FEED, from);
        this.text(bytes.toString("utf8", from, end));
        from = end + 1;
      }
    }
  }

  text(text: string): void {
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch (error) {
      throw new HistoryError({ code: "NOT_JSON", line: this.#lines + 1, text: text.slice(0, 80) }, { cause: error });
    }
    this.line(line);
  }

  line(line: Line): void {
    const at = this.#lines++;
    if (at === 0 && (line.kind !== "header" || line.format !== HISTORY_FORMAT || line.version !== HISTORY_VERSION)) {
      throw new HistoryError({ code: "NOT_A_HISTORY", line: 1, wanted: `${HISTORY_FORMAT} ${HISTORY_VERSION}` });
    }
    this.#whole = false;
    if (line.kind !== "header") this.#endedAt = line.t;
    switch (line.kind) {
      case "header":
        this.#startedAt = line.startedAt;
        return;
      case "invoke": {
        const op = Op[line.op];
        if (op === undefined || typeof line.args !== "object") throw this.#error("BAD_LINE", { op: line.op });
        return this.#invoked(line, this.#operations.add(op, line.args), at);
      }
      case "ok": {
        const i = this.#complete(line, Outcome.ok, at);
        this.#operations.answer(i, line.res);
        return;
      }
      case "fail": {
        const i = this.#complete(line, Outcome.fail, at);
        this.#operations.err[i] = line.err;
        if (line.res !== undefined) {
          this.#operations.extra[i] = { ...this.#operations.extra[i]!, results: line.res.results };
        }
        return;
      }
      case "info": {
        const i = this.#complete(line, Outcome.info, at);
        this.#gaveUp(i);
        this.#operations.err[i] = line.err;
        return;
      }
      case "event":
        this.#events.push(noted(line, at));
        return;
      case "conn":
        this.#connections.push(noted(line, at));
        return;
      case "fault":
        this.#faults.push(noted(line, at));
        return;
      case "server":
        this.#servers.push(noted(line, at));
        return;
      case "phase":
        this.#phases.push(noted(line, at));
        return;
      case "digest":
        this.#digests.push(noted(line, at));
        return;
      case "end":
        this.#whole = line.lines === this.#lines;
        return;
      default:
        throw this.#error("BAD_LINE", { kind: (line as { kind?: unknown }).kind });
    }
  }

  /** A line of an operation that was read without an object for it. */
  #usual(line: LineReader): void {
    const at = this.#lines++;
    const operations = this.#operations;
    this.#whole = false;
    this.#endedAt = line.t;
    if (line.outcome === null) {
      const { op, path, data, version, mode, watch } = line;
      return this.#invoked(line, operations.addPlain(op, path, data ?? null, version, mode, watch), at);
    }
    const i = this.#complete(line, line.outcome, at);
    if (line.outcome !== Outcome.ok) {
      if (line.outcome === Outcome.info) this.#gaveUp(i);
      operations.err[i] = line.err;
      return;
    }
    const { created, data, hasStat, children } = line;
    if (created !== null) operations.created[i] = created;
    if (data !== undefined) operations.data[i] = data;
    if (hasStat) operations.answerStat(i, line.stat);
    if (children !== null) operations.extra[i] = { children };
  }

  finish(): History {
    return {
      operations: this.#operations,
      events: this.#events,
      connections: this.#connections,
      faults: this.#faults,
      servers: this.#servers,
      phases: this.#phases,
      digests: this.#digests,
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      lines: this.#lines,
      whole: this.#whole,
    };
  }

  #invoked(
    line: Where & { readonly id: number; readonly t: number; readonly xid: number },
    i: number,
    at: number,
  ): void {
    if (this.#open.has(line.id)) throw this.#error("ID_USED_TWICE", { id: line.id });
    const operations = this.#operations;
    this.#open.set(line.id, i);
    operations.id[i] = line.id;
    operations.invoked[i] = line.t;
    operations.invokeLine[i] = at;
    this.#where(i, line);
    operations.xid[i] = line.xid;
  }

  #gaveUp(i: number): void {
    this.#operations.completed[i] = Number.POSITIVE_INFINITY;
    this.#operations.zxid[i] = -1;
  }

  #complete(line: Completion, outcome: number, at: number): number {
    const i = this.#open.get(line.id);
    if (i === undefined) throw this.#error("NO_INVOKE", { id: line.id });
    const operations = this.#operations;
    this.#open.delete(line.id);
    operations.outcome[i] = outcome;
    operations.completed[i] = line.t;
    operations.completeLine[i] = at;
    operations.zxid[i] = line.zxid;
    // Where nothing was sent the completion may know less than the invoke.
    if (line.session !== "0x0" || line.conn > 0) this.#where(i, line);
    if (line.xid !== 0) operations.xid[i] = line.xid;
    return i;
  }

  #where(i: number, { proc, session, conn, server }: Where): void {
    const operations = this.#operations;
    operations.proc[i] = proc;
    operations.session[i] = operations.sessions.index(session);
    operations.conn[i] = conn;
    operations.server[i] = server;
  }

  #error(code: HistoryError["code"], facts: object): HistoryError {
    return new HistoryError({ code, line: this.#lines, ...facts });
  }
}

function noted<T extends object>(line: T, at: number): Noted<T> {
  return { ...line, line: at };
}
