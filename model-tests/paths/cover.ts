/**
 * Generated tests of one chart: paths that are replayed on real objects until every pair of transitions that the chart offers
 * was taken, or has been tried in every mood that the object's surroundings were met in.
 *
 * The first paths are the shortest ways to each state. From where they end, and from every place that was met on the way,
 * further ones branch off to pairs that nobody has taken yet.
 */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import { ChartCoverage } from "../checker/chart-coverage.ts";
import type { ChartUnderTest, Setting } from "./charts-under-test.ts";
import { Labels, pairOf, shortestWays } from "./pair-graph.ts";
import { brief, Run } from "./replay.ts";
import { UNREACHABLE } from "./unreachable.ts";

/** Steps that a path may take beyond the place that it is meant for. */
const MOST_BEYOND = 2;

/** How often a pair is tried again in another mood, once it was taken, and while it was not. */
const MOST_TAKEN = 2;
const MOST_MISSED = 10;

export interface Covered {
  /** Paths replayed: each is a test of its own. */
  paths: number;
  steps: number;
  readonly mismatches: string[];
  /** Pair → why it could not be taken, the last time it was tried. */
  readonly missed: Map<string, string>;
  readonly pairs: Set<string>;
  /** Times each transition of the chart was taken. */
  readonly coverage: ChartCoverage;
}

export interface CoverOptions {
  /** A planted variant that the paths and the comparison come from, in place of the production chart. */
  readonly machine?: AnyStateMachine;
  /** Stop at the first mismatch. */
  readonly first?: boolean;
}

export function cover(
  chart: ChartUnderTest,
  settings: readonly Setting[] = chart.settings,
  { machine = chart.machine, first = false }: CoverOptions = {},
): Covered {
  const coverage = new ChartCoverage(machine);
  const covered: Covered = { paths: 0, steps: 0, mismatches: [], missed: new Map(), pairs: new Set(), coverage };
  for (const setting of settings) {
    new Coverer(machine, setting, covered, first).run();
    if (first && covered.mismatches.length > 0) break;
  }
  for (const pair of covered.pairs) covered.missed.delete(pair);
  return covered;
}

/** Somewhere that a path has come to. */
interface Place {
  readonly events: readonly EventObject[];
  readonly snapshot: AnyMachineSnapshot;
  readonly label: string;
  readonly mood: string;
  /** Of its alphabet, not tried yet. */
  readonly open: EventObject[];
}

class Coverer {
  readonly #machine: AnyStateMachine;
  readonly #setting: Setting;
  readonly #covered: Covered;
  readonly #stopAtFirst: boolean;
  readonly #labels: Labels;
  readonly #impossible: Readonly<Record<string, string>>;
  readonly #places = new Map<string, Place>();
  readonly #queue: Place[] = [];
  /** Times that each pair was tried, in all moods and in each. */
  readonly #tried = new Map<string, number>();

  constructor(machine: AnyStateMachine, setting: Setting, covered: Covered, stopAtFirst: boolean) {
    this.#machine = machine;
    this.#setting = setting;
    this.#covered = covered;
    this.#stopAtFirst = stopAtFirst;
    this.#labels = new Labels(machine);
    this.#impossible = UNREACHABLE[machine.id] ?? {};
  }

  run(): void {
    const { input, alphabet } = this.#setting;
    const possible = (snapshot: AnyMachineSnapshot) =>
      alphabet(snapshot).filter((event) => !this.#isImpossible(this.#labels.of(snapshot, event)));
    for (const events of [...shortestWays(this.#machine, input, possible), ...(this.#setting.seeds ?? [])]) {
      this.#walk(events, 0);
      if (this.#over) return;
    }
    for (let place = this.#queue[0]; place !== undefined; place = this.#queue[0]) {
      const next = this.#nextOpen(place);
      if (next === undefined) this.#queue.shift();
      else this.#walk([...place.events, next], MOST_BEYOND);
      if (this.#over) return;
    }
  }

  get #over(): boolean {
    return this.#stopAtFirst && this.#covered.mismatches.length > 0;
  }

  /** The next event at a place that would take a pair not tried in this mood. */
  #nextOpen(place: Place): EventObject | undefined {
    for (let event = place.open.shift(); event !== undefined; event = place.open.shift()) {
      const label = this.#labels.of(place.snapshot, event);
      if (this.#isImpossible(label)) continue;
      const pair = pairOf(place.label, label);
      const taken = this.#covered.pairs.has(pair);
      // Every payload once after every transition; a pair again in other moods, which decide what can follow it.
      const isNew = this.#mayTry(`${pair}|${JSON.stringify(event)}`, 1);
      if (!isNew && !this.#mayTry(pair, taken ? MOST_TAKEN : MOST_MISSED)) continue;
      if (!this.#mayTry(`${place.mood}|${pair}|${isNew ? JSON.stringify(event) : ""}`, 1)) continue;
      if (!taken) this.#covered.missed.set(pair, "what causes the second brings another transition before it");
      return event;
    }
    return undefined;
  }

  #isImpossible(label: string): boolean {
    return label.split(" + ").some((key) => key in this.#impossible);
  }

  #mayTry(what: string, most: number): boolean {
    const tried = this.#tried.get(what) ?? 0;
    if (tried >= most) return false;
    this.#tried.set(what, tried + 1);
    return true;
  }

  #walk(events: readonly EventObject[], beyond: number): void {
    const covered = this.#covered;
    const { input, rig } = this.#setting;
    covered.paths++;
    const run = new Run(this.#machine, input, rig(), covered.coverage, covered.pairs);
    const gone: EventObject[] = [];
    const { mismatch } = run.start();
    if (mismatch !== null) return this.#mismatched(mismatch, gone);
    this.#arrived(run, gone);
    for (const event of events) if (!this.#take(run, event, gone)) return;
    for (let i = 0; i < beyond; i++) {
      const place = this.#arrived(run, gone);
      const next = place === undefined ? undefined : this.#nextOpen(place);
      if (next === undefined || !this.#take(run, next, gone)) return;
    }
  }

  #take(run: Run, event: EventObject, gone: EventObject[]): boolean {
    const { label: before } = run;
    const planned = run.chart.lists(event.type) ? this.#labels.of(run.chart.snapshot, event) : null;
    gone.push(event);
    this.#covered.steps++;
    const { left, mismatch } = run.take(event);
    if (mismatch !== null) {
      this.#mismatched(mismatch, gone);
      return false;
    }
    if (left !== null) {
      if (planned !== null) this.#covered.missed.set(pairOf(before, planned), left);
      return false;
    }
    this.#arrived(run, gone);
    return true;
  }

  #arrived(run: Run, gone: readonly EventObject[]): Place | undefined {
    const { chart, label, rig } = run;
    if (chart.done) return undefined;
    const mood = rig.mood?.() ?? "";
    const key = `${chart.state}|${label}|${mood}|${this.#setting.memory?.(chart.snapshot) ?? ""}`;
    let place = this.#places.get(key);
    if (place === undefined) {
      const { snapshot } = chart;
      place = { events: [...gone], snapshot, label, mood, open: [...this.#setting.alphabet(snapshot)] };
      this.#places.set(key, place);
      this.#queue.push(place);
    }
    return place;
  }

  #mismatched(mismatch: string, gone: readonly EventObject[]): void {
    const { mismatches } = this.#covered;
    mismatches.push(`${this.#machine.id}, ${this.#setting.name}: ${mismatch}\n  ${gone.map(brief).join("\n  ")}`);
  }
}
