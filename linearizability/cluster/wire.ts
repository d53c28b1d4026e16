/** What a wire does to the bytes that run through it in one direction. */

/** One fault on a wire. Several may lie on it at once; each is lifted by whoever put it there. */
export interface Disturbance {
  /** Bytes wait, and with them new connections, as behind a router that drops packets: when it is lifted they arrive. */
  readonly hold?: boolean;
  /** New connections are reset. */
  readonly refuse?: boolean;
  /** New connections are taken and then never served; lifting it resets them. */
  readonly halfOpen?: boolean;
  readonly delayMs?: number;
  /** Uniform, on top of the delay; order is kept. */
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
  /** Segments of so many bytes at most. */
  readonly sliceBytes?: number;
  /** Each connection is reset once it has carried so many bytes more. Drawn anew for every connection. */
  readonly cutAfterBytes?: () => number;
}

type Repair = () => void;

/** The sum of the disturbances on one direction of a link; its pipes look here before every write. */
export class Wire {
  hold = false;
  refuse = false;
  halfOpen = false;
  delayMs = 0;
  jitterMs = 0;
  /** 0: as fast as it goes. */
  bytesPerSecond = 0;
  /** 0: as they come. */
  sliceBytes = 0;
  cutAfterBytes: (() => number) | null = null;
  /** Counts changes: a pipe draws its cut anew when it sees another number. */
  generation = 0;
  readonly #disturbances = new Set<Disturbance>();
  readonly #listeners = new Set<() => void>();

  /** @returns how to lift it; lifting twice is lifting once */
  disturb(disturbance: Disturbance): Repair {
    // A copy: the same fault put on twice is two.
    const own = { ...disturbance };
    this.#disturbances.add(own);
    this.#changed();
    return () => {
      if (this.#disturbances.delete(own)) this.#changed();
    };
  }

  /** Nothing lies on it: bytes may take the short way. */
  get clear(): boolean {
    return this.#disturbances.size === 0;
  }

  watch(listener: () => void): void {
    this.#listeners.add(listener);
  }

  unwatch(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  #changed(): void {
    const all = [...this.#disturbances];
    this.hold = all.some((one) => one.hold === true);
    this.refuse = all.some((one) => one.refuse === true);
    this.halfOpen = all.some((one) => one.halfOpen === true);
    this.delayMs = all.reduce((sum, one) => sum + (one.delayMs ?? 0), 0);
    this.jitterMs = all.reduce((sum, one) => sum + (one.jitterMs ?? 0), 0);
    this.bytesPerSecond = smallest(all.map((one) => one.bytesPerSecond ?? 0));
    this.sliceBytes = smallest(all.map((one) => one.sliceBytes ?? 0));
    this.cutAfterBytes = all.find((one) => one.cutAfterBytes !== undefined)?.cutAfterBytes ?? null;
    this.generation++;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** 0 stands for no limit. */
function smallest(limits: readonly number[]): number {
  const real = limits.filter((limit) => limit > 0);
  return real.length === 0 ? 0 : Math.min(...real);
}
