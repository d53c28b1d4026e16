/**
 * Facts have causes: what a chart is told (an epoch is written, a learner has joined) must have happened before, in the very
 * same words. A cause is used up by the fact that tells of it.
 */
import type { AskedEffect } from "./chart-replay.ts";
import type { TracedEvent } from "./format.ts";

/** A fact as a string: its type and what identifies it. */
export const factOf = (type: string, ...details: readonly unknown[]): string => `${type} ${details.join(" ")}`.trim();

export class Causes {
  readonly #waiting = new Map<string, number>();

  happened(fact: string): void {
    this.#waiting.set(fact, (this.#waiting.get(fact) ?? 0) + 1);
  }

  /** false: nothing of the kind has happened. */
  take(fact: string): boolean {
    const count = this.#waiting.get(fact) ?? 0;
    if (count === 0) return false;
    if (count === 1) this.#waiting.delete(fact);
    else this.#waiting.set(fact, count - 1);
    return true;
  }
}

/** What an effect makes happen: a fact for the same or another chart, or one that the disk will confirm. */
export function effected(effect: AskedEffect, sid: unknown): string | null {
  switch (effect.type) {
    case "acceptedEpoch.write":
      return factOf("disk EPOCH_WRITTEN", "acceptedEpoch", effect["epoch"]);
    case "currentEpoch.write":
      return factOf("disk EPOCH_WRITTEN", "currentEpoch", effect["epoch"]);
    case "recovery.recovered":
      return factOf("disk RECOVERED", effect["lastZxid"], effect["currentEpoch"], effect["acceptedEpoch"]);
    case "snapshot.receive":
      return factOf("SNAPSHOT_RECEIVED", effect["zxid"]);
    case "election.start":
      return factOf("LOOK", effect["zxid"], effect["currentEpoch"]);
    case "election.decided":
      return factOf("ELECTED", (effect["vote"] as { leader: number }).leader);
    case "learner.open":
    case "broadcast.open":
      return factOf("EPOCH_ESTABLISHED", effect["epoch"]);
    case "joined.tell":
      return factOf("LEARNER_JOINED", sid, effect["acceptedEpoch"]);
    case "epochAcked.tell":
      return factOf("EPOCH_ACKED", sid, effect["currentEpoch"], effect["lastZxid"]);
    case "newLeaderAcked.tell":
      return factOf("NEWLEADER_ACKED", sid);
    case "left.tell":
      return factOf("LEARNER_LEFT", sid);
    default:
      return null;
  }
}

/** The cause that a chart's event needs; null where the outside world may bring it at any time. */
export function neededBy(event: TracedEvent): string | null {
  switch (event.type) {
    case "ACCEPTED_EPOCH_WRITTEN":
    case "CURRENT_EPOCH_WRITTEN":
      return factOf(event.type, event["epoch"]);
    case "RECOVERED":
      return factOf("RECOVERED", event["lastZxid"], event["currentEpoch"], event["acceptedEpoch"]);
    case "LOG_TRUNCATED":
      return factOf("LOG_TRUNCATED", event["lastZxid"], event["currentEpoch"]);
    case "SNAPSHOT_RECEIVED":
    case "SNAPSHOT_TAKEN":
      return factOf(event.type, event["zxid"]);
    case "STORAGE_FAILED":
      return factOf(event.type, event["code"]);
    case "LOOK":
      return factOf("LOOK", event["zxid"], event["currentEpoch"]);
    case "ELECTED":
      return factOf("ELECTED", event["leader"]);
    case "EPOCH_ESTABLISHED":
      return factOf("EPOCH_ESTABLISHED", event["epoch"]);
    case "LEARNER_JOINED":
      return factOf("LEARNER_JOINED", event["from"], event["acceptedEpoch"]);
    case "EPOCH_ACKED":
      return factOf("EPOCH_ACKED", event["from"], event["currentEpoch"], event["lastZxid"]);
    case "NEWLEADER_ACKED":
    case "LEARNER_LEFT":
      return factOf(event.type, event["from"]);
    default:
      return null;
  }
}
