/**
 * The leader's view of ONE learner, from its first packet to the broadcast phase and its end.
 * Source: LearnerHandler.java; reference "Discovery", "Synchronisation", "Leader after sync". Diagram: learner-handler.
 *
 * What a quorum of learners means is the peer chart's business: this chart tells it facts (`*.tell`) and hears decisions.
 */
import { setup } from "xstate";
import type { Epoch, LearnerKind, ServerId, Zxid } from "../vocabulary.ts";
import { counterOf, epochOf, makeZxid } from "../vocabulary.ts";

export interface LearnerHandlerInput {
  /** An epoch is known already when the learner comes late. */
  readonly epochAnnounced: Epoch | null;
  readonly synchronizing: boolean;
  readonly serving: boolean;
  readonly initLimitMs: number;
}

export interface LearnerHandlerContext extends LearnerHandlerInput {
  readonly sid: ServerId | null;
  readonly kind: LearnerKind;
  readonly epoch: Epoch | null;
  readonly learnerZxid: Zxid;
}

export type LearnerHandlerEvent =
  // packets of the learner
  | { readonly type: "FOLLOWERINFO"; readonly sid: ServerId; readonly acceptedEpoch: Epoch }
  | { readonly type: "OBSERVERINFO"; readonly sid: ServerId; readonly acceptedEpoch: Epoch }
  | { readonly type: "ACKEPOCH"; readonly currentEpoch: number; readonly lastZxid: Zxid }
  | { readonly type: "ACK"; readonly zxid: Zxid }
  | { readonly type: "REQUEST" | "PING" | "REVALIDATE" }
  /** Anything else, or a packet that cannot be read. */
  | { readonly type: "BAD_PACKET"; readonly reason: string }
  // decisions of the leader
  | { readonly type: "EPOCH_ANNOUNCED"; readonly epoch: Epoch }
  | { readonly type: "SYNCHRONIZE" }
  | { readonly type: "SERVING" }
  // facts
  /** The learner's whole initial history is in its link, in front of NEWLEADER. */
  | { readonly type: "HISTORY_SENT" }
  /** No packet for longer than the phase allows, or a proposal unacknowledged for longer than syncLimit. */
  | { readonly type: "LEARNER_SILENT" }
  | { readonly type: "LINK_CLOSED"; readonly reason: string };

export type LearnerHandlerEffect =
  | { readonly type: "joined.tell"; readonly acceptedEpoch: Epoch }
  | { readonly type: "epochAcked.tell"; readonly currentEpoch: number; readonly lastZxid: Zxid }
  | { readonly type: "newLeaderAcked.tell" }
  | { readonly type: "caughtUp.tell" }
  | { readonly type: "left.tell"; readonly reason: string }
  | { readonly type: "packet.send"; readonly packet: "LEADERINFO" | "NEWLEADER"; readonly epoch: Epoch }
  | { readonly type: "packet.send"; readonly packet: "UPTODATE" }
  /** Choose DIFF, TRUNC or SNAP, send it, and register the link for live proposals; then HISTORY_SENT. */
  | { readonly type: "history.send"; readonly learnerZxid: Zxid }
  /** The link is closed and every ack that came through it forgotten. */
  | { readonly type: "link.close"; readonly reason: string };

export type LearnerHandlerHot =
  | "learnerHandler.ack"
  | "learnerHandler.request"
  | "learnerHandler.ping"
  | "learnerHandler.revalidate";

const handlerSetup = setup({
  types: {
    context: {} as LearnerHandlerContext,
    events: {} as LearnerHandlerEvent,
    input: {} as LearnerHandlerInput,
  },
  actions: {
    effect: (_, _effect: LearnerHandlerEffect) => {},
    hot: (_, _core: { readonly handler: LearnerHandlerHot }) => {},
  },
  guards: {
    epochKnown: ({ context }) => context.epochAnnounced !== null,
    synchronizing: ({ context }) => context.synchronizing,
    serving: ({ context }) => context.serving,
    /** Only its own zxid proves that the learner holds the epoch's initial history. */
    acksNewLeader: ({ context, event }) =>
      event.type === "ACK" && context.epoch !== null && event.zxid === makeZxid(context.epoch, 0),
    ofOlderTxn: ({ context, event }) =>
      event.type === "ACK" && (counterOf(event.zxid) !== 0 || epochOf(event.zxid) !== context.epoch),
  },
  delays: { initLimit: ({ context }) => context.initLimitMs },
});

/** What each fact changes in what the leader remembers of the learner. */
const remember = handlerSetup.assign(({ event }): Partial<LearnerHandlerContext> => {
  switch (event.type) {
    case "FOLLOWERINFO":
      return { sid: event.sid, kind: "participant" };
    case "OBSERVERINFO":
      return { sid: event.sid, kind: "observer" };
    case "EPOCH_ANNOUNCED":
      return { epochAnnounced: event.epoch };
    case "ACKEPOCH":
      return { learnerZxid: event.lastZxid };
    case "SYNCHRONIZE":
      return { synchronizing: true };
    case "SERVING":
      return { serving: true };
    default:
      return {};
  }
});

