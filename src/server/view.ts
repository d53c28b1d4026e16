/**
 * What the operator's tools (four-letter words, metrics, admin pages) may see of a server: read-only, asked for at the moment of the
 * question, nothing kept. A Server implements it; tests implement it with literals.
 */
import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import type { ConnectionCounters, ServerCounters } from "../runtime/counters.ts";
import type { ServerConfig } from "./config.ts";
import type { RemoteAddress } from "./io.ts";

/** The names of srvr's `Mode:` line. */
export type ServingMode = "standalone" | "leader" | "follower" | "observer" | "read-only";

export interface ServerView {
  readonly config: ServerConfig;
  readonly counters: ServerCounters;
  readonly host: HostFacts;
  /** null: not serving clients now (looking, synchronizing, recovering). */
  mode(): ServingMode | null;
  /** QuorumPeer's words: `leading - broadcast`, `following - synchronization`, `looking`. Ensembles only. */
  peerState(): string;
  /** Monotonic and wall clock ms. */
  monotonicMs(): number;
  wallMs(): number;
  lastProcessedZxid(): Zxid;
  /** As Apache counts: the root twice, so a fresh tree has 5. */
  nodeCount(): number;
  /** Ephemeral znodes in all. */
  ephemeralCount(): number;
  /** Bytes of paths and data. */
  approximateDataSize(): number;
  /** Digests of the tree at every 128th zxid, oldest first, as two 32-bit halves. */
  digestHistory(): Iterable<{ readonly zxid: Zxid; readonly hi: number; readonly lo: number }>;
  /** Sessions with ephemeral znodes and their paths. */
  ephemerals(): Iterable<readonly [SessionId, Iterable<string>]>;
  /** Client connections of this server, those not yet in a session too. */
  connections(): Iterable<ConnectionView>;
  connectionCount(): number;
  readonly sessions: SessionsView;
  readonly watches: WatchesView;
  /** Text of /zookeeper/config; "" standalone. */
  ensembleConfigText(): string;
  /** Voters by the configuration in force; 0 standalone. */
  quorumSize(): number;
  /** Only a leader has one. */
  leader(): LeaderView | null;
  /** Observers: the server it learns from; null otherwise. */
  observedServerId(): number | null;
}

export interface ConnectionView {
  readonly remote: RemoteAddress;
  /** 0n until the session is established. */
  readonly sessionId: SessionId;
  readonly timeoutMs: number;
  readonly counters: ConnectionCounters;
  /** Reading is not paused. */
  readonly reading: boolean;
  /** Output waits for the socket to drain. */
  readonly writing: boolean;
}

export interface SessionsView {
  /** Committed sessions with their timeout in ms. */
  all(): Iterable<readonly [SessionId, number]>;
  count(): number;
  /** Leader and standalone: the expiry queue's buckets, soonest first, on the monotonic clock. null on learners. */
  buckets(): Iterable<{ readonly expiresAtMs: number; readonly sessions: Iterable<SessionId> }> | null;
}

/** `data…`: watches of getData and exists, which is what wchs, wchc and wchp list. */
export interface WatchesView {
  /** Data and child watches in all. */
  watchCount(): number;
  dataWatchCount(): number;
  dataWatchingSessions(): number;
  dataWatchedPaths(): number;
  dataWatchesByPath(): Iterable<readonly [string, Iterable<SessionId>]>;
}

export interface LeaderView {
  /** Connected learners. */
  readonly learners: number;
  readonly syncedFollowers: number;
  readonly syncedNonVotingFollowers: number;
  readonly syncedObservers: number;
  readonly pendingSyncs: number;
  /** Monotonic ms when this leader's epoch was established. */
  readonly establishedAtMs: number;
}

/** Facts of the machine that only the host can know. */
export interface HostFacts {
  /** `envi`'s lines after the version. */
  environment(): Iterable<readonly [string, string]>;
  /** Bytes of the files in `version-2` below dataDir and dataLogDir. */
  dataDirSize(): number;
  logDirSize(): number;
  /** -1 when the platform does not tell. */
  openFileDescriptors(): number;
  maxFileDescriptors(): number;
}
