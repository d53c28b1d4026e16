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
  /** Of operations invoked outside fault bands, from the begin of the load on: the share that ended determinate. */
  readonly determinateShare: number;
  /** Per healed fault: ms until the throughput before the first fault was regained by the floor's share; null: never seen. */
  readonly recoveriesMs: readonly { readonly fault: string; readonly ms: number | null }[];
}

const BUCKET_US = 500_000;
/** Throughput is looked at over so many buckets: bursts even out. */
const WINDOW = 5;
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
  const answers = new Float64Array(Math.floor(history.endedAt / BUCKET_US) + 1);
  for (let i = 0; i < operations.count; i++) {
    const outcome = operations.outcome[i]!;
    const at = operations.invoked[i]!;
    if (outcome === Outcome.ok) ok++;
    else if (outcome === Outcome.fail) failed++;
    if (outcome !== Outcome.info) answers[Math.floor(operations.completed[i]! / BUCKET_US)]!++;
    if (at < loadFrom) continue;
    if (at <= loadTo) offered++;
    for (; band < bands.length && bands[band]!.from <= at; band++) bandEnd = Math.max(bandEnd, bands[band]!.to);
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
    recoveriesMs: recoveries(bands, answers, loadFrom, workEnds(history), floors.recoveredShare ?? DEFAULT_SHARE),
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

/** Work goes on while the last fault heals. */
function workEnds({ phases, endedAt }: History): number {
  return phases.find(({ phase }) => phase === "final")?.t ?? endedAt;
}

/**
 * Against the average before the first fault. A heal that runs into another fault is not judged, nor one with too little time
 * after it.
 */
function recoveries(
  bands: ReturnType<typeof bandsOf>,
  answers: Float64Array,
  from: number,
  to: number,
  share: number,
): Figures["recoveriesMs"] {
  const rate = (first: number, count: number): number => {
    return answers.subarray(first, first + count).reduce((sum, one) => sum + one, 0) / count;
  };
  const begin = Math.ceil(from / BUCKET_US) + 1;
  const usual = rate(begin, Math.max(1, Math.floor((bands[0]?.from ?? to) / BUCKET_US) - begin));
  if (usual === 0) return [];
  const recovered: { fault: string; ms: number | null }[] = [];
  for (const band of bands) {
    if (bands.some((other) => other.from < band.to && other.to > band.to)) continue;
    const next = Math.min(to, ...bands.filter((other) => other.from >= band.to && other !== band).map((it) => it.from));
    let at = Math.ceil(band.to / BUCKET_US);
    while ((at + WINDOW) * BUCKET_US <= next && rate(at, WINDOW) < usual * share) at++;
    const fault = `${band.fault} (${band.nemesis})`;
    if ((at + WINDOW) * BUCKET_US <= next) recovered.push({ fault, ms: (at * BUCKET_US - band.to) / 1000 });
    else if (next - band.to > DEFAULT_WITHIN_MS * 1000) recovered.push({ fault, ms: null });
  }
  return recovered;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
