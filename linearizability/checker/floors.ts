/**
 * Is a history evidence at all? One that was cut off, in which hardly anything succeeded, or in which a nemesis for leaders
 * never made one change, proves nothing: it is invalid, not passed.
 */
import type { RunManifest } from "../histories/format.ts";
import type { History } from "../histories/history.ts";
import { Outcome } from "../histories/operations.ts";
import { bandsOf } from "./quiet.ts";
import type { Doubt } from "./violation.ts";

export interface Figures {
  readonly operations: number;
  /** By how they ended. */
  readonly ok: number;
  readonly failed: number;
  readonly unknown: number;
  /** Elections after the first. */
  readonly leaderChanges: number;
  readonly faults: number;
  readonly seconds: number;
  /** Invoked per second of the load phase. */
  readonly offeredPerSecond: number;
  /** Of operations invoked outside fault bands: the share that ended determinate. */
  readonly determinateShare: number;
  /** Per healed fault: ms until the throughput before the first fault was regained by the floor's share; null: never seen. */
  readonly recoveriesMs: readonly { readonly fault: string; readonly ms: number | null }[];
}

const WINDOW_US = 1_000_000;
/** Consequences of a fault beyond its repair: not counted as "outside". */
const AFTERMATH_US = 5_000_000;
const DEFAULT_COMPLETED = 10;
const DEFAULT_SHARE = 0.8;
const DEFAULT_WITHIN_MS = 10_000;
const AIMS_AT_LEADERS = /(kill|pause|isolate|cut|partition)[\w-]*leader|leader[\w-]*(kill|pause|isolat|partition)/;

export function figuresOf(history: History, { floors }: RunManifest): Figures {
  const { operations, servers, phases, faults } = history;
  const bands = bandsOf(history);
  const [loadFrom, loadTo] = loadPhase(history);
  let ok = 0;
  let failed = 0;
  let offered = 0;
  let outside = 0;
  let determinate = 0;
  let band = 0;
  let bandEnd = Number.NEGATIVE_INFINITY;
  const windows = new Float64Array(Math.floor(history.endedAt / WINDOW_US) + 1);
  for (let i = 0; i < operations.count; i++) {
    const outcome = operations.outcome[i]!;
    const at = operations.invoked[i]!;
    if (outcome === Outcome.ok) ok++;
    else if (outcome === Outcome.fail) failed++;
    if (outcome !== Outcome.info) windows[Math.floor(operations.completed[i]! / WINDOW_US)]!++;
    if (at < loadFrom || at > loadTo) continue;
    offered++;
    for (; band < bands.length && bands[band]!.from <= at; band++) {
      bandEnd = Math.max(bandEnd, bands[band]!.to + AFTERMATH_US);
    }
    if (at <= bandEnd) continue;
    outside++;
    if (outcome !== Outcome.info) determinate++;
  }
  const seconds = Math.max(loadTo - loadFrom, 1) / 1e6;
  return {
    operations: operations.count,
    ok,
    failed,
    unknown: operations.count - ok - failed,
    leaderChanges: Math.max(0, servers.filter(({ state }) => state === "leading").length - 1),
    faults: faults.filter(({ action }) => action === "inject" || action === "point").length,
    seconds: history.endedAt / 1e6,
    offeredPerSecond: phases.length === 0 && offered === 0 ? 0 : offered / seconds,
    determinateShare: outside === 0 ? 1 : determinate / outside,
    recoveriesMs: recoveries(bands, windows, loadFrom, loadTo, floors.recoveredShare ?? DEFAULT_SHARE),
  };
}

export function doubtsOf(history: History, manifest: RunManifest, figures: Figures): Doubt[] {
  const { floors } = manifest;
  const doubts: Doubt[] = [];
  const vacuous = (summary: string): void => void doubts.push({ reason: "vacuous", summary });
  if (!history.whole) {
    doubts.push({
      reason: "cut off",
      summary: "The history has no end line, or not as many lines as it says: it was cut off.",
    });
  }
  const silent = manifest.servers.filter((id) => !history.digests.some(({ server }) => server === id));
  if (silent.length > 0) vacuous(`Without a digest of its tree at the end: server ${silent.join(", ")}.`);
  const completed = figures.ok + figures.failed;
  const wanted = floors.completed ?? DEFAULT_COMPLETED;
  if (completed < wanted) vacuous(`Only ${completed} operations were answered; ${wanted} are the least.`);
  if (figures.ok === 0) vacuous("Not one operation succeeded.");
  const leaders = floors.leaderChanges ?? (manifest.nemeses.some((name) => AIMS_AT_LEADERS.test(name)) ? 1 : 0);
  if (figures.leaderChanges < leaders) {
    vacuous(`The leader changed ${figures.leaderChanges} times; ${leaders} is the least under these nemeses.`);
  }
  const {
    offeredPerSecond = 0,
    determinateShare = 0,
    recoveredShare = 0,
    recoveryWithinMs = DEFAULT_WITHIN_MS,
  } = floors;
  if (figures.offeredPerSecond < offeredPerSecond) {
    vacuous(
      `${figures.offeredPerSecond.toFixed(0)} operations a second were offered; ${offeredPerSecond} is the floor.`,
    );
  }
  if (figures.determinateShare < determinateShare) {
    const [share, floor] = [percent(figures.determinateShare), percent(determinateShare)];
    vacuous(`${share} of the operations outside faults ended determinate; ${floor} is the floor.`);
  }
  for (const { fault, ms } of recoveredShare > 0 ? figures.recoveriesMs : []) {
    if (ms !== null && ms <= recoveryWithinMs) continue;
    const took = ms === null ? "was not regained" : `took ${ms} ms to be regained`;
    vacuous(
      `After ${fault} was healed, ${percent(recoveredShare)} of the throughput ${took}; ${recoveryWithinMs} ms is the limit.`,
    );
  }
  return doubts;
}

function loadPhase({ phases, endedAt }: History): readonly [from: number, to: number] {
  const from = phases.find(({ phase }) => phase === "load")?.t ?? 0;
  const to = phases.find(({ phase, t }) => phase !== "load" && t > from)?.t ?? endedAt;
  return [from, to];
}

/** Against the median of the seconds before the first fault. A heal that runs into the next fault is not judged. */
function recoveries(
  bands: ReturnType<typeof bandsOf>,
  windows: Float64Array,
  loadFrom: number,
  loadTo: number,
  share: number,
): Figures["recoveriesMs"] {
  const first = bands[0]?.from ?? loadTo;
  const [begin, end] = [Math.ceil(loadFrom / WINDOW_US), Math.floor(first / WINDOW_US)];
  const before = Array.from(windows.subarray(begin, Math.max(begin, end))).sort((a, b) => a - b);
  const usual = before[before.length >> 1];
  if (usual === undefined || usual === 0) return [];
  const recovered: { fault: string; ms: number | null }[] = [];
  for (const [index, { to, fault, nemesis }] of bands.entries()) {
    if (to >= loadTo) continue;
    const next = Math.min(bands[index + 1]?.from ?? loadTo, loadTo);
    const name = `${fault} (${nemesis})`;
    let at = Math.ceil(to / WINDOW_US);
    while ((at + 1) * WINDOW_US <= next && windows[at]! < usual * share) at++;
    if ((at + 1) * WINDOW_US <= next) recovered.push({ fault: name, ms: Math.max(0, at * WINDOW_US - to) / 1000 });
    else if (next === loadTo && loadTo - to > DEFAULT_WITHIN_MS * 1000) recovered.push({ fault: name, ms: null });
  }
  return recovered;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
