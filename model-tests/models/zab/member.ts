/**
 * One server, for the length of one step: production's charts and cores, wired as EnsembleMember and Replica
 * (src/server) wire them, around the model's disk. A step is loaded from a `ServerState`, runs, and is put away again.
 */

import { type History, lastZxid, type Txn } from "../../../spec/invariants/zab-view.ts";
import type { peerMachine } from "../../../spec/peer/peer.machine.ts";
import type { PeerEffect, PeerEvent } from "../../../spec/peer/setup.ts";
import type { QuorumConfig } from "../../../spec/quorum.ts";
import { counterOf, type Epoch, epochOf, type ServerId, ZERO_ZXID, type Zxid } from "../../../spec/vocabulary.ts";
import type { CommittedLog } from "../../../src/ensemble/committed-log.ts";
import { assert } from "../../../src/runtime/assert.ts";
import { ChartSlot } from "./chart-slot.ts";
import { type LeaderPart, NEW_LEADER } from "./leader-part.ts";
import type { LearnerPart } from "./learner-part.ts";
import type { ModelDisk } from "./model-disk.ts";
import type { ServerOutput } from "./outputs.ts";
import type { ZabParts } from "./parts.ts";
import type { Charts, MemberSetting, ServerEvent, ServerState } from "./server-state.ts";
import { entryOf, txnsOf, type UpPacket } from "./values.ts";

const NOTHING: History = [];

export class Member {
  readonly self: ServerId;
  readonly parts: ZabParts;
  readonly charts: Charts;
  readonly quorum: QuorumConfig;
  readonly disk: ModelDisk;
  readonly peer: ChartSlot<typeof peerMachine, PeerEffect>;
  readonly committedLog: CommittedLog;
  tree: History;
  readonly #outputs: ServerOutput[] = [];
  #emptyAt: Zxid;
  #lastLogged: Zxid;
  #durableUpTo: Zxid;
  #settling: boolean;
  #uncommitted: History;
  #receivedSnapshot: Zxid | null;
  #leader: LeaderPart | null;
  #learner: LearnerPart | null;
  #stopped: boolean;

  constructor({ parts, charts, quorum, committedLogLimit }: MemberSetting, state: ServerState) {
    this.self = state.self;
    this.parts = parts;
    this.charts = charts;
    this.quorum = quorum;
    this.disk = new parts.Disk(state.disk, charts.recovery);
    this.peer = new ChartSlot(charts.peer, charts.peer.parts.snapshots.intern(state.peer), {
      perform: (effect) => this.perform(effect),
      unexpected: (at, event) => this.alarm("Z10", `peer ${at} does not expect ${event}`),
    });
    this.committedLog = new parts.CommittedLog(committedLogLimit);
    for (const txn of state.window) this.committedLog.add(txn[0], entryOf(txn));
    this.tree = state.tree;
    this.#emptyAt = state.emptyAt;
    this.#lastLogged = state.lastLogged;
    this.#durableUpTo = state.durableUpTo;
    this.#settling = state.settling;
    this.#uncommitted = state.uncommitted;
    this.#receivedSnapshot = state.receivedSnapshot;
    this.#stopped = state.stopped;
    this.#leader = state.leader === null ? null : new this.parts.LeaderPart(this, state.leader);
    this.#learner = state.learner === null ? null : new this.parts.LearnerPart(this, state.learner);
  }

  get state(): ServerState {
    return {
      self: this.self,
      peer: this.peer.state,
      disk: this.disk.state,
      tree: this.tree,
      window: txnsOf(this.committedLog.after(-1 as Zxid)),
      emptyAt: this.#emptyAt,
      lastLogged: this.#lastLogged,
      durableUpTo: this.#durableUpTo,
      settling: this.#settling,
      uncommitted: this.#uncommitted,
      receivedSnapshot: this.#receivedSnapshot,
      leader: this.#leader?.state ?? null,
      learner: this.#learner?.state ?? null,
      stopped: this.#stopped,
    };
  }

  /** Its ends of its connections: what a crash closes. */
  get connections(): readonly ServerOutput[] {
    const { leader, learner } = this.state;
    const down = leader?.learners.map(({ from, slot }) => ({ type: "leaderCloses", learner: from, slot }) as const);
    const up = learner === null ? [] : [{ type: "learnerCloses", leader: learner.leader } as const];
    return [...up, ...(down ?? [])];
  }

