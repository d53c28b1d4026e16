/** One direction of one connection: takes bytes from a socket and gives them to another as the wire allows. */
import type { Socket } from "node:net";
import type { Random } from "./random.ts";
import type { Wire } from "./wire.ts";

/** Beyond this the source is not read any more: a slow wire fills up, as a real one does. */
const HIGH_WATER = 256 * 1024;
/** A chunk is cut into at most so many slices; the rest of it goes at once, or a large reply would take minutes. */
const MAX_SLICES = 48;

interface Parcel {
  bytes: Buffer;
  readonly dueMs: number;
  slices: number;
}

export interface PipeOptions {
  readonly source: Socket;
  readonly wire: Wire;
  readonly random: Random;
  /** Changes the first bytes of the connection. */
  readonly rewrite?: ((first: Buffer) => Buffer) | undefined;
  /** Resets both ways. */
  readonly cut: () => void;
  /** Everything has been passed on, and how the source ended with it. */
  readonly finished: () => void;
}

export class Pipe {
  readonly #options: PipeOptions;
  #target: Socket | null = null;
  #queue: Parcel[] = [];
  #queued = 0;
  #end: "open" | "ended" | "reset" = "open";
  #blocked = false;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #lastDueMs = 0;
  #freeAtMs = 0;
  #cutGeneration = -1;
  #bytesToCut = Number.POSITIVE_INFINITY;
  #first = true;
  #done = false;

  constructor(options: PipeOptions) {
    this.#options = options;
    const { source, wire } = options;
    source.on("data", (chunk: Buffer) => this.#take(chunk));
    source.on("end", () => this.#sourceEnded("ended"));
    source.on("close", () => this.#sourceEnded("reset"));
    wire.watch(this.#pump);
  }

  /** The other side is there now. */
  connect(target: Socket): void {
    this.#target = target;
    target.on("drain", () => {
      this.#blocked = false;
      this.#pump();
    });
    this.#pump();
  }

  close(): void {
    this.#done = true;
    this.#options.wire.unwatch(this.#pump);
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#queue = [];
  }

  #take(chunk: Buffer): void {
    if (this.#done) return;
    const { wire, random, source, rewrite } = this.#options;
    const bytes = this.#first && rewrite !== undefined ? rewrite(chunk) : chunk;
    this.#first = false;
    const nowMs = performance.now();
    const lateMs = wire.delayMs + (wire.jitterMs > 0 ? random.next() * wire.jitterMs : 0);
    const dueMs = Math.max(this.#lastDueMs, nowMs + lateMs);
    this.#lastDueMs = dueMs;
    this.#queue.push({ bytes, dueMs, slices: 0 });
    this.#queued += bytes.length;
    if (this.#queued > HIGH_WATER) source.pause();
    this.#pump();
  }

  #sourceEnded(how: "ended" | "reset"): void {
    if (this.#done || this.#end !== "open") return;
    this.#end = how;
    this.#pump();
  }

  readonly #pump = (): void => {
    if (this.#done || this.#target === null || this.#immediate !== null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { wire } = this.#options;
    for (let parcel = this.#queue[0]; parcel !== undefined; parcel = this.#queue[0]) {
      if (wire.hold || this.#blocked) return;
      const nowMs = performance.now();
      const dueMs = Math.max(parcel.dueMs, this.#freeAtMs);
      if (dueMs > nowMs) {
        this.#timer = setTimeout(this.#pump, Math.ceil(dueMs - nowMs));
        return;
      }
      if (!this.#write(parcel, nowMs)) return;
      if (this.#queue[0] === parcel && wire.sliceBytes > 0) {
        // The next slice leaves in a turn of its own, or the kernel would join them again.
        this.#immediate = setImmediate(() => {
          this.#immediate = null;
          this.#pump();
        });
        return;
      }
    }
    if (this.#end !== "open" && !wire.hold) this.#finish();
  };

  /** @returns false when the connection is cut */
  #write(parcel: Parcel, nowMs: number): boolean {
    const { wire, source } = this.#options;
    const target = this.#target as Socket;
    const sliced = wire.sliceBytes > 0 && parcel.slices < MAX_SLICES && parcel.bytes.length > wire.sliceBytes;
    let bytes = sliced ? parcel.bytes.subarray(0, wire.sliceBytes) : parcel.bytes;
    const left = this.#bytesLeft();
    const cut = bytes.length >= left;
    if (cut) bytes = bytes.subarray(0, left);
    this.#bytesToCut -= bytes.length;
    parcel.bytes = parcel.bytes.subarray(bytes.length);
    parcel.slices++;
    if (parcel.bytes.length === 0) this.#queue.shift();
    this.#queued -= bytes.length;
    if (wire.bytesPerSecond > 0) this.#freeAtMs = nowMs + (bytes.length / wire.bytesPerSecond) * 1000;
    if (!target.destroyed && target.writable && !target.write(bytes)) this.#blocked = true;
    if (this.#queued <= HIGH_WATER / 2 && source.isPaused()) source.resume();
    if (!cut) return true;
    // In the next turn: what was written before the cut is on its way then.
    setImmediate(this.#options.cut);
    return false;
  }

  #bytesLeft(): number {
    const { wire } = this.#options;
    if (wire.cutAfterBytes === null) return Number.POSITIVE_INFINITY;
    if (this.#cutGeneration !== wire.generation) {
      this.#cutGeneration = wire.generation;
      this.#bytesToCut = wire.cutAfterBytes();
    }
    return this.#bytesToCut;
  }

  #finish(): void {
    const target = this.#target as Socket;
    this.close();
    if (this.#end === "ended") target.end();
    else target.destroySoon();
    this.#options.finished();
  }
}
