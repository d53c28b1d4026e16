/** The plots of a run: throughput by read fraction, latency percentiles, a timeline through a failover, CPU per operation. */
import { type LoadMeasurement, type Measurement, median, type Timeline } from "../measurement.ts";
import type { LoadScenario, Scenario } from "../scenarios.ts";
import {
  axes,
  endLabels,
  type Frame,
  line,
  linear,
  logarithmic,
  logTicks,
  niceTicks,
  path,
  rect,
  type Series,
  seriesLine,
  svg,
  text,
} from "./svg.ts";
import { duration, eventsOf, loadsOf, thousands } from "./table.ts";

export interface Plot {
  readonly title: string;
  readonly note: string;
  readonly svg: string;
}

const WIDE: Frame = { width: 960, height: 400, left: 64, right: 170, top: 34, bottom: 52 };
const HALF: Frame = { width: 560, height: 340, left: 64, right: 110, top: 34, bottom: 52 };
const LANE: Frame = { width: 960, height: 190, left: 64, right: 24, top: 40, bottom: 46 };
const BAR_HEIGHT = 15;
const BAR_GAP = 12;

/** As in the ZooKeeper paper's figure: from all reads to all writes, a line per size of the ensemble. */
export function throughputByReads(
  scenarios: readonly Scenario[],
  systems: readonly string[],
  all: readonly Measurement[],
): Plot | null {
  const fractions = scenarios.filter(
    (s): s is LoadScenario => s.kind === "load" && /^\d-[56]0x50-r\d+$/.test(s.name) && s.ratePerSecond === null,
  );
  const sizes = [...new Set(fractions.map(({ servers }) => servers))];
  const frame = WIDE;
  const raw = systems.flatMap((system, index) =>
    sizes.map((servers, size) => ({
      name: `${system}, ${servers}`,
      style: `s${index} d${size}`,
      points: fractions
        .filter((scenario) => scenario.servers === servers)
        .map(({ name, work }) => [work.readPercent, middle(all, name, system, (m) => m.operationsPerSecond)] as const)
        .filter(([, rate]) => Number.isFinite(rate))
        .sort(([a], [b]) => a - b),
    })),
  );
  const series = raw.filter(({ points }) => points.length >= 3);
  if (series.length === 0) return null;
  const most = Math.max(...series.flatMap(({ points }) => points.map(([, rate]) => rate)));
  const ticks = niceTicks(most, 5);
  const shares = [...new Set(fractions.map(({ work }) => work.readPercent))].sort((a, b) => a - b);
  // Each share takes the same room: most of what happens is beyond 90 %.
  const place = linear([0, Math.max(1, shares.length - 1)], [frame.left + 30, frame.width - frame.right - 14]);
  const x = (percent: number) => place(shares.indexOf(percent));
  const y = linear([0, ticks.at(-1) as number], [frame.height - frame.bottom, frame.top]);
  const scaled = scaledBy(series, x, y);
  const parts = [
    axes(
      frame,
      shares.map((percent) => ({ at: x(percent), label: `${percent} %` })),
      ticks.map((rate) => ({ at: y(rate), label: short(rate) })),
      { x: "share of reads", y: "operations per second" },
    ),
    ...scaled.map((own, i) =>
      seriesLine(own, (_, at) => `${thousands(nearest(series[i]?.points ?? [], y, at))} per second`),
    ),
    endLabels(scaled, frame.width - frame.right + 8),
  ];
  const note = "Pipelined, 50 or 60 sessions × 50 outstanding, 1 KB values; lines by system and number of servers.";
  const title = "Throughput by share of reads";
  return { title, note, svg: svg(frame, title, parts) };
}

