/** Known bugs of sessions, clients and watches, as variants of production's parts, each with the invariant that notices it. */

import type { ServerId, SessionId } from "../../spec/vocabulary.ts";
import { saysSessionMoved } from "../../src/pipeline/txn-reply.ts";
import { ErrorCode } from "../../src/protocol/error-codes.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { sessionPassword } from "../../src/protocol/session-password.ts";
import { makeTxn, type Txn } from "../../src/protocol/txn.ts";
import { SessionTracker } from "../../src/session/session-tracker.ts";
import type { ApplyResult } from "../../src/tree/apply-result.ts";
import { Database } from "../../src/tree/database.ts";
import type { Mutant } from "../checker/check.ts";
import { TICK_MS } from "../models/sessions/leader-part.ts";
import { type Hand, sessionOf } from "../models/sessions/server-part.ts";
import {
  ANY_LAG,
  boundsText,
  CLIENTS_GO_ON,
  type SessionBounds,
  sessionModel,
} from "../models/sessions/session-model.ts";
import {
  isConnectRequest,
  PASSWORD_AT,
  PRODUCTION_SESSIONS,
  patched,
  SEEN_AT,
  SESSION_AT,
  type SessionRules,
} from "../models/sessions/session-rules.ts";

interface SessionMutant {
  readonly story: string;
  readonly killer: string;
  readonly depth: number;
  readonly rules: Partial<SessionRules>;
  readonly bounds: Partial<SessionBounds>;
}

const NOTHING: SessionBounds = {
  scripts: ["E"],
  breaks: 0,
  ticks: 0,
  leaderChanges: 0,
  others: "",
  torn: 0,
  swift: true,
  near: 0,
  lag: ANY_LAG,
  intruder: false,
  connected: false,
};

function mutant(name: string, { rules, bounds, ...known }: SessionMutant): Mutant {
  const all = { ...NOTHING, ...bounds };
  const load = async () => {
    const { killer } = known;
    return sessionModel({ name, bounds: all, rules: { ...PRODUCTION_SESSIONS, ...rules }, only: killer, goesOn: true });
  };
  return { name, bounds: boundsText(all), load, ...known };
}

const tracked = (Tracker: typeof SessionTracker) => () => new Tracker({ tickTimeMs: TICK_MS });

/** As in Apache: a session is tracked as if it were open until its closeSession is applied. */
class LateClosingTracker extends SessionTracker {
  override check(id: SessionId, owner: ServerId): ErrorCode {
    const known = [...this.views()].some((session) => session.id === id);
    return known ? ErrorCode.OK : super.check(id, owner);
  }
}

class OwnerlessTracker extends SessionTracker {
  override check(id: SessionId, owner: ServerId): ErrorCode {
    const verdict = super.check(id, owner);
    return verdict === ErrorCode.SESSIONMOVED ? ErrorCode.OK : verdict;
  }
}

/** A session that the leader does not know is one of a follower's own, which becomes everybody's when it writes. */
class UpgradingTracker extends SessionTracker {
  override check(id: SessionId, owner: ServerId): ErrorCode {
    const known = [...this.views()].some((session) => session.id === id);
    return known ? super.check(id, owner) : ErrorCode.OK;
  }
}

class DeafTracker extends SessionTracker {
  override touch(): boolean {
    return true;
  }
}

const isSetWatches = (hex: string) => hex.slice(8, 16) === "fffffff8";

/** Whoever comes back is taken for somebody whom no server owns. */
class LosingTracker extends SessionTracker {
  override revalidate(id: SessionId, timeoutMs: number, _owner: ServerId, nowMs: number): boolean {
    return super.revalidate(id, timeoutMs, 9 as ServerId, nowMs);
  }
}

class PatientTracker extends SessionTracker {
  override expire(): readonly SessionId[] {
    return [];
  }
}

/** closeSession takes the ephemerals of other sessions along. */
class GreedyDatabase extends Database {
  override apply(txn: Txn): ApplyResult {
    if (txn.type !== OpCode.closeSession) return super.apply(txn);
    const paths = [...this.ephemeralOwners()].flatMap((id) => this.ephemeralsOf(id));
    return super.apply(
      makeTxn(txn.sessionId, txn.cxid, txn.zxid, txn.time, { type: OpCode.closeSession, paths }, null),
    );
  }
}

