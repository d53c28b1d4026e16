/** Many sessions: how fast they come, and what they cost while they do nothing. */
import { Histogram } from "../histogram.ts";
import { WireSession, type WireSessionOptions } from "../wire-session.ts";
import type { SessionsMission, SessionsOutcome, Stage } from "./mission.ts";
import { sleep } from "./steady.ts";

const TIMEOUT_MS = 40_000;
const PING_EVERY_MS = 10_000;
const ATTEMPTS = 10;
const RETRY_MS = 100;
const SESSIONS_PER_ADDRESS = 2000;

interface Opening {
  readonly ports: readonly number[];
  readonly count: number;
  readonly atOnce: number;
  readonly timeoutMs: number;
  opened(micros: number): void;
}

/** They are kept alive by pings from now on, as opening many may take longer than one may be silent. */
export async function openSessions({ ports, count, atOnce, timeoutMs, opened }: Opening): Promise<WireSession[]> {
  const sessions: WireSession[] = [];
  setInterval(() => {
    for (const session of sessions) session.ping();
  }, PING_EVERY_MS).unref();
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const index = next++;
      const startedMs = performance.now();
      const port = ports[index % ports.length] as number;
      // Linux finds a free port slowly once an address has thousands in use.
      const localAddress = `127.0.${1 + (process.pid % 200)}.${1 + Math.floor(index / SESSIONS_PER_ADDRESS)}`;
      sessions.push(await openPatiently({ port, timeoutMs, localAddress }));
      opened((performance.now() - startedMs) * 1000);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
  return sessions;
}

/** As clients do: an attempt that fails is made again, and all of it counts. */
async function openPatiently(options: WireSessionOptions): Promise<WireSession> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await WireSession.open(options);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(RETRY_MS);
    }
  }
}

export async function manySessions(mission: SessionsMission, { moment, fail }: Stage): Promise<SessionsOutcome> {
  const { ports, count, atOnce, holdMs } = mission;
  const latency = new Histogram();
  const startedMs = performance.now();
  const opened = (micros: number) => latency.add(micros);
  const sessions = await openSessions({ ports, count, atOnce, timeoutMs: TIMEOUT_MS, opened });
  const seconds = (performance.now() - startedMs) / 1000;
  for (const session of sessions) session.onLost = () => fail(new Error("The server closed an idle connection"));
  await moment("opens");
  await sleep(holdMs);
  await moment("closes");
  await closeAll(sessions);
  return { latency: latency.toJSON(), seconds };
}

/** Not all at once: each end is a write. */
async function closeAll(sessions: WireSession[]): Promise<void> {
  const lane = async () => {
    // Nobody is pinged who is taken out here.
    for (let session = sessions.pop(); session !== undefined; session = sessions.pop()) await session.close();
  };
  for (const session of sessions) session.onLost = () => {};
  await Promise.all(Array.from({ length: 200 }, lane));
}
