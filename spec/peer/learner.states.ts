/**
 * A learner's life with one leader: discovery, synchronization, broadcast (Zab phases 1 to 3, follower side; Learner.java,
 * Follower.java, Observer.java). Followers and observers differ in what they announce and in what the leader sends them.
 *
 * Every step a crash can fall between is a state of its own, in the order that keeps committed txns safe:
 * txns durable, then currentEpoch, then the ack (ZOOKEEPER-3911, -4643, -4646, -4685).
 */
import { NO_ZXID, type Zxid } from "../vocabulary.ts";
import { type PeerEvent, peerSetup, remember, standing } from "./setup.ts";

const toSettling = "#peer.settling";

const zxidOf = (event: PeerEvent): Zxid => ("zxid" in event ? event.zxid : NO_ZXID);

/** All of the initial history has been sent. */
const newLeader = <Target extends string>(target: Target) =>
  [
    { guard: "wantedEpoch", target },
    { target: toSettling, description: "Of another epoch than was promised: nothing that leader says can be trusted." },
  ] as const;

function discovery(info: "FOLLOWERINFO" | "OBSERVERINFO") {
  return peerSetup.createStateConfig({
    description: "Zab phase 1: agree with the leader on a new epoch, larger than any accepted before.",
    initial: "connecting",
    states: {
      connecting: {
        description: "Opening the link to the leader's quorum port; the leader may not listen yet.",
        entry: {
          type: "effect",
          params: ({ context }) => ({ type: "leader.connect", leader: context.leader ?? context.self }),
        },
        on: {
          LEADER_CONNECTED: {
            target: "awaitingLeaderInfo",
            actions: {
              type: "effect",
              params: ({ context }) => ({ type: "packet.send", packet: info, epoch: context.acceptedEpoch }),
            },
          },
          LEADER_CONNECT_FAILED: [
            {
              guard: "mayReconnect",
              target: "retrying",
              actions: remember,
            },
            { target: toSettling },
          ],
        },
      },
      retrying: {
        description: "A short pause before the next try.",
        after: { connectRetry: "connecting" },
      },
      awaitingLeaderInfo: {
        description: "The leader waits for a quorum before it names the new epoch.",
        on: {
          LEADERINFO: [
            {
              guard: "newerEpoch",
              target: "persistingAcceptedEpoch",
              actions: remember,
            },
            {
              guard: "sameEpoch",
              target: "#peer." + (info === "FOLLOWERINFO" ? "following" : "observing") + ".synchronization",
              actions: [
                remember,
                {
                  type: "effect",
                  params: ({ context }) => ({
                    type: "packet.send",
                    packet: "ACKEPOCH",
                    epoch: -1,
                    zxid: standing(context),
                  }),
                },
              ],
            },
            {
              target: toSettling,
              description: "An epoch smaller than one already promised: that leader is of the past.",
            },
          ],
        },
      },
      persistingAcceptedEpoch: {
        description: "The promise to follow nobody of a smaller epoch must be on disk before it is given.",
        entry: { type: "effect", params: ({ context }) => ({ type: "acceptedEpoch.write", epoch: context.newEpoch }) },
        on: {
          ACCEPTED_EPOCH_WRITTEN: {
            guard: "wantedAccepted",
            target: "#peer." + (info === "FOLLOWERINFO" ? "following" : "observing") + ".synchronization",
            actions: [
              remember,
              {
                type: "effect",
                params: ({ context }) => ({
                  type: "packet.send",
                  packet: "ACKEPOCH",
                  epoch: context.currentEpoch,
                  zxid: standing(context),
                }),
              },
            ],
          },
        },
      },
    },
  });
}

