/** What the operator's tools may see of a server, read at the moment of the question. */
import type { SessionId } from "../../spec/vocabulary.ts";
import type { ClientConnection } from "../connection/client-connection.ts";
import type { Environment } from "../runtime/environment.ts";
import type { Server } from "./server.ts";
import type { ConnectionView, HostFacts, ServerView, ServingMode, SessionsView, WatchesView } from "./view.ts";

export function viewOf(server: Server, host: HostFacts, environment: Environment): ServerView {
  const { config, counters, database, service, member } = server;
  const peer = member.peer;
  return {
    config,
    counters,
    host,
    mode: () => servingMode(server),
    peerState: () => peerState(peer.state),
    monotonicMs: () => environment.monotonicMs(),
    wallMs: () => environment.wallMs(),
    lastProcessedZxid: () => database.lastProcessedZxid,
    nodeCount: () => database.nodeCount,
    ephemeralCount: () => database.ephemeralCount,
    approximateDataSize: () => database.approximateDataSize,
    digestHistory: () => database.digestHistory(),
    ephemerals: function* () {
      for (const owner of database.ephemeralOwners()) yield [owner, database.ephemeralsOf(owner)] as const;
    },
    connections: () => service.connections(),
    connectionCount: () => service.connectionCount,
    sessions: sessionsView(server),
    watches: watchesView(server),
    ensembleConfigText: () => member.configText,
    quorumSize: () => (config.standalone ? 0 : member.quorum.voters.length),
    leader: () => member.leaderRole?.view() ?? null,
    observedServerId: () => (config.peerType === "observer" ? peer.context.leader : null),
  };
}

/** The names the four-letter words use; null while the server does not serve. */
function servingMode(server: Server): ServingMode | null {
  const { peer } = server.member;
  if (peer.matches("standalone")) return "standalone";
  if (peer.matches("leading.broadcast")) return "leader";
  if (peer.matches("following.broadcast")) return "follower";
  if (peer.matches("observing.broadcast")) return "observer";
  return null;
}

/** QuorumPeer's `leading - broadcast`. */
function peerState(path: string): string {
  const [role, phase] = path.split(".");
  return phase === undefined ? (role ?? "") : `${role} - ${phase}`;
}

function sessionsView(server: Server): SessionsView {
  return {
    all: () => server.database.sessions as Iterable<readonly [SessionId, number]>,
    count: () => server.database.sessions.size,
    buckets: () => {
      const { primary } = server.member;
      if (primary === null) return null;
      const buckets = new Map<number, SessionId[]>();
      for (const session of primary.tracker.views()) {
        const bucket = buckets.get(session.deadlineMs);
        if (bucket === undefined) buckets.set(session.deadlineMs, [session.id]);
        else bucket.push(session.id);
      }
      return [...buckets].sort((a, b) => a[0] - b[0]).map(([expiresAtMs, sessions]) => ({ expiresAtMs, sessions }));
    },
  };
}

function watchesView(server: Server): WatchesView {
  const { watches } = server.service;
  const bySession = (): Set<ClientConnection> => {
    const watchers = new Set<ClientConnection>();
    for (const [, set] of watches.dataWatchersByPath()) for (const watcher of set) watchers.add(watcher);
    return watchers;
  };
  return {
    watchCount: () => watches.watchCount,
    dataWatchCount: () => watches.dataWatchCount,
    dataWatchingSessions: () => bySession().size,
    dataWatchedPaths: () => {
      let paths = 0;
      for (const _ of watches.dataWatchersByPath()) paths++;
      return paths;
    },
    dataWatchesByPath: function* () {
      for (const [path, watchers] of watches.dataWatchersByPath()) {
        yield [path, [...watchers].map((watcher: ConnectionView) => watcher.sessionId)] as const;
      }
    },
  };
}
