/**
 * The txn log of one server as columns: which txns it holds, and where their bytes are. Read with the production code for the
 * file format, but without its recovery: a damaged record ends a file here, and what follows is not evidence.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { OperatingError } from "../../../src/runtime/errors.ts";
import { parseLogName, parseSnapshotName, type SnapshotFile } from "../../../src/storage/file-names.ts";
import { isLogHeader, LOG_HEADER_BYTES, lengthWithoutZeros, RecordScanner } from "../../../src/storage/log-format.ts";
import { SnapshotParser } from "../../../src/storage/snapshot-reader.ts";
import { Database } from "../../../src/tree/database.ts";
import { follows } from "./coverage.ts";

const MAX_ENTRY_BYTES = 64 * 2 ** 20;

export interface ServerLog {
  readonly server: number;
  /** "server 2", or "server 2, before-1" for a copy taken during the run. */
  readonly name: string;
  /** As the server left it at the end of the run; only these must agree with each other to the last. */
  readonly final: boolean;
  /** Ascending. */
  readonly zxids: Float64Array;
  /** Adler-32 of the entry: equal txns have equal ones. */
  readonly sums: Uint32Array;
  /** Where the entry is: index into `files`, and its bytes there. */
  readonly file: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly files: readonly Buffer[];
  readonly snapshots: readonly (SnapshotFile & { readonly path: string })[];
  /** Indices of txns before which something could not be read: the log says nothing of what lies there. */
  readonly torn: ReadonlySet<number>;
  /** Nothing came before its first txn: the server began with an empty tree, and has all logs since. */
  readonly startsEmpty: boolean;
  /** Records that are not newer than the one before them. */
  readonly backwards: readonly { readonly zxid: number; readonly after: number; readonly file: string }[];
  /** Sentences about what could not be read. */
  readonly damage: readonly string[];
}

export function entryAt(log: ServerLog, index: number): Buffer {
  return log.files[log.file[index]!]!.subarray(log.from[index]!, log.to[index]!);
}

/** One log per folder with log files or snapshots under `folder`: the server's own, and copies named `before-<n>`. */
export function readServerLogs(server: number, folder: string): ServerLog[] {
  const sources = new Map<string, string[]>();
  const visit = (directory: string, copy: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path, /^before-/.test(entry.name) ? entry.name : copy);
      else if (/^(log|snapshot)\./.test(entry.name)) sources.set(copy, [...(sources.get(copy) ?? []), path]);
    }
  };
  visit(folder, "");
  return [...sources].map(([copy, paths]) => {
    const builder = new ServerLogBuilder(server, copy === "" ? `server ${server}` : `server ${server}, ${copy}`);
    const logs = paths.flatMap((path) => named(path, parseLogName));
    for (const { path, name } of logs.sort((a, b) => a.zxid - b.zxid)) builder.file(name, readFileSync(path));
    const snapshots = paths.flatMap((path) => named(path, parseSnapshotName)).sort((a, b) => a.zxid - b.zxid);
    return builder.finish(copy === "", snapshots, startOf(snapshots));
  });
}

/** From bytes of log files, oldest first. For tests, and for logs that are in a history itself. */
export function serverLogOf(server: number, files: readonly Buffer[]): ServerLog {
  const builder = new ServerLogBuilder(server, `server ${server}`);
  for (const [index, bytes] of files.entries()) builder.file(`log ${index + 1}`, bytes);
  return builder.finish(true, [], 0);
}

/** Zxid of the empty tree that a server began with; -1: it is not known that it did, as its oldest snapshots are gone. */
function startOf([oldest]: ServerLog["snapshots"]): number {
  if (oldest === undefined) return -1;
  return oldest.zxid === 0 || isEmptyTree(oldest.path) ? oldest.zxid : -1;
}

/** Ensembles can be set up with such a snapshot, to begin at a zxid of one's choice. */
function isEmptyTree(path: string): boolean {
  const database = new Database();
  try {
    const parser = new SnapshotParser(database);
    parser.push(readFileSync(path));
    parser.end();
  } catch (error) {
    if (error instanceof OperatingError) return false;
    throw error;
  }
  return database.sessions.size === 0 && database.agreesWith(new Database().digest!);
}

