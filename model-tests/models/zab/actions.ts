/** Everything that can happen next in an ensemble. */

import type { ServerId } from "../../../spec/vocabulary.ts";
import type { EmitSuccessor, Words } from "../../checker/model.ts";
import type { ElectionSteps, Elections } from "./elections.ts";
import {
  A_BREAK,
  A_CRASH,
  A_WIPE,
  A_WRITE,
  type ActionKind,
  actionOf,
  breaksIn,
  crashesIn,
  wipesIn,
  writesIn,
  type ZabBounds,
  ZabLayout,
} from "./layout.ts";
import type { Slot } from "./outputs.ts";
import type { QuietTakes } from "./quiet-takes.ts";
import type { ServerInfo, ZabWorld } from "./world.ts";

const SLOTS: readonly Slot[] = [0, 1];

export class ZabActions implements ElectionSteps {
  readonly #world: ZabWorld;
  readonly #bounds: ZabBounds;
  readonly #at: ZabLayout;
  readonly #quiet: QuietTakes | null;
  readonly #elections: Elections;
  readonly #next: Words;
  readonly #quorumSize: number;
  // Ids of events that carry nothing of the state, made once.
  readonly #events: Readonly<
    Record<
      | "sync"
      | "lose"
      | "wipe"
      | "epoch"
      | "truncate"
      | "snapshot"
      | "quorum"
      | "limit"
      | "connected"
      | "failed"
      | "gone",
      number
    >
  >;
  readonly #elected: readonly number[];
  readonly #crash: number[] = [];
  readonly #propose: number[] = [];
  #words: Words;
  #emit: EmitSuccessor = () => {};

