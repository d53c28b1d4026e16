/**
 * How a server comes back from its disk: newest valid snapshot → replay of the logs → epoch files → cut of what must not
 * stay → ready. The same walk serves TRUNC, where everything after a given zxid must not stay.
 * Source: FileTxnSnapLog.restore, FileTxnLog.truncate, QuorumPeer.loadDataBase. Diagram: recovery.
 *
 * Every step that changes the disk is a state of its own, so that a crash between any two is a case of the chart:
 * - Nothing is changed before snapshot, logs and epoch files have been read to the end. A recovery that fails leaves the disk as it was.
 * - Newer things go first: snapshots, then logs, then the tail of the last log. Wherever a crash falls, what is left is an
 *   unbroken history, and the next recovery finds it.
 *
 * Differs from Apache ZooKeeper (deviations.md, "recovery"): torn tails are cut off, gaps inside an epoch stop the start,
 * TRUNC removes newer snapshots too, and a log that is ahead of currentEpoch is explained by acceptedEpoch.
 */
import { assign } from "xstate";
import { NO_ZXID, ZERO_ZXID } from "../vocabulary.ts";
import {
  acceptedBehind,
  because,
  dueEpoch,
  epochBehind,
  logEpoch,
  noSnapshot,
  recoverySetup,
} from "./recovery-setup.ts";

