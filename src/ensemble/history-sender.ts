/**
 * Brings one learner's history up to the leader's: DIFF, TRUNC, TRUNC+DIFF or SNAP, as `spec/ensemble/sync-plan.ts` decides.
 * The cut and the registration for live packets happen in one go: nothing can be committed in between (ZOOKEEPER-3104, -3589).
 * Source: LearnerHandler.syncFollower, queueCommittedProposals.
 */
import { planSync, planWithin, type SyncPlan } from "../../spec/ensemble/sync-plan.ts";
import type { Zxid } from "../../spec/vocabulary.ts";
import { PacketType } from "../protocol/quorum-packet.ts";
import type { CommittedLog } from "./committed-log.ts";
import type { PacketLink } from "./packet-link.ts";

/** What of a learner's link a transfer needs. */
export type HistoryLink = Pick<PacketLink, "sendBulk" | "sendRaw" | "hold" | "congested">;

/** The tree as a stream, in slices (src/tree's TreeSnapshotter). */
export interface SnapshotSlices {
  next(budgetNodes: number): Buffer | null;
  close(): void;
}

/** A stretch of the txn log being read (src/storage's Storage.readLog). */
export interface LogStretch {
  resume(): void;
  cancel(): void;
}

export interface HistorySenderPorts {
  readonly committedLog: CommittedLog;
  lastProcessed(): Zxid;
  /**
   * The txn log from the newest entry not above `from`, oldest first; `end(false)` when it is of no use. What comes is sent as
   * committed, so nothing may come before the whole stretch is known to be there.
   */
  readLog(
    from: Zxid,
    to: Zxid,
    visitor: { entry(zxid: Zxid, entry: Buffer): boolean; end(complete: boolean): void },
  ): LogStretch;
  openSnapshot(): SnapshotSlices;
  /** The learner gets live packets from now on, those under way first. */
  forward(): void;
  sent(): void;
  broken(reason: string): void;
  /** Call `more` again in a later turn. */
  later(): void;
  told(plan: SyncPlan["kind"], upTo: Zxid): void;
}

/** About 1 ms of work. */
const SLICE_NODES = 1000;

const SIGNATURE = Buffer.from("\0\0\0\nBenWasHere", "latin1");

export class HistorySender {
  readonly #link: HistoryLink;
  readonly #ports: HistorySenderPorts;
  #snapshot: SnapshotSlices | null = null;
  #log: LogStretch | null = null;
  #done = false;

  constructor(link: HistoryLink, ports: HistorySenderPorts) {
    this.#link = link;
    this.#ports = ports;
  }

  start(learnerZxid: Zxid): void {
    const plan = this.plan(learnerZxid);
    if (plan.kind === "LOG") this.#startFromLog(learnerZxid);
    else this.#follow(plan);
  }

  protected plan(learnerZxid: Zxid): SyncPlan {
    const { committedLog } = this.#ports;
    return planSync(learnerZxid, {
      lastProcessed: this.#ports.lastProcessed(),
      committed: committedLog.zxids(),
      logUsable: learnerZxid > 0,
    });
  }

