/**
 * One server's part in its ensemble: runs the peer chart and the election chart, and does what they ask for with the cores.
 * It knows no phase of its own: what exists (a learner's connection, a leader's epoch) was opened by the chart and is closed
 * by it.
 */
import { peerMachine } from "../../spec/peer/peer.machine.ts";
import type { PeerEffect } from "../../spec/peer/setup.ts";
import type { QuorumConfig } from "../../spec/quorum.ts";
import type { ServerId, Zxid } from "../../spec/vocabulary.ts";
import { ChartRunner } from "../runtime/chart.ts";
import type { ServerCounters } from "../runtime/counters.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { Tracer } from "../runtime/tracer.ts";
import type { StorageFact } from "../storage/storage-facts.ts";
import type { ServerConfig } from "./config.ts";
import { quorumOf } from "./config-quorum.ts";
import { ElectionRole } from "./election-role.ts";
import type { Effects, ListenPort } from "./io.ts";
import { LeaderRole } from "./leader-role.ts";
import { LearnerRole } from "./learner-role.ts";
import { PeerStorage } from "./peer-storage.ts";
import { Primary } from "./primary.ts";
import type { LoggedTxn, Replica } from "./replica.ts";
import { ensembleConfigText } from "./server-address.ts";
import { traceFact } from "./trace-fact.ts";

export interface EnsembleMemberOptions {
  readonly config: ServerConfig;
  readonly replica: Replica;
  readonly environment: Environment;
  readonly counters: ServerCounters;
  readonly report: Reporter;
  /** The list of the step that runs now. */
  effects(): Effects;
  timer(id: string, delayMs: number | null): void;
  newSocket(owner: "election" | "leader"): number;
  unexpected(chart: string, state: string, event: string): void;
  /** Every chart step, for the trace. */
  stepped(chart: string, from: string, event: { readonly type: string }, to: string): void;
  readonly tracer: Tracer | null;
}

export class EnsembleMember {
  readonly peer: ChartRunner<typeof peerMachine, PeerEffect>;
  /** null: standalone. */
  readonly election: ElectionRole | null;
  readonly configText: string;
  readonly quorum: QuorumConfig;
  readonly #options: EnsembleMemberOptions;
  readonly #self: ServerId;
  readonly #storage: PeerStorage;
  #leaderRole: LeaderRole | null = null;
  #learnerRole: LearnerRole | null = null;
  #standalone: Primary | null = null;
  #uncommitted: readonly LoggedTxn[] = [];
  #ticks = 0;
  #electionStartedMs = 0;
  /** When this server began to look for the leader it follows: its first packet is due within initLimit. */
  #leaderSoughtMs = 0;

