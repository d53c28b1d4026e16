/**
 * A follower's or observer's work with one leader: the history of the synchronization phase, then the broadcast phase in
 * which it serves clients and forwards their writes. Source: Follower.java, Observer.java, FollowerZooKeeperServer.
 * Which phase it is in only the peer chart knows.
 */
import type { PeerEvent } from "../../spec/peer/setup.ts";
import {
  type Epoch,
  formatZxid,
  type LearnerKind,
  makeZxid,
  type ServerId,
  type SessionId,
  type Zxid,
} from "../../spec/vocabulary.ts";
import { type HotPacket, LeaderConnection } from "../ensemble/leader-connection.ts";
import { LearnerBroadcast } from "../ensemble/learner-broadcast.ts";
import { LearnerHistory } from "../ensemble/learner-history.ts";
import type { Upstream, WriteRequest } from "../pipeline/upstream.ts";
import { JuteReader } from "../protocol/jute-reader.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { OpCode } from "../protocol/opcodes.ts";
import { PacketType, type QuorumPacket } from "../protocol/quorum-packet.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { Tracer } from "../runtime/tracer.ts";
import { TreeLoader } from "../tree/snapshot-source.ts";
import type { LoggedTxn, Replica } from "./replica.ts";

export interface LearnerRoleOptions {
  readonly self: ServerId;
  readonly kind: LearnerKind;
  readonly socket: number;
  readonly initLimitMs: number;
  readonly syncLimitMs: number;
  readonly replica: Replica;
  readonly environment: Environment;
  readonly report: Reporter;
  readonly tracer: Tracer | null;
  peer(event: PeerEvent): void;
  /** The handler that the peer chart's state admits for a hot event. */
  admitted(event: PeerEvent["type"]): string | undefined;
}

export class LearnerRole implements Upstream {
  readonly serverId: ServerId;
  readonly connection: LeaderConnection;
  readonly #options: LearnerRoleOptions;
  readonly #writer = new JuteWriter(4096);
  #history: LearnerHistory | null = null;
  #broadcast: LearnerBroadcast | null = null;
  #uncommitted: LoggedTxn[] = [];
  /** Timeouts of sessions whose revalidation is under way. */
  readonly #revalidating = new Map<SessionId, number>();

  constructor(options: LearnerRoleOptions) {
    this.#options = options;
    this.serverId = options.self;
    this.connection = new LeaderConnection(options.socket, {
      self: options.self,
      event: (event) => options.peer(event),
      hot: (type, packet) => this.#hot(type, packet),
      nowMs: () => options.environment.monotonicMs(),
      traced: options.tracer?.link("leader") ?? null,
    });
  }

  get mode(): "follower" | "observer" {
    return this.#options.kind === "observer" ? "observer" : "follower";
  }

