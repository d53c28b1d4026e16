/**
 * What makes a search over statecharts integer work. A part of the world (a server's charts with its log, say) has few
 * distinct local states, however many global ones there are: each local state and each event is interned, and what an
 * event does to a local state is computed once. The interpreter then runs only on pairs that were never seen.
 */

import { InternPool } from "./intern-pool.ts";

const EMPTY = -1;

/** A map from two integers (>= 0) to one, in open addressing. */
export class PairMemo {
  size = 0;
  #keys = new Int32Array(2 * 1024).fill(EMPTY);
  #values = new Int32Array(1024);
  #mask = 1023;

  /** -1 if the pair has no value. */
  get(a: number, b: number): number {
    const keys = this.#keys;
    let slot = slotOf(a, b) & this.#mask;
    for (;;) {
      const key = keys[slot * 2] as number;
      if (key === a && keys[slot * 2 + 1] === b) return this.#values[slot] as number;
      if (key === EMPTY) return -1;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** The pair must have no value yet. */
  set(a: number, b: number, value: number): number {
    if (this.size * 4 >= this.#mask * 3) this.#grow();
    let slot = slotOf(a, b) & this.#mask;
    while (this.#keys[slot * 2] !== EMPTY) slot = (slot + 1) & this.#mask;
    this.#keys[slot * 2] = a;
    this.#keys[slot * 2 + 1] = b;
    this.#values[slot] = value;
    this.size += 1;
    return value;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    const capacity = (this.#mask + 1) * 2;
    this.#keys = new Int32Array(2 * capacity).fill(EMPTY);
    this.#values = new Int32Array(capacity);
    this.#mask = capacity - 1;
    this.size = 0;
    for (let slot = 0; slot < values.length; slot++) {
      const a = keys[slot * 2] as number;
      if (a !== EMPTY) this.set(a, keys[slot * 2 + 1] as number, values[slot] as number);
    }
  }
}

function slotOf(a: number, b: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return h ^ (h >>> 13);
}

export interface LocalStep<Snapshot, Output> {
  readonly next: Snapshot;
  /** What the step asks of the world, in order. */
  readonly outputs: readonly Output[];
}

export interface LocalMachineOptions<Snapshot, Event, Output> {
  readonly name: string;
  /** Equal for equal values only. `JSON.stringify` does where the order of fields is fixed. */
  readonly snapshotKey: (snapshot: Snapshot) => string;
  readonly eventKey: (event: Event) => string;
  /** Pure: the same pair gives the same result, for ever. Runs once per pair, so it may also note coverage. */
  readonly step: (snapshot: Snapshot, event: Event) => LocalStep<Snapshot, Output>;
}

/**
 * One kind of part, shared by all servers that run it. A global state holds ids of `snapshots`, so that pool belongs into
 * `Model.pools`; events are met only inside steps.
 */
export class LocalMachine<Snapshot, Event, Output> {
  readonly snapshots: InternPool<Snapshot>;
  readonly events: InternPool<Event>;
  readonly #step: (snapshot: Snapshot, event: Event) => LocalStep<Snapshot, Output>;
  readonly #memo = new PairMemo();
  readonly #next: number[] = [];
  readonly #outputs: (readonly Output[])[] = [];

  constructor({ name, snapshotKey, eventKey, step }: LocalMachineOptions<Snapshot, Event, Output>) {
    this.snapshots = new InternPool(`${name} snapshots`, snapshotKey);
    this.events = new InternPool(`${name} events`, eventKey);
    this.#step = step;
  }

  /** How often the step function really ran. */
  get runs(): number {
    return this.#next.length;
  }

  /** Takes ids of `snapshots` and `events`; returns a transition, to be asked with `next` and `outputs`. */
  step(snapshot: number, event: number): number {
    const known = this.#memo.get(snapshot, event);
    if (known !== -1) return known;
    const { next, outputs } = this.#step(this.snapshots.get(snapshot), this.events.get(event));
    this.#outputs.push(outputs);
    this.#next.push(this.snapshots.intern(next));
    return this.#memo.set(snapshot, event, this.#next.length - 1);
  }

  /** The id of the snapshot after a transition. */
  next(transition: number): number {
    return this.#next[transition] as number;
  }

  outputs(transition: number): readonly Output[] {
    return this.#outputs[transition] as readonly Output[];
  }
}
