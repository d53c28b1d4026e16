/**
 * What Zab promises, as the paper (DSN'11) and ZooKeeper's TLA+ specifications name it (Z1 to Z10), and what an
 * implementation must keep on top of it (I1 to I8, I10). A server delivers what it applies while it serves, which is in the
 * broadcast phase.
 */

import { epochOf, NO_EPOCH, NO_ZXID } from "../vocabulary.ts";
import {
  comparable,
  type GhostView,
  type History,
  holds,
  isContinuous,
  isPrefix,
  isSuffix,
  lastZxid,
  type ServerView,
  sameTxn,
  type ZabView,
} from "./zab-view.ts";

export interface ZabInvariant {
  readonly id: string;
  readonly name: string;
  readonly sentence: string;
  holds(view: ZabView): boolean;
}

/** What one step may never do to a server. */
export interface ZabStepInvariant {
  readonly id: string;
  readonly name: string;
  readonly sentence: string;
  /** `ghost`: as it was before the step. */
  happens(before: ServerView, after: ServerView, ghost: GhostView): boolean;
}

const NOTHING: History = [];

const serves = ({ phase }: ServerView): boolean => phase === "broadcast";
const leads = ({ role, phase }: ServerView): boolean =>
  role === "leading" && (phase === "synchronization" || phase === "broadcast");

/** What each serving server has delivered. */
function deliveries({ servers }: ZabView): History[] {
  const delivered: History[] = [];
  for (const server of servers) if (serves(server)) delivered.push(server.tree ?? NOTHING);
  return delivered;
}

function everyPair<T>(items: readonly T[], agree: (a: T, b: T) => boolean): boolean {
  for (let i = 0; i < items.length; i++)
    for (let j = i + 1; j < items.length; j++) if (!agree(items[i] as T, items[j] as T)) return false;
  return true;
}

const noAlarm = ({ ghost }: ZabView, id: string): boolean => !ghost.alarms.some((alarm) => alarm.startsWith(`${id}:`));

const newestEstablished = ({ ghost }: ZabView): number => ghost.established.reduce((max, [e]) => Math.max(max, e), 0);

const isAbout = (history: History, other: History): boolean => history.every((txn) => holds(other, txn));

const indexIn = (history: History, wanted: History[number]): number => history.findIndex((txn) => sameTxn(txn, wanted));

/** Whoever holds b holds a before it. */
const precedes = (history: History, a: History[number], b: History[number]): boolean => {
  const at = indexIn(history, b);
  if (at === -1) return true;
  const before = indexIn(history, a);
  return before !== -1 && before < at;
};

