/**
 * The breadth-first search, for the states whose fingerprint belongs to this shard. A search on one thread is the case of
 * a single shard; with more, a successor that belongs elsewhere goes to the outbox, and its owner admits it.
 *
 * States are numbered in the order of admission, which is also the order of expansion: a level is a range of numbers.
 */

import { Fingerprinter } from "./fingerprint.ts";
import type { Model, StateProperty, Words } from "./model.ts";
import { Ancestry, LevelQueue, NO_PARENT, NumberList } from "./state-store.ts";
import { VisitedSet } from "./visited-set.ts";

export interface ShardOptions {
  /** This shard's index and how many there are. */
  readonly index: number;
  readonly shards: number;
  readonly symmetry: boolean;
  /** Go on after a violation and note the first one of every property, instead of stopping at the first of all. */
  readonly keepGoing: boolean;
  readonly maxStates: number;
  /** Record the graph of steps that are no faults, for the `reachable` properties. */
  readonly recordGraph: boolean;
}

/** Takes successors that other shards own. `parent` is a reference as `Shard.reference` makes them. */
export interface Outbox {
  send(owner: number, words: Words, lo: number, hi: number, parent: number, ordinal: number): void;
}

/** Where a property failed: at the `ordinal`-th successor of the state `parent`. Depth counts states, as TLC does. */
export interface Finding {
  readonly property: string;
  readonly kind: "always" | "neverStep";
  readonly parent: number;
  readonly ordinal: number;
  readonly depth: number;
}

/**
 * Steps by state number: the targets of state n are `targets[offsets[n] .. offsets[n + 1])`. `goals` are bit sets: which
 * goals hold there, and in the upper half which need not be reachable from there.
 */
export interface RecordedGraph {
  readonly offsets: NumberList;
  readonly targets: NumberList;
  readonly goals: NumberList;
}

/** The bit of goal 0 in the upper half of `RecordedGraph.goals`. */
export const EXEMPT = 1 << 16;

export class Shard<State> {
  generated = 0;
  /** States without any successor. */
  terminal = 0;
  /** The last level that held a state of this shard; the initial states are level 1. */
  depth = 0;
  halted = false;
  readonly ancestry = new Ancestry();
  readonly findings: Finding[] = [];
  readonly taken: Float64Array;
  readonly reached: boolean[];
  readonly graph: RecordedGraph | null;

  readonly #model: Model<State>;
  readonly #options: ShardOptions;
  readonly #outbox: Outbox | null;
  readonly #fingerprinter: Fingerprinter;
  readonly #visited: VisitedSet;
  #current: LevelQueue;
  #next: LevelQueue;
  #level = 0;
  #levelStart = 0;
  #position = 0;

  // The state under expansion; fields and not arguments, so that the callbacks are made once.
  readonly #words: Words;
  #number = 0;
  #ordinal = 0;
  #before: State | undefined;
  #after: State | undefined;
  readonly #unreached: StateProperty<State>[];

  constructor(model: Model<State>, options: ShardOptions, outbox: Outbox | null) {
    this.#model = model;
    this.#options = options;
    this.#outbox = outbox;
    this.#fingerprinter = new Fingerprinter(model.pools, options.symmetry ? (model.symmetry ?? null) : null);
    this.#visited = new VisitedSet(options.recordGraph);
    this.#current = new LevelQueue(model.width);
    this.#next = new LevelQueue(model.width);
    this.#words = new Int32Array(model.width);
    this.taken = new Float64Array(model.actionKinds.length);
    this.reached = model.properties.sometimes.map(() => false);
    this.#unreached = [...model.properties.sometimes];
    this.graph = options.recordGraph
      ? { offsets: new NumberList(), targets: new NumberList(), goals: new NumberList() }
      : null;
  }

  get distinct(): number {
    return this.#visited.size;
  }

  /** States met but not yet expanded. */
  get queue(): number {
    return this.#current.size - this.#position + this.#next.size;
  }

  get bytes(): number {
    return this.#visited.bytes + this.ancestry.bytes;
  }

  /** A state's number among all shards. */
  reference(number: number): number {
    return number * this.#options.shards + this.#options.index;
  }

  seed(): void {
    let ordinal = 0;
    this.#model.initial((words) => {
      this.generated += 1;
      this.#fingerprinter.of(words);
      // Every shard generates all initial states and keeps its own; one shard counts them.
      const { lo, hi } = this.#fingerprinter;
      if (this.#owner(hi) === this.#options.index) this.#admit(words, lo, hi, NO_PARENT, ordinal);
      ordinal += 1;
    });
    if (this.#options.index !== 0) this.generated = 0;
  }