export const recoveryMachine = recoverySetup.createMachine({
  id: "recovery",
  context: ({ input }) => ({
    ...input,
    snapshots: [],
    skipped: 0,
    hasSnapshot: false,
    hasLogs: false,
    initialize: false,
    cuts: [],
    lastZxid: NO_ZXID,
    currentEpoch: null,
    acceptedEpoch: null,
    unfinishedEpoch: null,
    failure: null,
  }),
  initial: "settling",
  on: {
    DISK_FAILED: { target: ".failed.disk", actions: assign({ failure: ({ event }) => event.failure }) },
  },
  states: {
    settling: {
      description: "What is being written goes to the disk first: the walk must not race with it.",
      entry: { type: "effect", params: { type: "recovery.settle" } },
      on: { WRITES_SETTLED: "listing" },
    },
    listing: {
      description: "Which snapshots and logs are there?",
      entry: { type: "effect", params: { type: "recovery.list" } },
      on: {
        LISTED: {
          target: "choosing",
          actions: assign(({ event }) => ({
            snapshots: event.snapshots,
            hasLogs: event.hasLogs,
            initialize: event.initialize,
          })),
        },
        DATA_REFUSED: {
          description: "Snapshots among the logs, or logs among the snapshots: a path is wrong.",
          target: "failed.layout",
          actions: assign({ failure: ({ event }) => event.failure }),
        },
      },
    },
    choosing: {
      description: "The newest snapshot that was not tried yet. Only a fresh directory has none.",
      always: [
        { guard: "hasCandidate", target: "inspecting" },
        {
          guard: "mustHaveSnapshot",
          target: "failed.noSnapshot",
          actions: assign({ failure: ({ context }) => noSnapshot(context) }),
        },
        { guard: "hasLogs", target: "probing" },
        { target: "fresh" },
      ],
    },
    inspecting: {
      description: "An interrupted write leaves a short file: look at its end before loading all of it.",
      entry: {
        type: "effect",
        params: ({ context }) => ({ type: "recovery.inspectSnapshot", file: context.snapshots[0] ?? "" }),
      },
      on: {
        SNAPSHOT_WHOLE: "loading",
        SNAPSHOT_UNUSABLE: {
          target: "choosing",
          actions: assign(({ context }) => ({ snapshots: context.snapshots.slice(1), skipped: context.skipped + 1 })),
        },
      },
    },
    loading: {
      description: "Into an emptied database. The seals at the end of the file decide whether it counts.",
      entry: {
        type: "effect",
        params: ({ context }) => ({ type: "recovery.loadSnapshot", file: context.snapshots[0] ?? "" }),
      },
      on: {
        SNAPSHOT_LOADED: { target: "replaying", actions: assign({ hasSnapshot: true }) },
        SNAPSHOT_UNUSABLE: {
          target: "choosing",
          actions: assign(({ context }) => ({ snapshots: context.snapshots.slice(1), skipped: context.skipped + 1 })),
        },
      },
    },
    probing: {
      description: "Logs without any snapshot: harmless only if no txn is in them.",
      entry: { type: "effect", params: { type: "recovery.probeLogs" } },
      on: {
        LOGS_EMPTY: "fresh",
        LOGS_HOLD_TXNS: [
          {
            description: "The operator's word: the log begins where this server did.",
            guard: "trustsLogsAlone",
            target: "replaying",
            actions: { type: "effect", params: { type: "recovery.startEmpty", zxid: ZERO_ZXID } },
          },
          {
            target: "failed.noSnapshot",
            actions: assign({
              failure: ({ event }) =>
                because(
                  "LOG_WITHOUT_SNAPSHOT",
                  event.file,
                  "The log holds txns, but there is no snapshot to apply them to. If there never was one, set snapshot.trust.empty=true.",
                ),
            }),
          },
        ],
        DATA_REFUSED: { target: "failed.log", actions: assign({ failure: ({ event }) => event.failure }) },
      },
    },
    fresh: {
      description: "Nothing was ever stored here. Is that meant to be so, or did a server lose its disk?",
      always: [
        {
          guard: "mayStartEmpty",
          target: "replaying",
          actions: { type: "effect", params: { type: "recovery.startEmpty", zxid: ZERO_ZXID } },
        },
        {
          description:
            "It may join an ensemble, but neither be elected nor make anybody leader with its empty history.",
          target: "replaying",
          actions: { type: "effect", params: { type: "recovery.startEmpty", zxid: NO_ZXID } },
        },
      ],
    },
    replaying: {
      description:
        "Every txn after the snapshot, in zxid order and without gaps, up to the end or to where TRUNC says.",
      entry: { type: "effect", params: { type: "recovery.replay" } },
      on: {
        REPLAYED: [
          {
            guard: "keepsEpochs",
            target: "epochs",
            actions: assign(({ event }) => ({ lastZxid: event.lastZxid, cuts: event.cuts })),
          },
          {
            target: "cutting",
            actions: assign(({ event }) => ({ lastZxid: event.lastZxid, cuts: event.cuts })),
          },
        ],
        DATA_REFUSED: { target: "failed.log", actions: assign({ failure: ({ event }) => event.failure }) },
      },
    },
    epochs: {
      description: "What this server promised: acceptedEpoch to a leader to be, currentEpoch to an established one.",
      initial: "reading",
      states: {
        reading: {
          description: "Both files, and what an interrupted rename left.",
          entry: { type: "effect", params: { type: "recovery.readEpochs" } },
          on: {
            EPOCHS_READ: {
              target: "judging",
              actions: assign(({ event }) => ({
                currentEpoch: event.currentEpoch,
                acceptedEpoch: event.acceptedEpoch,
                unfinishedEpoch: event.unfinishedEpoch,
              })),
            },
            DATA_REFUSED: {
              target: "#recovery.failed.epochs",
              actions: assign({ failure: ({ event }) => event.failure }),
            },
          },
        },
        judging: {
          description: "epoch of the last txn <= currentEpoch <= acceptedEpoch, or a crash that explains why not.",
          always: [
            {
              guard: "logUnexplained",
              target: "#recovery.failed.epochs",
              actions: assign({ failure: ({ context }) => epochBehind(context) }),
            },
            {
              guard: "acceptedBehind",
              target: "#recovery.failed.epochs",
              actions: assign({ failure: ({ context }) => acceptedBehind(context) }),
            },
            { target: "#recovery.cutting" },
          ],
        },
      },
    },
    cutting: {
      description:
        "All has been read, nothing speaks against it. Newer snapshots, later logs, the torn tail go one by one.",
      always: [
        { guard: "hasCut", target: "removing" },
        { guard: "needsSnapshot", target: "creating" },
        { guard: "keepsEpochs", target: "promising" },
        { target: "ready" },
      ],
    },
    removing: {
      description: "One of them goes.",
      entry: {
        type: "effect",
        params: ({ context }) => context.cuts.slice(0, 1).map((cut) => ({ type: "recovery.cut" as const, cut })),
      },
      on: {
        CUT_MADE: { target: "cutting", actions: assign({ cuts: ({ context }) => context.cuts.slice(1) }) },
      },
    },
    creating: {
      description: "The first snapshot of a fresh directory: later starts need one to trust the logs.",
      entry: { type: "effect", params: { type: "recovery.createSnapshot" } },
      on: {
        SNAPSHOT_CREATED: { target: "cutting", actions: assign({ hasSnapshot: true }) },
      },
    },
    promising: {
      description: "Epoch files that are missing or behind are written. What was promised stays promised.",
      initial: "checking",
      states: {
        checking: {
          description: "Is one due?",
          always: [
            { guard: "currentDue", target: "writingCurrent" },
            { guard: "acceptedMissing", target: "writingAccepted" },
            { guard: "leftUnfinished", target: "tidying" },
            { target: "#recovery.ready" },
          ],
        },
        writingCurrent: {
          description: "A directory that was standalone, or a crash between synced txns and currentEpoch.",
          entry: {
            type: "effect",
            params: ({ context }) => ({ type: "recovery.writeEpoch", kind: "currentEpoch", epoch: dueEpoch(context) }),
          },
          on: {
            EPOCH_WRITTEN: {
              target: "checking",
              actions: assign({ currentEpoch: ({ context }) => dueEpoch(context) }),
            },
          },
        },
        writingAccepted: {
          description: "A directory that was standalone.",
          entry: {
            type: "effect",
            params: ({ context }) => ({ type: "recovery.writeEpoch", kind: "acceptedEpoch", epoch: logEpoch(context) }),
          },
          on: {
            EPOCH_WRITTEN: {
              target: "checking",
              actions: assign({ acceptedEpoch: ({ context }) => logEpoch(context) }),
            },
          },
        },
        tidying: {
          description: "currentEpoch stands now, so what was left of its last write can go.",
          entry: {
            type: "effect",
            params: { type: "recovery.cut", cut: { kind: "removeLeftover", file: "currentEpoch.tmp" } },
          },
          on: { CUT_MADE: "#recovery.ready" },
        },
      },
    },
    ready: {
      description: "Database, log and epochs agree with the disk.",
      type: "final",
      entry: {
        type: "effect",
        params: ({ context }) => ({
          type: "recovery.recovered",
          lastZxid: context.lastZxid,
          currentEpoch: dueEpoch(context),
          acceptedEpoch: context.acceptedEpoch ?? logEpoch(context),
        }),
      },
    },
    failed: {
      description: "The server must not start: whatever it would serve might be wrong.",
      initial: "disk",
      entry: {
        type: "effect",
        params: ({ context }) =>
          context.failure === null ? [] : [{ type: "recovery.failed" as const, failure: context.failure }],
      },
      states: {
        disk: { type: "final", description: "An operation failed: EIO, ENOSPC, EACCES." },
        layout: { type: "final", description: "Files stand in the wrong directory." },
        noSnapshot: { type: "final", description: "No snapshot, or none that its seals confirm." },
        log: { type: "final", description: "A damaged record, a gap, or a txn that nobody can read." },
        epochs: { type: "final", description: "The epoch files contradict each other or the log." },
      },
    },
  },
});
