/** The peer chart's vocabulary: what it remembers, hears, asks for, and the questions its guards ask. */
import { setup } from "xstate";
import { containsQuorum, isQuorum, type QuorumConfig } from "../quorum.ts";
import type { Epoch, LearnerKind, ServerId, Zxid } from "../vocabulary.ts";
import { MAX_EPOCH, NO_EPOCH, NO_ZXID, ZERO_ZXID } from "../vocabulary.ts";

export interface PeerInput {
  readonly self: ServerId;
  readonly kind: LearnerKind;
  /** A server without an ensemble: no election, no epochs. */
  readonly standalone: boolean;
  readonly quorum: QuorumConfig;
  readonly initLimitMs: number;
}

export interface PeerContext extends PeerInput {
  /**
   * As on disk (`acceptedEpoch`, `currentEpoch`, the last logged txn). What is promised to others is never ahead of these.
   * `currentEpoch` NO_EPOCH: history was lost, and none acknowledged since.
   */
  readonly acceptedEpoch: Epoch;
  readonly currentEpoch: Epoch;
  readonly lastZxid: Zxid;
  /** The server this one follows, or itself. */
  readonly leader: ServerId | null;
  /** The epoch being established, by whoever leads. */
  readonly newEpoch: Epoch;
  /** Synchronization replaced the tree in memory and has not made it durable: what is in memory must not be reported (M11, M12). */
  readonly treeInDoubt: boolean;
  readonly connectAttempts: number;
  /** Leader only: voters that told their acceptedEpoch, that acknowledged the new epoch, that hold its initial history. */
  readonly joined: readonly ServerId[];
  readonly epochAcked: readonly ServerId[];
  readonly synced: readonly ServerId[];
}

export type PeerEvent =
  // storage
  | { readonly type: "RECOVERED"; readonly lastZxid: Zxid; readonly acceptedEpoch: Epoch; readonly currentEpoch: Epoch }
  | { readonly type: "STORAGE_FAILED"; readonly code: string; readonly message: string }
  | { readonly type: "ACCEPTED_EPOCH_WRITTEN"; readonly epoch: Epoch }
  | { readonly type: "CURRENT_EPOCH_WRITTEN"; readonly epoch: Epoch }
  /** The cut may have put a currentEpoch right that was behind the log. */
  | { readonly type: "LOG_TRUNCATED"; readonly lastZxid: Zxid; readonly currentEpoch: Epoch }
  | { readonly type: "SNAPSHOT_RECEIVED"; readonly zxid: Zxid }
  /** The received snapshot is on disk. (Snapshots taken while serving are the storage's own business.) */
  | { readonly type: "SNAPSHOT_TAKEN"; readonly zxid: Zxid }
  /** Every committed txn of the new epoch's initial history is in the log, fsynced, and in the tree. */
  | { readonly type: "HISTORY_LOGGED" }
  /** Nothing is in flight any more and the tree holds exactly what the log holds. */
  | { readonly type: "SETTLED"; readonly lastZxid: Zxid }
  | { readonly type: "LOG_APPENDED"; readonly upTo: Zxid }
  // election
  | { readonly type: "ELECTED"; readonly leader: ServerId }
  // learner side
  | { readonly type: "LEADER_CONNECTED" }
  | { readonly type: "LEADER_CONNECT_FAILED" }
  /** The link broke, fell silent for longer than its limit, or carried something that cannot be. */
  | { readonly type: "LEADER_LOST"; readonly reason: string }
  | { readonly type: "LEADERINFO"; readonly epoch: Epoch }
  | { readonly type: "DIFF"; readonly zxid: Zxid }
  | { readonly type: "TRUNC"; readonly zxid: Zxid }
  | { readonly type: "SNAP"; readonly zxid: Zxid }
  | { readonly type: "NEWLEADER"; readonly epoch: Epoch }
  | { readonly type: "UPTODATE" }
  | { readonly type: "PROPOSAL" | "COMMIT" | "INFORM" | "PING" | "SYNC" | "REVALIDATE" }
  // leader side: facts from the learner handlers
  | { readonly type: "LEARNER_JOINED"; readonly from: ServerId; readonly voter: boolean; readonly acceptedEpoch: Epoch }
  | {
      readonly type: "EPOCH_ACKED";
      readonly from: ServerId;
      readonly voter: boolean;
      /** -1 when the learner had accepted this epoch before: it is not compared and does not count. */
      readonly currentEpoch: number;
      readonly lastZxid: Zxid;
    }
  | { readonly type: "NEWLEADER_ACKED"; readonly from: ServerId; readonly voter: boolean }
  | { readonly type: "LEARNER_LEFT"; readonly from: ServerId }
  | { readonly type: "LISTEN_FAILED"; readonly message: string }
  | { readonly type: "QUORUM_LOST" }
  | { readonly type: "COUNTER_EXHAUSTED" }
  | { readonly type: "ACK" | "REQUEST" | "LEARNER_PING" | "LEARNER_REVALIDATE" | "LEARNER_CAUGHT_UP" };