export const ZAB_INVARIANTS: readonly ZabInvariant[] = [
  {
    id: "Z1",
    name: "Integrity",
    sentence: "What a server delivers, some primary has broadcast.",
    holds: (view) => deliveries(view).every((delivered) => isAbout(delivered, view.ghost.broadcast)),
  },
  {
    id: "Z2",
    name: "Agreement",
    sentence: "If one server delivers a and another b, one of them delivers both.",
    holds: (view) => everyPair(deliveries(view), (a, b) => isAbout(a, b) || isAbout(b, a)),
  },
  {
    id: "Z3",
    name: "TotalOrder",
    sentence: "If some server delivers a before b, whoever delivers b delivers a before it.",
    holds: (view) =>
      everyPair(
        deliveries(view),
        (one, other) =>
          one.every((b, i) => one.slice(0, i).every((a) => precedes(other, a, b))) &&
          other.every((b, i) => other.slice(0, i).every((a) => precedes(one, a, b))),
      ),
  },
  {
    id: "Z4",
    name: "LocalPrimaryOrder",
    sentence: "If a primary broadcasts a before b, whoever delivers b delivers a before it: for all a and b.",
    holds: (view) => {
      const { broadcast } = view.ghost;
      return deliveries(view).every((delivered) =>
        broadcast.every((b) =>
          broadcast.every((a) => a[0] >= b[0] || epochOf(a[0]) !== epochOf(b[0]) || precedes(delivered, a, b)),
        ),
      );
    },
  },
  {
    id: "Z5",
    name: "GlobalPrimaryOrder",
    sentence: "Txns of an earlier epoch are delivered before those of a later one.",
    holds: (view) =>
      deliveries(view).every((delivered) =>
        delivered.every((txn, i) => i === 0 || epochOf(txn[0]) >= epochOf((delivered[i - 1] as typeof txn)[0])),
      ),
  },
  {
    id: "Z6",
    name: "PrimaryIntegrity",
    sentence: "A primary has delivered every txn of earlier epochs that anybody delivers, before it broadcasts.",
    holds: (view) =>
      view.servers.every((primary) => {
        if (primary.role !== "leading" || !serves(primary)) return true;
        const earlier = (history: History) => history.filter(([zxid]) => epochOf(zxid) < primary.epoch);
        const mayKnow = newestEstablished(view) <= primary.epoch ? view.ghost.committed : NOTHING;
        const delivered = primary.tree ?? NOTHING;
        const followers = view.servers.filter((s) => serves(s) && s.epoch === primary.epoch);
        return [mayKnow, ...followers.map((s) => s.tree ?? NOTHING)].every((h) => isAbout(earlier(h), delivered));
      }),
  },
  {
    id: "Z7",
    name: "PrefixConsistency",
    sentence: "Of two servers' delivered histories one is a prefix of the other.",
    holds: (view) => everyPair(deliveries(view), comparable),
  },
  {
    id: "Z8",
    name: "Leadership1",
    sentence: "An epoch has at most one leader in synchronization or broadcast.",
    holds: ({ servers }) => everyPair(servers.filter(leads), (a, b) => a.epoch !== b.epoch),
  },
  {
    id: "Z9",
    name: "Leadership2",
    sentence: "An epoch has at most one established leader, ever.",
    holds: ({ ghost }) => everyPair(ghost.established, ([a], [b]) => a !== b),
  },
  {
    id: "Z10",
    name: "NothingUnexpected",
    sentence: "No server meets a packet, an answer or a commit that its state does not list.",
    holds: (view) => noAlarm(view, "Z10"),
  },
  {
    id: "I1",
    name: "ProcessConsistency",
    sentence:
      "A follower that has acknowledged NEWLEADER has logged a prefix of what its leader has logged, and has applied " +
      "what it holds of earlier epochs.",
    holds: ({ servers }) =>
      servers.every((follower) => {
        if (follower.role !== "following" || !follower.synchronized) return true;
        const { logged, tree, epoch } = follower;
        const leader = servers.find(({ self }) => self === follower.leader);
        const initial = (logged ?? NOTHING).filter(([zxid]) => epochOf(zxid) < epoch);
        if (tree !== null && !isPrefix(initial, tree)) return false;
        if (leader === undefined || !leads(leader) || leader.epoch !== epoch) return true;
        return logged !== null && leader.logged !== null && isPrefix(logged, leader.logged);
      }),
  },
  {
    id: "I2",
    name: "CommittedLogMonotonicity",
    sentence: "What leaders commit only ever extends what was committed before.",
    holds: (view) => noAlarm(view, "I2"),
  },
  {
    id: "I3",
    name: "LeaderLogCompleteness",
    sentence: "A leader whose epoch nobody has succeeded holds everything that was ever committed.",
    holds: (view) =>
      view.servers.every(
        (leader) =>
          !leads(leader) ||
          leader.epoch < newestEstablished(view) ||
          (leader.logged !== null && isAbout(view.ghost.committed, leader.logged)),
      ),
  },
  {
    id: "I4",
    name: "CommittedLogDurability",
    sentence: "What is committed is durable on a quorum, whatever TRUNC, SNAP and restarts do.",
    holds: (view) =>
      view.ghost.committed.every((txn) => view.isQuorum(({ durable }) => durable !== null && holds(durable, txn))),
  },
  {
    id: "I5",
    name: "EpochDiscipline",
    sentence:
      "On disk currentEpoch <= acceptedEpoch, the log is not ahead of them, and no packet promises what is not there.",
    holds: (view) =>
      noAlarm(view, "I5") &&
      view.servers.every(({ currentEpoch, acceptedEpoch, durable, phase, epoch }) => {
        if (currentEpoch > acceptedEpoch) return false;
        if (durable !== null && epochOf(lastZxid(durable)) > acceptedEpoch) return false;
        return phase !== "broadcast" || currentEpoch === epoch;
      }),
  },
  {
    id: "I6",
    name: "DurableBeforeAck",
    sentence: "An ack leaves only after what it acknowledges is on disk.",
    holds: (view) => noAlarm(view, "I6"),
  },
  {
    id: "I7",
    name: "MemoryLeDisk",
    sentence: "What a server tells of its history is what its disk would replay, and nothing after it has lost one.",
    holds: ({ servers }) =>
      servers.every(
        ({ reported, durable, currentEpoch }) =>
          reported === null ||
          (durable !== null &&
            (currentEpoch === NO_EPOCH ? NO_ZXID : lastZxid(durable)) === reported.zxid &&
            currentEpoch === reported.epoch),
      ),
  },
  {
    id: "I8",
    name: "LogContinuity",
    sentence: "The zxids of an epoch follow each other in the log, and recent txns in memory are those of the tree.",
    holds: (view) =>
      noAlarm(view, "I8") &&
      view.servers.every(
        ({ durable, logged, tree, window }) =>
          durable !== null &&
          isContinuous(durable) &&
          (logged === null || isContinuous(logged)) &&
          (tree === null || isSuffix(window, tree)),
      ),
  },
  {
    id: "I10",
    name: "DigestAgreement",
    sentence: "Servers that have applied the same last zxid have the same tree.",
    holds: ({ servers }) =>
      everyPair(
        servers.flatMap(({ tree }) => (tree === null ? [] : [tree])),
        (a, b) => lastZxid(a) !== lastZxid(b) || (isPrefix(a, b) && isPrefix(b, a)),
      ),
  },
];

