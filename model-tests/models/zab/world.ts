/** The interned parts of an ensemble, and what its steps read of them: computed once per local state. */

import type { GhostView } from "../../../spec/invariants/zab-view.ts";
import type { PeerContext } from "../../../spec/peer/setup.ts";
import type { QuorumConfig } from "../../../spec/quorum.ts";
import type { ServerId } from "../../../spec/vocabulary.ts";
import { InternPool } from "../../checker/intern-pool.ts";
import type { LocalMachine } from "../../checker/memo.ts";
import type { Words } from "../../checker/model.ts";
import type { AbstractStates } from "./abstract.ts";
import type { ElectionPort } from "./elections.ts";
import { ghostMachine } from "./ghost.ts";
import type { ZabBounds, ZabLayout } from "./layout.ts";
import {
  freeSlot,
  hasEnded,
  isMisplaced,
  isOpen,
  type LinkEvent,
  learnersSlot,
  linkMachine,
  type PairLinks,
} from "./links.ts";
import { Member } from "./member.ts";
import type { ElectionOutput, GhostOutput, ServerOutput, Slot } from "./outputs.ts";
import type { ZabParts } from "./parts.ts";
import type { QuietTakes } from "./quiet-takes.ts";
import { ServerMachine } from "./server-machine.ts";
import type { Charts, ServerEvent } from "./server-state.ts";
import type { UpPacket } from "./values.ts";
import { serverView } from "./view.ts";

/** What may happen to a server, by its local state. Servers count from 0 here. */
export interface ServerInfo {
  readonly looking: boolean;
  /** It leads, or is about to: learners may connect. */
  readonly listening: boolean;
  /** Wants a connection to this leader; -1: to none. */
  readonly connectingTo: number;
  readonly vote: { readonly epoch: number; readonly zxid: number };
  readonly acceptedEpoch: number;
  readonly logSyncs: boolean;
  readonly mayLoseAppend: boolean;
  readonly epochWrites: boolean;
  readonly truncates: boolean;
  readonly snapshots: boolean;
  readonly mayPropose: boolean;
  readonly lacksQuorum: boolean;
  readonly hasPatience: boolean;
  /** Txns handed to the disk that a crash may lose. */
  readonly unsynced: number;
}

export interface LinkInfo {
  /** Slot of the connection whose learner's end is open; -1: none. */
  readonly learnersSlot: number;
  readonly freeSlot: number;
  /** Id of the event that the learner takes next; -1: nothing is under way. */
  readonly toLearner: number;
  readonly learnerNotices: boolean;
  /** By slot: id of the packet that the leader takes next; -1: nothing is under way. */
  readonly toLeader: readonly [number, number];
  readonly leaderNotices: readonly [boolean, boolean];
  readonly open: readonly [boolean, boolean];
  readonly misplaced: boolean;
}

/** A step's outputs in numbers. */
interface Compiled {
  /** Triples: the other server, 1 if this one is the learner, id of the link event. */
  readonly links: Int32Array;
  readonly ghosts: Int32Array;
  readonly votes: readonly ElectionOutput[];
  readonly connectTo: number;
}

export class ZabWorld {
  readonly servers: ServerMachine;
  readonly links: LocalMachine<PairLinks, LinkEvent, never>;
  readonly ghosts: LocalMachine<GhostView, GhostOutput, never>;
  readonly quorum: QuorumConfig;
  readonly charts: Charts;
  readonly width: number;
  readonly #at: ZabLayout;
  readonly #elections: ElectionPort;
  readonly #serverInfos: ServerInfo[] = [];
  readonly #linkInfos: LinkInfo[] = [];
  readonly #views: number[] = [];
  readonly #compiled: Compiled[] = [];
  readonly #upPackets = new InternPool<UpPacket>("up packets", JSON.stringify);
  readonly #upEvents: number[] = [];
  readonly #takenDown: number;
  readonly #moved: number;
  readonly #renumbered: readonly number[];

