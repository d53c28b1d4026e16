/** Known bugs of sessions, clients and watches, as variants of production's parts, each with the invariant that notices it. */

import type { ServerId, SessionId } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../../src/protocol/error-codes.ts";
import { SessionTracker } from "../../src/session/session-tracker.ts";
import type { Mutant } from "../checker/check.ts";
import { TICK_MS } from "../models/sessions/leader-part.ts";
import { boundsText, type SessionBounds, sessionModel } from "../models/sessions/session-model.ts";
import { PRODUCTION_SESSIONS, type SessionRules } from "../models/sessions/session-rules.ts";

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
};

function mutant(name: string, { rules, bounds, ...known }: SessionMutant): Mutant {
  const all = { ...NOTHING, ...bounds };
  const load = async () =>
    sessionModel({ name, bounds: all, rules: { ...PRODUCTION_SESSIONS, ...rules }, only: known.killer });
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

/** The bytes from `at` on are replaced. */
function patched(hex: string, at: number, bytes: string): string {
  return hex.slice(0, at * 2) + bytes + hex.slice(at * 2 + bytes.length);
}

/** ConnectRequest: length, protocol version, then lastZxidSeen. */
const isHandshake = (hex: string) => hex.startsWith("0000002d");
const isSetWatches = (hex: string) => hex.slice(8, 16) === "fffffff8";

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
    rules: { send: (hex) => (isHandshake(hex) ? patched(hex, 8, "0000000000000000") : hex) },
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
