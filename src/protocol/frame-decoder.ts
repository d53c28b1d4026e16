import { ChunkQueue } from "./chunk-queue.ts";
import { JuteError } from "./jute-reader.ts";

/** `jute.maxbuffer` where nothing else is configured: the largest frame a server accepts. */
export const DEFAULT_MAX_FRAME = 0xfffff;

const NOTHING = Buffer.alloc(0);

/**
 * Length-prefixed frames out of a byte stream, however it was cut. A frame that lies inside one chunk is not copied and
 * costs no allocation:
 *
 *     decoder.push(chunk);
 *     while (decoder.next()) handle(decoder.bytes, decoder.start, decoder.end);
 *
 * A length that is negative or above the limit is a JuteError BAD_LENGTH whose `value` is that number (the first four
 * bytes of a connection may be a four-letter word); the stream is unusable from there on, and `next` throws again.
 */
export class FrameDecoder {
  /** The frame of the last `next()` that was true, without its length: `bytes` from `start` to `end` (exclusive). */
  bytes: Buffer;
  start = 0;
  end = 0;

  readonly #limit: number;
  readonly #queue = new ChunkQueue();
  /** Length of the frame whose prefix was read, or -1. */
  #length = -1;
  #refused: JuteError | null = null;

  constructor(limit = DEFAULT_MAX_FRAME) {
    this.#limit = limit;
    this.bytes = this.#queue.bytes;
  }

  /** Bytes received that belong to no frame given out so far. */
  get pending(): number {
    return this.#queue.length;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk);
  }

  /** The chunk that was pushed last goes back to whoever lent it; frames that were given out are no longer valid. */
  keep(): void {
    this.#queue.keep();
    this.bytes = NOTHING;
  }

  next(): boolean {
    if (this.#refused !== null) throw this.#refused;
    const queue = this.#queue;
    if (this.#length < 0) {
      if (!queue.take(4)) return false;
      const { bytes, start } = queue;
      const length = (bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!;
      if (length < 0 || length > this.#limit) {
        this.#refused = new JuteError("BAD_LENGTH", `A frame of ${length} bytes, limit ${this.#limit}`, length);
        throw this.#refused;
      }
      this.#length = length;
    }
    if (!queue.take(this.#length)) return false;
    this.#length = -1;
    this.bytes = queue.bytes;
    this.start = queue.start;
    this.end = queue.end;
    return true;
  }

  /**
   * Makes `bytes` from `start` to `end` what has arrived in one piece behind the last frame, without taking it. The next frame
   * begins there, length first.
   */
  peek(): void {
    const queue = this.#queue;
    queue.peek();
    this.bytes = queue.bytes;
    this.start = queue.start;
    // The length of the next frame was taken already: nobody could tell where the one behind it begins.
    this.end = this.#length < 0 ? queue.end : queue.start;
  }

  /** The bytes after the last frame, or after the length that was refused: for whoever speaks something else from here. */
  takeRest(): Buffer {
    return this.#queue.takeRest();
  }
}
