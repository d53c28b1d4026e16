import { expect, test } from "vitest";
import { explore } from "./explorer.ts";
import { always, neverStep, reachable, sometimes } from "./model.ts";
import { plainModel } from "./plain-model.ts";
import { verdictOf } from "./report.ts";

interface Jugs {
  readonly small: number;
  readonly big: number;
}

/** The puzzle: measure 4 with jugs of 3 and 5. */
function jugs() {
  return plainModel<Jugs>({
    name: "jugs",
    initial: [{ small: 0, big: 0 }],
    actions: ["fill", "empty", "pour"],
    steps: ({ small, big }) => {
      const toBig = Math.min(small, 5 - big);
      const toSmall = Math.min(big, 3 - small);
      return [
        { action: "fill", detail: "small", next: { small: 3, big } },
        { action: "fill", detail: "big", next: { small, big: 5 } },
        { action: "empty", detail: "small", next: { small: 0, big } },
        { action: "empty", detail: "big", next: { small, big: 0 } },
        { action: "pour", detail: "into big", next: { small: small - toBig, big: big + toBig } },
        { action: "pour", detail: "into small", next: { small: small + toSmall, big: big - toSmall } },
      ];
    },
    properties: { always: [always("NotSolved", ({ big }) => big !== 4)] },
  });
}

test("finds a shortest counterexample and stops there", () => {
  const report = explore(jugs());
  const [violation] = report.violations;
  expect(violation?.property).toBe("NotSolved");
  expect(violation?.trace).toHaveLength(7); // the famous six steps
  expect(report.complete).toBe(false);
  expect(verdictOf(report)).toBe("violated");
});

test("counts states, successors and levels as TLC does", () => {
  const report = explore(jugs(), { keepGoing: true });
  // TLC on the same puzzle: 97 states generated, 16 distinct, depth 8.
  expect(report).toMatchObject({ complete: true, distinct: 16, generated: 97, depth: 8, queue: 0 });
  expect(report.actions.map(({ taken }) => taken)).toEqual([32, 32, 32]);
  expect(report.violations.map(({ property }) => property)).toEqual(["NotSolved"]);
});

test("ends incomplete at a limit of states or levels", () => {
  expect(explore(jugs(), { keepGoing: true, maxStates: 10 })).toMatchObject({ complete: false, distinct: 10 });
  const shallow = explore(jugs(), { keepGoing: true, maxDepth: 3 });
  expect(shallow).toMatchObject({ complete: false, depth: 3 });
  expect(shallow.queue).toBeGreaterThan(0);
  expect(verdictOf({ ...shallow, violations: [] })).toBe("incomplete");
});

interface Peterson {
  readonly at: readonly number[];
  readonly wants: readonly boolean[];
  readonly turn: number;
}

/** Peterson's mutual exclusion of two; the canary sets the turn before it says that it wants. */
function peterson(canary: boolean) {
  const set = <T>(list: readonly T[], i: number, value: T) => list.map((old, at) => (at === i ? value : old));
  return plainModel<Peterson>({
    name: "peterson",
    initial: [0, 1].map((turn) => ({ at: [0, 0], wants: [false, false], turn })),
    actions: ["want", "yield", "enter", "leave"],
    lanes: ["p1", "p2"],
    steps: function* (s) {
      for (const lane of [0, 1]) {
        const other = 1 - lane;
        const at = s.at[lane] as number;
        const move = { ...s, at: set(s.at, lane, (at + 1) % 4) };
        const yields = at === (canary ? 0 : 1);
        if (at < 2 && !yields) yield { action: "want", lane, next: { ...move, wants: set(s.wants, lane, true) } };
        if (at < 2 && yields) yield { action: "yield", lane, next: { ...move, turn: other } };
        if (at === 2 && (s.wants[other] === false || s.turn === lane)) yield { action: "enter", lane, next: move };
        if (at === 3) yield { action: "leave", lane, next: { ...move, wants: set(s.wants, lane, false) } };
      }
    },
    properties: {
      always: [always("MutualExclusion", ({ at }) => !(at[0] === 3 && at[1] === 3))],
      sometimes: [sometimes("the second is inside", ({ at }) => at[1] === 3)],
      reachable: [reachable("the first is inside", ({ at }) => at[0] === 3)],
    },
    renamings: [({ at, wants, turn }) => ({ at: [...at].reverse(), wants: [...wants].reverse(), turn: 1 - turn })],
  });
}

test("a sound algorithm holds, and its canary does not", () => {
  const sound = explore(peterson(false));
  expect(verdictOf(sound)).toBe("holds");
  expect(sound.sometimes).toEqual([{ name: "the second is inside", reached: true }]);
  const canary = explore(peterson(true));
  expect(canary.violations.map(({ property }) => property)).toEqual(["MutualExclusion"]);
});

test("symmetry counts a class once, finds the same violations, and its traces are real runs", () => {
  const one = explore(peterson(false));
  const half = explore(peterson(false), { symmetry: true });
  expect(half.distinct).toBeLessThan(one.distinct);
  expect(half.distinct).toBeGreaterThanOrEqual(one.distinct / 2);
  expect(half.depth).toBe(one.depth);
  const canary = explore(peterson(true), { symmetry: true });
  expect(canary.violations[0]?.trace).toHaveLength(explore(peterson(true)).violations[0]?.trace.length as number);
});

test("a property that nothing ever meets makes the verdict vacuous", () => {
  const model = plainModel({
    name: "still",
    initial: [0],
    actions: ["stay"],
    steps: () => [{ action: "stay", next: 0 }],
    properties: { sometimes: [sometimes<number>("it moved", (state) => state > 0)] },
  });
  expect(verdictOf(explore(model))).toBe("vacuous");
});

test("a forbidden step is found even if it leads to a known state", () => {
  const model = plainModel({
    name: "ring",
    initial: [0],
    actions: ["next"],
    steps: (state: number) => [{ action: "next", next: (state + 1) % 4 }],
    properties: { neverStep: [neverStep<number>("it falls back", (before, after) => after < before)] },
  });
  const [violation] = explore(model).violations;
  expect(violation).toMatchObject({ property: "it falls back", kind: "neverStep" });
  expect(violation?.trace.map(({ words }) => words[0])).toEqual([0, 1, 2, 3, 0]);
});

test("liveness: the nearest state from which no goal can be reached without faults is the counterexample", () => {
  const model = plainModel({
    name: "trap",
    initial: [0],
    actions: ["walk", "repair"],
    faults: ["repair"],
    steps: (at: number) => {
      if (at === 0) return [1, 3].map((next) => ({ action: "walk", next }));
      if (at === 1) return [{ action: "walk", next: 2 }];
      if (at === 3) return [{ action: "walk", next: 4 }];
      return at === 4
        ? [
            { action: "walk", next: 3 },
            { action: "repair", next: 2 }, // the way out counts only if luck may be relied on
          ]
        : [];
    },
    properties: { reachable: [reachable("home", (at) => at === 2)] },
  });
  const [violation] = explore(model).violations;
  expect(violation).toMatchObject({ property: "home", kind: "reachable" });
  expect(violation?.trace.map(({ words }) => words[0])).toEqual([0, 2]); // ids of the states 0 and 3
});
