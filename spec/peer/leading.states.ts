/**
 * A leader's life in one epoch: discovery, synchronization, broadcast (Zab phases 1 to 3, leader side; Leader.java). What
 * concerns one learner only is in `ensemble/learner-handler.machine.ts`; its facts arrive here.
 */

import type { Epoch } from "../vocabulary.ts";
import { peerSetup, remember } from "./setup.ts";

const toSettling = "#peer.settling";

export const leading = peerSetup.createStateConfig({
  description: "This server won the election and establishes a new epoch.",
  initial: "discovery",
  entry: [
    peerSetup.assign({ newEpoch: ({ context }) => (context.acceptedEpoch + 1) as Epoch }),
    { type: "effect", params: { type: "learners.listen" } },
  ],
  exit: { type: "effect", params: { type: "learners.close" } },
  on: {
    QUORUM_LOST: toSettling,
    LISTEN_FAILED: toSettling,
    // A learner that left early keeps its promises: they are on its disk.
    LEARNER_LEFT: {},
    // Latecomers: their handlers know the epoch already.
    LEARNER_JOINED: {},
    EPOCH_ACKED: {},
    NEWLEADER_ACKED: {},
    LEARNER_CAUGHT_UP: {},
    LOG_APPENDED: {},
  },
  states: {
    discovery: {
      description: "Zab phase 1: learn what epochs a quorum has accepted, then make it accept a larger one.",
      initial: "awaitingFollowers",
      after: { initLimit: toSettling },
      states: {
        awaitingFollowers: {
          description: "Until a quorum has told its acceptedEpoch; the new epoch is larger than all of them.",
          always: { guard: "alone", target: "persistingAcceptedEpoch" },
          on: {
            LEARNER_JOINED: [
              { guard: "joinsQuorum", target: "persistingAcceptedEpoch", actions: remember },
              { actions: remember },
            ],
          },
        },
        persistingAcceptedEpoch: {
          description: "The leader is the first to accept its own epoch, durably, before it names it to anybody.",
          always: { guard: "epochsExhausted", target: "#peer.failed" },
          entry: {
            type: "effect",
            params: ({ context }) => ({ type: "acceptedEpoch.write", epoch: context.newEpoch }),
          },
          on: {
            ACCEPTED_EPOCH_WRITTEN: {
              guard: "wantedAccepted",
              target: "awaitingEpochAcks",
              actions: [
                remember,
                {
                  type: "effect",
                  params: ({ context }) => ({ type: "learners.announceEpoch", epoch: context.newEpoch }),
                },
              ],
            },
          },
        },
        awaitingEpochAcks: {
          description: "A quorum promises the epoch and shows its history; nobody may know more than the leader.",
          always: { guard: "alone", target: "persistingCurrentEpoch" },
          on: {
            EPOCH_ACKED: [
              { guard: "moreRecent", target: toSettling, description: "Elect again: that server must lead." },
              { guard: "epochAckedByQuorum", target: "persistingCurrentEpoch", actions: remember },
              { guard: "countsForEpoch", actions: remember },
              // Observers, and servers that had accepted this epoch before or may have forgotten that they had.
              {},
            ],
          },
        },
        persistingCurrentEpoch: {
          description: "The leader's own history becomes the new epoch's initial history.",
          entry: { type: "effect", params: ({ context }) => ({ type: "currentEpoch.write", epoch: context.newEpoch }) },
          on: {
            CURRENT_EPOCH_WRITTEN: {
              guard: "wantedCurrent",
              target: "#peer.leading.synchronization",
              actions: remember,
            },
          },
        },
      },
    },
    synchronization: {
      description: "Zab phase 2: until a quorum holds the initial history of the epoch durably.",
      entry: { type: "effect", params: ({ context }) => ({ type: "learners.synchronize", epoch: context.newEpoch }) },
      always: { guard: "alone", target: "broadcast" },
      after: { initLimit: toSettling },
      on: {
        NEWLEADER_ACKED: [{ guard: "syncedQuorum", target: "broadcast", actions: remember }, { actions: remember }],
        // Sent by learners that are synchronized already and wait for UPTODATE.
        LEARNER_PING: {},
      },
    },
    broadcast: {
      description: "Zab phase 3: the leader is established; it orders writes and commits what a quorum has logged.",
      entry: { type: "effect", params: ({ context }) => ({ type: "broadcast.open", epoch: context.newEpoch }) },
      exit: { type: "effect", params: { type: "broadcast.close" } },
      on: {
        ACK: { actions: { type: "hot", params: { handler: "leader.ack" } } },
        REQUEST: { actions: { type: "hot", params: { handler: "leader.request" } } },
        LEARNER_PING: { actions: { type: "hot", params: { handler: "leader.ping" } } },
        LEARNER_REVALIDATE: { actions: { type: "hot", params: { handler: "leader.revalidate" } } },
        LEARNER_CAUGHT_UP: { actions: { type: "hot", params: { handler: "leader.caughtUp" } } },
        LOG_APPENDED: { actions: { type: "hot", params: { handler: "leader.appended" } } },
        COUNTER_EXHAUSTED: { target: toSettling, description: "The 32-bit counter is used up: a new epoch is needed." },
      },
    },
  },
});