class ServerLogBuilder {
  readonly #server: number;
  readonly #name: string;
  readonly #files: Buffer[] = [];
  readonly #damage: string[] = [];
  readonly #backwards: ServerLog["backwards"][number][] = [];
  readonly #torn = new Set<number>();
  readonly #scanner = new RecordScanner(MAX_ENTRY_BYTES);
  #count = 0;
  #zxids = new Float64Array(1024);
  #sums = new Uint32Array(1024);
  #file = new Int32Array(1024);
  #from = new Int32Array(1024);
  #to = new Int32Array(1024);
  #last = -1;

  constructor(server: number, name: string) {
    this.#server = server;
    this.#name = name;
  }

  file(name: string, padded: Buffer): void {
    const length = lengthWithoutZeros(padded);
    if (length === 0) return;
    if (!isLogHeader(padded)) return this.#unreadable(`${this.#name}: ${name} has no header`);
    // Preallocated files are mostly zeros; an entry may end in some, so a few are kept.
    const bytes = Buffer.from(padded.subarray(0, Math.min(padded.length, length + 4096)));
    const index = this.#files.push(bytes) - 1;
    const scanner = this.#scanner;
    scanner.reset(bytes, LOG_HEADER_BYTES);
    while (scanner.next()) {
      if (scanner.zxid <= this.#last) this.#backwards.push({ zxid: scanner.zxid, after: this.#last, file: name });
      else
        this.#push(scanner.zxid, bytes.readUInt32BE(scanner.recordAt + 4), index, scanner.entryFrom, scanner.entryTo);
    }
    if (scanner.stop === "damaged" || lengthWithoutZeros(bytes.subarray(scanner.offset)) > 0) {
      this.#unreadable(`${this.#name}: ${name} cannot be read after offset ${scanner.offset}`);
    }
  }

  /** `start`: zxid of the empty tree that the server began with, or -1. */
  finish(final: boolean, snapshots: ServerLog["snapshots"], start: number): ServerLog {
    const count = this.#count;
    const first = this.#zxids[0]!;
    const startsEmpty =
      start >= 0 &&
      count > 0 &&
      follows(start, first) &&
      !this.#torn.has(0) &&
      !snapshots.some(({ zxid }) => zxid > start && zxid <= first);
    return {
      server: this.#server,
      name: this.#name,
      final,
      zxids: this.#zxids.subarray(0, count),
      sums: this.#sums.subarray(0, count),
      file: this.#file.subarray(0, count),
      from: this.#from.subarray(0, count),
      to: this.#to.subarray(0, count),
      files: this.#files,
      snapshots,
      torn: this.#torn,
      startsEmpty,
      backwards: this.#backwards,
      damage: this.#damage,
    };
  }

  #unreadable(damage: string): void {
    this.#damage.push(damage);
    this.#torn.add(this.#count);
  }

  #push(zxid: number, sum: number, file: number, from: number, to: number): void {
    if (this.#count === this.#zxids.length) this.#grow();
    const at = this.#count++;
    this.#zxids[at] = zxid;
    this.#sums[at] = sum;
    this.#file[at] = file;
    this.#from[at] = from;
    this.#to[at] = to;
    this.#last = zxid;
  }

  #grow(): void {
    const length = this.#zxids.length * 2;
    const longer = <T extends Int32Array | Uint32Array | Float64Array>(old: T): T => {
      const grown = new (old.constructor as new (size: number) => T)(length);
      grown.set(old);
      return grown;
    };
    this.#zxids = longer(this.#zxids);
    this.#sums = longer(this.#sums);
    this.#file = longer(this.#file);
    this.#from = longer(this.#from);
    this.#to = longer(this.#to);
  }
}

function named<T extends { readonly name: string }>(
  path: string,
  parse: (file: { readonly name: string; readonly size: number }) => T | null,
): (T & { readonly path: string })[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const parsed = parse({ name, size: statSync(path).size });
  return parsed === null ? [] : [{ ...parsed, path }];
}