  constructor(options: EnsembleMemberOptions) {
    this.#options = options;
    const { config } = options;
    this.#self = config.serverId;
    this.quorum = quorumOf(config);
    this.configText = config.standalone ? "" : ensembleConfigText(config.servers, config.groups, config.weights, 0);
    this.election = config.standalone
      ? null
      : new ElectionRole({
          ...options,
          quorum: this.quorum,
          configText: this.configText,
          newSocket: () => options.newSocket("election"),
          decided: (leader) => {
            options.counters.elections++;
            this.peer.send({ type: "ELECTED", leader });
          },
        });
    this.peer = new ChartRunner<typeof peerMachine, PeerEffect>(peerMachine, {
      name: "peer",
      input: {
        self: this.#self,
        kind: config.peerType,
        standalone: config.standalone,
        quorum: this.quorum,
        initLimitMs: config.initLimitTicks * config.tickTimeMs,
      },
      perform: (effect) => this.#perform(effect),
      timer: options.timer,
      unexpected: (state, event) => options.unexpected("peer", state, event),
    });
    this.#storage = new PeerStorage({
      replica: options.replica,
      report: options.report,
      peer: (event) => this.peer.send(event),
      appended: (upTo) => this.#appended(upTo),
      snapshotTaken: () => {
        options.counters.snapshots++;
      },
      reloaded: () => this.#setConfigNode(),
      misjudged: (reason) => this.#learnerRole?.connection.lost(reason),
    });
    this.peer.onTransition = (from, event, to) => options.stepped("peer", from, event, to);
  }

  get primary(): Primary | null {
    return this.#standalone ?? this.#leaderRole?.primary ?? null;
  }

  get leaderRole(): LeaderRole | null {
    return this.#leaderRole;
  }

  start(): void {
    this.election?.start();
    this.peer.start();
  }

  tick(): void {
    this.#ticks++;
    this.election?.tick();
    this.#learnerRole?.tick();
    this.#leaderRole?.tick(this.#ticks % 2 === 0);
    this.#standalone?.tick();
  }

  fire(timer: string): void {
    if (timer.startsWith("peer:")) this.peer.fire(timer);
    else if (timer.startsWith("election:")) this.election?.chart.fire(timer);
    else this.#leaderRole?.timer(timer);
  }

  flush(effects: Effects): void {
    this.#leaderRole?.flush(effects);
    this.#learnerRole?.connection.link.flush(effects);
  }

  // --- sockets

  accepted(socket: number, port: ListenPort): void {
    if (port === "election") this.election?.channels.accepted(socket);
    else if (this.#leaderRole !== null) this.#leaderRole.accepted(socket);
    else this.#options.effects().push({ type: "socket.destroy", socket });
  }

  connected(socket: number, owner: "election" | "leader"): void {
    if (owner === "election") this.election?.channels.connected(socket);
    else if (this.#isLeader(socket)) {
      const connection = this.#learnerRole?.connection;
      if (connection === undefined) return;
      connection.opened = true;
      connection.link.lastHeardMs = this.#options.environment.monotonicMs();
      this.peer.send({ type: "LEADER_CONNECTED" });
    }
  }

  data(socket: number, owner: "election" | "leader" | "learner", chunk: Buffer): void {
    if (owner === "election") this.election?.channels.data(socket, chunk);
    else if (owner === "learner") this.#leaderRole?.data(socket, chunk);
    else if (this.#isLeader(socket)) this.#learnerRole?.connection.data(chunk);
  }

  drained(socket: number, owner: "leader" | "learner", effects: Effects): void {
    if (owner === "learner") this.#leaderRole?.drained(socket, effects);
    else if (this.#isLeader(socket)) this.#learnerRole?.connection.link.drained(effects);
  }

  closed(socket: number, owner: "election" | "leader" | "learner", error: string | undefined): void {
    if (owner === "election") this.election?.channels.closed(socket);
    else if (owner === "learner") this.#leaderRole?.closed(socket, error ?? "the learner closed its connection");
    else if (this.#isLeader(socket)) {
      const connection = this.#learnerRole?.connection;
      if (connection?.opened) connection.lost(error ?? "the leader closed the connection");
      else this.peer.send({ type: "LEADER_CONNECT_FAILED" });
    }
  }

  listenFailed(message: string): void {
    const { config, report } = this.#options;
    const number = config.servers.find((server) => server.id === this.#self)?.quorumPort;
    report({ level: "warn", message: `cannot lead without the quorum port ${number}: ${message}` });
    this.peer.send({ type: "LISTEN_FAILED", message });
  }

  #isLeader(socket: number): boolean {
    return this.#learnerRole?.connection.link.socket === socket;
  }

  // --- storage

  storageFact(fact: StorageFact): void {
    const { tracer } = this.#options;
    if (tracer !== null) traceFact(tracer, fact);
    this.#storage.fact(fact);
  }

  #appended(upTo: Zxid): void {
    switch (this.peer.admitted["LOG_APPENDED"]) {
      case "standalone.appended":
        return this.#standalone?.broadcast.appended(upTo);
      case "leader.appended":
        return this.#leaderRole?.primary?.broadcast.appended(upTo);
      case "learner.appended":
      case "history.appended":
        return this.#learnerRole?.appended(upTo);
      default:
        this.peer.send({ type: "LOG_APPENDED", upTo });
    }
  }

  // --- what the peer chart asks for

  #perform(effect: PeerEffect): void {
    const { replica, config, effects, report } = this.#options;
    switch (effect.type) {
      case "storage.recover":
        return this.#storage.recover();
      case "acceptedEpoch.write":
        return this.#storage.writeEpoch("acceptedEpoch", effect.epoch);
      case "currentEpoch.write":
        return this.#storage.writeEpoch("currentEpoch", effect.epoch);
      case "log.truncate":
        return this.#storage.truncate(effect.zxid);
      case "snapshot.receive":
        replica.committedLog.clear();
        return this.#learnerRole?.receiveSnapshot(effect.zxid);
      case "snapshot.take":
        return this.#storage.takeSnapshot(effect.zxid);
      case "election.start":
        this.#electionStartedMs = this.#options.environment.monotonicMs();
        return this.election?.look(effect.zxid, effect.currentEpoch);
      case "role.settle":
        this.#storage.settle(this.#uncommitted);
        this.#uncommitted = [];
        return;
      case "leader.connect":
        return this.#connectToLeader(effect.leader);
      case "leader.disconnect":
        this.#learnerRole?.connection.detach();
        if (this.#learnerRole !== null)
          effects().push({ type: "socket.destroy", socket: this.#learnerRole.connection.link.socket });
        this.#learnerRole = null;
        return;
      case "packet.send":
        return this.#sendToLeader(effect);
      case "history.open":
        return this.#learnerRole?.openHistory(effect.after);
      case "history.log":
        return this.#learnerRole?.logHistory();
      case "learner.open":
        this.#told("serving", { leader: this.peer.context.leader, epoch: effect.epoch });
        this.election?.established(effect.epoch);
        return this.#learnerRole?.open();
      case "learner.close":
        replica.service.close(this.#options.effects());
        this.#learnerRole?.close();
        this.#uncommitted = this.#learnerRole?.uncommitted ?? [];
        return;
      case "learners.listen":
        return this.#listenForLearners();
      case "learners.close":
        effects().push({ type: "unlisten", port: "quorum" });
        this.#leaderRole?.closeLearners("the leader steps down");
        this.#leaderRole = null;
        return;
      case "learners.announceEpoch":
        return this.#leaderRole?.announceEpoch(effect.epoch);
      case "learners.synchronize":
        return this.#leaderRole?.synchronize();
      case "broadcast.open":
        this.#told("leading", { epoch: effect.epoch });
        this.election?.established(effect.epoch);
        return this.#leaderRole?.open(effect.epoch);
      case "broadcast.close":
        replica.service.close(this.#options.effects());
        this.#uncommitted = this.#leaderRole?.close() ?? [];
        return;
      case "standalone.open":
        return this.#openStandalone();
      case "standalone.close":
        replica.service.close(this.#options.effects());
        this.#standalone = null;
        return;
      case "server.exit":
        report({ level: "error", message: `the server stops: ${effect.reason}`, data: whereFilesAre(config) });
        void effects().push({ type: "process.exit", code: effect.code, reason: effect.reason });
        return;
    }
  }

  #told(what: string, data: Record<string, unknown>): void {
    const tookMs = Math.round(this.#options.environment.monotonicMs() - this.#electionStartedMs);
    this.#options.counters.electionMs.add(tookMs);
    this.#options.report({ level: "info", message: what, data: { ...data, tookMs } });
  }

  #connectToLeader(leader: ServerId): void {
    const { config, replica, environment, report, effects } = this.#options;
    const spec = config.servers.find((server) => server.id === leader);
    if (spec === undefined) return;
    const socket = this.#options.newSocket("leader");
    if (this.peer.context.connectAttempts === 0) this.#leaderSoughtMs = environment.monotonicMs();
    this.#learnerRole = new LearnerRole({
      self: this.#self,
      kind: config.peerType,
      socket,
      initLimitMs: config.initLimitTicks * config.tickTimeMs,
      syncLimitMs: config.syncLimitTicks * config.tickTimeMs,
      replica,
      environment,
      report,
      tracer: this.#options.tracer,
      peer: (event) => this.peer.send(event),
      admitted: (event) => this.peer.admitted[event],
    });
    // A host that swallows every attempt must not keep this server from the next election, however many it may make.
    this.#learnerRole.connection.link.lastHeardMs = this.#leaderSoughtMs;
    const timeoutMs = Math.min(config.cnxTimeoutMs, config.connectToLearnerMasterLimitTicks * config.tickTimeMs);
    effects().push({ type: "socket.connect", socket, host: spec.host, port: spec.quorumPort, timeoutMs });
  }

  #sendToLeader(effect: Extract<PeerEffect, { type: "packet.send" }>): void {
    const role = this.#learnerRole;
    if (role === null) return;
    switch (effect.packet) {
      case "FOLLOWERINFO":
      case "OBSERVERINFO":
        return role.connection.introduce(effect.packet, effect.epoch, 0);
      case "ACKEPOCH":
        return role.connection.ackEpoch(effect.epoch, effect.zxid);
      case "ACK":
        return role.acknowledgeNewLeader(effect.epoch);
    }
  }

  #listenForLearners(): void {
    const { config, replica, effects } = this.#options;
    const own = config.servers.find((server) => server.id === this.#self);
    if (own === undefined) return;
    this.#leaderRole = new LeaderRole({
      ...this.#options,
      self: this.#self,
      quorum: this.quorum,
      tickTimeMs: config.tickTimeMs,
      containerCheckIntervalMs: config.containerCheckIntervalMs,
      initLimitMs: config.initLimitTicks * config.tickTimeMs,
      syncLimitMs: config.syncLimitTicks * config.tickTimeMs,
      snapshotSizeFactorBytes: () => Math.max(1 << 20, replica.database.approximateDataSize * SNAPSHOT_SIZE_FACTOR),
      configText: this.configText,
      serving: config,
      // When storage has failed nobody is left to hear that the learners are sent away.
      peer: (event) => (this.peer.done ? undefined : this.peer.send(event)),
      admits: (event) => this.peer.admitted[event] !== undefined,
      destroy: (socket) => effects().push({ type: "socket.destroy", socket }),
    });
    const host = config.quorumListenOnAllIps ? null : own.host;
    effects().push({ type: "listen", port: "quorum", host, number: own.quorumPort });
  }

  #openStandalone(): void {
    const { config, replica, environment, counters } = this.#options;
    const primary = new Primary({
      mode: "standalone",
      self: this.#self,
      quorum: { voters: [this.#self] },
      lastZxid: replica.database.lastProcessedZxid,
      tickTimeMs: config.tickTimeMs,
      containerCheckIntervalMs: config.containerCheckIntervalMs,
      replica,
      config,
      environment,
      counters,
      voters: () => [],
      ping: () => {},
      unexpected: this.#options.unexpected,
      exhausted: () => {},
    });
    this.#standalone = primary;
    replica.service.open(primary);
    primary.closeLostSessions();
  }

  #setConfigNode(): void {
    if (this.#options.config.standalone) return;
    this.#options.replica.database.setConfigText(this.configText, 0 as Zxid, this.#options.environment.wallMs());
  }
}

/** What a failure of storage calls `snap/…`, `log/…` and `data/…`, in full. */
function whereFilesAre({ file, dataDir, dataLogDir }: ServerConfig): Record<string, string> {
  return { config: file, data: dataDir, snap: `${dataDir}/version-2`, log: `${dataLogDir}/version-2` };
}

/** zookeeper.snapshotSizeFactor: a longer stretch of log is not worth reading; send a snapshot. */
const SNAPSHOT_SIZE_FACTOR = 0.33;
