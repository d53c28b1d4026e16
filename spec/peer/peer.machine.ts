/**
 * A server's whole life in an ensemble: LOOKING, then LEADING, FOLLOWING or OBSERVING, and back.
 * Sources: "Zab: High-performance broadcast for primary-backup systems" (DSN'11); QuorumPeer.java. Diagram: peer.
 *
 * Differs from Apache ZooKeeper: a role that ends waits until the disk is quiet and the tree holds exactly what the log holds
 * (`settling`), so that memory and disk can never be voted for separately (ZOOKEEPER-2845, -4712, -5094).
 */

import { leading } from "./leading.states.ts";
import { following, observing } from "./learner.states.ts";
import { forgetRole, initialContext, peerSetup, remember, standing } from "./setup.ts";

export const peerMachine = peerSetup.createMachine({
  id: "peer",
  context: ({ input }) => initialContext(input),
  initial: "recovering",
  on: {
    STORAGE_FAILED: { target: ".failed", description: "What is not durable must not be served." },
  },
  states: {
    recovering: {
      description: "Loading the newest snapshot and replaying the log.",
      entry: { type: "effect", params: { type: "storage.recover" } },
      on: {
        RECOVERED: [
          {
            guard: "standalone",
            target: "standalone",
            actions: remember,
          },
          {
            target: "looking",
            actions: remember,
          },
        ],
        // The link of a role that has ended may still have said something.
        LEADER_LOST: {},
        LEARNER_LEFT: {},
      },
    },
    standalone: {
      description: "One server alone: what its own log holds is committed.",
      entry: { type: "effect", params: { type: "standalone.open" } },
      exit: { type: "effect", params: { type: "standalone.close" } },
      on: {
        LOG_APPENDED: { actions: { type: "hot", params: { handler: "standalone.appended" } } },
      },
    },
    looking: {
      description: "LOOKING: fast leader election is running (see the election chart).",
      entry: [
        forgetRole,
        {
          type: "effect",
          params: ({ context }) => ({
            type: "election.start",
            zxid: standing(context),
            currentEpoch: context.currentEpoch,
          }),
        },
      ],
      on: {
        ELECTED: [
          { guard: "electedSelf", target: "leading", actions: remember },
          { guard: "observer", target: "observing", actions: remember },
          { target: "following", actions: remember },
        ],
        LEADER_LOST: {},
        LEARNER_LEFT: {},
      },
    },
    leading,
    following,
    observing,
    settling: {
      description: "The role has ended: let the disk finish, apply what is logged, forget what is not.",
      entry: { type: "effect", params: { type: "role.settle" } },
      on: {
        SETTLED: [
          {
            guard: "treeInDoubt",
            target: "recovering",
            description: "Synchronization was cut short: trust only the disk.",
          },
          { target: "looking", actions: remember },
        ],
        // What the disk or a closing link still says of the role that has ended.
        LOG_APPENDED: {},
        ACCEPTED_EPOCH_WRITTEN: { actions: remember },
        CURRENT_EPOCH_WRITTEN: { actions: remember },
        LOG_TRUNCATED: {
          actions: remember,
        },
        SNAPSHOT_TAKEN: {},
        SNAPSHOT_RECEIVED: {},
        LEADER_LOST: {},
        LEARNER_LEFT: {},
        QUORUM_LOST: {},
      },
    },
    failed: {
      type: "final",
      description:
        "Storage failed or the epochs are used up: stop, and recover from the log when an operator has looked.",
      entry: {
        type: "effect",
        params: ({ event }) => ({
          type: "server.exit",
          code: 1,
          reason:
            event.type === "STORAGE_FAILED" ? `${event.code}: ${event.message}` : "the last possible epoch is used up",
        }),
      },
    },
  },
});
