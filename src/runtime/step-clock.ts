import type { Environment } from "./environment.ts";

/**
 * An environment whose clocks stand still during a step, as if it took no time: they are read once, when somebody first asks.
 * A request asks several times, and each reading costs as much as looking up its znode.
 */
export class StepClock implements Environment {
  readonly #world: Environment;
  #monotonicMs = 0;
  #wallMs = 0;
  #monotonicKnown = false;
  #wallKnown = false;

  constructor(world: Environment) {
    this.#world = world;
  }

  /** A step begins. */
  step(): void {
    this.#monotonicKnown = false;
    this.#wallKnown = false;
  }

  monotonicMs(): number {
    if (!this.#monotonicKnown) {
      this.#monotonicMs = this.#world.monotonicMs();
      this.#monotonicKnown = true;
    }
    return this.#monotonicMs;
  }

  wallMs(): number {
    if (!this.#wallKnown) {
      this.#wallMs = this.#world.wallMs();
      this.#wallKnown = true;
    }
    return this.#wallMs;
  }

  random(): number {
    return this.#world.random();
  }

  sha1(bytes: Uint8Array): Uint8Array {
    return this.#world.sha1(bytes);
  }
}
