/** What the load generator's process can be told to do, and what it answers. All of it travels as JSON. */
import type { HistogramData } from "../histogram.ts";
import type { Work } from "../works.ts";

export type Mission =
  | PrepareMission
  | LoadMission
  | FanOutMission
  | DistinctWatchesMission
  | SessionsMission
  | FailoverMission;

interface OnPorts {
  /** Client ports; sessions go round them. */
  readonly ports: readonly number[];
}

/** Creates the znodes that a work needs. */
export interface PrepareMission extends OnPorts {
  readonly kind: "prepare";
  readonly work: Work;
  /** The znodes are there: only writes each of them once. */
  readonly only?: "values";
}

export interface LoadMission extends OnPorts {
  readonly kind: "load";
  /** Server processes whose use of CPU and memory is taken at both ends of the window. */
  readonly pids: readonly number[];
  readonly work: Work;
  readonly sessions: number;
  readonly outstanding: number;
  /** Requests that are due per second, over all sessions, whatever the server does; null: the next when one is answered. */
  readonly ratePerSecond: number | null;
  readonly warmUpMs: number;
  readonly windowMs: number;
}

/** Times in seconds, memory in bytes; arrays by server, in the order of `pids`. */
export interface LoadOutcome {
  readonly seconds: number;
  readonly operations: number;
  readonly errors: number;
  readonly firstError: number;
  readonly reads: HistogramData;
  readonly writes: HistogramData;
  readonly serverCpu: readonly number[];
  readonly serverMemory: readonly number[];
  readonly generatorCpu: number;
  /** Longest time by which the generator itself was late with requests that were due, ms. */
  readonly lateMs: number;
  /** Requests of an offered load that could not even be sent, because too much was unanswered: an overload. */
  readonly dropped: number;
}

/** `watchers` sessions watch one znode, which is written `rounds` times. */
export interface FanOutMission extends OnPorts {
  readonly kind: "fan-out";
  readonly watchers: number;
  readonly rounds: number;
}

/** `sessions` watch `watches` znodes between them, each of which is then written once. */
export interface DistinctWatchesMission extends OnPorts {
  readonly kind: "distinct-watches";
  readonly sessions: number;
  readonly watches: number;
}

/** How long it took until each watcher had been told, in µs from the write's sending. */
export interface WatchOutcome {
  readonly latency: HistogramData;
  readonly setSeconds: number;
  readonly firedSeconds: number;
  readonly fired: number;
}

/** Opens `count` sessions, at most `atOnce` of them at the same time, and keeps them for `holdMs`. */
export interface SessionsMission extends OnPorts {
  readonly kind: "sessions";
  readonly count: number;
  readonly atOnce: number;
  readonly holdMs: number;
}

export interface SessionsOutcome {
  readonly latency: HistogramData;
  readonly seconds: number;
}

/** Sessions that write all the time and come back when they lose their server. Told "kill" at some moment. */
export interface FailoverMission extends OnPorts {
  readonly kind: "failover";
  readonly sessions: number;
  /** From the message "killed" on. */
  readonly watchMs: number;
}

export interface FailoverOutcome {
  /** Acknowledged writes: ms after the kill, negative before. */
  readonly acknowledgedMs: readonly number[];
  /** From the kill to the first answer to a request that was sent after it, by session; null: none in time. */
  readonly servedMs: readonly (number | null)[];
}

export interface OutcomeOf {
  readonly prepare: { readonly requests: number };
  readonly load: LoadOutcome;
  readonly "fan-out": WatchOutcome;
  readonly "distinct-watches": WatchOutcome;
  readonly sessions: SessionsOutcome;
  readonly failover: FailoverOutcome;
}

/** `moment`: something that whoever started the generator may act on, such as the window's opening. */
export type FromGenerator =
  | { readonly moment: Moment }
  | { readonly outcome: OutcomeOf[Mission["kind"]] }
  | { readonly failure: string };
export type Moment = "opens" | "closes";

/** What a mission may do besides its work. */
export interface Stage {
  /** Tells the starter that a moment has come, and waits until it has acted on it. */
  moment(moment: Moment): Promise<void>;
  /** Ends the mission. */
  fail(error: Error): void;
}