  /** A leader in the broadcast phase that a quorum no longer follows. */
  get lacksQuorum(): boolean {
    return this.#leader?.hasQuorum === false;
  }

  get outputs(): readonly ServerOutput[] {
    return this.#outputs;
  }

  get lastProcessed(): Zxid {
    return this.tree.length === 0 ? this.#emptyAt : lastZxid(this.tree);
  }

  out(output: ServerOutput): void {
    this.#outputs.push(output);
  }

  alarm(name: string, what: string): void {
    this.out({ type: "alarm", text: `${name}: ${what}` });
  }

  /** One event, and what belongs to the same turn. An assertion that fails stops the server, as in production. */
  run(event: ServerEvent): void {
    try {
      this.handle(event);
      this.#leader?.turnEnded();
      this.disk.flush();
      // A settling server only waits for its disk and nobody hears of it: what a crash could still lose, a crash in the
      // step before could lose too.
      while (this.#settling && this.disk.busy) this.#finishOne();
    } catch (error) {
      this.alarm("Z10", error instanceof Error ? error.message : String(error));
      this.#stopped = true;
    }
  }

  protected handle(event: ServerEvent): void {
    switch (event.type) {
      case "START":
        return this.recover();
      case "ELECTED":
        return this.peer.send({ type: "ELECTED", leader: event.leader });
      case "CONNECTED":
        return this.peer.send({ type: "LEADER_CONNECTED" });
      case "CONNECT_FAILED":
        return this.#giveUpConnecting();
      case "LEADER_GONE":
        return this.#learner?.lost("the leader closed the connection");
      case "FROM_LEADER":
        return this.#learner?.packet(event.packet);
      case "ACCEPT":
        return this.#leader?.accepted(event.from, event.slot);
      case "LEARNER_GONE":
        return this.#leader?.closed(event.from, event.slot);
      case "RENUMBERED":
        return this.#leader?.renumber(event.from);
      case "FROM_LEARNER":
        return this.#leader?.packet(event.from, event.slot, event.packet);
      case "LOG_SYNCED":
        return this.#appended(this.disk.logSynced());
      case "APPEND_LOST":
        return this.#appended(this.disk.appendLost());
      case "EPOCH_WRITTEN":
        return this.#epochWritten();
      case "TRUNCATED":
        return this.truncated();
      case "SNAPSHOT_STEP":
        return this.#snapshotStep();
      case "PROPOSE":
        if (this.peer.admitted({ type: "REQUEST" }) !== null) this.#leader?.propose(event.value);
        return;
      case "QUORUM_CHECK":
        if (this.lacksQuorum) this.peer.send({ type: "QUORUM_LOST" });
        return;
      case "INIT_LIMIT": {
        const [timer] = this.peer.state.armed;
        if (timer !== undefined) this.peer.send({ type: "TIMER_FIRED", id: timer.id });
        return;
      }
      case "CRASH":
      case "WIPE":
        assert(false, "A crash makes a new member.");
    }
  }

  #finishOne(): void {
    const { writing, epochWrites, truncateTo } = this.disk.state;
    if (writing.length > 0) this.handle({ type: "LOG_SYNCED" });
    else if (epochWrites.length > 0) this.handle({ type: "EPOCH_WRITTEN" });
    else if (truncateTo !== null) this.handle({ type: "TRUNCATED" });
    else this.handle({ type: "SNAPSHOT_STEP" });
    this.disk.flush();
  }

  // --- the replica