export const ZAB_STEP_INVARIANTS: readonly ZabStepInvariant[] = [
  {
    id: "I4",
    name: "CommittedStaysLogged",
    sentence: "A committed txn leaves a server's disk, other than by TRUNC.",
    happens: ({ durable, bringing }, after, { committed }) => {
      // A leader may plan to cut what it commits a moment later; it sends it again, and counts on no earlier ack.
      if (durable === null || bringing === "truncation") return false;
      const now = after.durable ?? NOTHING;
      return committed.some((txn) => holds(durable, txn) && !holds(now, txn));
    },
  },
  {
    id: "I5",
    name: "EpochsGoBack",
    sentence: "An epoch on disk becomes smaller.",
    happens: (before, after) => after.acceptedEpoch < before.acceptedEpoch || after.currentEpoch < before.currentEpoch,
  },
];

/** What can still come about from every state without further faults. */
export const ZAB_LIVENESS: readonly ZabInvariant[] = [
  {
    id: "L1",
    name: "AllInStep",
    sentence: "One leader serves, all others follow it, and all have applied and logged the same.",
    holds: ({ servers }) =>
      servers.every(serves) &&
      new Set(servers.map(({ epoch }) => epoch)).size === 1 &&
      everyPair(
        servers.flatMap(({ tree, durable }) => [tree ?? NOTHING, durable ?? NOTHING]),
        (a, b) => isPrefix(a, b) && isPrefix(b, a),
      ),
  },
];

/** What a search must meet, or its bounds mean nothing. */
export const ZAB_GOALS: readonly ZabInvariant[] = [
  {
    id: "G1",
    name: "a txn commits",
    sentence: "A leader commits a write.",
    holds: ({ ghost }) => ghost.broadcast.some((txn) => holds(ghost.committed, txn)),
  },
  {
    id: "G2",
    name: "two epochs commit",
    sentence: "A write of an old epoch and one of a newer epoch are committed.",
    holds: ({ ghost }) => new Set(ghost.committed.map(([zxid]) => epochOf(zxid))).size > 1,
  },
  {
    id: "G3",
    name: "all servers serve",
    sentence: "A leader and all its followers are in the broadcast phase of one epoch.",
    holds: ({ servers }) => servers.every(serves) && new Set(servers.map(({ epoch }) => epoch)).size === 1,
  },
  {
    id: "G4",
    name: "an uncommitted txn is cut off",
    sentence: "A server truncates its log.",
    holds: ({ servers }) => servers.some(({ bringing }) => bringing === "truncation"),
  },
  {
    id: "G5",
    name: "a server is brought up by a snapshot",
    sentence: "A received tree goes to disk.",
    holds: ({ servers }) => servers.some(({ bringing }) => bringing === "snapshot"),
  },
  {
    id: "G6",
    name: "a server is brought up by committed txns",
    sentence: "A follower logs a part of its leader's history.",
    holds: ({ servers }) =>
      servers.some(({ bringing, logged, durable }) => bringing === "history" && logged?.length !== durable?.length),
  },
  {
    id: "G7",
    name: "a deposed leader does not know it",
    sentence: "Two servers lead in the broadcast phase, in different epochs.",
    holds: ({ servers }) => servers.filter((server) => server.role === "leading" && serves(server)).length > 1,
  },
];
