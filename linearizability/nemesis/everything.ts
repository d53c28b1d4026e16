/** Everything at once: one fault after the other on processes, on the network and on clients, side by side. */

import type { Nemesis } from "./nemesis.ts";
import { attemptStrike, type Strike } from "./strike.ts";

/** Faults side by side, or one alone. */
export class Turnstile {
  #inside = 0;
  #alone = false;
  readonly #waiting: (() => void)[] = [];

  /** @returns how to leave */
  async enter(alone: boolean): Promise<() => void> {
    while (this.#alone || (alone && this.#inside > 0)) await new Promise<void>((wake) => this.#waiting.push(wake));
    this.#inside++;
    this.#alone = alone;
    return () => {
      this.#inside--;
      if (alone) this.#alone = false;
      for (const wake of this.#waiting.splice(0)) wake();
    };
  }
}

/** Lanes of faults, each of one kind, until the time is over. */
export async function everything(
  nemeses: readonly Nemesis[],
  strike: Strike,
  { forMs, holdMs, calmMs }: { forMs: number; holdMs: number; calmMs: number },
): Promise<void> {
  const turnstile = new Turnstile();
  const untilMs = performance.now() + forMs;
  const lanes = (["process", "network", "clients"] as const).map(async (kind) => {
    const own = nemeses.filter((nemesis) => nemesis.kind === kind);
    if (own.length === 0) return;
    while (!strike.over && performance.now() < untilMs) {
      const nemesis = strike.random.pick(own);
      const leave = await turnstile.enter(nemesis.exclusive === true);
      try {
        await attemptStrike(strike, nemesis, holdMs * (0.3 + strike.random.next()));
      } finally {
        leave();
      }
      await strike.rest(calmMs * (0.3 + strike.random.next() * 1.4));
    }
  });
  await Promise.all(lanes);
}