  /** `width`: of a state, of which `at` says where the ensemble's words are. */
  constructor(bounds: ZabBounds, parts: ZabParts, at: ZabLayout, elections: ElectionPort, width = at.width) {
    this.width = width;
    this.#elections = elections;
    this.quorum = { voters: Array.from({ length: bounds.servers }, (_, i) => (i + 1) as ServerId) };
    this.servers = new ServerMachine({ parts, quorum: this.quorum, committedLogLimit: bounds.committedLog });
    this.charts = this.servers.setting.charts;
    this.links = linkMachine();
    this.ghosts = ghostMachine();
    this.#at = at;
    this.#takenDown = this.linkEvent({ type: "taken down" });
    this.#moved = this.linkEvent({ type: "moved" });
    this.#renumbered = this.quorum.voters.map((from) => this.serverEvent({ type: "RENUMBERED", from }));
  }

  serverEvent(event: ServerEvent): number {
    return this.servers.machine.events.intern(event);
  }

  linkEvent(event: LinkEvent): number {
    return this.links.events.intern(event);
  }

  /** The leader's event of taking a packet that came through a learner's connection. */
  upEvent(learner: number, slot: Slot, packet: number): number {
    const key = (packet * 2 + slot) * 8 + learner;
    const known = this.#upEvents[key];
    if (known !== undefined) return known;
    const from = (learner + 1) as ServerId;
    const event = this.serverEvent({ type: "FROM_LEARNER", from, slot, packet: this.#upPackets.get(packet) });
    this.#upEvents[key] = event;
    return event;
  }

  /** Lets one server take an event. @returns the server it wants to connect to, or -1. */
  step(words: Words, server: number, event: number): number {
    const { machine } = this.servers;
    const transition = machine.step(words[server] as number, event);
    words[server] = machine.next(transition);
    const compiled = this.#compiled[transition] ?? this.#compile(transition);
    const { links, ghosts } = compiled;
    for (let i = 0; i < links.length; i += 3) {
      const other = links[i] as number;
      const pair = links[i + 1] === 1 ? this.#at.pair(server, other) : this.#at.pair(other, server);
      this.stepLink(words, pair, links[i + 2] as number);
    }
    for (let i = 0; i < ghosts.length; i++) {
      const step = this.ghosts.step(words[this.#at.ghost] as number, ghosts[i] as number);
      words[this.#at.ghost] = this.ghosts.next(step);
    }
    for (const vote of compiled.votes) this.#tell(words, server, vote);
    return compiled.connectTo;
  }

  #tell(words: Words, server: number, vote: ElectionOutput): void {
    switch (vote.type) {
      case "looks":
        return this.#elections.looks(words, server, vote.zxid, vote.currentEpoch);
      case "serves":
        return this.#elections.serves(words, server, vote.epoch);
      case "dies":
        return this.#elections.dies(words, server);
    }
  }

  /**
   * Learners take at once what only they will ever know that they took (see quiet-takes.ts): it spares the search every order
   * of such steps.
   */
  takeQuietly(words: Words, quiet: QuietTakes): void {
    const { servers } = this.#at;
    for (let learner = 0; learner < servers; learner++)
      for (let leader = 0; leader < servers; leader++) {
        if (leader === learner) continue;
        const pair = this.#at.pair(learner, leader);
        for (;;) {
          const packet = this.linkInfo(words[pair] as number).toLearner;
          if (packet === -1 || !quiet.isQuiet(words[learner] as number, packet)) break;
          this.stepLink(words, pair, this.#takenDown);
          words[learner] = this.servers.machine.next(this.servers.machine.step(words[learner] as number, packet));
        }
      }
  }

  /** A pair's only connection has the first slot. */
  renumber(words: Words): void {
    const { servers } = this.#at;
    for (let learner = 0; learner < servers; learner++)
      for (let leader = 0; leader < servers; leader++) {
        if (leader === learner) continue;
        const pair = this.#at.pair(learner, leader);
        if (!this.linkInfo(words[pair] as number).misplaced) continue;
        this.stepLink(words, pair, this.#moved);
        this.step(words, leader, this.#renumbered[learner] as number);
      }
  }

  stepLink(words: Words, pair: number, event: number): void {
    words[pair] = this.links.next(this.links.step(words[pair] as number, event));
  }

  serverInfo(id: number): ServerInfo {
    const known = this.#serverInfos[id];
    if (known !== undefined) return known;
    const info = this.#describeServer(id);
    this.#serverInfos[id] = info;
    return info;
  }

  linkInfo(id: number): LinkInfo {
    const known = this.#linkInfos[id];
    if (known !== undefined) return known;
    const info = this.#describeLinks(this.links.snapshots.get(id));
    this.#linkInfos[id] = info;
    return info;
  }

  viewNumber(id: number, states: AbstractStates): number {
    const known = this.#views[id];
    if (known !== undefined) return known;
    const view = states.serverView(serverView(this.servers.setting, this.servers.machine.snapshots.get(id)));
    this.#views[id] = view;
    return view;
  }

  #compile(transition: number): Compiled {
    const links: number[] = [];
    const ghosts: number[] = [];
    const votes: ElectionOutput[] = [];
    let connectTo = -1;
    for (const output of this.servers.machine.outputs(transition)) {
      switch (output.type) {
        case "connect":
          connectTo = output.leader - 1;
          break;
        case "up":
          links.push(output.leader - 1, 1, this.linkEvent({ type: "up", packet: output.packet }));
          break;
        case "learnerCloses":
          links.push(output.leader - 1, 1, this.linkEvent({ type: "learnerCloses" }));
          break;
        case "down": {
          const { learner, slot, packet } = output;
          links.push(learner - 1, 0, this.linkEvent({ type: "down", slot, packet }));
          break;
        }
        case "leaderCloses":
          links.push(output.learner - 1, 0, this.linkEvent({ type: "leaderCloses", slot: output.slot }));
          break;
        case "looks":
        case "serves":
        case "dies":
          votes.push(output);
          break;
        default:
          ghosts.push(this.ghosts.events.intern(output as Extract<ServerOutput, GhostOutput>));
      }
    }
    const compiled = { links: Int32Array.from(links), ghosts: Int32Array.from(ghosts), votes, connectTo };
    this.#compiled[transition] = compiled;
    return compiled;
  }

  #describeServer(id: number): ServerInfo {
    const { setting, machine } = this.servers;
    const state = machine.snapshots.get(id);
    const path = setting.charts.peer.path(setting.charts.peer.parts.snapshots.intern(state.peer));
    const context = state.peer.context as PeerContext;
    const { disk, stopped } = state;
    const serving = path === "leading.broadcast" && !stopped;
    const lacksQuorum = serving && new Member(setting, state).lacksQuorum;
    return {
      looking: path === "looking" && !stopped,
      listening: path.startsWith("leading") && !stopped,
      connectingTo: path === "following.discovery.connecting" && context.leader !== null ? context.leader - 1 : -1,
      vote: { epoch: context.currentEpoch, zxid: context.lastZxid },
      acceptedEpoch: Math.max(disk.acceptedEpoch, path.startsWith("leading") ? context.newEpoch : 0),
      logSyncs: disk.writing.length > 0 && !stopped,
      mayLoseAppend: setting.parts.Disk.mayLoseAppends && disk.writing.length > 0 && !stopped,
      epochWrites: disk.epochWrites.length > 0 && !stopped,
      truncates: disk.truncateTo !== null && !stopped,
      snapshots: disk.snapshot !== null && !stopped,
      mayPropose: serving,
      lacksQuorum,
      hasPatience: path.startsWith("leading") && state.peer.armed.length > 0 && !stopped,
      unsynced: disk.writing.length + disk.gathered.length,
    };
  }

  #describeLinks(links: PairLinks): LinkInfo {
    const slot = learnersSlot(links);
    const link = slot === null ? null : links[slot];
    const packet = link?.down[0];
    const next = (slot: Slot): number => {
      const first = links[slot]?.up[0];
      return first === undefined ? -1 : this.#upPackets.intern(first);
    };
    return {
      learnersSlot: slot ?? -1,
      freeSlot: freeSlot(links) ?? -1,
      toLearner: packet === undefined ? -1 : this.serverEvent({ type: "FROM_LEADER", packet }),
      learnerNotices: link != null && (link.cut || !link.leaderEnd),
      toLeader: [next(0), next(1)],
      leaderNotices: [hasEnded(links[0]), hasEnded(links[1])],
      open: [isOpen(links[0]), isOpen(links[1])],
      misplaced: isMisplaced(links),
    };
  }
}
