/**
 * One server without its I/O: a deterministic object that takes what the operating system hands over and answers with effects.
 * Production, simulator and tests drive this same object.
 *
 * A request's way: SOCKET_DATA → client service → (role) → log and learners, gathered until TURN_ENDED; LOG_APPENDED or ACK →
 * commit → tree, watches, reply.
 */

import { CommittedLog } from "../ensemble/committed-log.ts";
import { ClientService } from "../pipeline/client-service.ts";
import { assert } from "../runtime/assert.ts";
import { ServerCounters } from "../runtime/counters.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import { StepClock } from "../runtime/step-clock.ts";
import { ChartTrace } from "../runtime/trace.ts";
import { TRACE_FORMAT, Tracer } from "../runtime/tracer.ts";
import { Storage } from "../storage/storage.ts";
import {
  type ChartSteps,
  DEFAULT_STORAGE_CONFIG,
  type StorageConfig,
  type StorageFact,
} from "../storage/storage-facts.ts";
import { Database } from "../tree/database.ts";
import type { ServerConfig } from "./config.ts";
import { EnsembleMember } from "./ensemble-member.ts";
import type { Effects, Input, ListenPort, SocketId } from "./io.ts";
import { Replica } from "./replica.ts";
import { viewOf } from "./server-view.ts";
import { traceWrites } from "./trace-fact.ts";
import type { HostFacts, ServerView } from "./view.ts";

export interface ServerOptions {
  readonly config: ServerConfig;
  readonly environment: Environment;
  readonly host: HostFacts;
  /** Answers a four-letter word from a view of this server; null when there is no such word. */
  readonly fourLetterWords: (view: ServerView) => (word: string, rest: Buffer) => string | null;
  /** Takes the lines of a trace (runtime/tracer.ts), whole and in order. */
  readonly traced?: (line: string) => void;
}

type SocketOwner = "client" | "election" | "leader" | "learner";

/** Chart steps that an assertion failure or an operator can look back on. */
const TRACE_CAPACITY = 1024;

const MS_PER_HOUR = 3_600_000;

export class Server {
  readonly config: ServerConfig;
  readonly counters: ServerCounters;
  readonly database: Database;
  readonly service: ClientService;
  readonly member: EnsembleMember;
  readonly replica: Replica;
  readonly trace: ChartTrace;
  readonly view: ServerView;
  readonly #tracer: Tracer | null;
  readonly #clock: StepClock;
  readonly #owners = new Map<SocketId, SocketOwner>();
  #effects: Effects = [];
  #nextSocket = 2;
  #stopping = false;

  constructor(options: ServerOptions) {
    const { config } = options;
    const environment = new StepClock(options.environment);
    this.#clock = environment;
    this.config = config;
    this.counters = new ServerCounters(environment.monotonicMs());
    this.trace = new ChartTrace(TRACE_CAPACITY, () => environment.monotonicMs());
    const tracer = options.traced === undefined ? null : new Tracer(options.traced);
    this.#tracer = tracer;
    if (tracer !== null) this.trace.sink = (...step) => tracer.step(...step);
    const stepped: ChartSteps = (chart, from, event, to) => {
      this.counters.chartSteps++;
      this.trace.record(chart, from, event, to);
    };
    this.database = new Database({ digest: config.digestEnabled, extendedTypes: config.extendedTypesEnabled });
    const report: Reporter = (line) => void this.#effects.push({ type: "report", report: line });
    let words: ((word: string, rest: Buffer) => string | null) | undefined;
    this.service = new ClientService({
      database: this.database,
      environment,
      report,
      config,
      counters: this.counters,
      fourLetterWord: (word, rest) => {
        words ??= options.fourLetterWords(this.view);
        return words(word, rest);
      },
    });
    const committedLog = new CommittedLog(config.commitLogCount);
    const storage = new Storage({
      database: this.database,
      effects: () => this.#effects,
      fact: (fact) => this.#storageFact(fact),
      replayed: (txn, entry) => committedLog.add(txn.zxid, Buffer.from(entry)),
      report,
      // Snapshots are cut into slices of time, which must not stand still.
      environment: options.environment,
      config: storageConfig(config),
      stepped,
    });
    this.replica = new Replica({
      database: this.database,
      storage,
      service: this.service,
      committedLog,
      report,
      applied: () => {
        this.counters.txnsApplied++;
      },
      tracer,
    });
    this.member = new EnsembleMember({
      config,
      replica: this.replica,
      environment,
      counters: this.counters,
      report,
      effects: () => this.#effects,
      timer: (id, delayMs) => {
        this.#effects.push(delayMs === null ? { type: "timer.clear", id } : { type: "timer.set", id, delayMs });
      },
      newSocket: (owner) => this.#newSocket(owner),
      unexpected: (chart, state, event) => {
        this.counters.unexpectedEvents++;
        tracer?.unexpected(chart, state, event);
        report({ level: "warn", message: "an event that its chart does not expect", data: { chart, state, event } });
      },
      stepped,
      tracer,
    });
    this.view = viewOf(this, options.host, environment);
  }

