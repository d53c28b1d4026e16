/** What the project has set out to reach, most of it as ratios to Apache ZooKeeper in the same run, and what was measured. */
import { type LoadMeasurement, type Measurement, median } from "../measurement.ts";
import { eventsOf, figureOf, inUnit, loadsOf, ratiosOf } from "./table.ts";

export interface GoalResult {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  /** null: not measured in this run. */
  readonly met: boolean | null;
}

interface Measured {
  readonly value: number;
  readonly text: string;
}

type Ask = (all: readonly Measurement[], ours: string, theirs: string) => Measured | null;

interface Goal {
  readonly what: string;
  readonly least?: number;
  readonly most?: number;
  /** How the bound is written. */
  readonly goal: string;
  readonly ask: Ask;
}

const STALL_MS = 20;
const SESSION_BYTES = 4096;

function ratio(scenario: string, value: (m: LoadMeasurement) => number): Ask {
  return (all, ours, theirs) => {
    const ratios = ratiosOf(loadsOf(all, scenario, ours), loadsOf(all, scenario, theirs), value);
    if (ratios.length === 0) return null;
    const middle = median(ratios);
    const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
    return { value: middle, text: `${middle.toFixed(2)} × (${spread})` };
  };
}

function figureRatio(scenario: string, figure: string): Ask {
  return (all, ours, theirs) => {
    const measured = eventsOf(all, scenario);
    const [own, other] = [figureOf(measured, ours, figure), figureOf(measured, theirs, figure)];
    if (own === null || other === null) return null;
    const value = own.value / other.value;
    const text = `${value.toFixed(2)} × (${inUnit(own.value, own.unit)} to ${inUnit(other.value, other.unit)})`;
    return { value, text };
  };
}

function figure(scenario: string, name: string): Ask {
  return (all, ours) => {
    const own = figureOf(eventsOf(all, scenario), ours, name);
    return own === null ? null : { value: own.value, text: inUnit(own.value, own.unit) };
  };
}

function atLeast(what: string, least: number, ask: Ask): Goal {
  return { what, least, goal: `≥ ${least} ×`, ask };
}

function atMost(what: string, most: number, ask: Ask, goal = `≤ ${most} ×`): Goal {
  return { what, most, goal, ask };
}

const perSecond = (m: LoadMeasurement) => m.operationsPerSecond;

const GOALS: readonly Goal[] = [
  atLeast("reads, pipelined, 1 server", 8, ratio("1-50x50-r100", perSecond)),
  atLeast("reads, pipelined, 3 servers", 8, ratio("3-60x50-r100", perSecond)),
  atLeast("90 % reads, pipelined, 3 servers", 6, ratio("3-60x50-r90", perSecond)),
  atLeast("writes, pipelined, 3 servers", 3, ratio("3-60x50-r0", perSecond)),
  atMost(
    "reads, 50 sessions, one at a time each: CPU per operation",
    0.7,
    ratio("1-50x1-r100", (m) => m.cpuMicrosPerOperation),
  ),
  atMost(
    "write latency, one at a time, 3 servers: p50",
    0.7,
    ratio("3-1x1-r0", (m) => m.latency.p50),
  ),
  atMost(
    "write latency, one at a time, 3 servers: p99",
    0.5,
    ratio("3-1x1-r0", (m) => m.latency.p99),
  ),
  atMost(
    "p99 of reads at half of the peer's most, 10 % writes",
    0.3,
    ratio("3-open-r90", (m) => m.readLatency?.p99 ?? Number.NaN),
  ),
  atMost("resident memory, empty, after a load", 0.3, figureRatio("start", "resident memory, empty, after a load")),
  atMost("resident memory, just started", 0.3, figureRatio("start", "resident memory, just started")),
  atMost("resident memory, 1 million znodes", 0.8, figureRatio("recovery", "resident memory, 1 million znodes")),
  atMost("start to first answer, empty", 0.4, figureRatio("start", "start to first answer, empty")),
  atMost(
    "start to first answer, 1 million znodes",
    0.7,
    figureRatio("recovery", "start to first answer, 1 million znodes"),
  ),
  atMost("kill -9 of the leader to the next write", 0.5, figureRatio("failover", "next acknowledged write")),
  atMost(
    "event-loop stall during a snapshot, p99.9",
    STALL_MS,
    figure("snapshot", "event-loop stall, p99.9"),
    `≤ ${STALL_MS} ms`,
  ),
  atLeast("reads at 1 million znodes, to 1,000", 0.8, figure("large-tree", "many to few")),
  atMost("memory per idle session", SESSION_BYTES, figure("idle", "resident memory per idle session"), "≤ 4 KB"),
];

export function goalsOf(all: readonly Measurement[], ours: string, theirs: string): GoalResult[] {
  return GOALS.map(({ what, goal, least, most, ask }) => {
    const measured = ask(all, ours, theirs);
    if (measured === null) return { what, goal, measured: "not measured", met: null };
    const met = (least === undefined || measured.value >= least) && (most === undefined || measured.value <= most);
    return { what, goal, measured: measured.text, met };
  });
}

export function goalsTable(results: readonly GoalResult[]): string {
  const widest = Math.max(...results.map(({ what }) => what.length));
  const measured = Math.max(...results.map((result) => result.measured.length));
  const lines = results.map(
    ({ what, goal, measured: text, met }) =>
      `${what.padEnd(widest)}  ${goal.padStart(8)}  ${text.padEnd(measured)}  ${met === null ? "–" : met ? "met" : "MISSED"}`,
  );
  const count = (wanted: boolean) => results.filter(({ met }) => met === wanted).length;
  return ["Goals", ...lines, `${count(true)} met, ${count(false)} missed`].join("\n");
}
