/** The client's timers and clocks. */
import { performance } from "node:perf_hooks";
import type { ClientEnvironment } from "./io.ts";

export const systemEnvironment: ClientEnvironment = {
  monotonicMs: () => performance.now(),
  random: Math.random,
};

/** Timers by id: setting one again replaces it. */
export class Timers {
  readonly #running = new Map<string, NodeJS.Timeout>();
  readonly #fire: (id: string) => void;

  constructor(fire: (id: string) => void) {
    this.#fire = fire;
  }

  set(id: string, delayMs: number): void {
    clearTimeout(this.#running.get(id));
    this.#running.set(
      id,
      setTimeout(() => {
        this.#running.delete(id);
        this.#fire(id);
      }, delayMs),
    );
  }

  clear(id: string): void {
    clearTimeout(this.#running.get(id));
    this.#running.delete(id);
  }
}

/** Runs when everything that this turn of the event loop has to do is done. */
export function atTurnEnd(action: () => void): void {
  setImmediate(action);
}
