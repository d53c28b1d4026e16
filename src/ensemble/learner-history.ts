/**
 * What a learner receives during synchronization: committed history and live proposals, in the order they came, kept apart
 * until they may be logged. Exists from `history.open` until the learner serves or gives up.
 * Source: Learner.syncWithLeader, with the order of ZOOKEEPER-3911, -4394, -4643, -4646, -4685.
 */
import { counterOf, epochOf, type Zxid } from "../../spec/vocabulary.ts";

export interface HistoryEntry {
  readonly zxid: Zxid;
  readonly entry: Buffer;
}

/** The buffer as plain data: a model checker keeps this between steps instead of the object. */
export interface LearnerHistoryState {
  readonly waiting: readonly HistoryEntry[];
  readonly committed: number;
  readonly lastReceived: Zxid;
  readonly loggingUpTo: Zxid | null;
}

export interface LearnerHistoryPorts {
  /** Last zxid of the own log. */
  readonly lastLogged: Zxid;
  /** Into the log; `appended` answers. */
  log(zxid: Zxid, entry: Buffer): void;
  /** Committed and handed to the log: into the tree. */
  deliver(zxid: Zxid, entry: Buffer): void;
  /** Everything that was to be logged is durable and in the tree. */
  logged(): void;
  /** The leader sent what cannot follow what came before. */
  broken(reason: string): void;
}

export class LearnerHistory {
  readonly #ports: LearnerHistoryPorts;
  /** Received and not logged, oldest first; the first `#committed` of them are committed. */
  #waiting: HistoryEntry[] = [];
  #committed = 0;
  #lastReceived: Zxid;
  /** While logging: durable when the log reaches this. */
  #loggingUpTo: Zxid | null = null;

  constructor(ports: LearnerHistoryPorts) {
    this.#ports = ports;
    this.#lastReceived = ports.lastLogged;
  }

  get state(): LearnerHistoryState {
    return {
      waiting: this.#waiting,
      committed: this.#committed,
      lastReceived: this.#lastReceived,
      loggingUpTo: this.#loggingUpTo,
    };
  }

  /** Goes on where `state` was taken. */
  resume(state: LearnerHistoryState): void {
    this.#waiting = [...state.waiting];
    this.#committed = state.committed;
    this.#lastReceived = state.lastReceived;
    this.#loggingUpTo = state.loggingUpTo;
  }

  proposal(zxid: Zxid, entry: Buffer): void {
    // The same proposal may come with the history and as a live one, when it was under way at the cut.
    if (zxid <= this.#lastReceived) return;
    if (!follows(this.#lastReceived, zxid)) {
      this.#ports.broken(`proposal 0x${zxid.toString(16)} does not follow 0x${this.#lastReceived.toString(16)}`);
      return;
    }
    this.#lastReceived = zxid;
    this.#waiting.push({ zxid, entry });
  }

  commit(zxid: Zxid): void {
    const next = this.#waiting[this.#committed];
    if (next === undefined || next.zxid > zxid) return; // the commit of a proposal that came twice
    if (next.zxid !== zxid) {
      this.#ports.broken(`commit of 0x${zxid.toString(16)} where 0x${next.zxid.toString(16)} is next`);
      return;
    }
    this.#committed++;
  }

  /** An observer's form of proposal and commit. */
  inform(zxid: Zxid, entry: Buffer): void {
    const before = this.#waiting.length;
    this.proposal(zxid, entry);
    if (this.#waiting.length > before) this.commit(zxid);
  }

  /**
   * NEWLEADER: what is committed goes to the log and to the tree. What is not must stay out of the log until NEWLEADER is
   * acknowledged: its own ack would overtake, and a COMMIT that follows would not find it (ZOOKEEPER-4394, -4685).
   */
  logCommitted(): void {
    const ready = this.#waiting.slice(0, this.#committed);
    this.#waiting = this.#waiting.slice(this.#committed);
    this.#committed = 0;
    for (const { zxid, entry } of ready) {
      this.#ports.log(zxid, entry);
      this.#ports.deliver(zxid, entry);
    }
    const last = ready[ready.length - 1];
    if (last === undefined) this.#ports.logged();
    else this.#loggingUpTo = last.zxid;
  }

  appended(upTo: Zxid): void {
    if (this.#loggingUpTo === null || upTo < this.#loggingUpTo) return;
    this.#loggingUpTo = null;
    this.#ports.logged();
  }

  /** What came after NEWLEADER, for the broadcast phase: entries in order, and how many of them are committed. */
  takeRest(): { readonly entries: readonly HistoryEntry[]; readonly committed: number } {
    const rest = { entries: this.#waiting, committed: this.#committed };
    this.#waiting = [];
    this.#committed = 0;
    return rest;
  }
}

/** Within an epoch zxids are consecutive; a new epoch starts with its first txn. */
function follows(last: Zxid, next: Zxid): boolean {
  if (next === last + 1) return true;
  return epochOf(next) > epochOf(last) && counterOf(next) === 1;
}