  /** Into the log; durable when `appended` has reached it. */
  log(zxid: Zxid, entry: Buffer): void {
    assert(zxid > this.#lastLogged, "The log only grows.");
    this.#lastLogged = zxid;
    this.disk.append([zxid, entry[0] as number]);
  }

  deliver(txn: Txn): void {
    assert(txn[0] > this.lastProcessed, "Commits come in zxid order, each once.");
    this.tree = [...this.tree, txn];
    this.committedLog.add(txn[0], entryOf(txn));
  }

  /** A leader's tree has come. */
  received(tree: History): void {
    this.tree = tree;
    this.#emptyAt = ZERO_ZXID;
  }

  protected get logIsQuiet(): boolean {
    return this.#durableUpTo >= this.#lastLogged;
  }

  protected reloaded(zxid: Zxid): void {
    this.#lastLogged = zxid;
    this.#durableUpTo = zxid;
  }

  /** What a role logged and did not commit is part of this server's history, as after a restart (ZOOKEEPER-2845). */
  protected fastForward(logged: History): History {
    for (const txn of logged) if (txn[0] > this.lastProcessed) this.deliver(txn);
    return NOTHING;
  }

  // --- what the disk says

  #appended(upTo: Zxid): void {
    this.#durableUpTo = upTo;
    const event: PeerEvent = { type: "LOG_APPENDED", upTo };
    const handler = this.peer.admitted(event);
    if (handler === "leader.appended") this.#leader?.broadcast?.appended(upTo);
    else if (handler !== null) this.#learner?.appended(upTo, handler);
    else this.peer.send(event);
    this.settleIfQuiet();
  }

