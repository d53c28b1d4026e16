import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PoisonedEntryMemory } from "../../model-tests/simulator/poisoned-memory.ts";
import type { Zxid } from "../../spec/vocabulary.ts";
import { CommittedLog } from "./committed-log.ts";
import { EntryMemory } from "./entry-memory.ts";

/** `propose`: kept and logged, not committed yet. `repeat`: a proposal that comes a second time, as a learner may be sent it. */
type Step = "propose" | "commit" | "commit all" | "repeat" | "clear" | "replay";

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Step>("propose") },
    { weight: 4, arbitrary: fc.constant<Step>("commit") },
    { weight: 2, arbitrary: fc.constantFrom<Step>("commit all", "repeat") },
    { weight: 1, arbitrary: fc.constantFrom<Step>("clear", "replay") },
  ),
  { minLength: 50, maxLength: 250 },
);

/** Of 8 to a slab, and of memory of its own. */
const SIZES = [8192, 5000, 3000, 8193, 100];

class Play {
  readonly log: CommittedLog;
  readonly #limit: number;
  readonly #uncommitted: { zxid: Zxid; entry: Buffer }[] = [];
  #window: Zxid[] = [];
  #zxid = 0;

  constructor(limit: number, memory: EntryMemory) {
    this.log = Object.assign(new CommittedLog(limit), { memory });
    this.#limit = limit;
  }

  step(step: Step): void {
    switch (step) {
      case "propose": {
        const zxid = ++this.#zxid as Zxid;
        this.#uncommitted.push({ zxid, entry: this.log.memory.keep(zxid, entryOf(zxid)) });
        return;
      }
      case "repeat": {
        const zxid = (this.#uncommitted[0]?.zxid ?? this.#window.at(-1) ?? 1) as Zxid;
        this.log.memory.keep(zxid, entryOf(zxid));
        return;
      }
      case "commit":
        return this.#commit();
      case "commit all":
        while (this.#uncommitted.length > 0) this.#commit();
        return;
      case "clear":
        this.log.clear();
        this.#window = [];
        return;
      case "replay": {
        // After a restart: what was not committed is part of the log that is read.
        this.log.clear();
        this.#window = [];
        this.#uncommitted.length = 0;
        for (let zxid = Math.max(1, this.#zxid - 10); zxid <= this.#zxid; zxid++) {
          this.log.add(zxid as Zxid, entryOf(zxid as Zxid));
          this.#remember(zxid as Zxid);
        }
        return;
      }
    }
  }

  #commit(): void {
    const next = this.#uncommitted.shift();
    if (next === undefined) return;
    this.log.add(next.zxid, next.entry);
    this.#remember(next.zxid);
  }

  #remember(zxid: Zxid): void {
    this.#window.push(zxid);
    if (this.#window.length > this.#limit) this.#window.shift();
  }

  check(): void {
    const told = [...this.log.after(0 as Zxid)];
    expect(told.map(({ zxid }) => zxid)).toEqual(this.#window);
    for (const { zxid, entry } of [...told, ...this.#uncommitted]) {
      if (!entry.equals(entryOf(zxid))) expect.fail(`the entry of ${zxid} has changed`);
    }
  }
}

function entryOf(zxid: Zxid): Buffer {
  return Buffer.alloc(SIZES[zxid % SIZES.length] as number, (zxid % 250) + 1);
}

describe.each([
  ["slabs", () => new EntryMemory()],
  ["memory that is spoilt at once", () => new PoisonedEntryMemory()],
] as const)("in %s", (_, memory) => {
  test("what is remembered, and what may still be committed, stays as it is", () => {
    const play = (limit: number, all: readonly Step[]): void => {
      const run = new Play(limit, memory());
      for (const step of all) {
        run.step(step);
        run.check();
      }
    };
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), steps, play), { seed: 20, numRuns: 40 });
  });
});
