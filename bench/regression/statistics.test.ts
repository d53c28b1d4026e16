import { expect, test } from "vitest";
import { judge, LEAST_CHANGE } from "./statistics.ts";

const ROUNDS = 5;
const BASELINE_RUNS = 9;
const LOOKS = 4;

/** A shared machine: runs differ by 3 %, rounds by 6 % more, and each tenth round meets a neighbour and costs up to twice as much. */
class Machine {
  #state: number;

  constructor(seed: number) {
    this.#state = seed * 7919 + 17;
  }

  rounds(cost: number): number[] {
    const own = cost * Math.exp(0.03 * this.#normal());
    return Array.from({ length: ROUNDS }, () => {
      const burst = this.#random() < 0.1 ? 1 + this.#random() : 1;
      return own * Math.exp(0.06 * this.#normal()) * burst;
    });
  }

  baseline(cost: number): number[] {
    return Array.from({ length: BASELINE_RUNS }, () => {
      const sorted = this.rounds(cost).sort((a, b) => a - b);
      return sorted[ROUNDS >> 1] as number;
    });
  }

  /** As the bench does it: what is suspicious is measured again, and all looks together decide. */
  alarm(baseline: readonly number[], cost: number): boolean {
    const looks: number[][] = [];
    while (looks.length < LOOKS) {
      looks.push(this.rounds(cost));
      const { verdict } = judge(baseline, looks);
      if (verdict === "same" || verdict === "faster") return false;
    }
    return judge(baseline, looks).verdict === "slower";
  }

  #random(): number {
    // Mulberry32.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed + 1);
/** Of one scenario: CPU and time per operation. */
const COSTS = 2;
const SCENARIOS = 5;

test("of two thousand runs of unchanged code hardly any raises an alarm in any of ten costs", () => {
  let alarms = 0;
  for (const seed of SEEDS) {
    const machine = new Machine(seed);
    const baselines = Array.from({ length: SCENARIOS * COSTS }, () => machine.baseline(1));
    for (let run = 0; run < 10; run++) {
      if (baselines.some((baseline) => machine.alarm(baseline, 1))) alarms++;
    }
  }
  expect(alarms).toBeLessThanOrEqual(2);
});

test("a fifth more of every cost is noticed in at least one of them", () => {
  const missed = SEEDS.filter((seed) => {
    const machine = new Machine(seed);
    const baselines = Array.from({ length: SCENARIOS * COSTS }, () => machine.baseline(1));
    return !baselines.some((baseline) => machine.alarm(baseline, 1.2));
  });
  expect(missed).toEqual([]);
});

test("a fifth more of a single cost is mostly noticed", () => {
  const noticed = SEEDS.filter((seed) => {
    const machine = new Machine(seed);
    return machine.alarm(machine.baseline(1), 1.2);
  });
  expect(noticed.length / SEEDS.length).toBeGreaterThan(0.85);
});

test("without noise the least change that counts is known", () => {
  const baseline = [1, 1, 1, 1, 1, 1, 1];
  const three = (cost: number) => [0, 0, 0].map(() => [cost, cost, cost]);
  expect(judge(baseline, three(1 + LEAST_CHANGE - 0.01))).toMatchObject({
    verdict: "suspicious",
    threshold: LEAST_CHANGE,
  });
  expect(judge(baseline, three(1 + LEAST_CHANGE + 0.01)).verdict).toBe("slower");
  expect(judge(baseline, three(1.01)).verdict).toBe("same");
  expect(judge(baseline, three(0.8)).verdict).toBe("faster");
});

test("rounds that a neighbour spoiled do not count", () => {
  const { change, verdict } = judge([1, 1.01, 0.99, 1, 1], [[1, 1.02, 3, 0.98, 2.5]]);
  expect(change).toBeCloseTo(0.02, 5);
  expect(verdict).toBe("same");
});

test("what runs differed by when the baseline was recorded is expected of later runs", () => {
  const look = [1.16, 1.16, 1.17];
  const steady = judge([1, 1.01, 0.99, 1, 1], [look, look, look]);
  const unsteady = judge([1, 1.15, 0.85, 1.2, 0.8], [look, look, look]);
  expect(steady.verdict).toBe("slower");
  expect(unsteady.verdict).not.toBe("slower");
  expect(unsteady.threshold).toBeGreaterThan(steady.threshold);
});

test("more looks see more", () => {
  const look = [1.1, 1.2, 1.15, 1.3, 1.05];
  expect(judge([1, 1, 1, 1, 1], [look, look, look]).threshold).toBeLessThan(judge([1, 1, 1, 1, 1], [look]).threshold);
});