const ping = { PING: {} } as const;

export const learnerHandlerMachine = handlerSetup.createMachine({
  id: "learner-handler",
  context: ({ input }) => ({ ...input, sid: null, kind: "participant", epoch: null, learnerZxid: 0 as Zxid }),
  initial: "awaitingInfo",
  on: {
    BAD_PACKET: { target: ".closed", description: "A peer that does not keep to the protocol is not a learner." },
    LEARNER_SILENT: ".closed",
    LINK_CLOSED: ".closed",
    // Decisions that come before this learner is ready for them are remembered.
    EPOCH_ANNOUNCED: { actions: remember },
    SYNCHRONIZE: { actions: remember },
    SERVING: { actions: remember },
  },
  states: {
    awaitingInfo: {
      description: "The link is open; who is it?",
      after: { initLimit: "closed" },
      on: {
        FOLLOWERINFO: {
          target: "awaitingEpoch",
          actions: [
            remember,
            { type: "effect", params: ({ event }) => ({ type: "joined.tell", acceptedEpoch: event.acceptedEpoch }) },
          ],
        },
        OBSERVERINFO: {
          target: "awaitingEpoch",
          actions: [
            remember,
            { type: "effect", params: ({ event }) => ({ type: "joined.tell", acceptedEpoch: event.acceptedEpoch }) },
          ],
        },
      },
    },
    awaitingEpoch: {
      description: "Its acceptedEpoch is known; a quorum of them decides the new epoch.",
      always: { guard: "epochKnown", target: "awaitingAckEpoch" },
    },
    awaitingAckEpoch: {
      description: "LEADERINFO is sent; the learner makes its promise durable and shows its history.",
      entry: [
        handlerSetup.assign({ epoch: ({ context }) => context.epochAnnounced }),
        {
          type: "effect",
          params: ({ context }) => ({
            type: "packet.send",
            packet: "LEADERINFO",
            epoch: context.epoch ?? (0 as Epoch),
          }),
        },
      ],
      after: { initLimit: "closed" },
      on: {
        ACKEPOCH: {
          target: "awaitingSynchronization",
          actions: [
            remember,
            {
              type: "effect",
              params: ({ event }) => ({
                type: "epochAcked.tell",
                currentEpoch: event.currentEpoch,
                lastZxid: event.lastZxid,
              }),
            },
          ],
        },
      },
    },
    awaitingSynchronization: {
      description: "Until a quorum has acknowledged the epoch: only then is the leader's history the initial one.",
      always: { guard: "synchronizing", target: "sendingHistory" },
    },
    sendingHistory: {
      description: "DIFF, TRUNC or SNAP with what the learner lacks; live proposals queue up behind it.",
      entry: { type: "effect", params: ({ context }) => ({ type: "history.send", learnerZxid: context.learnerZxid }) },
      on: {
        HISTORY_SENT: {
          target: "awaitingNewLeaderAck",
          actions: {
            type: "effect",
            params: ({ context }) => ({
              type: "packet.send",
              packet: "NEWLEADER",
              epoch: context.epoch ?? (0 as Epoch),
            }),
          },
        },
        ...ping,
      },
    },
    awaitingNewLeaderAck: {
      description: "The learner makes the history durable, then its currentEpoch.",
      on: {
        ACK: [
          {
            guard: "acksNewLeader",
            target: "awaitingStart",
            actions: { type: "effect", params: { type: "newLeaderAcked.tell" } },
          },
          // Apache ZooKeeper 3.8 may let the ack of a proposal overtake (ZOOKEEPER-4685); it proves nothing yet.
          { guard: "ofOlderTxn" },
          { target: "closed" },
        ],
        ...ping,
      },
    },
    awaitingStart: {
      description: "Synchronized; UPTODATE goes out when the leader is established.",
      always: {
        guard: "serving",
        target: "streaming",
        actions: { type: "effect", params: { type: "packet.send", packet: "UPTODATE" } },
      },
      on: {
        // Proposals that were logged right after NEWLEADER.
        ACK: {},
        ...ping,
      },
    },
    streaming: {
      description: "Broadcast: proposals and commits out; acks, requests and pings in.",
      entry: { type: "effect", params: { type: "caughtUp.tell" } },
      on: {
        ACK: { actions: { type: "hot", params: { handler: "learnerHandler.ack" } } },
        REQUEST: { actions: { type: "hot", params: { handler: "learnerHandler.request" } } },
        PING: { actions: { type: "hot", params: { handler: "learnerHandler.ping" } } },
        REVALIDATE: { actions: { type: "hot", params: { handler: "learnerHandler.revalidate" } } },
      },
    },
    closed: {
      type: "final",
      description: "The link is gone and its acks with it: a returning learner starts over.",
      entry: [
        {
          type: "effect",
          params: ({ event }) => ({ type: "link.close", reason: "reason" in event ? event.reason : event.type }),
        },
        {
          type: "effect",
          params: ({ event }) => ({ type: "left.tell", reason: "reason" in event ? event.reason : event.type }),
        },
      ],
    },
  },
});