function synchronization(kind: "participant" | "observer") {
  const live =
    kind === "participant"
      ? ({
          PROPOSAL: { actions: { type: "hot", params: { handler: "history.proposal" } } },
          COMMIT: { actions: { type: "hot", params: { handler: "history.commit" } } },
        } as const)
      : ({
          PROPOSAL: { actions: { type: "hot", params: { handler: "history.proposal" } } },
          COMMIT: { actions: { type: "hot", params: { handler: "history.commit" } } },
          INFORM: { actions: { type: "hot", params: { handler: "history.inform" } } },
        } as const);
  return peerSetup.createStateConfig({
    description: "Zab phase 2: take over the leader's committed history, durably, before acknowledging it.",
    initial: "awaitingPlan",
    on: {
      // The leader pings learners from the moment their link is registered; its reply waits for the broadcast phase.
      PING: {},
    },
    states: {
      awaitingPlan: {
        description: "The leader compares histories and says how it will bring this server up to date.",
        on: {
          DIFF: {
            target: "receivingHistory",
            actions: { type: "effect", params: ({ context }) => ({ type: "history.open", after: context.lastZxid }) },
          },
          TRUNC: "truncating",
          SNAP: "receivingSnapshot",
        },
      },
      truncating: {
        description: "Cutting txns that no leader's history holds; the tree is reloaded from what remains.",
        entry: [
          peerSetup.assign({ treeInDoubt: true }),
          {
            type: "effect",
            params: ({ event }) => ({ type: "log.truncate", zxid: zxidOf(event) }),
          },
          // The packets that follow the TRUNC arrive while the disk works.
          { type: "effect", params: ({ event }) => ({ type: "history.open", after: zxidOf(event) }) },
        ],
        on: {
          ...live,
          LOG_TRUNCATED: {
            target: "receivingHistory",
            actions: remember,
          },
          NEWLEADER: newLeader("truncatingThenLogging"),
        },
      },
      truncatingThenLogging: {
        description: "The whole history is here before the cut is done; it is logged after it.",
        on: {
          ...live,
          LOG_TRUNCATED: {
            target: "loggingHistory",
            actions: remember,
          },
        },
      },
      receivingSnapshot: {
        description: "The leader's whole tree arrives as a stream; from its first byte the tree in memory is in doubt.",
        entry: [
          peerSetup.assign({ treeInDoubt: true }),
          {
            type: "effect",
            params: ({ event }) => ({
              type: "snapshot.receive",
              zxid: zxidOf(event),
            }),
          },
        ],
        on: {
          SNAPSHOT_RECEIVED: {
            target: "persistingSnapshot",
          },
        },
      },
      persistingSnapshot: {
        description: "The received tree goes to disk before anything is built upon it (ZOOKEEPER-3642).",
        entry: [
          { type: "effect", params: ({ event }) => ({ type: "history.open", after: zxidOf(event) }) },
          { type: "effect", params: ({ event }) => ({ type: "snapshot.take", zxid: zxidOf(event) }) },
        ],
        on: {
          ...live,
          SNAPSHOT_TAKEN: {
            target: "receivingHistory",
            actions: remember,
          },
          NEWLEADER: newLeader("persistingSnapshotThenLogging"),
        },
      },
      persistingSnapshotThenLogging: {
        description: "The whole history is here before the snapshot is on disk; it is logged after it.",
        on: {
          ...live,
          SNAPSHOT_TAKEN: {
            target: "loggingHistory",
            actions: remember,
          },
        },
      },
      receivingHistory: {
        description: "Committed txns that this server lacks are buffered until the leader says that is all.",
        on: {
          ...live,
          NEWLEADER: newLeader("loggingHistory"),
        },
      },
      loggingHistory: {
        description: "Committed txns go to the log, fsynced, and to the tree. Uncommitted ones wait (ZOOKEEPER-4394).",
        entry: { type: "effect", params: { type: "history.log" } },
        on: {
          ...live,
          LOG_APPENDED: { actions: { type: "hot", params: { handler: "history.appended" } } },
          HISTORY_LOGGED: "persistingCurrentEpoch",
        },
      },
      persistingCurrentEpoch: {
        description: "From here on this server may be elected with the new epoch, so its history came first.",
        entry: { type: "effect", params: ({ context }) => ({ type: "currentEpoch.write", epoch: context.newEpoch }) },
        on: {
          ...live,
          CURRENT_EPOCH_WRITTEN: {
            guard: "wantedCurrent",
            target: "awaitingUpToDate",
            actions: [
              remember,
              {
                type: "effect",
                params: ({ context }) => ({ type: "packet.send", packet: "ACK", epoch: context.newEpoch }),
              },
            ],
          },
        },
      },
      awaitingUpToDate: {
        description: "The history is acknowledged; the leader waits for a quorum. Proposals are buffered, not logged.",
        on: {
          ...live,
          UPTODATE: {
            target: "#peer." + (kind === "participant" ? "following" : "observing") + ".broadcast",
            // The second ack of NEWLEADER, which the leader expects and ignores.
            actions: {
              type: "effect",
              params: ({ context }) => ({ type: "packet.send", packet: "ACK", epoch: context.newEpoch }),
            },
          },
        },
      },
    },
  });
}

function broadcast(kind: "participant" | "observer") {
  const live =
    kind === "participant"
      ? ({
          PROPOSAL: { actions: { type: "hot", params: { handler: "learner.proposal" } } },
          COMMIT: { actions: { type: "hot", params: { handler: "learner.commit" } } },
        } as const)
      : ({ INFORM: { actions: { type: "hot", params: { handler: "learner.inform" } } } } as const);
  return peerSetup.createStateConfig({
    description: "Zab phase 3: serving clients; proposals are logged and acknowledged, commits applied in order.",
    entry: { type: "effect", params: ({ context }) => ({ type: "learner.open", epoch: context.newEpoch }) },
    exit: { type: "effect", params: { type: "learner.close" } },
    on: {
      ...live,
      LOG_APPENDED: { actions: { type: "hot", params: { handler: "learner.appended" } } },
      PING: { actions: { type: "hot", params: { handler: "learner.ping" } } },
      SYNC: { actions: { type: "hot", params: { handler: "learner.sync" } } },
      REVALIDATE: { actions: { type: "hot", params: { handler: "learner.revalidate" } } },
    },
  });
}

const endings = {
  LEADER_LOST: { target: toSettling },
  // Late answers of a disk that worked for an earlier attempt.
  LOG_APPENDED: {},
  ACCEPTED_EPOCH_WRITTEN: {},
  CURRENT_EPOCH_WRITTEN: {},
} as const;

const leave = { type: "effect", params: { type: "leader.disconnect" } } as const;

export const following = peerSetup.createStateConfig({
  description: "This server voted for another and follows it.",
  initial: "discovery",
  exit: leave,
  on: endings,
  states: {
    discovery: discovery("FOLLOWERINFO"),
    synchronization: synchronization("participant"),
    broadcast: broadcast("participant"),
  },
});

export const observing = peerSetup.createStateConfig({
  description: "This server has no vote: it follows to serve reads and to forward writes.",
  initial: "discovery",
  exit: leave,
  on: endings,
  states: {
    discovery: discovery("OBSERVERINFO"),
    synchronization: synchronization("observer"),
    broadcast: broadcast("observer"),
  },
});
