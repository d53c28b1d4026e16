/**
 * `sync` must not be answered by a leader that was deposed without knowing it (ZOOKEEPER-1675): a round of pings that a
 * quorum answers after the sync arrived proves that no newer leader had one. Rounds are shared: syncs that arrive while one
 * is under way wait for the next. No lease, hence no clock.
 */
import { isQuorum, type QuorumConfig } from "../../spec/quorum.ts";
import type { ServerId, Zxid } from "../../spec/vocabulary.ts";

/** A learner's connection as far as pings are concerned. Answers come in the order of the pings. */
export interface PingedLink {
  readonly sid: ServerId;
  pingsSent: number;
  pingsAnswered: number;
}

interface PendingSync {
  /** Everything proposed before the sync arrived must be committed. */
  readonly after: Zxid;
  readonly round: number;
  readonly complete: () => void;
}

export class LeadershipProof {
  readonly #self: ServerId;
  readonly #quorum: QuorumConfig;
  /** Links of synchronized voters. */
  readonly #links: () => Iterable<PingedLink>;
  readonly #ping: (link: PingedLink) => void;
  #pending: PendingSync[] = [];
  #roundsStarted = 0;
  #roundsProven = 0;
  /** For the round under way: what each link must have answered. */
  #wanted = new Map<PingedLink, number>();

  constructor(
    self: ServerId,
    quorum: QuorumConfig,
    links: () => Iterable<PingedLink>,
    ping: (link: PingedLink) => void,
  ) {
    this.#self = self;
    this.#quorum = quorum;
    this.#links = links;
    this.#ping = ping;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  /** `complete` is called once the leader has proven itself and has committed `after`; in the order of the calls. */
  await(after: Zxid, committed: Zxid, complete: () => void): void {
    const underWay = this.#roundsStarted > this.#roundsProven;
    this.#pending.push({ after, round: this.#roundsStarted + 1, complete });
    if (!underWay) this.#start();
    this.progress(committed);
  }

  /** The link was pinged for another reason: a learner that joined during the round counts from here on. */
  pinged(link: PingedLink): void {
    if (this.#roundsStarted > this.#roundsProven && !this.#wanted.has(link)) this.#wanted.set(link, link.pingsSent);
  }

  /** After an answered ping or a commit. */
  progress(committed: Zxid): void {
    if (this.#roundsStarted > this.#roundsProven && this.#proven()) {
      this.#roundsProven = this.#roundsStarted;
      if (this.#pending.some((sync) => sync.round > this.#roundsProven)) this.#start();
    }
    let done = 0;
    for (const sync of this.#pending) {
      if (sync.round > this.#roundsProven || sync.after > committed) break;
      sync.complete();
      done++;
    }
    if (done > 0) this.#pending = this.#pending.slice(done);
    // A quorum of one proves itself at once, also for the round that was just started.
    if (this.#roundsStarted > this.#roundsProven && this.#proven()) this.progress(committed);
  }

  #start(): void {
    this.#roundsStarted++;
    this.#wanted = new Map();
    for (const link of this.#links()) {
      this.#ping(link);
      this.#wanted.set(link, link.pingsSent);
    }
  }

  #proven(): boolean {
    return isQuorum(this.#quorum, (id) => {
      if (id === this.#self) return true;
      for (const [link, wanted] of this.#wanted) if (link.sid === id && link.pingsAnswered >= wanted) return true;
      return false;
    });
  }
}
