/** When nothing was broken: what must happen in time is only asked for there. */
import type { History } from "../histories/history.ts";

/** A stretch of the run with a fault in it, µs. */
export interface Band {
  readonly from: number;
  /** Infinity: never repaired. */
  readonly to: number;
  readonly fault: string;
  readonly nemesis: string;
  readonly detail: string;
}

/** Injected until healed; a point fault (a kill) lasts an instant, and the server's return ends nothing by itself. */
export function bandsOf({ faults }: History): Band[] {
  const bands: Band[] = [];
  const open = new Map<string, { from: number; nemesis: string; detail: string }>();
  for (const { t, fault, nemesis, action, detail } of faults) {
    if (action === "inject") open.set(fault, { from: t, nemesis, detail });
    else if (action === "point") bands.push({ from: t, to: t, fault, nemesis, detail });
    else if (action === "heal") {
      const begun = open.get(fault);
      open.delete(fault);
      bands.push({ from: begun?.from ?? t, to: t, fault, nemesis, detail: begun?.detail ?? detail });
    }
  }
  for (const [fault, begun] of open) bands.push({ ...begun, to: Number.POSITIVE_INFINITY, fault });
  return bands.sort((a, b) => a.from - b.from);
}

export class Quiet {
  readonly #bands: readonly { readonly from: number; readonly to: number }[];

  /** `graceUs`: how long after a fault its consequences are still to be expected. */
  constructor(history: History, graceUs: number) {
    const disturbances = history.servers.map(({ t }) => ({ from: t, to: t }));
    this.#bands = [...bandsOf(history), ...disturbances].map(({ from, to }) => ({ from, to: to + graceUs }));
  }

  /** No fault, and no server that came, went or changed its role. */
  between(from: number, to: number): boolean {
    return !this.#bands.some((band) => band.from <= to && band.to >= from);
  }
}
