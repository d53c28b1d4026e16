/** The checker's model of Zab and real servers, step by step: both must always say the same. */
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Zxid } from "../../spec/vocabulary.ts";
import { LeaderConnection } from "../../src/ensemble/leader-connection.ts";
import { MUTANTS } from "../checker/checks.ts";
import { runMutant } from "../checker/mutants.ts";
import { MC1_SLICE, MC2 } from "../models/zab/zab-checks.ts";
import { boundsText, zabModel } from "../models/zab/zab-model.ts";
import { ReplayError } from "./replay-error.ts";
import { parseReplayFile, replayFile, replayLines } from "./replay-file.ts";
import { randomTrace } from "./walk.ts";
import { type ReplayResult, realBounds, ZabReplay } from "./zab-replay.ts";

const SEED = Number(process.env["REPLAY_SEED"] ?? 1);
const WALKS = Number(process.env["REPLAY_WALKS"] ?? 6);
const STEPS = 80;

vi.setConfig({ testTimeout: 120_000 });

afterEach(() => {
  vi.restoreAllMocks();
});

function walked(bounds: typeof MC1_SLICE, seed: number): ReplayResult {
  const model = zabModel({ bounds });
  return new ZabReplay(realBounds(boundsText(bounds))).run(model, randomTrace(model, seed, STEPS));
}

describe("random runs of the model, with crashes, cuts and new leaders", () => {
  test.each([
    ["MC1's slice", MC1_SLICE],
    ["MC2", MC2],
  ])("%s", (_name, bounds) => {
    for (let seed = SEED; seed < SEED + WALKS; seed++) {
      const { steps, departedAt } = walked(bounds, seed);
      const last = departedAt === null ? [] : steps.slice(-3);
      expect(last, `REPLAY_SEED=${seed} REPLAY_WALKS=1 npx vitest run model-tests/replay`).toEqual([]);
    }
  });

  test("a server that shows a leader another history than it has is noticed", () => {
    const send = LeaderConnection.prototype.ackEpoch;
    vi.spyOn(LeaderConnection.prototype, "ackEpoch").mockImplementation(function (this: LeaderConnection, epoch, zxid) {
      send.call(this, epoch, (zxid + 1) as Zxid);
    });
    const departed = Array.from({ length: 4 }, (_, i) => walked(MC1_SLICE, SEED + i).departedAt);
    expect(departed.some((at) => at !== null)).toBe(true);
  });
});

describe("a mutant's counterexample", () => {
  test("is left by real servers at the step where the mutant goes wrong", async () => {
    const mutant = MUTANTS.find(({ name }) => name.startsWith("M04"));
    if (mutant === undefined) throw new Error("M04 is gone.");
    const { counterexample } = await runMutant(mutant);
    if (counterexample === null) throw new Error("M04 has survived.");
    const { property, kind, ordinals } = counterexample;
    const file = parseReplayFile(JSON.stringify({ check: `${mutant.name} ${property}`, property, kind, ordinals }));
    const replayed = await replayFile(file);
    expect(replayed.departedAt).toBe(counterexample.trace.length - 4);
    expect(replayed.steps.at(-1)?.text).toBe("s3 takes NEWLEADER(3) of s1");
    // History that was acknowledged is in the real server's tree.
    expect(replayed.steps.at(-1)?.differences).toContain("s3 has applied writes [1], not []");
    expect(replayLines(replayed).at(-1)).toMatch(/depart from the mutant at step 10/);
  });

  test("that names nothing we know, or a model without servers, is told so", async () => {
    await expect(replayFile({ check: "no such thing", property: "x", kind: "always", ordinals: [0] })).rejects.toThrow(
      ReplayError,
    );
    expect(() => parseReplayFile("{}")).toThrow(ReplayError);
  });
});
