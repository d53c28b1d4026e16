/** Watches: many on one znode, and many znodes with one each. */
import { OpCode } from "../../../src/protocol/opcodes.ts";
import { CreateRequest, GetDataRequest, SetDataRequest } from "../../../src/protocol/records.ts";
import { Histogram } from "../histogram.ts";
import { frame, OPEN_ACL } from "../requests.ts";
import type { WireSession } from "../wire-session.ts";
import type { DistinctWatchesMission, FanOutMission, Stage, WatchOutcome } from "./mission.ts";
import { openSessions } from "./sessions.ts";

const FAN_OUT_PATH = "/bench-fan-out";
const DISTINCT_PATH = "/bench-watched";
const TIMEOUT_MS = 40_000;
/** Requests under way at a time while watches are set and znodes made. */
const SETTING_OUTSTANDING = 200;
/** Writes under way at a time while watches fire. */
const FIRING_OUTSTANDING = 50;
const PATIENCE_MS = 60_000;

export async function fanOut({ ports, watchers, rounds }: FanOutMission, { fail }: Stage): Promise<WatchOutcome> {
  const writer = await openWriter(ports, fail);
  await writer.all([createFrame(FAN_OUT_PATH)], 1, true);
  const sessions = await openSessions({ ports, count: watchers, atOnce: 200, timeoutMs: TIMEOUT_MS, opened: () => {} });
  const latency = new Histogram();
  let setSeconds = 0;
  let firedSeconds = 0;
  for (let round = 0; round < rounds; round++) {
    const setMs = performance.now();
    const watch = watchFrame(0, FAN_OUT_PATH);
    await Promise.all(sessions.map((session) => replyTo(session, watch)));
    setSeconds += (performance.now() - setMs) / 1000;
    const sentMs = performance.now();
    const told = countdown(watchers, () => latency.add((performance.now() - sentMs) * 1000));
    for (const session of sessions) session.onNotification = told.one;
    await writer.all([setFrame(FAN_OUT_PATH)], 1);
    await told.done;
    firedSeconds += (performance.now() - sentMs) / 1000;
  }
  for (const session of sessions) session.drop();
  writer.session.drop();
  return { latency: latency.toJSON(), setSeconds, firedSeconds, fired: watchers * rounds };
}

export async function distinctWatches(mission: DistinctWatchesMission, { fail }: Stage): Promise<WatchOutcome> {
  const { ports, sessions: count, watches } = mission;
  const writer = await openWriter(ports, fail);
  const paths = Array.from({ length: watches }, (_, i) => `${DISTINCT_PATH}/${i}`);
  await writer.all([DISTINCT_PATH, ...paths].map(createFrame), SETTING_OUTSTANDING, true);
  const sessions = await openSessions({ ports, count, atOnce: 50, timeoutMs: TIMEOUT_MS, opened: () => {} });
  const setMs = performance.now();
  const own = sessions.map((session, i) => ({ session, paths: paths.filter((_, at) => at % count === i) }));
  await Promise.all(
    own.map(({ session, paths: watched }) =>
      new Requests(session, fail).all(
        watched.map((path) => watchFrame(0, path)),
        SETTING_OUTSTANDING,
      ),
    ),
  );
  const setSeconds = (performance.now() - setMs) / 1000;
  const latency = new Histogram();
  // By order: writes are answered, and so watches fire, in the order in which they were sent.
  const told = countdown(watches, () => {});
  for (const { session } of own) session.onNotification = told.one;
  const firedMs = performance.now();
  await writer.all(paths.map(setFrame), FIRING_OUTSTANDING, false, latency);
  await told.done;
  const firedSeconds = (performance.now() - firedMs) / 1000;
  for (const session of sessions) session.drop();
  writer.session.drop();
  return { latency: latency.toJSON(), setSeconds, firedSeconds, fired: watches };
}

async function openWriter(ports: readonly number[], fail: (error: Error) => void): Promise<Requests> {
  const [session] = await openSessions({ ports, count: 1, atOnce: 1, timeoutMs: TIMEOUT_MS, opened: () => {} });
  return new Requests(session as WireSession, fail);
}

/** Requests of one session, so many at a time. */
class Requests {
  readonly session: WireSession;
  readonly #fail: (error: Error) => void;

  constructor(session: WireSession, fail: (error: Error) => void) {
    this.session = session;
    this.#fail = fail;
    session.onLost = () => fail(new Error("The server closed a connection"));
  }

  /** Resolves when all are answered. `tolerant`: errors are fine. `latency`: gets each answer's. */
  all(frames: readonly Buffer[], outstanding: number, tolerant = false, latency?: Histogram): Promise<void> {
    return new Promise((resolve) => {
      let sent = 0;
      let answered = 0;
      const sentMs: number[] = [];
      const next = () => {
        sentMs.push(performance.now());
        this.session.send(frames[sent++] as Buffer);
      };
      this.session.onReply = (_xid, err) => {
        if (err !== 0 && !tolerant) this.#fail(new Error(`A request was answered with error ${err}`));
        latency?.add((performance.now() - (sentMs[answered] as number)) * 1000);
        answered++;
        if (answered === frames.length) resolve();
        else if (sent < frames.length) next();
      };
      while (sent < Math.min(outstanding, frames.length)) next();
    });
  }
}

function replyTo(session: WireSession, request: Buffer): Promise<void> {
  return new Promise((resolve) => {
    session.onReply = () => resolve();
    session.send(request);
  });
}

function countdown(count: number, each: () => void): { readonly one: () => void; readonly done: Promise<void> } {
  let left = count;
  let finish: () => void = () => {};
  const done = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${left} watch events are missing`)), PATIENCE_MS);
    finish = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  const one = () => {
    each();
    left--;
    if (left === 0) finish();
  };
  return { one, done };
}

function createFrame(path: string): Buffer {
  return frame(0, OpCode.create, (writer) => {
    CreateRequest.write(writer, { path, data: Buffer.alloc(100, "x"), acl: OPEN_ACL, flags: 0 });
  });
}

function setFrame(path: string): Buffer {
  return frame(0, OpCode.setData, (writer) => {
    SetDataRequest.write(writer, { path, data: Buffer.alloc(100, "y"), version: -1 });
  });
}

function watchFrame(xid: number, path: string): Buffer {
  return frame(xid, OpCode.getData, (writer) => GetDataRequest.write(writer, { path, watch: true }));
}
