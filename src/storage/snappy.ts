/**
 * Snappy decompression, for snapshots that Apache ZooKeeper wrote with `snapshot.compression.method=snappy`. The stream
 * format is that of xerial's snappy-java: a 16-byte header, then chunks of an int length and one raw Snappy block each.
 * The block format is google/snappy's format_description.txt.
 */
import { OperatingError } from "../runtime/errors.ts";

export class SnappyError extends OperatingError<"BAD_SNAPPY"> {}

export const SNAPPY_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const STREAM_HEADER_BYTES = 16;
/** snappy-java writes blocks of 32 KiB; larger ones are possible, absurd ones are damage. */
const MAX_BLOCK_BYTES = 64 * 2 ** 20;

/** The whole stream, uncompressed. Throws SnappyError. */
export function unsnappy(stream: Buffer): Buffer {
  check(stream.length >= STREAM_HEADER_BYTES && SNAPPY_MAGIC.compare(stream, 0, 8) === 0, "no snappy stream", 0);
  const blocks: Buffer[] = [];
  let at = STREAM_HEADER_BYTES;
  while (at < stream.length) {
    check(at + 4 <= stream.length, "the stream ends inside a length", at);
    const length = stream.readUInt32BE(at);
    at += 4;
    check(at + length <= stream.length, "the stream ends inside a block", at);
    blocks.push(unsnappyBlock(stream, at, at + length));
    at += length;
  }
  return Buffer.concat(blocks);
}

function unsnappyBlock(bytes: Buffer, from: number, to: number): Buffer {
  let at = from;
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    check(at < to && shift <= 28, "no block length", at);
    const byte = bytes[at++]!;
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  check(size <= MAX_BLOCK_BYTES, "the block is too long", at);
  const out = Buffer.allocUnsafeSlow(size);
  let used = 0;
  while (at < to) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let length = tag >>> 2;
      if (length >= 60) {
        const width = length - 59;
        check(at + width <= to, "the block ends inside a literal", at);
        length = bytes.readUIntLE(at, width);
        at += width;
      }
      length += 1;
      check(at + length <= to && used + length <= size, "a literal is too long", at);
      bytes.copy(out, used, at, at + length);
      at += length;
      used += length;
      continue;
    }
    const width = kind === 1 ? 1 : kind === 2 ? 2 : 4;
    check(at + width <= to, "the block ends inside a copy", at);
    const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const back = kind === 1 ? ((tag >>> 5) << 8) | bytes[at]! : bytes.readUIntLE(at, width);
    at += width;
    check(back > 0 && back <= used && used + length <= size, "a copy points outside the block", at);
    // Byte by byte: a copy may overlap what it writes.
    for (const end = used + length; used < end; used++) out[used] = out[used - back]!;
  }
  check(used === size, "the block is shorter than it says", at);
  return out;
}

function check(holds: boolean, reason: string, offset: number): asserts holds {
  if (!holds) throw new SnappyError({ code: "BAD_SNAPPY", reason, offset });
}