  /** Buffers what follows `after`. */
  openHistory(after: Zxid): void {
    const { replica } = this.#options;
    replica.exact(false);
    this.#history = new LearnerHistory({
      lastLogged: after,
      log: (zxid, entry) => replica.log(zxid, entry),
      deliver: (zxid, entry) => replica.deliver(zxid, entry),
      logged: () => this.#options.peer({ type: "HISTORY_LOGGED" }),
      broken: (reason) => this.connection.lost(reason),
    });
  }

  receiveSnapshot(zxid: Zxid): void {
    this.#options.report({ level: "info", message: "receiving the leader's tree", data: { zxid: formatZxid(zxid) } });
    this.connection.receiveSnapshot(new TreeLoader(this.#options.replica.database), zxid);
  }

  logHistory(): void {
    this.#history?.logCommitted();
  }

  /** Synchronized: log what is still buffered, serve. */
  open(): void {
    const { replica } = this.#options;
    const broadcast = new LearnerBroadcast({
      log: (zxid, entry) => replica.log(zxid, entry),
      deliver: (zxid, entry) => replica.deliver(zxid, entry),
      ack: (zxid) => {
        if (this.#options.kind === "participant") this.connection.ack(zxid);
      },
      broken: (reason) => this.connection.lost(reason),
    });
    const rest = this.#history?.takeRest();
    this.#history = null;
    this.#broadcast = broadcast;
    replica.service.open(this);
    if (rest !== undefined) {
      for (const { zxid, entry } of rest.entries) broadcast.proposal(zxid, entry);
      for (let i = 0; i < rest.committed; i++) broadcast.commit((rest.entries[i] as LoggedTxn).zxid);
    }
    replica.exact(true);
  }

  close(): void {
    this.#uncommitted = this.#broadcast?.takeUncommitted() ?? [];
    this.#broadcast = null;
    this.#revalidating.clear();
  }

  /** Logged here and not committed when the role ended. */
  get uncommitted(): readonly LoggedTxn[] {
    return this.#uncommitted;
  }

  appended(upTo: Zxid): void {
    switch (this.#options.admitted("LOG_APPENDED")) {
      case "learner.appended":
        return this.#broadcast?.appended(upTo);
      case "history.appended":
        return this.#history?.appended(upTo);
    }
  }

  acknowledgeNewLeader(epoch: Epoch): void {
    this.connection.ack(makeZxid(epoch, 0));
  }

  /** Every half tick: is the leader still there? */
  tick(): void {
    const { environment, initLimitMs, syncLimitMs } = this.#options;
    const limitMs = this.#broadcast === null ? initLimitMs : syncLimitMs;
    const silentMs = environment.monotonicMs() - this.connection.link.lastHeardMs;
    if (silentMs > limitMs) this.connection.lost(`nothing heard from the leader for ${Math.round(silentMs)} ms`);
  }

  submit(request: WriteRequest): void {
    // Only createSession carries no identities: nobody has authenticated yet.
    this.connection.request(request, request.op === OpCode.createSession ? null : request.authInfo);
  }

  sync(request: WriteRequest): void {
    this.connection.request(request, request.authInfo);
  }

  revalidate(sessionId: SessionId, timeoutMs: number): void {
    this.#revalidating.set(sessionId, timeoutMs);
    const writer = this.#writer;
    writer.int64(sessionId);
    writer.int(timeoutMs);
    this.connection.link.send(PacketType.REVALIDATE, -1, writer.take());
  }

  /** A learner only collects what it has heard of: see PING. */
  touch(): void {}

  #hot(type: HotPacket, packet: QuorumPacket): void {
    switch (this.#options.admitted(type)) {
      case "learner.proposal":
        return this.#broadcast?.proposal(packet.zxid, this.#entryOf(packet));
      case "learner.commit":
        return this.#broadcast?.commit(packet.zxid);
      case "learner.inform":
        return this.#broadcast?.inform(packet.zxid, this.#entryOf(packet));
      case "learner.ping":
        return this.#ping(packet.zxid);
      case "learner.sync":
        return this.#options.replica.service.synced();
      case "learner.revalidate":
        return this.#revalidated(packet);
      case "history.proposal":
        return this.#history?.proposal(packet.zxid, this.#entryOf(packet));
      case "history.commit":
        return this.#history?.commit(packet.zxid);
      case "history.inform":
        return this.#history?.inform(packet.zxid, this.#entryOf(packet));
      default:
        // Listed as spurious, or reported as unexpected: the chart decides.
        return this.#options.peer({ type });
    }
  }

  /** The packet's bytes are lent. An empty entry does not decode: the replica then finds what was sent wrong. */
  #entryOf({ zxid, data }: QuorumPacket): Buffer {
    return this.#options.replica.keep(zxid, data ?? NOTHING);
  }

  #ping(zxid: Zxid): void {
    const writer = this.#writer;
    this.#options.replica.service.forEachTouched((id, timeoutMs) => {
      writer.int64(id);
      writer.int(timeoutMs);
    });
    this.connection.link.send(PacketType.PING, zxid, writer.take());
  }

  #revalidated(packet: QuorumPacket): void {
    if (packet.data === null) return;
    const reader = new JuteReader(packet.data);
    const sessionId = reader.int64() as SessionId;
    const valid = reader.bool();
    const timeoutMs = this.#revalidating.get(sessionId);
    if (timeoutMs === undefined) return;
    this.#revalidating.delete(sessionId);
    this.#options.replica.service.revalidated(sessionId, valid, timeoutMs);
  }
}

const NOTHING = Buffer.alloc(0);
