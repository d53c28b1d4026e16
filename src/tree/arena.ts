/**
 * Memory for names and data: one cell per node, outside the garbage collector's reach. A cell is a number ("ref"), its
 * bytes are `slab(ref)` from `offset(ref)` on.
 *
 * Small cells live in slabs of 64 KiB, each slab divided into cells of one size (a slab allocator): freeing and reusing
 * is exact, so nothing needs compaction, and a slab without cells returns to the pool for any size. Sizes step so that at
 * most an eighth of a cell is wasted, plus rounding to 16 bytes. Cells above 8 KiB have a slab of their own.
 */
import { assert } from "../runtime/assert.ts";

const SLAB_BYTES = 65536;
const UNIT_BYTES = 16;
/** A ref is a slab's number and a unit in it. */
const UNIT_BITS = 12;
const UNIT_MASK = (1 << UNIT_BITS) - 1;
const MAX_SLABS = 2 ** (32 - UNIT_BITS);
const MAX_SMALL_BYTES = 8192;
const LARGE_ROUNDING_BYTES = 4096;

/** Cells per slab, from small cells to large ones: every count gives one size. */
const SIZES = ((): number[] => {
  const sizes: number[] = [];
  for (let size = UNIT_BYTES; size <= 256; size += UNIT_BYTES) sizes.push(size);
  for (let cells = 224; cells >= 8; cells -= Math.max(1, cells >> 3)) {
    const size = Math.floor(SLAB_BYTES / cells / UNIT_BYTES) * UNIT_BYTES;
    if (size > sizes.at(-1)!) sizes.push(size);
  }
  return sizes;
})();

/** Units wanted → size class. */
const CLASS_OF = ((): Uint8Array => {
  const classes = new Uint8Array(MAX_SMALL_BYTES / UNIT_BYTES + 1);
  for (let units = 0; units < classes.length; units++) {
    classes[units] = SIZES.findIndex((size) => size >= units * UNIT_BYTES);
  }
  return classes;
})();

const LARGE = -1;
const UNUSED = -2;

class Slab {
  /** Index into SIZES, LARGE, or UNUSED. */
  sizeClass = UNUSED;
  /** Cells in use. */
  used = 0;
  /** First free cell's unit, -1 for none; a free cell's first two bytes hold the next one's, + 1. */
  free = -1;
  /** Units that were never handed out start here. */
  fresh = 0;
  /** Where this slab stands among those of its class with free cells; -1: it is full. */
  partialAt = -1;
}

const NO_BYTES = Buffer.alloc(0);

export class Arena {
  readonly #slabs: Slab[] = [];
  /** By slab number, apart from the bookkeeping: a read of a cell touches only this. */
  readonly #bytes: Buffer[] = [];
  /** Per size class: numbers of slabs that have free cells. */
  readonly #partial: number[][] = SIZES.map(() => []);
  readonly #unused: number[] = [];
  #reserved = 0;

  /** Bytes held from the operating system. */
  get reservedBytes(): number {
    return this.#reserved;
  }

  slab(ref: number): Buffer {
    return this.#bytes[ref >>> UNIT_BITS]!;
  }

  offset(ref: number): number {
    return (ref & UNIT_MASK) * UNIT_BYTES;
  }

  /** A cell of at least `size` bytes, with arbitrary content. */
  allocate(size: number): number {
    if (size > MAX_SMALL_BYTES) return this.#allocateLarge(size);
    const sizeClass = CLASS_OF[(size + UNIT_BYTES - 1) >>> 4]!;
    const partial = this.#partial[sizeClass]!;
    const number = partial.length > 0 ? partial[partial.length - 1]! : this.#addSlab(sizeClass);
    const slab = this.#slabs[number]!;
    const cellUnits = SIZES[sizeClass]! >>> 4;
    let unit = slab.free;
    if (unit >= 0) {
      slab.free = this.#bytes[number]!.readUInt16LE(unit * UNIT_BYTES) - 1;
    } else {
      unit = slab.fresh;
      slab.fresh += cellUnits;
    }
    slab.used++;
    if (slab.free < 0 && slab.fresh + cellUnits > SLAB_BYTES / UNIT_BYTES) {
      partial.pop();
      slab.partialAt = -1;
    }
    return ((number << UNIT_BITS) | unit) >>> 0;
  }

  free(ref: number): void {
    const number = ref >>> UNIT_BITS;
    const slab = this.#slabs[number]!;
    if (slab.sizeClass === LARGE) return this.#retire(number, slab);
    const unit = ref & UNIT_MASK;
    this.#bytes[number]!.writeUInt16LE(slab.free + 1, unit * UNIT_BYTES);
    slab.free = unit;
    slab.used--;
    const partial = this.#partial[slab.sizeClass]!;
    if (slab.partialAt < 0) {
      slab.partialAt = partial.length;
      partial.push(number);
    }
    // The last slab with room stays, or a node created and deleted in turn would take and return one each time.
    if (slab.used === 0 && partial.length > 1) this.#retire(number, slab);
  }

  /** Would a cell of this size be the same cell? Then it can be rewritten in place. */
  fits(ref: number, size: number): boolean {
    const number = ref >>> UNIT_BITS;
    const slab = this.#slabs[number]!;
    if (slab.sizeClass === LARGE) return size > MAX_SMALL_BYTES && roundLarge(size) === this.#bytes[number]!.length;
    return size <= MAX_SMALL_BYTES && CLASS_OF[(size + UNIT_BYTES - 1) >>> 4] === slab.sizeClass;
  }

  #allocateLarge(size: number): number {
    const length = roundLarge(size);
    const number = this.#takeNumber(Buffer.allocUnsafeSlow(length));
    const slab = this.#slabs[number]!;
    slab.sizeClass = LARGE;
    this.#reserved += length;
    return (number << UNIT_BITS) >>> 0;
  }

  #addSlab(sizeClass: number): number {
    const number = this.#takeNumber(Buffer.allocUnsafeSlow(SLAB_BYTES));
    const slab = this.#slabs[number]!;
    slab.sizeClass = sizeClass;
    slab.used = 0;
    slab.free = -1;
    slab.fresh = 0;
    slab.partialAt = 0;
    this.#partial[sizeClass]!.push(number);
    this.#reserved += SLAB_BYTES;
    return number;
  }

  #takeNumber(bytes: Buffer): number {
    const reused = this.#unused.pop();
    if (reused !== undefined) {
      this.#bytes[reused] = bytes;
      return reused;
    }
    assert(this.#slabs.length < MAX_SLABS, "The tree's memory has room for 64 GiB of cells.");
    this.#slabs.push(new Slab());
    this.#bytes.push(bytes);
    return this.#slabs.length - 1;
  }

  #retire(number: number, slab: Slab): void {
    if (slab.sizeClass >= 0) {
      const partial = this.#partial[slab.sizeClass]!;
      const last = partial.pop()!;
      if (last !== number) {
        partial[slab.partialAt] = last;
        this.#slabs[last]!.partialAt = slab.partialAt;
      }
    }
    this.#reserved -= this.#bytes[number]!.length;
    this.#bytes[number] = NO_BYTES;
    slab.sizeClass = UNUSED;
    this.#unused.push(number);
  }
}

function roundLarge(size: number): number {
  return Math.ceil(size / LARGE_ROUNDING_BYTES) * LARGE_ROUNDING_BYTES;
}
