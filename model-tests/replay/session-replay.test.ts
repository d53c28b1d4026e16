/** The session models and real clients and servers, step by step: both must always say the same. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { SessionTracker } from "../../src/session/session-tracker.ts";
import { type MutantResult, runMutant } from "../checker/mutants.ts";
import { CLIENT_CHECKS } from "../models/client-checks.ts";
import { CLIENTS_GO_ON, type SessionModel } from "../models/sessions/session-model.ts";
import { SESSION_MUTANTS } from "../mutants/session-mutants.ts";
import { parseReplayFile, replayFile, replayLines } from "./replay-file.ts";
import { SessionReplay } from "./session-replay.ts";
import { randomTrace } from "./walk.ts";
import type { ReplayResult } from "./zab-replay.ts";

const SEED = Number(process.env["REPLAY_SEED"] ?? 1);
const WALKS = Number(process.env["REPLAY_WALKS"] ?? 2);
const STEPS = 60;

vi.setConfig({ testTimeout: 120_000 });

afterEach(() => {
  vi.restoreAllMocks();
});

const MODELS = CLIENT_CHECKS.filter(({ name }) => /MC[678]/.test(name));

async function walked(load: () => Promise<unknown>, seed: number): Promise<ReplayResult> {
  const model = (await load()) as SessionModel;
  return new SessionReplay(model).run(randomTrace(model, seed, STEPS));
}

describe("random runs of the models, with moves, expiry, torn packets and new leaders", () => {
  test.each(MODELS)("$name", async ({ load }) => {
    for (let seed = SEED; seed < SEED + WALKS; seed++) {
      const { steps, departedAt } = await walked(load, seed);
      const last = departedAt === null ? [] : steps.slice(-3);
      expect(last, `REPLAY_SEED=${seed} REPLAY_WALKS=1 npx vitest run model-tests/replay`).toEqual([]);
    }
  });

  test("a leader that does not ask who owns a session is noticed", async () => {
    vi.spyOn(SessionTracker.prototype, "check").mockReturnValue(0);
    const mutant = SESSION_MUTANTS.find(({ killer }) => killer === "OneOwner") as (typeof SESSION_MUTANTS)[number];
    // The mutant's own trace: real servers that have its bug go along with it to the end.
    const { model, counterexample } = await runMutant(mutant);
    const { departedAt } = new SessionReplay(model as SessionModel).run(counterexample?.trace ?? []);
    expect(departedAt).toBeNull();
  });
});

describe("a mutant's counterexample", () => {
  const traceOf = ({ counterexample, mutant }: MutantResult) => {
    if (counterexample === null) throw new Error(`${mutant.name} has survived.`);
    return counterexample;
  };

  /** Seconds for the model to find; `npm run check:mutants -- --diagrams DIR` writes them all. */
  const slow = ["WritesInOrder", "NoWatchIsLost", "ZxidNeverFalls"];
  // That clients can go on is no property of a trace.
  const safety = SESSION_MUTANTS.filter(({ killer }) => killer !== CLIENTS_GO_ON && !slow.includes(killer));

  test.each(safety)("$name: real servers leave it", async (mutant) => {
    const result = await runMutant(mutant);
    const { departedAt } = new SessionReplay(result.model as SessionModel).run(traceOf(result).trace);
    expect(departedAt).not.toBeNull();
  });

  test("is told from its file, with what real servers do instead", async () => {
    const mutant = SESSION_MUTANTS.find(({ name }) => name.startsWith("M25")) as (typeof SESSION_MUTANTS)[number];
    const { property, kind, ordinals } = traceOf(await runMutant(mutant));
    const text = JSON.stringify({ check: `${mutant.name} ${property}`, property, kind, ordinals });
    const lines = replayLines(await replayFile(parseReplayFile(text)));
    // The write behind the close is refused.
    expect(lines.at(-2)).toMatch(/real servers: log: .*1 error"\], not .*1 write \/e"\]/);
    expect(lines.at(-1)).toMatch(/depart from the mutant at step 12/);
  });
});