/** HDR style: the tail takes as much room as the middle. */
export function latencyPercentiles(
  scenario: LoadScenario,
  systems: readonly string[],
  all: readonly Measurement[],
): Plot | null {
  const frame = HALF;
  const raw = systems.map((system, index) => ({
    name: system,
    style: `s${index}`,
    points: medianCurve(loadsOf(all, scenario.name, system)),
  }));
  const series = raw.filter(({ points }) => points.length >= 3);
  if (series.length === 0) return null;
  const values = series.flatMap(({ points }) => points.map(([, micros]) => Math.max(1, micros)));
  const ticks = logTicks(Math.min(...values), Math.max(...values));
  const last = Math.max(...series.flatMap(({ points }) => points.map(([percent]) => percent)));
  const x = tailScale(last, [frame.left + 6, frame.width - frame.right - 6]);
  const y = logarithmic([ticks[0] as number, ticks.at(-1) as number], [frame.height - frame.bottom, frame.top]);
  const shown = [0, 50, 90, 99, 99.9, 99.99, 99.999].filter((percent) => percent <= last);
  const scaled = scaledBy(series, x, y);
  const parts = [
    axes(
      frame,
      shown.map((percent) => ({ at: x(percent), label: percent === 0 ? "" : `p${percent}` })),
      ticks.map((micros) => ({ at: y(micros), label: tickDuration(micros) })),
      { x: "percentile", y: "latency" },
    ),
    ...scaled.map((own, i) => seriesLine(own, (_, at) => duration(nearest(series[i]?.points ?? [], y, at)))),
    endLabels(scaled, frame.width - frame.right + 6),
  ];
  return { title: scenario.title, note: "", svg: svg(frame, scenario.title, parts) };
}

export function failoverTimelines(systems: readonly string[], all: readonly Measurement[]): Plot | null {
  const found = eventsOf(all, "failover").filter((m) => m.timeline !== undefined);
  if (found.length === 0) return null;
  const lanes = found.map((m) => {
    const next = m.figures.find(({ name }) => name === "next acknowledged write")?.value ?? Number.NaN;
    return timelineLane(m.system, systems.indexOf(m.system), m.timeline as Timeline, next);
  });
  const note =
    "60 sessions write all the time; the leader is killed with kill -9 at 0. Shaded: nothing is acknowledged.";
  return { title: "Through a failover", note, svg: lanes.join("") };
}

function timelineLane(system: string, index: number, timeline: Timeline, nextMs: number): string {
  const frame = LANE;
  const { counts, bucketMs, fromMs } = timeline;
  const toMs = fromMs + counts.length * bucketMs;
  const rates = counts.map((count) => (count * 1000) / bucketMs);
  const ticks = niceTicks(Math.max(...rates, 1), 3);
  const x = linear([fromMs, toMs], [frame.left, frame.width - frame.right]);
  const y = linear([0, ticks.at(-1) as number], [frame.height - frame.bottom, frame.top]);
  const points = rates.flatMap((rate, i) => [
    [x(fromMs + i * bucketMs), y(rate)] as const,
    [x(fromMs + (i + 1) * bucketMs), y(rate)] as const,
  ]);
  const base = frame.height - frame.bottom;
  const area = [[x(fromMs), base] as const, ...points, [x(toMs), base] as const];
  const seconds = Array.from({ length: Math.floor((toMs - fromMs) / 1000) + 1 }, (_, i) => fromMs + i * 1000);
  return svg(frame, `${system} through a failover`, [
    rect(x(0), frame.top, x(nextMs) - x(0), base - frame.top, "gap"),
    axes(
      frame,
      seconds.map((ms) => ({ at: x(ms), label: `${ms / 1000} s` })),
      ticks.map((rate) => ({ at: y(rate), label: short(rate) })),
      { x: "", y: `${system}: acknowledged writes per second` },
    ),
    path(area, `area s${index}`),
    path(points, `line thin s${index}`),
    line(x(0), frame.top - 6, x(0), base, "kill"),
    text(x(0) - 6, frame.top + 6, "kill -9", "annotation", "end"),
    text(x(nextMs) + 6, frame.top + 6, `next write after ${duration(nextMs * 1000)}`, "annotation strong"),
  ]);
}