/** The error of a moved session goes to the client as that of any other write. */
const answersMoved: Hand = (service, txn, result) => {
  if (!saysSessionMoved(txn)) return service.committed(txn, result);
  const body = { type: OpCode.delete, path: "/a" } as const;
  result.err = ErrorCode.SESSIONMOVED;
  return service.committed(makeTxn(txn.sessionId, txn.cxid, txn.zxid, txn.time, body, null), result);
};

function withPassword(hex: string): string {
  if (!isConnectRequest(hex)) return hex;
  const id = sessionOf(hex.slice(SESSION_AT * 2, SESSION_AT * 2 + 16));
  return patched(hex, PASSWORD_AT, sessionPassword(id).toString("hex"));
}

const isEvent = (hex: string) => hex.slice(8, 16) === "ffffffff";

export const SESSION_MUTANTS: readonly Mutant[] = [
  mutant("M25 a write behind its closeSession is taken", {
    story: "ZOOKEEPER-1208: the session is closing only when its closeSession is applied, not when it is prepared.",
    killer: "CloseIsFinal",
    depth: 13,
    rules: { tracker: tracked(LateClosingTracker) },
    bounds: { scripts: ["E"], ticks: 3, swift: false },
  }),
  mutant("M26 a torn closeSession counts as received", {
    story:
      "ZOOKEEPER-2355: the link breaks inside the packet; the follower goes on behind it, and keeps the ephemeral.",
    killer: "DigestAgreement",
    depth: 14,
    rules: { tornPacketCounts: true },
    bounds: { scripts: ["EX"], torn: 1 },
  }),
  mutant("M28 the leader does not ask who owns a session", {
    story: "ZOOKEEPER-710, 2886: the client has moved, and what it sent through its old server still counts.",
    killer: "OneOwner",
    depth: 10,
    rules: { tracker: tracked(OwnerlessTracker) },
    bounds: { scripts: ["W"], breaks: 1 },
  }),
  mutant("M28 late writes of the old connection", {
    story: "As before, seen from the client: a write of its new connection is overtaken.",
    killer: "WritesInOrder",
    depth: 13,
    rules: { tracker: tracked(OwnerlessTracker) },
    bounds: { scripts: ["WW"], breaks: 1 },
  }),
  mutant("M28 the client is told that its session has moved", {
    story:
      "ZOOKEEPER-710, 2886: a late question of its old server takes the session away. If its connection stayed, the client would hear SESSIONMOVED for ever.",
    killer: "NobodyIsToldMoved",
    depth: 16,
    rules: { hand: answersMoved },
    bounds: { scripts: ["W"], breaks: 2, swift: false, connected: true },
  }),
  mutant("M28 who comes back is owned by nobody", {
    story:
      "The leader notes another owner than the server that asks: every write is refused, however often the client moves.",
    killer: CLIENTS_GO_ON,
    depth: 2,
    rules: { tracker: tracked(LosingTracker) },
    bounds: { scripts: ["WW"], breaks: 1, connected: true },
  }),
  mutant("M29 a commit overtakes the queue", {
    story: "ZOOKEEPER-1863: the read behind a write is answered first.",
    killer: "RepliesInOrder",
    depth: 10,
    rules: { order: (outputs) => [...outputs].reverse() },
    bounds: { scripts: ["WR"] },
  }),
  mutant("M30 relativeZxid is ahead of what the client saw", {
    story: "ZOOKEEPER-1412: what changed while the client was away is not told.",
    killer: "NoWatchIsLost",
    depth: 17,
    rules: { send: (hex) => (isSetWatches(hex) ? patched(hex, 12, "0000ffffffffffff") : hex) },
    bounds: { scripts: ["G"], breaks: 1, others: "W" },
  }),
  mutant("M30 relativeZxid is 0", {
    story: "ZOOKEEPER-1412, the other way: the client is told of what it knew when it set the watch.",
    killer: "NoSurplusEvents",
    depth: 15,
    rules: { send: (hex) => (isSetWatches(hex) ? patched(hex, 12, "0000000000000000") : hex) },
    bounds: { scripts: ["G"], breaks: 1 },
  }),
  mutant("M31 a closed session is taken for a local one", {
    story:
      "ZOOKEEPER-3471: a write of an unknown session makes it a global one, while its closeSession has just passed.",
    killer: "EphemeralsHaveSessions",
    depth: 17,
    rules: { tracker: tracked(UpgradingTracker) },
    bounds: { scripts: ["E"], ticks: 3, swift: false },
  }),
  mutant("anybody may have the session", {
    story: "The server takes a session's number for its password.",
    killer: "PasswordIsChecked",
    depth: 8,
    rules: { hears: withPassword },
    bounds: { scripts: ["", ""], intruder: true },
  }),
  mutant("closeSession takes other ephemerals along", {
    story: "What it deletes is not asked for its owner.",
    killer: "CloseDeletesItsEphemerals",
    depth: 7,
    rules: { database: () => new GreedyDatabase() },
    bounds: { scripts: ["EX", "F"], connected: true, near: 1 },
  }),
  mutant("sessions do not expire", {
    story: "A client that has gone without a word leaves its ephemerals behind for ever.",
    killer: "DeadSessionsEnd",
    depth: 6,
    rules: { tracker: tracked(PatientTracker) },
    bounds: { ticks: 5, connected: true },
  }),
  mutant("events jump the queue", {
    story: "What tells of a change gets in line before all that waits, also before the events of earlier changes.",
    killer: "EventsInOrder",
    depth: 9,
    rules: { enqueue: (waiting, hex) => (isEvent(hex) ? [hex, ...waiting] : [...waiting, hex]) },
    bounds: { scripts: ["P"], others: "VV", connected: true },
  }),
  mutant("touches do not put off the deadline", {
    story: "A session expires although its client was heard of.",
    killer: "ExpiryNotEarly",
    depth: 10,
    rules: { tracker: tracked(DeafTracker) },
    bounds: { scripts: ["E"], ticks: 3 },
  }),
  mutant("a new leader counts silence from the beginning", {
    story: "Sessions expire with the change of leader instead of getting their timeout anew.",
    killer: "LeaderChangeRestartsTimeouts",
    depth: 7,
    rules: { leaderForgetsTime: true },
    bounds: { scripts: ["E"], ticks: 3, leaderChanges: 1 },
  }),
  mutant("a server that lags judges sessions", {
    story: "A follower that has not applied createSession yet tells the client that its session has expired.",
    killer: "ExpiredOnlyIfClosed",
    depth: 9,
    rules: { revalidation: "own tree" },
    bounds: { scripts: [""], breaks: 1 },
  }),
  mutant("the client does not say what it has seen", {
    story: "A server that is behind takes the client up: its time runs backwards.",
    killer: "ZxidNeverFalls",
    depth: 15,
    rules: { send: (hex) => (isConnectRequest(hex) ? patched(hex, SEEN_AT, "0000000000000000") : hex) },
    bounds: { scripts: ["RR"], breaks: 1, others: "W" },
  }),
  mutant("proposals are applied before they are committed", {
    story: "A client reads what the next leader may not have.",
    killer: "OnlyCommittedIsSeen",
    depth: 9,
    rules: { appliesProposals: true },
    bounds: { scripts: ["R"], others: "W", swift: false },
  }),
  mutant("a reply overtakes the event", {
    story: "The answer that shows a change leaves before the event that tells of it.",
    killer: "EventBeforeReply",
    depth: 12,
    rules: { order: (outputs) => [...outputs].reverse() },
    bounds: { scripts: ["GW"] },
  }),
  mutant("an event of the wrong kind", {
    story: "A change of data is told as the node's creation.",
    killer: "RightKind",
    depth: 11,
    rules: {
      order: (outputs) =>
        outputs.map((output) =>
          output.type === "write" && output.hex.slice(8, 16) === "ffffffff"
            ? { ...output, hex: patched(output.hex, 20, "00000001") }
            : output,
        ),
    },
    bounds: { scripts: ["G"], others: "W" },
  }),
  mutant("two servers give out the same ids", {
    story: "The server's number is not part of its session ids.",
    killer: "SessionIdsAreNew",
    depth: 5,
    rules: {
      tracker: tracked(SessionTracker),
      order: (outputs) =>
        outputs.map((output) => {
          if (output.type !== "submit" || output.request.cxid !== 0) return output;
          return { ...output, request: { ...output.request, session: `f${output.request.session.slice(1)}` } };
        }),
    },
    bounds: { scripts: ["", ""] },
  }),
];