export type PeerEffect =
  | { readonly type: "storage.recover" }
  | { readonly type: "acceptedEpoch.write"; readonly epoch: Epoch }
  | { readonly type: "currentEpoch.write"; readonly epoch: Epoch }
  | { readonly type: "log.truncate"; readonly zxid: Zxid }
  | { readonly type: "snapshot.receive"; readonly zxid: Zxid }
  | { readonly type: "snapshot.take"; readonly zxid: Zxid }
  | { readonly type: "election.start"; readonly zxid: Zxid; readonly currentEpoch: Epoch }
  /** The role ends: stop serving, let what is being written finish, apply what is logged; then SETTLED. */
  | { readonly type: "role.settle" }
  | { readonly type: "leader.connect"; readonly leader: ServerId }
  | { readonly type: "leader.disconnect" }
  | { readonly type: "packet.send"; readonly packet: "FOLLOWERINFO" | "OBSERVERINFO"; readonly epoch: Epoch }
  | { readonly type: "packet.send"; readonly packet: "ACKEPOCH"; readonly epoch: number; readonly zxid: Zxid }
  | { readonly type: "packet.send"; readonly packet: "ACK"; readonly epoch: Epoch }
  /** Buffer the proposals and commits that follow `after`; nothing of them is logged or applied yet. */
  | { readonly type: "history.open"; readonly after: Zxid }
  | { readonly type: "history.log" }
  /** Log what is still buffered, serve clients. */
  | { readonly type: "learner.open"; readonly epoch: Epoch }
  | { readonly type: "learner.close" }
  | { readonly type: "learners.listen" }
  | { readonly type: "learners.close" }
  /** The epoch is chosen and durable here: learners may be told (LEADERINFO). */
  | { readonly type: "learners.announceEpoch"; readonly epoch: Epoch }
  /** A quorum has acknowledged the epoch: learners may be synchronized. */
  | { readonly type: "learners.synchronize"; readonly epoch: Epoch }
  | { readonly type: "broadcast.open"; readonly epoch: Epoch }
  | { readonly type: "broadcast.close" }
  | { readonly type: "standalone.open" }
  | { readonly type: "standalone.close" }
  | { readonly type: "server.exit"; readonly code: number; readonly reason: string };

/** The core that runs a hot event while the chart's state admits it. */
export type PeerHandler =
  | "history.proposal"
  | "history.commit"
  | "history.inform"
  | "history.appended"
  | "learner.proposal"
  | "learner.commit"
  | "learner.inform"
  | "learner.ping"
  | "learner.sync"
  | "learner.revalidate"
  | "learner.appended"
  | "leader.ack"
  | "leader.request"
  | "leader.ping"
  | "leader.revalidate"
  | "leader.caughtUp"
  | "leader.appended"
  | "standalone.appended";

/**
 * Half a second in all, as in Apache ZooKeeper (Learner.connectToLeader: five tries, 100 ms apart), but in smaller steps: a
 * leader that was elected a moment later than its follower listens within milliseconds, and nobody is served meanwhile.
 */
export const MAX_CONNECT_ATTEMPTS = 25;
const CONNECT_RETRY_MS = 20;

const with_ = (ids: readonly ServerId[], id: ServerId): readonly ServerId[] => (ids.includes(id) ? ids : [...ids, id]);

/** Does `context`, having heard `event`, have its quorum (the leader counts itself)? */
function reached(context: PeerContext, ids: readonly ServerId[], event: PeerEvent): boolean {
  const from = "from" in event && "voter" in event && event.voter ? event.from : null;
  return isQuorum(context.quorum, (id) => id === context.self || id === from || ids.includes(id));
}

/**
 * What a server tells of its history. A tree that a leader has sent counts only once `currentEpoch` is written: one that lost
 * its disk may have been sent less than it had acknowledged before, by a leader that nobody else follows any more.
 */
export const standing = (context: PeerContext): Zxid =>
  context.currentEpoch === NO_EPOCH ? NO_ZXID : context.lastZxid;

type EpochAcked = Extract<PeerEvent, { type: "EPOCH_ACKED" }>;

/**
 * The learner has made the promise now and not before, and remembers its earlier ones: a disk that came back empty (NO_ZXID)
 * may have promised this very epoch to another leader.
 */
const isNewPromise = (event: PeerEvent): event is EpochAcked =>
  event.type === "EPOCH_ACKED" && event.currentEpoch !== -1 && event.lastZxid !== NO_ZXID;