  /** Expands at most `budget` states of the current level; true when the level is done. */
  expand(budget: number): boolean {
    const end = Math.min(this.#current.size, this.#position + budget);
    const watchSteps = this.#model.properties.neverStep.length > 0;
    while (this.#position < end && !this.halted) {
      this.#current.read(this.#position, this.#words);
      this.#number = this.#levelStart + this.#position;
      this.#ordinal = 0;
      if (watchSteps) this.#before = this.#model.decode(this.#words, this.#before);
      this.graph?.offsets.push(this.graph.targets.size);
      this.#model.successors(this.#words, this.#emit);
      if (this.#ordinal === 0) this.terminal += 1;
      this.#position += 1;
    }
    return this.#position === this.#current.size || this.halted;
  }

  /** Makes the states found so far the current level; returns how many they are. */
  advance(): number {
    const done = this.#current;
    this.#levelStart += done.size;
    this.#current = this.#next;
    this.#next = done;
    this.#next.clear(this.#current.size);
    this.#position = 0;
    this.#level += 1;
    if (this.#current.size > 0) this.depth = this.#level;
    return this.#current.size;
  }

  /** A state that another shard found and this one owns. */
  receive(words: Words, lo: number, hi: number, parent: number, ordinal: number): void {
    if (!this.halted) this.#admit(words, lo, hi, parent, ordinal);
  }

  readonly #emit = (words: Words, action: number): void => {
    if (this.halted) return;
    const ordinal = this.#ordinal++;
    this.generated += 1;
    this.#count(action);
    if (this.#before !== undefined) this.#checkStep(words, action, ordinal);
    this.#fingerprinter.of(words);
    const { lo, hi } = this.#fingerprinter;
    const owner = this.#owner(hi);
    const parent = this.reference(this.#number);
    if (owner !== this.#options.index) {
      this.#outbox?.send(owner, words, lo, hi, parent, ordinal);
      return;
    }
    const number = this.#admit(words, lo, hi, parent, ordinal);
    if (this.graph !== null && this.#model.isFault?.(action) !== true) this.graph.targets.push(number);
  };

  #count(action: number): void {
    const kind = this.#model.kindOf(action);
    this.taken[kind] = (this.taken[kind] as number) + 1;
  }

  /** Another half of the fingerprint than the one that picks the slot, or a shard would use half of its table. */
  #owner(hi: number): number {
    return this.#options.shards === 1 ? 0 : (hi >>> 0) % this.#options.shards;
  }

  /** Files the state unless it is known; returns its number. */
  #admit(words: Words, lo: number, hi: number, parent: number, ordinal: number): number {
    const number = this.ancestry.size;
    const known = this.#visited.add(lo, hi, number);
    if (known !== -1) return known;
    this.ancestry.push(parent, ordinal);
    this.#next.push(words);
    this.#checkState(words, parent, ordinal);
    if (this.#visited.size >= this.#options.maxStates) this.halted = true;
    return number;
  }

  #checkState(words: Words, parent: number, ordinal: number): void {
    const { always, reachable } = this.#model.properties;
    const state = this.#model.decode(words, this.#after);
    this.#after = state;
    for (const property of always) {
      if (!property.holds(state)) this.#found("always", property.name, parent, ordinal);
    }
    for (let i = this.#unreached.length - 1; i >= 0; i--) {
      const goal = this.#unreached[i] as StateProperty<State>;
      if (!goal.holds(state)) continue;
      this.#unreached.splice(i, 1);
      this.reached[this.#model.properties.sometimes.indexOf(goal)] = true;
    }
    if (this.graph !== null) {
      let goals = 0;
      for (let i = 0; i < reachable.length; i++) {
        if (reachable[i]?.holds(state) === true) goals |= 1 << i;
        if (reachable[i]?.applies?.(state) === false) goals |= EXEMPT << i;
      }
      this.graph.goals.push(goals);
    }
  }

  #checkStep(words: Words, action: number, ordinal: number): void {
    const after = this.#model.decode(words, this.#after);
    this.#after = after;
    for (const property of this.#model.properties.neverStep) {
      if (property.happens(this.#before as State, after, action))
        this.#found("neverStep", property.name, this.reference(this.#number), ordinal);
    }
  }

  #found(kind: Finding["kind"], property: string, parent: number, ordinal: number): void {
    if (!this.#options.keepGoing) this.halted = true;
    if (this.findings.some((finding) => finding.property === property)) return;
    this.findings.push({ property, kind, parent, ordinal, depth: this.#level + 1 });
  }
}
