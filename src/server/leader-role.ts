/**
 * A leader's learners, from its election to the end of its epoch, and the broadcast phase in between.
 * Source: Leader.java, LeaderZooKeeperServer. Which phase it is in only the peer chart knows.
 */
import type { PeerEvent } from "../../spec/peer/setup.ts";
import { isQuorum, isVoter, type QuorumConfig } from "../../spec/quorum.ts";
import { type Epoch, formatZxid, makeZxid, type ServerId, type SessionId, type Zxid } from "../../spec/vocabulary.ts";
import { HistorySender, type HistorySenderPorts, type LogStretch } from "../ensemble/history-sender.ts";
import { LearnerHandler, type LearnerHandlerPorts } from "../ensemble/learner-handler.ts";
import type { ServingConfig } from "../pipeline/serving-config.ts";
import { JuteReader } from "../protocol/jute-reader.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { OpCode } from "../protocol/opcodes.ts";
import { PacketType, type QuorumPacket } from "../protocol/quorum-packet.ts";
import type { ServerCounters } from "../runtime/counters.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { Tracer } from "../runtime/tracer.ts";
import type { LogVisitor } from "../storage/storage-facts.ts";
import { TreeSnapshotter } from "../tree/snapshot-source.ts";
import type { Effects } from "./io.ts";
import { Primary } from "./primary.ts";
import type { LoggedTxn, Replica } from "./replica.ts";
import type { LeaderView } from "./view.ts";

export interface LeaderRoleOptions {
  readonly self: ServerId;
  readonly quorum: QuorumConfig;
  readonly tickTimeMs: number;
  readonly containerCheckIntervalMs: number;
  readonly initLimitMs: number;
  readonly syncLimitMs: number;
  readonly snapshotSizeFactorBytes: () => number;
  readonly configText: string;
  readonly replica: Replica;
  readonly serving: ServingConfig;
  readonly environment: Environment;
  readonly counters: ServerCounters;
  readonly report: Reporter;
  /** The peer chart; `admits`: its hot handlers. */
  peer(event: PeerEvent): void;
  admits(event: PeerEvent["type"]): boolean;
  destroy(socket: number): void;
  timer(id: string, delayMs: number | null): void;
  unexpected(chart: string, state: string, event: string): void;
  readonly tracer: Tracer | null;
  stepped(chart: string, from: string, event: { readonly type: string }, to: string): void;
}

interface Learner {
  readonly handler: LearnerHandler;
  sender: HistorySender | null;
  /** Its history is cut: live packets follow. */
  forwarded: boolean;
}

export class LeaderRole {
  readonly #options: LeaderRoleOptions;
  readonly #learners = new Map<number, Learner>();
  #epochAnnounced: Epoch | null = null;
  #synchronizing = false;
  #primary: Primary | null = null;

  constructor(options: LeaderRoleOptions) {
    this.#options = options;
  }

  get primary(): Primary | null {
    return this.#primary;
  }