  /** The link has drained, or a later turn has come. */
  more(): void {
    if (this.#done) return;
    if (this.#link.congested) return; // the drain calls again
    if (this.#log !== null) this.#log.resume();
    if (this.#snapshot !== null) this.#slice(this.#snapshot);
  }

  cancel(): void {
    this.#done = true;
    this.#log?.cancel();
    this.#snapshot?.close();
    this.#log = null;
    this.#snapshot = null;
  }

  #follow(plan: SyncPlan): void {
    switch (plan.kind) {
      case "DIFF":
        this.#ports.told("DIFF", plan.upTo);
        this.#link.sendBulk(PacketType.DIFF, plan.upTo);
        return this.#rest(plan.after);
      case "TRUNC":
        this.#ports.told("TRUNC", plan.upTo);
        this.#link.sendBulk(PacketType.TRUNC, plan.to);
        return this.#rest(plan.to);
      default:
        return this.#startSnapshot();
    }
  }

  /** The committed txns after `zxid`, then live. */
  #rest(zxid: Zxid): void {
    for (const txn of this.#ports.committedLog.after(zxid)) this.#txn(txn.zxid, txn.entry);
    this.#ports.forward();
    this.#finish();
  }

  #txn(zxid: Zxid, entry: Buffer): void {
    this.#link.sendBulk(PacketType.PROPOSAL, zxid, entry);
    this.#link.sendBulk(PacketType.COMMIT, zxid);
  }

  #startSnapshot(): void {
    const zxid = this.#ports.lastProcessed();
    this.#ports.told("SNAP", zxid);
    this.#link.sendBulk(PacketType.SNAP, zxid);
    this.#snapshot = this.#ports.openSnapshot();
    // Txns from here on follow the stream: the tree may hold some of them already, and applying them twice is harmless.
    this.#link.hold();
    this.#ports.forward();
    this.#slice(this.#snapshot);
  }

  #slice(snapshot: SnapshotSlices): void {
    const bytes = snapshot.next(SLICE_NODES);
    if (bytes !== null) {
      this.#link.sendRaw(bytes);
      this.#ports.later();
      return;
    }
    this.#snapshot = null;
    this.#link.sendRaw(SIGNATURE);
    this.#finish();
  }

  /**
   * The learner is older than the window. The log is read while commits go on, so the window may move on; the stretch ends
   * where the window begins at that time.
   */
  #startFromLog(learnerZxid: Zxid): void {
    let decided = false;
    let previous: Zxid | null = null;
    let sentUpTo = learnerZxid;
    const to = this.#ports.lastProcessed();
    this.#log = this.#ports.readLog(learnerZxid, to, {
      entry: (zxid, entry) => {
        if (!decided && zxid <= learnerZxid) {
          previous = zxid;
          return true;
        }
        if (!decided) {
          const plan = previous === null ? null : planWithin(learnerZxid, [previous, zxid], to);
          if (plan === null || (plan.kind !== "DIFF" && plan.kind !== "TRUNC")) {
            this.#giveUpLog();
            return false;
          }
          decided = true;
          this.#ports.told(plan.kind, to);
          if (plan.kind === "DIFF") this.#link.sendBulk(PacketType.DIFF, to);
          else this.#link.sendBulk(PacketType.TRUNC, plan.to);
        }
        this.#txn(zxid, entry);
        sentUpTo = zxid;
        return !this.#link.congested;
      },
      end: (complete) => {
        this.#log = null;
        const first = this.#ports.committedLog.first;
        if (!complete || !decided) return decided ? this.#broken() : this.#startSnapshot();
        // More than a whole window was committed while the log was read: read on from there.
        if (first !== undefined && first > sentUpTo + 1) return this.#continueLog(sentUpTo);
        return this.#rest(sentUpTo);
      },
    });
  }

  #continueLog(from: Zxid): void {
    let sentUpTo = from;
    this.#log = this.#ports.readLog(from, this.#ports.lastProcessed(), {
      entry: (zxid, entry) => {
        if (zxid > sentUpTo) {
          this.#txn(zxid, entry);
          sentUpTo = zxid;
        }
        return !this.#link.congested;
      },
      end: (complete) => {
        this.#log = null;
        const first = this.#ports.committedLog.first;
        if (!complete) return this.#broken();
        if (first !== undefined && first > sentUpTo + 1 && sentUpTo > from) return this.#continueLog(sentUpTo);
        return this.#rest(sentUpTo);
      },
    });
  }

  /** Nothing was sent yet: a snapshot always works. */
  #giveUpLog(): void {
    this.#log?.cancel();
    this.#log = null;
    this.#startSnapshot();
  }

  /** Half a history is on the wire: only a new connection can start over. */
  #broken(): void {
    this.cancel();
    this.#ports.broken("the txn log ended before the history did");
  }

  #finish(): void {
    this.#done = true;
    this.#ports.sent();
  }
}
