/** Counts along with a run what its floors ask for. */
import type { Floors, Line } from "../histories/format.ts";

const BUCKET_US = 500_000;
/** Throughput is looked at over so many buckets: bursts even out. */
const WINDOW = 5;

export class Tally {
  /** Answers per half second. */
  readonly #answers: number[] = [];
  /** From inject to heal, µs; open ones end at infinity. */
  readonly #bands: { readonly fault: string; readonly from: number; to: number }[] = [];
  readonly #outside = new Set<number>();
  #outsideInvoked = 0;
  #outsideLost = 0;
  #loadFrom: number | null = null;
  #loadTo: number | null = null;
  #loadInvoked = 0;
  #completed = 0;
  #elections = 0;
  #now = 0;

  line(line: Line): void {
    if (line.kind === "header") return;
    this.#now = line.t;
    switch (line.kind) {
      case "invoke":
        if (this.#loadFrom !== null && this.#loadTo === null) this.#loadInvoked++;
        if (this.#loadFrom === null || this.#calm === false) return;
        this.#outside.add(line.id);
        this.#outsideInvoked++;
        return;
      case "ok":
      case "fail":
        this.#completed++;
        this.#outside.delete(line.id);
        if (line.zxid >= 0) this.#answered(line.t);
        return;
      case "info":
        if (this.#outside.delete(line.id)) this.#outsideLost++;
        return;
      case "fault":
        if (line.action === "inject")
          this.#bands.push({ fault: line.fault, from: line.t, to: Number.POSITIVE_INFINITY });
        else if (line.action === "heal")
          for (const band of this.#bands) if (band.fault === line.fault) band.to = line.t;
        return;
      case "server":
        if (line.state === "leading") this.#elections++;
        return;
      case "phase":
        if (line.phase === "load") this.#loadFrom = line.t;
        if (line.phase === "heal") this.#loadTo = line.t;
    }
  }

  get #calm(): boolean {
    return this.#bands.every((band) => band.to !== Number.POSITIVE_INFINITY);
  }

  get leaderChanges(): number {
    return Math.max(0, this.#elections - 1);
  }

  /** Per second, over the last few. */
  get throughput(): number {
    return this.#rate(Math.floor(this.#now / BUCKET_US) - WINDOW);
  }

  reached(): Required<Omit<Floors, "recoveryWithinMs">> {
    const seconds = ((this.#loadTo ?? this.#now) - (this.#loadFrom ?? 0)) / 1e6;
    return {
      completed: this.#completed,
      leaderChanges: this.leaderChanges,
      offeredPerSecond: Math.round(this.#loadInvoked / Math.max(1, seconds)),
      determinateShare: this.#outsideInvoked === 0 ? 1 : 1 - this.#outsideLost / this.#outsideInvoked,
      recoveredShare: this.#recovered(),
    };
  }

  /** Sentences: what is missing. Empty: the run counts. */
  missing(floors: Floors): string[] {
    const reached = this.reached();
    const names = ["completed", "leaderChanges", "offeredPerSecond", "determinateShare", "recoveredShare"] as const;
    return names.flatMap((name) => {
      const floor = floors[name];
      return floor !== undefined && reached[name] < floor
        ? [`${name} is ${rounded(reached[name])}, below ${floor}`]
        : [];
    });
  }

  #answered(t: number): void {
    const at = Math.floor(t / BUCKET_US);
    while (this.#answers.length <= at) this.#answers.push(0);
    this.#answers[at]!++;
  }

  #rate(from: number): number {
    const counts = this.#answers.slice(Math.max(0, from), Math.max(0, from) + WINDOW);
    return counts.reduce((sum, count) => sum + count, 0) / ((WINDOW * BUCKET_US) / 1e6);
  }

  /** The worst of all heals: the best window before the next fault, as a share of the throughput before the first. */
  #recovered(): number {
    const first = this.#bands[0];
    if (first === undefined || this.#loadFrom === null) return 1;
    const usual = this.#average(this.#loadFrom, first.from);
    let worst = 1;
    for (const heal of this.#bands) {
      if (heal.to === Number.POSITIVE_INFINITY || this.#bands.some((band) => band.from < heal.to && band.to > heal.to))
        continue;
      const next = Math.min(
        heal.to + 1e7,
        ...this.#bands.filter(({ from }) => from >= heal.to).map(({ from }) => from),
      );
      let best = 0;
      for (let at = Math.floor(heal.to / BUCKET_US) + 1; at + WINDOW <= Math.floor(next / BUCKET_US); at++)
        best = Math.max(best, this.#rate(at));
      if (next - heal.to > (WINDOW + 2) * BUCKET_US) worst = Math.min(worst, best / Math.max(1, usual));
    }
    return worst;
  }

  #average(from: number, to: number): number {
    const counts = this.#answers.slice(Math.ceil(from / BUCKET_US) + 1, Math.floor(to / BUCKET_US));
    return counts.reduce((sum, count) => sum + count, 0) / Math.max(1, (counts.length * BUCKET_US) / 1e6);
  }
}

export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
