/**
 * The lines of a trace (written by src/runtime/tracer.ts), as types. Each is a JSON array: its number within the server's
 * life, its kind, and what the kind needs. `format.schema.ts` has the same as a Schema.
 *
 * A file holds one server, and one life after the other: each begins with a `server` line, numbered 1.
 */

export interface ServerHeader {
  readonly format: number;
  readonly self: number;
  readonly standalone: boolean;
  readonly kind: "participant" | "observer";
  /** false: what the kernel has counts as written. */
  readonly forceSync: boolean;
  readonly quorum: {
    readonly voters: readonly number[];
    readonly groups?: readonly (readonly number[])[];
    readonly weights?: Readonly<Record<string, number>>;
  };
}

export interface TracedEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

export type TraceLine =
  | readonly [n: number, kind: "server", header: ServerHeader]
  /** A step of a chart ("peer", "election", "recovery", "learner.SOCKET"). From "": it starts, and the event is its input. */
  | readonly [n: number, kind: "step", chart: string, from: string, event: TracedEvent, to: string, atMs: number]
  /** An event that no active state of the chart lists. */
  | readonly [n: number, kind: "unexpected", chart: string, state: string, event: string]
  /** A quorum packet received or sent. Link: "leader", or at the leader's end the name of the learner's chart. */
  | readonly [n: number, kind: "in" | "out", link: string, packet: string, zxid: number]
  /** A txn handed to the log; a committed txn applied to the tree. */
  | readonly [n: number, kind: "log" | "apply", zxid: number]
  /** The disk is asked to write (fsync included or not) or to rename to this name, "log/log.1"; it has answered. */
  | readonly [n: number, kind: "ask", id: number, operation: "disk.write" | "disk.rename", file: string, sync: boolean]
  | readonly [n: number, kind: "done", id: number]
  /** Confirmed by the disk. */
  | readonly [n: number, kind: "disk", fact: "LOG_APPENDED" | "SNAPSHOT_TAKEN", zxid: number]
  | readonly [n: number, kind: "disk", fact: "EPOCH_WRITTEN", file: "acceptedEpoch" | "currentEpoch", epoch: number]
  | readonly [n: number, kind: "disk", fact: "RECOVERED", lastZxid: number, currentEpoch: number, acceptedEpoch: number]
  | readonly [n: number, kind: "disk", fact: "STORAGE_FAILED", code: string]
  /** An election notification sent. */
  | readonly [
      n: number,
      kind: "vote",
      to: number,
      state: "LOOKING" | "FOLLOWING" | "LEADING" | "OBSERVING",
      leader: number,
      zxid: number,
      electionEpoch: number,
      peerEpoch: number,
    ]
  /** An orderly stop. */
  | readonly [n: number, kind: "end"];

/** The chart that runs under a name. */
export function machineOf(chart: string): "peer" | "election" | "recovery" | "learner-handler" | null {
  if (chart === "peer" || chart === "election" || chart === "recovery") return chart;
  return /^learner\.\d+$/.test(chart) ? "learner-handler" : null;
}
