/**
 * Memory for bytes on their way to a socket, used again as soon as they have left. A fresh 64 KB per turn and connection would
 * cost page faults, cache misses and garbage collections that outweigh everything else about a small request.
 */

const SHARED_BELOW_BYTES = 4096;

export class Slab {
  readonly memory: Buffer;
  readonly view: DataView;
  /** Whoever holds the slab calls this once, when nobody will read its bytes any more. Never called: the collector takes it. */
  readonly release: () => void;

  constructor(bytes: number, release: (slab: Slab) => void) {
    // Small ones share an allocation.
    this.memory = bytes < SHARED_BELOW_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);
    this.view = new DataView(this.memory.buffer, this.memory.byteOffset, bytes);
    this.release = () => release(this);
  }
}

export class SlabPool {
  readonly slabBytes: number;
  readonly #keep: number;
  readonly #free: Slab[] = [];

  /** `keep`: slabs that wait for their next use at most. */
  constructor(slabBytes: number, keep: number) {
    this.slabBytes = slabBytes;
    this.#keep = keep;
  }

  /** The one released last comes first: it is most likely still in a cache. */
  take(): Slab {
    return this.#free.pop() ?? new Slab(this.slabBytes, this.#released);
  }

  /** Slabs that wait for their next use. */
  get idle(): number {
    return this.#free.length;
  }

  readonly #released = (slab: Slab): void => {
    if (this.#free.length < this.#keep) this.#free.push(slab);
  };
}
