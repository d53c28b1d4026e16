/** Tells a server, after a change of connection, which watches this client has (SetWatches; ClientCnxn.primeConnection). */
import type { Zxid } from "../../spec/vocabulary.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";
import { OpCode, Xid } from "../protocol/opcodes.ts";
import { SetWatches, SetWatches2 } from "../protocol/records.ts";
import type { WatchKind, WatchRegistry } from "./watches.ts";

/** Characters of paths per request: servers refuse frames above jute.maxbuffer (1 MiB). */
const BATCH = 128 * 1024;

const KINDS: readonly WatchKind[] = ["data", "exist", "child", "persistent", "recursive"];

/**
 * Writes as many setWatches frames as the watches need, each answered by one reply with the same xid.
 * @param relativeZxid last zxid of a reply that this client has seen: later changes are told at once
 * @returns the op of each frame
 */
export function writeSetWatches(writer: JuteWriter, watches: WatchRegistry, relativeZxid: Zxid): readonly number[] {
  const ops: number[] = [];
  for (const batch of batches(watches)) {
    // Servers before 3.6 know only the three one-shot kinds.
    const persistent = batch.persistent.length > 0 || batch.recursive.length > 0;
    const op = persistent ? OpCode.setWatches2 : OpCode.setWatches;
    const start = writer.offset;
    writer.int(0);
    writer.int(Xid.setWatches);
    writer.int(op);
    const oneShot = { relativeZxid, dataWatches: batch.data, existWatches: batch.exist, childWatches: batch.child };
    if (persistent) {
      const { persistent: persistentWatches, recursive: persistentRecursiveWatches } = batch;
      SetWatches2.write(writer, { ...oneShot, persistentWatches, persistentRecursiveWatches });
    } else {
      SetWatches.write(writer, oneShot);
    }
    writer.patchInt(start, writer.offset - start - 4);
    ops.push(op);
  }
  return ops;
}

type Batch = Record<WatchKind, string[]>;

function* batches(watches: WatchRegistry): Generator<Batch> {
  let batch = emptyBatch();
  let length = 0;
  for (const kind of KINDS) {
    for (const path of watches.paths(kind)) {
      batch[kind].push(path);
      length += path.length;
      if (length < BATCH) continue;
      yield batch;
      batch = emptyBatch();
      length = 0;
    }
  }
  if (length > 0) yield batch;
}

function emptyBatch(): Batch {
  return { data: [], exist: [], child: [], persistent: [], recursive: [] };
}
