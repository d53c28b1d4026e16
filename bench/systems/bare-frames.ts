/** The bytes that the bare socket loop answers with: a getData reply of 1 KB, and a greeting. */
const VALUE_BYTES = 1024;
const STAT_BYTES = 68;
const GREETING_BYTES = 41;
const SESSION_TIMEOUT_MS = 30_000;

/** Length, xid, zxid, err, the value with its length, the stat. */
export const REPLY_BYTES = 4 + 16 + 4 + VALUE_BYTES + STAT_BYTES;
/** Of the xid in a reply. */
export const XID_OFFSET = 4;
export const SRVR = "Mode: standalone\n";

export function replyTemplate(): Buffer {
  const reply = Buffer.alloc(REPLY_BYTES, 1);
  reply.writeInt32BE(REPLY_BYTES - 4, 0);
  reply.writeInt32BE(0, 16);
  reply.writeInt32BE(VALUE_BYTES, 20);
  return reply;
}

export function greeting(): Buffer {
  const bytes = Buffer.alloc(GREETING_BYTES);
  bytes.writeInt32BE(GREETING_BYTES - 4, 0);
  bytes.writeInt32BE(SESSION_TIMEOUT_MS, 8);
  bytes.writeInt32BE(1, 16);
  bytes.writeInt32BE(16, 20);
  return bytes;
}

/** How many whole frames there are, and where the last of them ends. */
export function framesIn(bytes: Buffer): { readonly count: number; readonly end: number } {
  let count = 0;
  let end = 0;
  while (bytes.length - end >= 4 && bytes.length - end >= 4 + bytes.readInt32BE(end)) {
    end += 4 + bytes.readInt32BE(end);
    count++;
  }
  return { count, end };
}