  #epochWritten(): void {
    const [kind, epoch] = this.disk.epochWritten();
    const accepted = kind === "acceptedEpoch";
    this.peer.send({ type: accepted ? "ACCEPTED_EPOCH_WRITTEN" : "CURRENT_EPOCH_WRITTEN", epoch });
    this.settleIfQuiet();
  }

  protected truncated(): void {
    const asked = this.disk.state.truncateTo;
    const last = this.#reload();
    if (last === null) return;
    const { currentEpoch } = this.disk.state;
    if (last === asked) this.peer.send({ type: "LOG_TRUNCATED", lastZxid: last, currentEpoch });
    else this.#learner?.lost("the log ends before the zxid it was to be cut at");
    this.settleIfQuiet();
  }

  #snapshotStep(): void {
    const zxid = this.disk.snapshotStep();
    if (zxid !== null && zxid === this.#receivedSnapshot) {
      this.#receivedSnapshot = null;
      this.peer.send({ type: "SNAPSHOT_TAKEN", zxid });
    }
    this.settleIfQuiet();
  }

  protected recover(): void {
    const { acceptedEpoch } = this.disk.state;
    const last = this.#reload();
    if (last === null) return;
    const { currentEpoch } = this.disk.state;
    this.peer.send({ type: "RECOVERED", lastZxid: last, acceptedEpoch, currentEpoch });
  }

  /** @returns the last zxid, or null if the disk holds what no crash explains. */
  #reload(): Zxid | null {
    const recovered = this.disk.recover();
    if (recovered === null) {
      this.alarm("I8", "the server finds a gap in its log, or epochs that contradict each other");
      this.#stopped = true;
      return null;
    }
    this.tree = recovered.tree;
    if (this.tree.length === 0) this.#emptyAt = recovered.fact.lastZxid;
    this.committedLog.clear();
    for (const txn of recovered.replayed) this.committedLog.add(txn[0], entryOf(txn));
    this.reloaded(recovered.fact.lastZxid);
    return recovered.fact.lastZxid;
  }

  /** Memory and disk say the same again: the server may be voted for with what it has. */
  protected settleIfQuiet(): void {
    const { epochWrites, truncateTo } = this.disk.state;
    if (!this.#settling || epochWrites.length > 0 || truncateTo !== null || !this.logIsQuiet) return;
    this.#settling = false;
    this.#uncommitted = this.fastForward(this.#uncommitted);
    this.peer.send({ type: "SETTLED", lastZxid: this.lastProcessed });
  }

  // --- what the peer chart asks for

  protected perform(effect: PeerEffect): void {
    switch (effect.type) {
      case "storage.recover":
        this.committedLog.clear();
        return this.recover();
      case "acceptedEpoch.write":
        return this.disk.writeEpoch("acceptedEpoch", effect.epoch);
      case "currentEpoch.write":
        return this.disk.writeEpoch("currentEpoch", effect.epoch);
      case "log.truncate":
        this.committedLog.clear();
        return this.disk.truncate(effect.zxid);
      case "snapshot.receive":
        this.committedLog.clear();
        this.tree = [];
        return;
      case "snapshot.take":
        this.reloaded(effect.zxid);
        this.#receivedSnapshot = effect.zxid;
        return this.disk.replaceHistory(this.tree);
      case "role.settle":
        this.#settling = true;
        this.disk.flush();
        return this.settleIfQuiet();
      case "leader.connect":
        this.#learner = new this.parts.LearnerPart(this, {
          leader: effect.leader,
          lost: false,
          history: null,
          broadcast: null,
        });
        return this.out({ type: "connect", leader: effect.leader });
      case "leader.disconnect":
        this.#learner?.detach();
        if (this.#learner !== null) this.out({ type: "learnerCloses", leader: this.#learner.leader });
        this.#learner = null;
        return;
      case "packet.send":
        return this.sendToLeader(effect);
      case "history.open":
        return this.#learner?.openHistory(effect.after);
      case "history.log":
        return this.#learner?.logHistory();
      case "election.start":
        return this.out({ type: "looks", zxid: effect.zxid, currentEpoch: effect.currentEpoch });
      case "learner.open":
        this.out({ type: "serves", epoch: effect.epoch });
        return this.#learner?.open();
      case "learner.close":
        this.#learner?.close();
        this.#uncommitted = this.#learner?.uncommitted ?? [];
        return;
      case "learners.listen":
        this.#leader = new this.parts.LeaderPart(this, NEW_LEADER);
        return;
      case "learners.close":
        this.#leader?.closeLearners();
        this.#leader = null;
        return;
      case "learners.announceEpoch":
        return this.#leader?.announceEpoch(effect.epoch);
      case "learners.synchronize":
        return this.#leader?.synchronize();
      case "broadcast.open":
        this.out({ type: "serves", epoch: effect.epoch });
        return this.#leader?.open(effect.epoch);
      case "broadcast.close":
        this.#uncommitted = this.#leader?.close() ?? [];
        return;
      case "server.exit":
        this.alarm("Z10", `the server stops: ${effect.reason}`);
        this.#stopped = true;
        return;
      default:
        // standalone.*: not in an ensemble.
        return;
    }
  }

  protected sendToLeader(effect: Extract<PeerEffect, { type: "packet.send" }>): void {
    switch (effect.packet) {
      case "FOLLOWERINFO":
        return this.#learner?.send({ type: "FOLLOWERINFO", acceptedEpoch: effect.epoch });
      case "ACKEPOCH":
        return this.#learner?.send({ type: "ACKEPOCH", currentEpoch: effect.epoch, lastZxid: effect.zxid });
      case "ACK":
        return this.#learner?.acknowledgeNewLeader(effect.epoch);
    }
  }

  /** I5, I6: what a packet promises must be on the disk before it leaves. */
  checkPromise(packet: UpPacket | { readonly type: "LEADERINFO"; readonly epoch: Epoch }): void {
    const { acceptedEpoch, currentEpoch } = this.disk.state;
    const { newEpoch } = this.peer.state.context as { newEpoch: Epoch };
    const durable = this.disk.peek() ?? [];
    if (packet.type === "LEADERINFO" && acceptedEpoch < packet.epoch)
      this.alarm("I5", `LEADERINFO ${packet.epoch} before acceptedEpoch is on disk`);
    if (packet.type === "ACKEPOCH" && acceptedEpoch < newEpoch)
      this.alarm("I5", `ACKEPOCH of ${newEpoch} before acceptedEpoch is on disk`);
    if (packet.type !== "ACK") return;
    const ofNewLeader = counterOf(packet.zxid) === 0;
    if (ofNewLeader && currentEpoch < epochOf(packet.zxid))
      this.alarm("I6", `ACK of NEWLEADER ${epochOf(packet.zxid)} before currentEpoch is on disk`);
    if (lastZxid(durable) < (ofNewLeader ? this.lastProcessed : packet.zxid))
      this.alarm("I6", "ACK before what it acknowledges is on disk");
  }

  /** The leader does not listen: every try fails, and the server looks anew. */
  #giveUpConnecting(): void {
    while (this.peer.matches("following.discovery.connecting")) {
      this.peer.send({ type: "LEADER_CONNECT_FAILED" });
      const [timer] = this.peer.state.armed;
      if (timer !== undefined) this.peer.send({ type: "TIMER_FIRED", id: timer.id });
    }
  }
}
