/**
 * This server's voice in elections: the election chart, and the channels through which it speaks. It runs from the start to
 * the end of the process, because a settled server still tells newcomers who leads.
 */
import { type ElectionEffect, electionMachine } from "../../spec/election/election.machine.ts";
import { isVoter, type QuorumConfig } from "../../spec/quorum.ts";
import type { Epoch, PeerState, ServerId, Vote, Zxid } from "../../spec/vocabulary.ts";
import { ElectionChannels } from "../ensemble/election-channels.ts";
import { NOTIFICATION_VERSION } from "../protocol/notification.ts";
import { ChartRunner } from "../runtime/chart.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { Tracer } from "../runtime/tracer.ts";
import type { ServerConfig } from "./config.ts";
import type { Effects } from "./io.ts";

export interface ElectionRoleOptions {
  readonly config: ServerConfig;
  readonly quorum: QuorumConfig;
  readonly configText: string;
  readonly environment: Environment;
  readonly report: Reporter;
  effects(): Effects;
  newSocket(): number;
  timer(id: string, delayMs: number | null): void;
  unexpected(chart: string, state: string, event: string): void;
  decided(leader: ServerId): void;
  readonly tracer: Tracer | null;
  stepped(chart: string, from: string, event: { readonly type: string }, to: string): void;
}

export class ElectionRole {
  readonly chart: ChartRunner<typeof electionMachine, ElectionEffect>;
  readonly channels: ElectionChannels;
  readonly #options: ElectionRoleOptions;
  readonly #self: ServerId;

  constructor(options: ElectionRoleOptions) {
    this.#options = options;
    const { config, quorum } = options;
    this.#self = config.serverId;
    this.channels = this.#openChannels();
    this.chart = new ChartRunner<typeof electionMachine, ElectionEffect>(electionMachine, {
      name: "election",
      input: { self: this.#self, quorum },
      perform: (effect) => this.#perform(effect),
      timer: options.timer,
      unexpected: (state, event) => options.unexpected("election", state, event),
    });
    this.chart.onTransition = (from, event, to) => options.stepped("election", from, event, to);
  }

  start(): void {
    const { config, effects } = this.#options;
    this.chart.start();
    const own = config.servers.find((server) => server.id === this.#self);
    if (own === undefined) return;
    const host = config.quorumListenOnAllIps ? null : own.host;
    effects().push({ type: "listen", port: "election", host, number: own.electionPort });
  }

  tick(): void {
    this.channels.tick();
  }

  look(zxid: Zxid, currentEpoch: Epoch): void {
    this.chart.send({ type: "LOOK", zxid, currentEpoch });
  }

  /** Servers that look later must see votes of the epoch that was established since. */
  established(epoch: Epoch): void {
    this.chart.send({ type: "EPOCH_ESTABLISHED", epoch });
  }

  #openChannels(): ElectionChannels {
    const { config, environment, report, effects, newSocket } = this.#options;
    const members = config.servers.map(({ id, host, electionPort }) => ({ id, host, electionPort }));
    const self = members.find((member) => member.id === this.#self);
    return new ElectionChannels(self ?? { id: this.#self, host: "localhost", electionPort: 0 }, members, {
      report,
      introductionLimitMs: config.tickTimeMs * config.syncLimitTicks,
      nowMs: () => environment.monotonicMs(),
      connect: (host, port) => {
        const socket = newSocket();
        effects().push({ type: "socket.connect", socket, host, port, timeoutMs: config.cnxTimeoutMs });
        return socket;
      },
      write: (socket, bytes) => void effects().push({ type: "socket.write", socket, bytes }),
      close: (socket) => void effects().push({ type: "socket.close", socket }),
      destroy: (socket) => void effects().push({ type: "socket.destroy", socket }),
      notified: (from, { vote, state }) => this.chart.send({ type: "NOTIFICATION", from, vote, state }),
      up: (peer) => this.chart.send({ type: "CHANNEL_UP", peer }),
      down: (peer) => this.chart.send({ type: "CHANNEL_DOWN", peer }),
    });
  }

  #perform(effect: ElectionEffect): void {
    const { quorum } = this.#options;
    switch (effect.type) {
      case "channels.connect":
        for (const id of quorum.voters) this.channels.connect(id);
        return;
      case "notification.broadcast":
        for (const id of quorum.voters) if (id !== this.#self) this.#notify(id, effect.vote, "LOOKING");
        return;
      case "notification.answer":
        return this.#notify(effect.to, effect.vote, effect.settled ? this.#settledState(effect.vote) : "LOOKING");
      case "election.decided":
        return this.#options.decided(effect.vote.leader);
    }
  }

  #settledState(vote: Vote): PeerState {
    if (vote.leader === this.#self) return "LEADING";
    return isVoter(this.#options.quorum, this.#self) ? "FOLLOWING" : "OBSERVING";
  }

  #notify(to: ServerId, vote: Vote, state: PeerState): void {
    this.#options.tracer?.voted(to, state, vote);
    this.channels.send(to, { state, vote, version: NOTIFICATION_VERSION, config: this.#options.configText });
  }
}
