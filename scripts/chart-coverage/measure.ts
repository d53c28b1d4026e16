/**
 * Which transitions of the charts have been taken, and by what:
 * - run: simulated ensembles of production servers and clients with crashes, partitions and torn disks, by their traces;
 * - path: generated tests, replayed on real objects (model-tests/paths);
 * - model: the model checker, within bounds that end soon (the same counts as `npm run check:model -- NAME --coverage FILE`);
 * - walk: random walks of the charts alone (model-tests/parity), with payloads that never met in a run.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from "xstate";
import { ChartCoverage, LiveCoverage } from "../../model-tests/checker/chart-coverage.ts";
import { checkNamed } from "../../model-tests/checker/checks.ts";
import { explore } from "../../model-tests/checker/explorer.ts";
import type { FiredCounts } from "../../model-tests/checker/model.ts";
import { group } from "../../model-tests/checker/report.ts";
import { chartSamples } from "../../model-tests/parity/samples.ts";
import { STEPS, walks } from "../../model-tests/parity/walk.ts";
import { CHARTS_UNDER_TEST } from "../../model-tests/paths/charts-under-test.ts";
import { cover } from "../../model-tests/paths/cover.ts";
import { chaos } from "../../model-tests/simulator/chaos.ts";
import { ReplayCoverage } from "../../model-tests/trace/chart-replay.ts";
import { checkTraces } from "../../model-tests/trace/check.ts";
import { TraceRecorder } from "../../model-tests/trace/recorder.ts";
import { formatViolation } from "../../model-tests/trace/violation.ts";
import { charts } from "../../spec/charts.ts";
import { initialStep, step, watchTransitions } from "../../src/runtime/chart-step.ts";
import { COVERAGE_SOURCES, type CoverageSource } from "../diagrams/coverage.ts";

export interface MeasureOptions {
  /** Seeds of simulated runs. */
  readonly seeds: readonly number[];
  readonly faultMs: number;
  /** Checks of the model checker, each with the number of states at which it is cut off. */
  readonly checks: readonly (readonly [name: string, maxStates: number])[];
  /** Rounds of a hundred walks per chart. */
  readonly walkRounds: number;
  told(line: string): void;
}

type Fired = ReadonlyMap<string, ReadonlySet<string>>;

/** Chart → transition ("path EVENT#index") → what has taken it. */
export async function measure(options: MeasureOptions): Promise<Record<string, Record<string, CoverageSource[]>>> {
  const fired: Readonly<Record<CoverageSource, Fired>> = {
    run: await ran(options),
    path: tested(options),
    model: await modelled(options),
    walk: walked(options),
  };
  const measured: Record<string, Record<string, CoverageSource[]>> = {};
  for (const { machine } of charts) {
    const transitions: Record<string, CoverageSource[]> = {};
    for (const key of new ChartCoverage(machine).taken.keys()) {
      transitions[key] = COVERAGE_SOURCES.filter((source) => fired[source].get(machine.id)?.has(key));
    }
    measured[machine.id] = transitions;
  }
  return measured;
}

async function ran({ seeds, faultMs, told }: MeasureOptions): Promise<Fired> {
  const replayed = new ReplayCoverage();
  const live = new LiveCoverage(charts.map(({ machine }) => machine));
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
  const traced = [...replayed.taken].map(([chart, counts]) => [chart, Object.fromEntries(counts)]);
  return firedOf([live.counts, Object.fromEntries(traced)]);
}

function tested({ told }: MeasureOptions): Fired {
  let paths = 0;
  const counts = CHARTS_UNDER_TEST.map((chart) => {
    const covered = cover(chart);
    paths += covered.paths;
    return covered.coverage.coverage.counts;
  });
  told(`${group(paths)} generated tests of ${counts.length} charts`);
  return firedOf(counts);
}

async function modelled({ checks, told }: MeasureOptions): Promise<Fired> {
  const counts: FiredCounts[] = [];
  for (const [name, maxStates] of checks) {
    const { load, symmetry = false } = checkNamed(name);
    const model = await load();
    const live = new LiveCoverage(charts.map(({ machine }) => machine));
    const { distinct, coverage, violations } = await live.during(() => explore(model, { symmetry, maxStates }));
    if (violations.length > 0) throw new Error(`${name}: ${violations[0]?.property} fails`);
    told(`${name}: ${group(distinct)} states`);
    counts.push(live.counts, coverage?.counts ?? {});
  }
  return firedOf(counts);
}

function firedOf(all: readonly FiredCounts[]): Fired {
  const fired = new Map<string, Set<string>>();
  for (const counts of all) {
    for (const [chart, transitions] of Object.entries(counts)) {
      const keys = fired.get(chart) ?? new Set<string>();
      for (const [key, count] of Object.entries(transitions)) if (count > 0) keys.add(key);
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
