/** What a checker says. The same shape from both, so that one report serves both; how they come to it they do not share. */

/** Ids as in docs/testing.md. */
export type Property =
  /** Writes have one order, which respects real time. */
  | "C1 linearizable writes"
  | "C2 FIFO client order"
  | "C3 atomic multi"
  | "C4 single system image"
  /** An acknowledged write is never lost. */
  | "C5 durability"
  /** Nothing is read that was not written, and nothing that was read is taken back. */
  | "C6 no read of what never was"
  | "C7 servers catch up"
  | "C8 sync"
  | "C10 versions and sequence numbers"
  | "S1 sessions are transactions"
  | "S2 no early expiry"
  | "S3 expiry is final"
  | "S4 a close deletes exactly the session's ephemerals"
  | "S5 ephemerals live as long as their session"
  | "S8 the dead expire"
  | "S9 no expiry without a close"
  | "W1 event before reply"
  | "W2 events in order"
  | "W3 one event per change"
  | "W4 no lost event"
  | "W5 the right kind of event"
  | "Z1 integrity"
  | "Z2 agreement"
  | "Z3 total order"
  | "I4 committed log durability"
  | "I8 log continuity"
  | "I9 snapshots restore the tree"
  | "I10 digests agree"
  /** What a server did is a behaviour of its charts. */
  | "T1 traces follow the charts"
  /** Foreign histories: all that can be said. */
  | "linearizability";

export interface Violation {
  readonly property: Property;
  /** The checker's rule: "4 replay"; of the search: the model's name. */
  readonly rule: string;
  /** A few words that name the anomaly: "lost write". */
  readonly anomaly: string;
  /** One sentence with the facts. */
  readonly summary: string;
  /** Indices of operations: first the one that cannot be, then those it contradicts. */
  readonly ops: readonly number[];
  /** Line of the history where it shows; -1 if it shows in no line (logs, digests). */
  readonly line: number;
  /** Where in the order of txns; -1 if nowhere. */
  readonly zxid: number;
  /** What must have been, and what was. */
  readonly expected?: string;
  readonly actual?: string;
  /** The znode it is about, if it is about one. */
  readonly path?: string;
}

/** Why a history is no evidence either way. */
export interface Doubt {
  readonly reason: "cut off" | "vacuous" | "incomplete logs" | "budget" | "disagreement" | "harness";
  readonly summary: string;
}

/** More of one kind say nothing new. */
export const MAX_PER_ANOMALY = 20;

/** Collects violations, the first few of each kind; counts all. */
export class Findings {
  readonly violations: Violation[] = [];
  readonly counts = new Map<string, number>();

  add(violation: Violation): void {
    const count = (this.counts.get(violation.anomaly) ?? 0) + 1;
    this.counts.set(violation.anomaly, count);
    if (count <= MAX_PER_ANOMALY) this.violations.push(violation);
  }

  /** More of this kind are only counted. */
  isFull(anomaly: string): boolean {
    return (this.counts.get(anomaly) ?? 0) >= MAX_PER_ANOMALY;
  }

  get total(): number {
    let sum = 0;
    for (const count of this.counts.values()) sum += count;
    return sum;
  }
}