/** CPU time per operation of all servers together, a group of bars per scenario. */
export function cpuPerOperation(
  scenarios: readonly Scenario[],
  systems: readonly string[],
  all: readonly Measurement[],
): Plot | null {
  const rows = scenarios.filter(
    // One request at a time leaves time for everything else that a server does.
    (s) =>
      s.kind === "load" &&
      s.sessions * s.outstanding > 1 &&
      systems.every((system) => loadsOf(all, s.name, system).length > 0),
  );
  if (rows.length === 0) return null;
  const rowHeight = systems.length * BAR_HEIGHT + BAR_GAP;
  const frame: Frame = { width: 960, height: rows.length * rowHeight + 20, left: 330, right: 90, top: 10, bottom: 10 };
  const values = rows.map(({ name }) =>
    systems.map((system) => middle(all, name, system, (m) => m.cpuMicrosPerOperation)),
  );
  // By the root, so that 1 µs and 100 µs can both be seen.
  const root = linear([0, Math.sqrt(Math.max(...values.flat()))], [0, frame.width - frame.left - frame.right]);
  const parts = rows.flatMap(({ title }, row) => {
    const top = frame.top + row * rowHeight;
    const bars = systems.flatMap((system, i) => {
      const micros = values[row]?.[i] ?? 0;
      const at = top + i * BAR_HEIGHT;
      const width = root(Math.sqrt(micros));
      return [
        rect(frame.left, at, width, BAR_HEIGHT - 3, `bar s${i}`, `${system}: ${micros.toFixed(2)} µs`),
        text(frame.left + width + 6, at + 10, `${micros < 10 ? micros.toFixed(1) : micros.toFixed(0)} µs`, "tick"),
      ];
    });
    return [text(frame.left - 10, top + (systems.length * BAR_HEIGHT) / 2 + 3, title, "row", "end"), ...bars];
  });
  const note = "CPU time of all servers together per operation; lengths grow with the square root.";
  return { title: "CPU per operation", note, svg: svg(frame, "CPU per operation", parts) };
}

function middle(
  all: readonly Measurement[],
  scenario: string,
  system: string,
  value: (m: LoadMeasurement) => number,
): number {
  return median(loadsOf(all, scenario, system).map(value));
}

/** The median at each percentile that all runs have. */
function medianCurve(runs: readonly LoadMeasurement[]): (readonly [number, number])[] {
  const [first] = runs;
  if (first === undefined) return [];
  return first.curve.flatMap(([percent]) => {
    const values = runs.map((run) => run.curve.find(([other]) => other === percent)?.[1]);
    if (values.includes(undefined)) return [];
    return [[percent, median(values as number[])] as const];
  });
}

/** Each nine takes the same room. */
function tailScale(last: number, to: readonly [number, number]): (percent: number) => number {
  const nines = (percent: number) => -Math.log10(1 - Math.min(percent, 99.9999) / 100);
  const inner = linear([0, nines(last)], to);
  return (percent) => inner(nines(percent));
}

function scaledBy(series: readonly Series[], x: (v: number) => number, y: (v: number) => number): Series[] {
  return series.map((own) => ({
    ...own,
    points: own.points.map(([px, py]) => [x(px), y(Math.max(py, 1e-9))] as const),
  }));
}

/** The value behind a height, for tool tips. */
function nearest(points: readonly (readonly [number, number])[], y: (v: number) => number, at: number): number {
  return points.find(([, value]) => Math.abs(y(value) - at) < 0.01)?.[1] ?? Number.NaN;
}

function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toFixed(2))} M`;
  return value >= 1000 ? `${Number((value / 1000).toFixed(1))} k` : String(value);
}

function tickDuration(micros: number): string {
  if (micros < 1000) return `${micros} µs`;
  return micros < 1e6 ? `${micros / 1000} ms` : `${micros / 1e6} s`;
}
