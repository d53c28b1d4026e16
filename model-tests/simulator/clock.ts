/** Virtual time and a queue of what will happen: earliest first, in the order of scheduling where times are equal. */

export interface Happening {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

export class VirtualClock {
  nowMs = 0;
  #order = 0;
  /** Binary heap by (atMs, order). */
  readonly #heap: Happening[] = [];

  after(delayMs: number, run: () => void): Happening {
    const happening = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, run, cancelled: false };
    this.#heap.push(happening);
    this.#up(this.#heap.length - 1);
    return happening;
  }

  /** Runs the next happening. @returns false when nothing is left before `untilMs`. */
  next(untilMs: number): boolean {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return false;
      }
      this.#pop();
      if (first.cancelled) continue;
      this.nowMs = first.atMs;
      first.run();
      return true;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Happening;
    if (heap.length === 0) return;
    heap[0] = last;
    this.#down(0);
  }

  #up(from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(heap[at] as Happening, heap[parent] as Happening)) return;
      [heap[at], heap[parent]] = [heap[parent] as Happening, heap[at] as Happening];
      at = parent;
    }
  }

  #down(from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && before(heap[child] as Happening, heap[least] as Happening)) least = child;
      }
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least] as Happening, heap[at] as Happening];
      at = least;
    }
  }
}

function before(a: Happening, b: Happening): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.order < b.order;
}

/** Mulberry32: 32 bits of state, the same numbers on every machine. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