  /** `quiet`: what learners take at once; null: every take is a step. */
  constructor(world: ZabWorld, bounds: ZabBounds, quiet: QuietTakes | null, elections: Elections) {
    this.#quiet = quiet;
    this.#elections = elections;
    this.#world = world;
    this.#bounds = bounds;
    this.#at = new ZabLayout(bounds.servers);
    this.#next = new Int32Array(world.width);
    this.#words = this.#next;
    this.#quorumSize = Math.floor(bounds.servers / 2) + 1;
    this.#events = {
      sync: world.serverEvent({ type: "LOG_SYNCED" }),
      wipe: world.serverEvent({ type: "WIPE" }),
      lose: world.serverEvent({ type: "APPEND_LOST" }),
      epoch: world.serverEvent({ type: "EPOCH_WRITTEN" }),
      truncate: world.serverEvent({ type: "TRUNCATED" }),
      snapshot: world.serverEvent({ type: "SNAPSHOT_STEP" }),
      quorum: world.serverEvent({ type: "QUORUM_CHECK" }),
      limit: world.serverEvent({ type: "INIT_LIMIT" }),
      connected: world.serverEvent({ type: "CONNECTED" }),
      failed: world.serverEvent({ type: "CONNECT_FAILED" }),
      gone: world.serverEvent({ type: "LEADER_GONE" }),
    };
    this.#elected = Array.from({ length: bounds.servers }, (_, i) =>
      world.serverEvent({ type: "ELECTED", leader: (i + 1) as ServerId }),
    );
    for (let kept = 0; kept <= bounds.txns; kept++) this.#crash.push(world.serverEvent({ type: "CRASH", kept }));
    for (let value = 0; value <= bounds.txns; value++)
      this.#propose.push(world.serverEvent({ type: "PROPOSE", value }));
  }

  successors(words: Words, emit: EmitSuccessor): void {
    this.#words = words;
    this.#emit = emit;
    const { servers } = this.#at;
    this.#elections.successors(words, this);
    for (let server = 0; server < servers; server++) this.#ofServer(server, this.#info(server));
    for (let learner = 0; learner < servers; learner++)
      for (let leader = 0; leader < servers; leader++) if (learner !== leader) this.#ofLinks(learner, leader);
  }

  #emitState(next: Words, action: number): void {
    if (this.#quiet !== null) this.#world.takeQuietly(next, this.#quiet);
    this.#world.renumber(next);
    this.#elections.tidy(next);
    if (this.#elections.isWithin(next)) this.#emit(next, action);
  }

  #info(server: number): ServerInfo {
    return this.#world.serverInfo(this.#words[server] as number);
  }

  /** The next state, to be changed and emitted. */
  #fresh(): Words {
    this.#next.set(this.#words);
    return this.#next;
  }

  #alone(kind: ActionKind, server: number, event: number, parameter = 0): void {
    const next = this.#fresh();
    this.#run(next, server, event);
    this.#emitState(next, actionOf(kind, server, 0, parameter));
  }

  /** One server's step, and the connection that it may ask for: it is there at once if the leader listens already. */
  #run(next: Words, server: number, event: number): void {
    const wanted = this.#world.step(next, server, event);
    if (wanted !== -1 && this.#mayConnect(next, server, wanted)) this.#connect(next, server, wanted);
  }

  #mayConnect(words: Words, learner: number, leader: number): boolean {
    const { listening } = this.#world.serverInfo(words[leader] as number);
    return listening && this.#world.linkInfo(words[this.#at.pair(learner, leader)] as number).freeSlot !== -1;
  }

  #connect(next: Words, learner: number, leader: number): void {
    const pair = this.#at.pair(learner, leader);
    const slot = this.#world.linkInfo(next[pair] as number).freeSlot as Slot;
    this.#world.stepLink(next, pair, this.#world.linkEvent({ type: "open", slot }));
    const from = (learner + 1) as ServerId;
    this.#world.step(next, leader, this.#world.serverEvent({ type: "ACCEPT", from, slot }));
    this.#world.step(next, learner, this.#events.connected);
  }

  // --- those who elect

  info(server: number): ServerInfo {
    return this.#info(server);
  }

  fresh(): Words {
    return this.#fresh();
  }

  elected(next: Words, server: number, leader: number): void {
    this.#run(next, server, this.#elected[leader] as number);
  }

  emit(next: Words, action: number): void {
    this.#emitState(next, action);
  }

  mayConnect(server: number, leader: number): boolean {
    return this.#mayConnect(this.#words, server, leader);
  }

  // --- one server

  #ofServer(server: number, info: ServerInfo): void {
    const budget = this.#words[this.#at.budget] as number;
    if (info.logSyncs) this.#alone("log synced", server, this.#events.sync);
    if (info.epochWrites) this.#alone("epoch written", server, this.#events.epoch);
    if (info.truncates) this.#alone("log truncated", server, this.#events.truncate);
    if (info.snapshots) this.#alone("snapshot step", server, this.#events.snapshot);
    if (info.lacksQuorum) this.#alone("quorum lost", server, this.#events.quorum);
    if (info.mayPropose && writesIn(budget) < this.#bounds.txns) {
      const value = writesIn(budget) + 1;
      this.#paid("propose", server, this.#propose[value] as number, -A_WRITE);
    }
    if (info.hasPatience) this.#patience(server, budget);
    if (info.connectingTo !== -1) this.#connecting(server, info.connectingTo);
    if (wipesIn(budget) > 0) this.#paid("wipe", server, this.#events.wipe, A_WIPE);
    if (info.mayLoseAppend && crashesIn(budget) > 0) this.#paid("append lost", server, this.#events.lose, A_CRASH);
    if (crashesIn(budget) > 0)
      for (let kept = 0; kept <= info.unsynced; kept++)
        this.#paid("crash", server, this.#crash[kept] as number, A_CRASH, kept);
  }

  #paid(kind: ActionKind, server: number, event: number, price: number, parameter = 0): void {
    const next = this.#fresh();
    next[this.#at.budget] = (next[this.#at.budget] as number) - price;
    this.#run(next, server, event);
    this.#emitState(next, actionOf(kind, server, 0, parameter));
  }

  /** A leader without a quorum of connections waits in vain: then its timer is no fault. */
  #patience(server: number, budget: number): void {
    let connected = 1;
    for (let other = 0; other < this.#at.servers; other++) {
      if (other === server) continue;
      const { open } = this.#world.linkInfo(this.#words[this.#at.pair(other, server)] as number);
      if (open[0] || open[1]) connected += 1;
    }
    if (connected < this.#quorumSize) {
      if (this.#elections.isQuiet(this.#words)) this.#alone("leader loses patience", server, this.#events.limit);
    } else if (breaksIn(budget) > 0) this.#paid("leader loses patience", server, this.#events.limit, A_BREAK, 1);
  }

  #connecting(server: number, leader: number): void {
    if (this.#mayConnect(this.#words, server, leader)) {
      const next = this.#fresh();
      this.#connect(next, server, leader);
      this.#emitState(next, actionOf("connect", server, leader));
    }
    if (!this.#info(leader).listening && this.#elections.isQuiet(this.#words))
      this.#alone("give up connecting", server, this.#events.failed);
  }

  // --- one pair of servers

  #ofLinks(learner: number, leader: number): void {
    const pair = this.#at.pair(learner, leader);
    const info = this.#world.linkInfo(this.#words[pair] as number);
    if (info.toLearner !== -1) {
      const next = this.#fresh();
      this.#world.stepLink(next, pair, this.#world.linkEvent({ type: "taken down" }));
      this.#run(next, learner, info.toLearner);
      this.#emitState(next, actionOf("learner takes", learner, leader, info.toLearner));
    }
    if (info.learnerNotices) {
      const next = this.#fresh();
      this.#run(next, learner, this.#events.gone);
      this.#emitState(next, actionOf("learner notices", learner, leader));
    }
    for (const slot of SLOTS) {
      if (info.toLeader[slot] !== -1) this.#leaderTakes(learner, leader, slot, info.toLeader[slot]);
      if (info.leaderNotices[slot]) this.#leaderNotices(learner, leader, slot);
      if (info.open[slot] && breaksIn(this.#words[this.#at.budget] as number) > 0) this.#cut(learner, leader, slot);
    }
  }

  #leaderTakes(learner: number, leader: number, slot: Slot, packet: number): void {
    const event = this.#world.upEvent(learner, slot, packet);
    const next = this.#fresh();
    const pair = this.#at.pair(learner, leader);
    this.#world.stepLink(next, pair, this.#world.linkEvent({ type: "taken up", slot }));
    this.#run(next, leader, event);
    this.#emitState(next, actionOf("leader takes", leader, learner, event));
  }

  #leaderNotices(learner: number, leader: number, slot: Slot): void {
    const from = (learner + 1) as ServerId;
    const next = this.#fresh();
    this.#run(next, leader, this.#world.serverEvent({ type: "LEARNER_GONE", from, slot }));
    this.#emitState(next, actionOf("leader notices", leader, learner, slot));
  }

  #cut(learner: number, leader: number, slot: Slot): void {
    const next = this.#fresh();
    next[this.#at.budget] = (next[this.#at.budget] as number) - A_BREAK;
    this.#world.stepLink(next, this.#at.pair(learner, leader), this.#world.linkEvent({ type: "cut", slot }));
    this.#emitState(next, actionOf("cut", learner, leader, slot));
  }
}
