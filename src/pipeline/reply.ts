import { ErrorCode } from "../protocol/error-codes.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";
import { Xid } from "../protocol/opcodes.ts";
import { type EventType, KeeperState } from "../protocol/watch-events.ts";

const HEADER_BYTES = 20;
const ERR_OFFSET = 16;

/** Starts a frame with a ReplyHeader; the record follows. Returns where it starts, for the functions below. */
export function beginReply(writer: JuteWriter, xid: number, zxid: number): number {
  const start = writer.offset;
  writer.int(0);
  writer.int(xid);
  writer.long(zxid);
  writer.int(ErrorCode.OK);
  return start;
}

/** Completes the frame and returns its length. With an error nothing follows the header: a record that was begun is taken back. */
export function endReply(writer: JuteWriter, start: number, err: number): number {
  if (err !== ErrorCode.OK) {
    writer.truncate(start + HEADER_BYTES);
    writer.patchInt(start + ERR_OFFSET, err);
  }
  const length = writer.offset - start - 4;
  writer.patchInt(start, length);
  return length;
}

/** `zxid`: of the txn that caused the event, -1 for what setWatches catches up on (as since 3.9.0; before, always -1). */
export function writeWatchEvent(writer: JuteWriter, type: EventType, path: string, zxid: number): void {
  const start = beginReply(writer, Xid.notification, zxid);
  writer.int(type);
  writer.int(KeeperState.syncConnected);
  writer.ustring(path);
  endReply(writer, start, ErrorCode.OK);
}
