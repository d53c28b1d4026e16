/** Requests for a while: as fast as answers come, or as many per second as were asked for. */
import { Histogram } from "../histogram.ts";
import { LoadSession, type Tally } from "../load-session.ts";
import { cpuSeconds, residentBytes } from "../process-usage.ts";
import type { RequestRing } from "../requests.ts";
import { isPrivate, preparationOf, ringOf, valuesRing } from "../works.ts";
import type { LoadMission, LoadOutcome, OutcomeOf, PrepareMission, Stage } from "./mission.ts";

const PREPARING_OUTSTANDING = 100;
const NODEEXISTS = -110;
/** More than any server that keeps up with an offered load lets come together on a session. */
const MOST_UNANSWERED = 100_000;
/** The platform's timers are this exact: a request that is sent so late was due then, not earlier. */
const TIMER_MS = 2;

export function newTally(): Tally {
  return { reads: new Histogram(), writes: new Histogram(), errors: 0, firstError: 0, open: false };
}

export async function prepare({ ports, work, only }: PrepareMission, { fail }: Stage): Promise<OutcomeOf["prepare"]> {
  const port = ports[0] as number;
  let requests = 0;
  for (const ring of only === "values" ? [valuesRing(work)] : preparationOf(work)) {
    const tally = newTally();
    const session = await LoadSession.open({ port, ring, first: 0, outstanding: PREPARING_OUTSTANDING, tally });
    session.onFailure(fail);
    session.start(ring.length);
    await session.idle();
    await session.close();
    if (tally.firstError !== 0 && tally.firstError !== NODEEXISTS) {
      throw new Error(`A znode for the load could not be made (${tally.firstError})`);
    }
    requests += ring.length;
  }
  return { requests };
}

export async function load(mission: LoadMission, stage: Stage): Promise<LoadOutcome> {
  const { pids, ratePerSecond, warmUpMs, windowMs } = mission;
  const tally = newTally();
  const sessions = await openAll(mission, tally);
  for (const session of sessions) session.onFailure(stage.fail);
  const pace = ratePerSecond === null ? null : new Pace(sessions, ratePerSecond);
  if (pace === null) for (const session of sessions) session.start();
  else pace.start();
  await sleep(warmUpMs);
  await stage.moment("opens");
  const cpuBefore = pids.map(cpuSeconds);
  const ownBefore = process.cpuUsage();
  if (pace !== null) pace.lateMs = 0;
  const startedMs = performance.now();
  tally.open = true;
  await sleep(windowMs);
  tally.open = false;
  const seconds = (performance.now() - startedMs) / 1000;
  const own = process.cpuUsage(ownBefore);
  const serverCpu = pids.map((pid, i) => cpuSeconds(pid) - (cpuBefore[i] as number));
  const serverMemory = pids.map(residentBytes);
  await stage.moment("closes");
  pace?.stop();
  await Promise.all(sessions.map((session) => session.stop()));
  await Promise.all(sessions.map((session) => session.close()));
  const { reads, writes, errors, firstError } = tally;
  return {
    seconds,
    operations: reads.count + writes.count,
    errors,
    firstError,
    reads: reads.toJSON(),
    writes: writes.toJSON(),
    serverCpu,
    serverMemory,
    generatorCpu: (own.user + own.system) / 1e6,
    lateMs: pace?.lateMs ?? 0,
    dropped: pace?.dropped ?? 0,
  };
}

function openAll({ ports, work, sessions, outstanding, ratePerSecond }: LoadMission, tally: Tally) {
  const shared: RequestRing | null = isPrivate(work.kind) ? null : ringOf(work, 0);
  return Promise.all(
    Array.from({ length: sessions }, (_, i) => {
      const port = ports[i % ports.length] as number;
      const ring = shared ?? ringOf(work, i);
      const first = shared === null ? 0 : Math.floor((i * ring.length) / sessions);
      const limit = ratePerSecond === null ? outstanding : Math.min(ring.length, MOST_UNANSWERED);
      return LoadSession.open({ port, ring, first, outstanding: limit, tally });
    }),
  );
}

/**
 * An open loop: requests leave on a schedule that no answer delays, and their latency counts from when they were due, so a
 * server that stalls is charged for every request that would have met the stall (no coordinated omission).
 */
class Pace {
  lateMs = 0;
  readonly #sessions: readonly LoadSession[];
  readonly #perMs: number;
  /** Could not be sent, because too much was unanswered. */
  dropped = 0;
  #next = 0;
  #sent = 0;
  #startMs = 0;
  #lastMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(sessions: readonly LoadSession[], perSecond: number) {
    this.#sessions = sessions;
    this.#perMs = perSecond / 1000;
  }

  start(): void {
    this.#startMs = performance.now();
    this.#lastMs = this.#startMs;
    this.#timer = setInterval(() => this.#tick(), 1);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    const nowMs = performance.now();
    const late = nowMs - this.#lastMs;
    if (late > TIMER_MS && late > this.lateMs) this.lateMs = late;
    const due = Math.floor((nowMs - this.#startMs) * this.#perMs);
    for (; this.#sent < due; this.#sent++) {
      const plannedMs = this.#startMs + (this.#sent + 1) / this.#perMs;
      const session = this.#sessions[this.#next] as LoadSession;
      this.#next = (this.#next + 1) % this.#sessions.length;
      if (!session.offer(nowMs - plannedMs > TIMER_MS ? plannedMs : nowMs)) this.dropped++;
    }
    this.#lastMs = nowMs;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}
