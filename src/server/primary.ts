/**
 * The server that orders writes: a leader during its epoch, or a standalone server. Requests become txns here, with zxids,
 * and sessions live and expire here. (Zab's "primary"; PrepRequestProcessor, ProposalRequestProcessor, SessionTrackerImpl.)
 */
import type { QuorumConfig } from "../../spec/quorum.ts";
import { type Epoch, epochOf, type ServerId, type SessionId, type Zxid } from "../../spec/vocabulary.ts";
import { LeaderBroadcast, type Proposal } from "../ensemble/leader-broadcast.ts";
import { LeadershipProof, type PingedLink } from "../ensemble/leadership-proof.ts";
import { Prepare } from "../pipeline/prepare.ts";
import type { ServingConfig } from "../pipeline/serving-config.ts";
import type { Upstream, WriteRequest } from "../pipeline/upstream.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { OpCode } from "../protocol/opcodes.ts";
import type { ServerCounters } from "../runtime/counters.ts";
import type { Environment } from "../runtime/environment.ts";
import { SessionTracker } from "../session/session-tracker.ts";
import { removable } from "./container-manager.ts";
import type { LoggedTxn, Replica } from "./replica.ts";

export interface PrimaryOptions {
  readonly mode: "leader" | "standalone";
  readonly self: ServerId;
  readonly quorum: QuorumConfig;
  /** Where this primary's zxids continue. */
  readonly lastZxid: Zxid;
  readonly tickTimeMs: number;
  readonly containerCheckIntervalMs: number;
  readonly replica: Replica;
  readonly config: ServingConfig;
  readonly environment: Environment;
  readonly counters: ServerCounters;
  /** Synchronized voters: who must confirm that this server still leads before a sync is answered. */
  voters(): Iterable<PingedLink>;
  ping(link: PingedLink): void;
  /** The next proposal would need a new epoch. */
  exhausted(): void;
  unexpected(chart: string, state: string, event: string): void;
}

const NO_BODY = Buffer.alloc(0);
/** What the ensemble asks itself belongs to no session. */
const NO_SESSION = 0n as SessionId;

export class Primary implements Upstream {
  readonly mode: "leader" | "standalone";
  readonly serverId: ServerId;
  readonly broadcast: LeaderBroadcast;
  readonly proof: LeadershipProof;
  readonly tracker: SessionTracker;
  readonly establishedAtMs: number;
  readonly #options: PrimaryOptions;
  readonly #prepare: Prepare;
  #containersCheckedMs: number;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.mode = options.mode;
    this.serverId = options.self;
    const { replica, config, environment } = options;
    this.establishedAtMs = environment.monotonicMs();
    replica.exact(true);
    this.#containersCheckedMs = this.establishedAtMs;
    this.tracker = new SessionTracker({
      tickTimeMs: options.tickTimeMs,
      unexpected: (state, event) => options.unexpected("session", state, event),
    });
    // Timeouts start anew: a leader cannot know how long its predecessor had not heard of a client (S7).
    this.tracker.restart(replica.database.sessions, this.establishedAtMs);
    const keep = (zxid: Zxid, entry: Buffer): Buffer => replica.keep(zxid, entry);
    this.#prepare = new Prepare(replica.database, this.tracker, config, environment, keep);
    this.proof = new LeadershipProof(options.self, options.quorum, options.voters, options.ping);
    this.broadcast = new LeaderBroadcast(options.self, options.quorum, options.lastZxid, {
      log: (zxid, entry) => replica.log(zxid, entry),
      deliver: (proposal) => this.#deliver(proposal),
    });
  }

  /** Sessions that own znodes and are not in the session map were lost with an old snapshot: close them. */
  closeLostSessions(): void {
    const { database } = this.#options.replica;
    for (const owner of [...database.ephemeralOwners()]) if (!database.sessions.has(owner)) this.closeSession(owner);
  }

  submit(request: WriteRequest): void {
    if (this.broadcast.exhausted && !this.#startNextEpoch()) return;
    const { environment, counters } = this.#options;
    const zxid = this.broadcast.nextZxid();
    const { txn, entry } = this.#prepare.prepare(request, zxid, environment.wallMs());
    counters.proposals++;
    counters.proposalSize.add(entry.length);
    this.broadcast.propose({ zxid, txn, entry, proposedAtMs: environment.monotonicMs() });
  }

  sync(): void {
    this.syncFor(() => this.#options.replica.service.synced());
  }

  /** `complete`: everything proposed before now is committed, and this server led at some moment from now on. */
  syncFor(complete: () => void): void {
    this.proof.await(this.broadcast.lastProposed, this.broadcast.lastCommitted, complete);
  }

  revalidate(sessionId: SessionId, timeoutMs: number): void {
    const valid = this.revalidateFor(this.serverId, sessionId, timeoutMs);
    this.#options.replica.service.revalidated(sessionId, valid, timeoutMs);
  }

  /** A client came back through this server: from now on writes of the session through another are refused. */
  revalidateFor(owner: ServerId, sessionId: SessionId, timeoutMs: number): boolean {
    return this.tracker.revalidate(sessionId, timeoutMs, owner, this.#options.environment.monotonicMs());
  }

  touch(sessionId: SessionId, timeoutMs: number): void {
    this.tracker.touch(sessionId, timeoutMs, this.#options.environment.monotonicMs());
  }

  closeSession(sessionId: SessionId): void {
    const { self } = this.#options;
    this.submit({ sessionId, cxid: 0, op: OpCode.closeSession, body: NO_BODY, authInfo: [], owner: self });
  }

  tick(): void {
    const nowMs = this.#options.environment.monotonicMs();
    this.#removeContainers(nowMs);
    const expired = this.tracker.expire(nowMs);
    for (const id of expired) {
      this.#options.counters.sessionsExpired++;
      this.closeSession(id);
    }
  }

  #removeContainers(nowMs: number): void {
    const { replica, environment, containerCheckIntervalMs, self } = this.#options;
    const sinceMs = nowMs - this.#containersCheckedMs;
    if (sinceMs < containerCheckIntervalMs) return;
    this.#containersCheckedMs = nowMs;
    for (const path of removable(replica.database, environment.wallMs(), sinceMs)) {
      const body = new JuteWriter(4 + path.length);
      body.ustring(path);
      this.submit({
        sessionId: NO_SESSION,
        cxid: 0,
        op: OpCode.deleteContainer,
        body: body.take(),
        authInfo: [],
        owner: self,
      });
    }
  }

  /** Logged here and not committed; the role ends. */
  takeUncommitted(): LoggedTxn[] {
    return this.broadcast.takeUncommitted();
  }

  #deliver(proposal: Proposal): void {
    const { replica, counters } = this.#options;
    counters.commits++;
    // The tracker first: whoever is answered may write again at once.
    this.tracker.applied(proposal.txn);
    replica.deliverTxn(proposal.txn, proposal.entry);
    this.#prepare.applied(proposal.zxid);
    this.proof.progress(this.broadcast.lastCommitted);
  }

  /** A leader must leave its epoch; a standalone server has nobody to agree with. */
  #startNextEpoch(): boolean {
    if (this.mode === "leader") {
      this.#options.exhausted();
      return false;
    }
    this.broadcast.continueInEpoch((epochOf(this.broadcast.lastProposed) + 1) as Epoch);
    return true;
  }
}
