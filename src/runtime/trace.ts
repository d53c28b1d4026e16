/**
 * What the charts of a server did lately: the last steps in a ring, and each step to a sink as it happens. The ring is what
 * an assertion failure or an operator's question is answered from; the sink is where traces for validation come from.
 *
 * A step costs one slot write: nothing is formatted, and no event object is kept, since it may hold a chunk of bytes.
 */
import type { EventObject } from "xstate";
import { assert } from "./assert.ts";

export interface TraceLine {
  /** Milliseconds of the monotonic clock. */
  readonly atMs: number;
  /** Name of the runner: "peer", "learner.3". */
  readonly chart: string;
  /** Dotted paths as in `ChartRunner.state`; "" before the start. */
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

/** Called once per step, with the whole event. Must be quick, and must not keep the event. */
export type TraceSink = (chart: string, from: string, event: EventObject, to: string, atMs: number) => void;

/** The part of a ChartRunner that a trace hooks into. */
export interface Traceable {
  readonly name: string;
  onTransition?: (from: string, event: EventObject, to: string) => void;
}

type Slot = { -readonly [K in keyof TraceLine]: TraceLine[K] };

export class ChartTrace {
  /** Gets every step from the moment it is set. */
  sink: TraceSink | undefined;
  readonly #monotonicMs: () => number;
  readonly #slots: Slot[] = [];
  readonly #capacity: number;
  #written = 0;

  constructor(capacity: number, monotonicMs: () => number) {
    assert(capacity > 0, "A trace remembers at least one step.");
    this.#capacity = capacity;
    this.#monotonicMs = monotonicMs;
  }

  /** Records the runner's steps from now on. */
  attach(runner: Traceable): void {
    const { name } = runner;
    runner.onTransition = (from, event, to) => this.record(name, from, event, to);
  }

  record(chart: string, from: string, event: EventObject, to: string): void {
    const atMs = this.#monotonicMs();
    const at = this.#written % this.#capacity;
    const slot = this.#slots[at];
    if (slot === undefined) {
      this.#slots[at] = { atMs, chart, from, event: event.type, to };
    } else {
      slot.atMs = atMs;
      slot.chart = chart;
      slot.from = from;
      slot.event = event.type;
      slot.to = to;
    }
    this.#written++;
    this.sink?.(chart, from, event, to, atMs);
  }

  /** Steps recorded since the beginning, forgotten ones included. */
  get written(): number {
    return this.#written;
  }

  /** What the ring still remembers, oldest first, as copies. */
  lines(): TraceLine[] {
    const oldest = this.#written > this.#capacity ? this.#written % this.#capacity : 0;
    return [...this.#slots.slice(oldest), ...this.#slots.slice(0, oldest)].map((slot) => ({ ...slot }));
  }
}

/** `12.3 peer: looking.voting → following.discovery on ELECTED`; a step that stays says `at`. */
export function formatTraceLine({ atMs, chart, from, event, to }: TraceLine): string {
  const way = from === to ? `at ${to}` : `${from || "(start)"} → ${to}`;
  return `${atMs.toFixed(1)} ${chart}: ${way} on ${event}`;
}
