/**
 * Latencies in buckets of at most 0.1 % width (the layout of HdrHistogram with three digits), in plain numbers so that it
 * can travel between processes as JSON. Values are whole microseconds.
 */

/** Values below this have a bucket each; above, 1,024 buckets per power of two. */
const EXACT = 2048;
const HALF = EXACT / 2;
const MAX_SHIFT = 20;
/** 99.9 is no binary fraction. */
const ROUNDING = 1e-6;
const BUCKETS = EXACT + MAX_SHIFT * HALF;
/** Largest value told apart from larger ones: 35 minutes. */
const MAX_VALUE = EXACT * 2 ** MAX_SHIFT - 1;

/** Occupied buckets: index, count, index, count … */
export type HistogramData = readonly number[];

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #max = 0;

  static from(data: HistogramData): Histogram {
    const histogram = new Histogram();
    histogram.merge(data);
    return histogram;
  }

  add(micros: number): void {
    const value = micros < 0 ? 0 : micros > MAX_VALUE ? MAX_VALUE : Math.floor(micros);
    const index = indexOf(value);
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#count++;
    this.#sum += value;
    if (value > this.#max) this.#max = value;
  }

  merge(data: HistogramData): void {
    for (let i = 0; i + 1 < data.length; i += 2) {
      const index = data[i] as number;
      const count = data[i + 1] as number;
      const value = highestOf(index);
      this.#counts[index] = (this.#counts[index] as number) + count;
      this.#count += count;
      this.#sum += value * count;
      if (value > this.#max) this.#max = value;
    }
  }

  /** The value that `percent` of all values do not exceed; 0 of nothing. */
  percentile(percent: number): number {
    const wanted = Math.max(1, Math.ceil((percent * this.#count) / 100 - ROUNDING));
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#counts[index] as number;
      if (seen >= wanted) return Math.min(highestOf(index), this.#max);
    }
    return this.#max;
  }

  get count(): number {
    return this.#count;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  get max(): number {
    return this.#max;
  }

  toJSON(): HistogramData {
    const data: number[] = [];
    for (let index = 0; index < BUCKETS; index++) {
      const count = this.#counts[index] as number;
      if (count > 0) data.push(index, count);
    }
    return data;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#max = 0;
  }
}

function indexOf(value: number): number {
  if (value < EXACT) return value;
  const shift = 21 - Math.clz32(value);
  return shift * HALF + (value >>> shift);
}

/** Largest value of a bucket. */
function highestOf(index: number): number {
  if (index < EXACT) return index;
  const shift = Math.floor(index / HALF) - 1;
  const scaled = index - shift * HALF;
  return (scaled + 1) * 2 ** shift - 1;
}
