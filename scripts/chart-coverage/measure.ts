/**
 * Which transitions of the charts have been taken, and by what:
 * - run: simulated ensembles of production servers and clients with crashes, partitions and torn disks, by their traces;
 * - walk: random walks of the charts alone (model-tests/parity), with payloads that never met in a run.
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyTransitionDefinition } from "xstate";
import { ChartCoverage } from "../../model-tests/checker/chart-coverage.ts";
import { chartSamples } from "../../model-tests/parity/samples.ts";
import { STEPS, walks } from "../../model-tests/parity/walk.ts";
import { chaos } from "../../model-tests/simulator/chaos.ts";
import { ReplayCoverage } from "../../model-tests/trace/chart-replay.ts";
import { checkTraces } from "../../model-tests/trace/check.ts";
import { TraceRecorder } from "../../model-tests/trace/recorder.ts";
import { formatViolation } from "../../model-tests/trace/violation.ts";
import { charts } from "../../spec/charts.ts";
import { initialStep, step, watchTransitions } from "../../src/runtime/chart-step.ts";
import type { CoverageSource } from "../diagrams/coverage.ts";

export interface MeasureOptions {
  /** Seeds of simulated runs. */
  readonly seeds: readonly number[];
  readonly faultMs: number;
  /** Rounds of a hundred walks per chart. */
  readonly walkRounds: number;
  told(line: string): void;
}

type Fired = ReadonlyMap<string, ReadonlySet<string>>;

/** Chart → transition ("path EVENT#index") → what has taken it. */
export async function measure(options: MeasureOptions): Promise<Record<string, Record<string, CoverageSource[]>>> {
  const run = await ran(options);
  const walk = walked(options);
  const measured: Record<string, Record<string, CoverageSource[]>> = {};
  for (const { machine } of charts) {
    const transitions: Record<string, CoverageSource[]> = {};
    for (const key of new ChartCoverage(machine).taken.keys()) {
      const sources: CoverageSource[] = [];
      if (run.get(machine.id)?.has(key)) sources.push("run");
      if (walk.get(machine.id)?.has(key)) sources.push("walk");
      transitions[key] = sources;
    }
    measured[machine.id] = transitions;
  }
  return measured;
}

async function ran({ seeds, faultMs, told }: MeasureOptions): Promise<Fired> {
  const replayed = new ReplayCoverage();
  const live = new Watch();
  let lines = 0;
  for (const seed of seeds) {
    const recorder = new TraceRecorder();
    const { violations } = await live.during(() => chaos({ seed, faultMs, traced: recorder.traced }));
    if (violations.length > 0) throw new Error(`seed ${seed}: ${violations[0]}`);
    const { violation, lines: more } = checkTraces(recorder.sources(), replayed);
    if (violation !== null) throw new Error(`seed ${seed}: ${formatViolation(violation)}`);
    lines += more;
  }
  told(`${seeds.length} simulated runs, ${lines} lines of traces`);
  const fired = new Map<string, Set<string>>();
  for (const taken of [replayed.taken, live.taken]) {
    for (const [chart, counts] of taken) {
      const keys = fired.get(chart) ?? new Set<string>();
      for (const [key, count] of counts) if (count > 0) keys.add(key);
      fired.set(chart, keys);
    }
  }
  return fired;
}

function walked({ walkRounds, told }: MeasureOptions): Fired {
  const fired = new Map<string, ReadonlySet<string>>();
  for (const { machine } of charts) {
    const samples = chartSamples[machine.id];
    if (samples === undefined) continue;
    const coverage = new ChartCoverage(machine);
    for (let round = 0; round < walkRounds; round++) {
      watched(coverage, () => {
        walks(machine, samples, ({ input, next }) => walkOnce(machine, input, next), round);
      });
    }
    fired.set(machine.id, new Set([...coverage.taken].filter(([, count]) => count > 0).map(([key]) => key)));
  }
  told(`${walkRounds * 100} walks through each of ${fired.size} charts`);
  return fired;
}

function walkOnce(
  machine: AnyStateMachine,
  input: unknown,
  next: (snapshot: AnyMachineSnapshot) => { readonly type: string },
): void {
  let snapshot = initialStep(machine, input).snapshot as AnyMachineSnapshot;
  for (let i = 0; i < STEPS && snapshot.status === "active"; i++) {
    snapshot = step(machine, snapshot as never, next(snapshot) as never).snapshot as AnyMachineSnapshot;
  }
}

function watched(coverage: ChartCoverage, run: () => void): void {
  const watch = watchTransitions((transitions) => coverage.note(transitions));
  try {
    run();
  } finally {
    watch.unsubscribe();
  }
}

/** Every chart that runs in this process, the clients' too. */
class Watch {
  readonly #charts = new Map<string, ChartCoverage>(
    charts.map(({ machine }) => [machine.id, new ChartCoverage(machine)]),
  );

  async during<T>(run: () => Promise<T>): Promise<T> {
    const watch = watchTransitions((transitions: readonly AnyTransitionDefinition[]) => {
      const chart = transitions[0]?.source.machine.id;
      if (chart !== undefined) this.#charts.get(chart)?.note(transitions);
    });
    try {
      return await run();
    } finally {
      watch.unsubscribe();
    }
  }

  get taken(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return new Map([...this.#charts].map(([id, { taken }]) => [id, taken]));
  }
}
