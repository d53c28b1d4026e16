/**
 * What a power failure may take from a disk. From a tracer's notes of one process (strace.ts): which bytes of which files were
 * written and not covered by a sync that had returned.
 */

export interface UnsyncedWrite {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** `4711  pwrite64(18</dir/log.1>, ""..., 120, 4096) = 120`, and the two halves of a call that others interrupted. */
const CALL = /^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)/;
const UNFINISHED = /^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>$/;
const RESUMED = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)/;
const FILE = /^\d+<([^>]*)>/;

interface Started {
  readonly file: string;
  /** Writes that were done when the sync began: these it covers. */
  readonly covers: number;
}

interface Written extends UnsyncedWrite {
  readonly order: number;
}

/** In the order of the writes. */
export function unsyncedWrites(notes: string): UnsyncedWrite[] {
  const pending = new Map<string, Written[]>();
  const syncing = new Map<string, Started>();
  const begun = new Map<string, string>();
  let order = 0;
  const write = (args: string, returned: number): void => {
    const file = FILE.exec(args)?.[1];
    // The offset is the last argument of positional writes; others append to what is no data file here.
    const offset = Number(/, (\d+)$/.exec(args)?.[1]);
    if (file === undefined || returned <= 0 || Number.isNaN(offset)) return;
    const list = pending.get(file) ?? [];
    list.push({ file, offset, length: returned, order: ++order });
    pending.set(file, list);
  };
  const synced = (started: Started): void => {
    const left = (pending.get(started.file) ?? []).filter((one) => one.order > started.covers);
    pending.set(started.file, left);
  };
  for (const line of notes.split("\n")) {
    const call = CALL.exec(line);
    const [, thread = "", name = "", args = "", returned = ""] = call ?? [];
    if (call !== null) {
      if (isSync(name)) {
        const file = FILE.exec(args)?.[1];
        if (file !== undefined && returned === "0") synced({ file, covers: order });
      } else if (isWrite(name)) write(args, Number(returned));
      continue;
    }
    const unfinished = UNFINISHED.exec(line);
    if (unfinished !== null) {
      const [, by = "", what = "", given = ""] = unfinished;
      begun.set(by, given);
      const file = FILE.exec(given)?.[1];
      if (isSync(what) && file !== undefined) syncing.set(by, { file, covers: order });
      continue;
    }
    const resumed = RESUMED.exec(line);
    if (resumed === null) continue;
    const [, by = thread, what = "", rest = "", result = ""] = resumed;
    const started = syncing.get(by);
    if (isSync(what) && started !== undefined) {
      syncing.delete(by);
      if (result === "0") synced(started);
    } else if (isWrite(what)) write(`${begun.get(by) ?? ""}${rest}`, Number(result));
  }
  return [...pending.values()]
    .flat()
    .sort((a, b) => a.order - b.order)
    .map(({ file, offset, length }) => ({ file, offset, length }));
}

const isSync = (name: string): boolean => name === "fsync" || name === "fdatasync";
const isWrite = (name: string): boolean => name === "pwrite64" || name === "pwritev";
