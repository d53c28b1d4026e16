/**
 * Random runs of a model from its initial states: for models too large to be explored, and to reach depths that breadth
 * first comes to late. A seed makes the same walks again.
 */

import { Fingerprinter } from "./fingerprint.ts";
import type { Model, StateProperty, Words } from "./model.ts";
import { type Counterexample, counterexampleAt } from "./trace.ts";

export interface WalkOptions {
  readonly seed: number;
  readonly walks: number;
  /** Steps of one walk. */
  readonly maxSteps: number;
  readonly maxSeconds?: number;
}

export interface WalkReport {
  readonly model: string;
  readonly seed: number;
  readonly walks: number;
  readonly steps: number;
  readonly seconds: number;
  readonly sometimes: readonly { readonly name: string; readonly reached: boolean }[];
  /** The first violation ends the search. Its detours are cut out, but it need not be a shortest one. */
  readonly violation: Counterexample | null;
}

export function randomWalks<State>(model: Model<State>, options: WalkOptions): WalkReport {
  const walker = new Walker(model, options.seed);
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let walks = 0;
  let violation: Counterexample | null = null;
  while (walks < options.walks && violation === null && seconds() < (options.maxSeconds ?? Number.POSITIVE_INFINITY)) {
    violation = walker.walk(options.maxSteps);
    walks += 1;
  }
  const sometimes = model.properties.sometimes.map(({ name }, i) => ({ name, reached: walker.reached[i] ?? false }));
  return {
    model: model.name,
    seed: options.seed,
    walks,
    steps: walker.steps,
    seconds: seconds(),
    sometimes,
    violation,
  };
}

class Walker<State> {
  steps = 0;
  readonly reached: boolean[];
  readonly #model: Model<State>;
  readonly #random: () => number;
  readonly #fingerprinter: Fingerprinter;
  readonly #words: Words;
  readonly #chosen: Words;
  #before: State | undefined;
  #after: State | undefined;

  constructor(model: Model<State>, seed: number) {
    this.#model = model;
    this.#random = randomOf(seed);
    this.#fingerprinter = new Fingerprinter(model.pools, null);
    this.#words = new Int32Array(model.width);
    this.#chosen = new Int32Array(model.width);
    this.reached = model.properties.sometimes.map(() => false);
  }

  walk(maxSteps: number): Counterexample | null {
    const ordinals: number[] = [];
    const marks: string[] = [];
    const enter = (ordinal: number) => {
      this.#words.set(this.#chosen);
      this.#fingerprinter.of(this.#words);
      ordinals.push(ordinal);
      marks.push(`${this.#fingerprinter.lo},${this.#fingerprinter.hi}`);
      this.#after = this.#model.decode(this.#words, this.#after);
      this.#noteGoals(this.#after);
      return this.#model.properties.always.find((property) => !property.holds(this.#after as State));
    };
    const broken = enter(this.#choose((emit) => this.#model.initial((words) => emit(words, -1))).ordinal);
    if (broken !== undefined) return counterexampleAt(this.#model, broken.name, "always", ordinals);

    for (let step = 0; step < maxSteps; step++) {
      this.#before = this.#model.decode(this.#words, this.#before);
      const { ordinal, action } = this.#choose((emit) => this.#model.successors(this.#words, emit));
      if (ordinal === -1) return null;
      this.steps += 1;
      const failed = enter(ordinal);
      if (failed !== undefined)
        return counterexampleAt(this.#model, failed.name, "always", withoutDetours(ordinals, marks));
      const happened = this.#model.properties.neverStep.find((property) =>
        property.happens(this.#before as State, this.#after as State, action),
      );
      if (happened !== undefined) return this.#stepCounterexample(happened.name, ordinals, marks);
    }
    return null;
  }

  /** The last step itself is the violation, so it stays even if it leads back. */
  #stepCounterexample(property: string, ordinals: number[], marks: string[]): Counterexample {
    const before = withoutDetours(ordinals.slice(0, -1), marks.slice(0, -1));
    return counterexampleAt(this.#model, property, "neverStep", [...before, ordinals.at(-1) as number]);
  }

  /** One of what is emitted, each with the same chance, without keeping all: the n-th replaces the choice once in n. */
  #choose(emitAll: (emit: (words: Words, action: number) => void) => void): { ordinal: number; action: number } {
    let count = 0;
    const choice = { ordinal: -1, action: -1 };
    emitAll((words, action) => {
      count += 1;
      if (this.#random() * count >= 1) return;
      choice.ordinal = count - 1;
      choice.action = action;
      this.#chosen.set(words);
    });
    return choice;
  }

  #noteGoals(state: State): void {
    this.#model.properties.sometimes.forEach((goal: StateProperty<State>, i) => {
      if (this.reached[i] === false && goal.holds(state)) this.reached[i] = true;
    });
  }
}

/** Leaves out what lies between two visits of one state. */
function withoutDetours(ordinals: readonly number[], marks: readonly string[]): number[] {
  const kept: number[] = [];
  for (let at = 0; at < ordinals.length; at = marks.lastIndexOf(marks[at] as string) + 1)
    kept.push(ordinals[at] as number);
  return kept;
}

/** mulberry32: uniform in [0, 1). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