  /** Takes one input; effects are appended to `effects` and must be performed in order. */
  step(input: Input, effects: Effects): void {
    this.#effects = effects;
    this.#clock.step();
    switch (input.type) {
      case "SOCKET_DATA": {
        const owner = this.#owners.get(input.socket);
        if (owner === "client") this.service.data(input.socket, input.chunk, effects);
        else if (owner !== undefined) this.member.data(input.socket, owner, input.chunk);
        return;
      }
      case "TURN_ENDED":
        return this.#endTurn(effects);
      case "DISK_DONE":
        if (this.#tracer !== null) this.#tracer.answered(input.id);
        return this.replica.storage.input(input);
      case "DISK_FAILED":
        return this.replica.storage.input(input);
      case "SOCKET_ACCEPTED":
        return this.#accepted(input.socket, input.port, input.remote, effects);
      case "SOCKET_CONNECTED": {
        const owner = this.#owners.get(input.socket);
        if (owner === "election" || owner === "leader") this.member.connected(input.socket, owner);
        return;
      }
      case "SOCKET_DRAINED": {
        const owner = this.#owners.get(input.socket);
        if (owner === "client") this.service.drained(input.socket, effects);
        else if (owner === "leader" || owner === "learner") this.member.drained(input.socket, owner, effects);
        return;
      }
      case "SOCKET_CLOSED": {
        const owner = this.#owners.get(input.socket);
        this.#owners.delete(input.socket);
        if (owner === "client") this.service.closed(input.socket, effects);
        else if (owner !== undefined) this.member.closed(input.socket, owner, input.error);
        return;
      }
      case "TIMER":
        return this.#timer(input.id, effects);
      case "STARTED":
        return this.#start(effects);
      case "LISTENING":
        return;
      case "LISTEN_FAILED":
        return this.#listenFailed(input.port, input.error, effects);
      case "STOP":
        return this.#stop(effects);
    }
  }

  #start(effects: Effects): void {
    const { tickTimeMs, purgeIntervalHours, serverId: self, standalone, peerType: kind, forceSync } = this.config;
    this.#tracer?.started({ format: TRACE_FORMAT, self, standalone, kind, quorum: this.member.quorum, forceSync });
    effects.push({ type: "timer.set", id: "tick", delayMs: tickTimeMs / 2 });
    if (purgeIntervalHours > 0) effects.push({ type: "timer.set", id: "purge", delayMs: 0 });
    const { clientPort, clientPortAddress } = this.config;
    if (clientPort !== null)
      effects.push({ type: "listen", port: "client", host: clientPortAddress, number: clientPort });
    this.member.start();
  }

  #endTurn(effects: Effects): void {
    this.service.flush(effects);
    // Learners hear of a proposal before the own disk does: both write at the same time.
    this.member.flush(effects);
    this.replica.storage.flush();
    if (this.#tracer !== null) traceWrites(this.#tracer, effects);
  }

  #accepted(socket: SocketId, port: ListenPort, remote: { host: string; port: number }, effects: Effects): void {
    if (port === "client") {
      this.#owners.set(socket, "client");
      this.service.accepted(socket, remote, effects);
      return;
    }
    this.#owners.set(socket, port === "election" ? "election" : "learner");
    this.member.accepted(socket, port);
  }

  #timer(id: string, effects: Effects): void {
    switch (id) {
      case "tick":
        effects.push({ type: "timer.set", id, delayMs: this.config.tickTimeMs / 2 });
        return this.member.tick();
      case "purge":
        effects.push({ type: "timer.set", id, delayMs: this.config.purgeIntervalHours * MS_PER_HOUR });
        return this.replica.storage.purge();
      default:
        return this.member.fire(id);
    }
  }

  #listenFailed(port: ListenPort, error: string, effects: Effects): void {
    if (port === "quorum") return this.member.listenFailed(error);
    const number = port === "client" ? this.config.clientPort : this.#ownElectionPort();
    const reason = `cannot listen on the ${port} port ${number}: ${error}`;
    effects.push({ type: "report", report: { level: "error", message: reason } });
    effects.push({ type: "process.exit", code: 1, reason });
  }

  #ownElectionPort(): number | undefined {
    return this.config.servers.find((server) => server.id === this.config.serverId)?.electionPort;
  }

  /** Everything that was acknowledged is durable already; nothing needs saving. Clients see their connection close. */
  #stop(effects: Effects): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#tracer?.ended();
    this.service.close(effects);
    this.#endTurn(effects);
    this.replica.storage.close();
    effects.push({ type: "process.exit", code: 0, reason: "stopped" });
  }

  #storageFact(fact: StorageFact): void {
    if (this.#stopping) return;
    this.member.storageFact(fact);
  }

  #newSocket(owner: "election" | "leader"): SocketId {
    const socket = this.#nextSocket;
    this.#nextSocket += 2;
    assert(!this.#owners.has(socket), "Socket ids are never reused.");
    this.#owners.set(socket, owner);
    return socket;
  }
}

function storageConfig(config: ServerConfig): StorageConfig {
  return {
    ...DEFAULT_STORAGE_CONFIG,
    epochFiles: !config.standalone,
    separateLogDir: config.dataLogDir !== config.dataDir,
    snapCount: config.snapCount,
    preAllocSizeBytes: config.preAllocSizeBytes,
    snapRetainCount: config.snapRetainCount,
    forceSync: config.forceSync,
    fsyncWarningThresholdMs: config.fsyncWarningThresholdMs,
    maxEntryBytes: config.juteMaxBuffer * 2,
    digestEnabled: config.digestEnabled,
    autoCreate: config.autoCreate,
    trustEmptySnapshot: config.trustEmptySnapshot,
  };
}