export const peerSetup = setup({
  types: {
    context: {} as PeerContext,
    events: {} as PeerEvent,
    input: {} as PeerInput,
  },
  actions: {
    effect: (_, _effect: PeerEffect) => {},
    hot: (_, _core: { readonly handler: PeerHandler }) => {},
  },
  guards: {
    standalone: ({ context }) => context.standalone,
    electedSelf: ({ context, event }) => event.type === "ELECTED" && event.leader === context.self,
    observer: ({ context }) => context.kind === "observer",
    treeInDoubt: ({ context }) => context.treeInDoubt,
    newerEpoch: ({ context, event }) => event.type === "LEADERINFO" && event.epoch > context.acceptedEpoch,
    /** This server was in the epoch before and lost the link: it must not count twice as having promised it. */
    sameEpoch: ({ context, event }) => event.type === "LEADERINFO" && event.epoch === context.acceptedEpoch,
    mayReconnect: ({ context }) => context.connectAttempts < MAX_CONNECT_ATTEMPTS,
    wantedAccepted: ({ context, event }) => event.type === "ACCEPTED_EPOCH_WRITTEN" && event.epoch === context.newEpoch,
    wantedCurrent: ({ context, event }) => event.type === "CURRENT_EPOCH_WRITTEN" && event.epoch === context.newEpoch,
    wantedEpoch: ({ context, event }) => event.type === "NEWLEADER" && event.epoch === context.newEpoch,
    alone: ({ context }) => containsQuorum(context.quorum, [context.self]),
    joinsQuorum: ({ context, event }) => reached(context, context.joined, event),
    /**
     * Somebody who could lead knows more than this leader: committed txns could be lost (Zab phase 1; Leader.waitForEpochAck).
     * An observer may have been told of an epoch that no quorum took over, and would come back with it after every election.
     */
    moreRecent: ({ context, event }) =>
      event.type === "EPOCH_ACKED" &&
      event.voter &&
      event.currentEpoch !== -1 &&
      (event.currentEpoch > context.currentEpoch ||
        (event.currentEpoch === context.currentEpoch && event.lastZxid > context.lastZxid)),
    epochAckedByQuorum: ({ context, event }) => isNewPromise(event) && reached(context, context.epochAcked, event),
    countsForEpoch: ({ event }) => isNewPromise(event) && event.voter,
    syncedQuorum: ({ context, event }) => event.type === "NEWLEADER_ACKED" && reached(context, context.synced, event),
    epochsExhausted: ({ context }) => context.newEpoch > MAX_EPOCH,
  },
  delays: {
    initLimit: ({ context }) => context.initLimitMs,
    connectRetry: CONNECT_RETRY_MS,
  },
});

export const initialContext = (input: PeerInput): PeerContext => ({
  ...input,
  acceptedEpoch: 0 as Epoch,
  currentEpoch: 0 as Epoch,
  lastZxid: ZERO_ZXID,
  leader: null,
  newEpoch: 0 as Epoch,
  treeInDoubt: false,
  connectAttempts: 0,
  joined: [],
  epochAcked: [],
  synced: [],
});

/** A role's memory ends with it: a server that looks for a leader remembers only what is on its disk. */
export const forgetRole = peerSetup.assign({
  leader: null,
  newEpoch: 0 as Epoch,
  connectAttempts: 0,
  joined: [],
  epochAcked: [],
  synced: [],
});

/** What each fact changes in what this server remembers. Used by the transitions that accept the fact. */
export const remember = peerSetup.assign(({ context, event }): Partial<PeerContext> => {
  switch (event.type) {
    case "RECOVERED": {
      const { lastZxid, acceptedEpoch, currentEpoch } = event;
      return { lastZxid, acceptedEpoch, currentEpoch, treeInDoubt: false };
    }
    case "SETTLED":
      return { lastZxid: event.lastZxid };
    case "ELECTED":
      return { leader: event.leader };
    case "LEADERINFO":
      return { newEpoch: event.epoch };
    case "ACCEPTED_EPOCH_WRITTEN":
      return { acceptedEpoch: event.epoch };
    case "CURRENT_EPOCH_WRITTEN":
      return { currentEpoch: event.epoch };
    case "LOG_TRUNCATED":
      return { lastZxid: event.lastZxid, currentEpoch: event.currentEpoch, treeInDoubt: false };
    case "SNAPSHOT_TAKEN":
      return { lastZxid: event.zxid, treeInDoubt: false };
    case "LEADER_CONNECT_FAILED":
      return { connectAttempts: context.connectAttempts + 1 };
    case "LEARNER_JOINED":
      return {
        joined: event.voter ? with_(context.joined, event.from) : context.joined,
        // Larger than any that anybody accepted, observers included.
        newEpoch: Math.max(context.newEpoch, event.acceptedEpoch + 1) as Epoch,
      };
    case "EPOCH_ACKED":
      return { epochAcked: with_(context.epochAcked, event.from) };
    case "NEWLEADER_ACKED":
      return event.voter ? { synced: with_(context.synced, event.from) } : {};
    default:
      return {};
  }
});