  accepted(socket: number): void {
    const handler = new LearnerHandler(socket, this.#ports());
    this.#learners.set(socket, { handler, sender: null, forwarded: false });
    handler.chart.start();
  }

  data(socket: number, chunk: Buffer): void {
    this.#learners.get(socket)?.handler.data(chunk);
  }

  drained(socket: number, effects: Effects): void {
    const learner = this.#learners.get(socket);
    if (learner === undefined) return;
    const { handler, sender } = learner;
    handler.link.drained(effects);
    // A learner says nothing while it takes a long history: that it takes it is what there is to hear.
    if (!handler.streaming) handler.link.lastHeardMs = this.#options.environment.monotonicMs();
    sender?.more();
  }

  closed(socket: number, reason: string): void {
    this.#learners.get(socket)?.handler.closed(reason);
  }

  /** A timer of one learner's chart or transfer: `learner.SOCKET:…`. */
  timer(id: string): void {
    const socket = Number(id.slice("learner.".length, id.indexOf(":")));
    const learner = this.#learners.get(socket);
    if (learner === undefined) return;
    if (id.endsWith(":history")) learner.sender?.more();
    else learner.handler.chart.fire(id);
  }

  announceEpoch(epoch: Epoch): void {
    this.#epochAnnounced = epoch;
    for (const { handler } of this.#all()) handler.chart.send({ type: "EPOCH_ANNOUNCED", epoch });
  }

  synchronize(): void {
    this.#synchronizing = true;
    for (const { handler } of this.#all()) handler.chart.send({ type: "SYNCHRONIZE" });
  }

  /** The epoch is established: serve. */
  open(epoch: Epoch): void {
    const { replica, self, quorum, serving, environment, counters, tickTimeMs } = this.#options;
    const primary = new Primary({
      mode: "leader",
      self,
      quorum,
      lastZxid: makeZxid(epoch, 0),
      tickTimeMs,
      containerCheckIntervalMs: this.#options.containerCheckIntervalMs,
      replica,
      config: serving,
      environment,
      counters,
      voters: () => this.#synced(),
      ping: (link) => this.#pingFor(link.sid),
      unexpected: this.#options.unexpected,
      exhausted: () => this.#options.peer({ type: "COUNTER_EXHAUSTED" }),
    });
    this.#primary = primary;
    for (const learner of this.#all()) if (learner.forwarded) primary.broadcast.forward(learner.handler);
    for (const { handler } of this.#all()) handler.chart.send({ type: "SERVING" });
    replica.service.open(primary);
    primary.closeLostSessions();
  }

  /** @returns what was logged here and is not committed. */
  close(): LoggedTxn[] {
    const uncommitted = this.#primary?.takeUncommitted() ?? [];
    this.#primary = null;
    return uncommitted;
  }

  closeLearners(reason: string): void {
    for (const { handler } of this.#all()) handler.closed(reason);
    this.#learners.clear();
  }

  /** Every half tick: pings, silence, expiry. */
  tick(fullTick: boolean): void {
    const { environment, initLimitMs, syncLimitMs } = this.#options;
    const now = environment.monotonicMs();
    const broadcast = this.#primary?.broadcast;
    for (const { handler } of this.#all()) {
      const silentMs = now - handler.link.lastHeardMs;
      const limitMs = handler.streaming ? syncLimitMs : initLimitMs;
      const unacked = handler.streaming && handler.kind === "participant" ? broadcast?.unackedSince(handler.sid) : null;
      if (silentMs > limitMs || (unacked != null && now - unacked > syncLimitMs)) {
        handler.chart.send({ type: "LEARNER_SILENT" });
      } else if (
        handler.chart.matches("awaitingNewLeaderAck") ||
        handler.chart.matches("awaitingStart") ||
        handler.streaming
      ) {
        this.#ping(handler);
      }
    }
    if (this.#primary === null) return;
    if (fullTick && !this.#hasQuorum()) {
      this.#options.peer({ type: "QUORUM_LOST" });
      return;
    }
    this.#primary.tick();
  }

  flush(effects: Effects): void {
    for (const { handler } of this.#learners.values()) handler.link.flush(effects);
  }

  view(): LeaderView | null {
    if (this.#primary === null) return null;
    let syncedFollowers = 0;
    let syncedNonVotingFollowers = 0;
    let syncedObservers = 0;
    for (const { handler } of this.#learners.values()) {
      if (!handler.streaming) continue;
      if (handler.kind === "observer") syncedObservers++;
      else if (isVoter(this.#options.quorum, handler.sid)) syncedFollowers++;
      else syncedNonVotingFollowers++;
    }
    return {
      learners: this.#learners.size,
      syncedFollowers,
      syncedNonVotingFollowers,
      syncedObservers,
      pendingSyncs: this.#primary.proof.pendingCount,
      establishedAtMs: this.#primary.establishedAtMs,
    };
  }

  /** A copy: handlers may go away while they are told something. */
  #all(): Learner[] {
    return [...this.#learners.values()];
  }

  *#synced(): Iterable<LearnerHandler> {
    for (const { handler } of this.#learners.values()) {
      if (handler.streaming && handler.kind === "participant") yield handler;
    }
  }

  #hasQuorum(): boolean {
    const synced = new Set<ServerId>([this.#options.self]);
    for (const handler of this.#synced()) synced.add(handler.sid);
    return isQuorum(this.#options.quorum, (id) => synced.has(id));
  }

  #ping(handler: LearnerHandler): void {
    handler.ping(this.#primary?.broadcast.lastProposed ?? makeZxid(this.#epochAnnounced ?? 0, 0));
    this.#primary?.proof.pinged(handler);
  }

  #pingFor(sid: ServerId): void {
    for (const handler of this.#synced()) {
      if (handler.sid === sid && this.#primary !== null) handler.ping(this.#primary.broadcast.lastProposed);
    }
  }

  #voter(handler: LearnerHandler): boolean {
    return handler.kind === "participant" && isVoter(this.#options.quorum, handler.sid);
  }

  #ports(): LearnerHandlerPorts {
    const { initLimitMs, configText, environment, destroy, timer, unexpected, peer, tracer, stepped } = this.#options;
    return {
      epochAnnounced: this.#epochAnnounced,
      synchronizing: this.#synchronizing,
      serving: this.#primary !== null,
      initLimitMs,
      configText,
      configVersion: 0,
      joined: (handler, acceptedEpoch) => {
        this.#replaceOlder(handler);
        peer({ type: "LEARNER_JOINED", from: handler.sid, voter: this.#voter(handler), acceptedEpoch });
      },
      epochAcked: (handler, currentEpoch, lastZxid) =>
        peer({ type: "EPOCH_ACKED", from: handler.sid, voter: this.#voter(handler), currentEpoch, lastZxid }),
      newLeaderAcked: (handler) => peer({ type: "NEWLEADER_ACKED", from: handler.sid, voter: this.#voter(handler) }),
      caughtUp: (handler) => {
        if (this.#options.admits("LEARNER_CAUGHT_UP")) this.#primary?.broadcast.ack(handler.sid, handler.highestAck);
      },
      left: (handler, reason) => this.#left(handler, reason),
      sendHistory: (handler, learnerZxid) => this.#sendHistory(handler, learnerZxid),
      ack: (handler, zxid) => {
        if (this.#options.admits("ACK") && handler.kind === "participant")
          this.#primary?.broadcast.ack(handler.sid, zxid);
      },
      request: (handler, packet) => {
        if (this.#options.admits("REQUEST")) this.#request(handler, packet);
      },
      touched: (_handler, touches) => {
        if (this.#options.admits("LEARNER_PING")) this.#touched(touches);
      },
      revalidate: (handler, packet) => {
        if (this.#options.admits("LEARNER_REVALIDATE")) this.#revalidate(handler, packet);
      },
      destroy,
      timer,
      unexpected,
      nowMs: () => environment.monotonicMs(),
      tracer,
      stepped,
    };
  }

  /** A server that comes back has given up its older connection, even where we have not noticed yet. */
  #replaceOlder(handler: LearnerHandler): void {
    for (const { handler: other } of this.#all()) {
      if (other !== handler && other.chart.context.sid === handler.sid) other.closed("replaced by a newer connection");
    }
  }

  #left(handler: LearnerHandler, reason: string): void {
    const learner = this.#learners.get(handler.link.socket);
    learner?.sender?.cancel();
    this.#learners.delete(handler.link.socket);
    this.#primary?.broadcast.forget(handler);
    this.#options.report({ level: "info", message: "a learner left", data: { sid: handler.sid, reason } });
    this.#options.peer({ type: "LEARNER_LEFT", from: handler.sid });
  }

  #sendHistory(handler: LearnerHandler, learnerZxid: Zxid): void {
    const learner = this.#learners.get(handler.link.socket);
    if (learner === undefined) return;
    const { replica, report, counters, timer } = this.#options;
    learner.sender = new HistorySender(handler.link, {
      committedLog: replica.committedLog,
      lastProcessed: () => replica.database.lastProcessedZxid,
      readLog: (from, to, visitor) => this.#readLog(from, to, visitor),
      openSnapshot: () => new TreeSnapshotter(replica.database),
      forward: () => {
        learner.forwarded = true;
        this.#primary?.broadcast.forward(handler);
      },
      sent: () => handler.chart.send({ type: "HISTORY_SENT" }),
      broken: (reason) => handler.closed(reason),
      later: () => timer(`learner.${handler.link.socket}:history`, 0),
      told: (plan, upTo) => {
        if (plan === "SNAP") counters.snapsSent++;
        else counters.diffsSent++;
        report({
          level: "info",
          message: "synchronizing a learner",
          data: { sid: handler.sid, plan, learnerZxid: formatZxid(learnerZxid), upTo: formatZxid(upTo) },
        });
      },
    });
    learner.sender.start(learnerZxid);
  }

  #readLog(from: Zxid, to: Zxid, visitor: Parameters<HistorySenderPorts["readLog"]>[2]): LogStretch {
    const whole: LogVisitor = {
      entry: (zxid, entry) => visitor.entry(zxid, entry),
      end: (outcome) => visitor.end(outcome === "complete"),
    };
    return this.#options.replica.storage.readLog(from, to, whole, this.#options.snapshotSizeFactorBytes());
  }

  #request(handler: LearnerHandler, packet: QuorumPacket): void {
    const primary = this.#primary;
    if (primary === null || packet.data === null) return;
    const reader = new JuteReader(packet.data);
    const sessionId = reader.int64() as SessionId;
    const cxid = reader.int();
    const op = reader.int();
    if (op === OpCode.sync) {
      primary.syncFor(() => {
        // It may have left while the leader proved that it leads.
        if (!handler.chart.done) handler.send(PacketType.SYNC, 0 as Zxid, null);
      });
      return;
    }
    primary.submit({ sessionId, cxid, op, body: reader.rest(), authInfo: packet.authinfo ?? [], owner: handler.sid });
  }

  /** A learner's answer to PING: the sessions it has heard of since the last one. */
  #touched(touches: Buffer | null): void {
    const primary = this.#primary;
    if (primary === null) return;
    primary.proof.progress(primary.broadcast.lastCommitted);
    if (touches === null) return;
    const reader = new JuteReader(touches);
    while (reader.remaining >= 12) primary.touch(reader.int64() as SessionId, reader.int());
  }

  #revalidate(handler: LearnerHandler, packet: QuorumPacket): void {
    const primary = this.#primary;
    if (primary === null || packet.data === null) return;
    const reader = new JuteReader(packet.data);
    const sessionId = reader.int64() as SessionId;
    const valid = primary.revalidateFor(handler.sid, sessionId, reader.int());
    const answer = new JuteWriter(16);
    answer.int64(sessionId);
    answer.bool(valid);
    handler.send(PacketType.REVALIDATE, packet.zxid, answer.take());
  }
}
