/**
 * MC10, the decision table of synchronization: production's HistorySender and what it plans, for every leader and learner
 * with histories of up to three epochs, whatever the leader has kept of its own in memory and in its log, also while it
 * commits more.
 *
 * Where an epoch has txns, a quorum had taken over what it began with, so every later leader has just that of earlier epochs.
 */

import { counterOf, type Epoch, epochOf, makeZxid, ZERO_ZXID, type Zxid } from "../../../spec/vocabulary.ts";
import { CommittedLog } from "../../../src/ensemble/committed-log.ts";
import {
  type HistoryLink,
  HistorySender,
  type HistorySenderPorts,
  type LogStretch,
} from "../../../src/ensemble/history-sender.ts";
import { PacketType } from "../../../src/protocol/quorum-packet.ts";
import { follows } from "../../../src/storage/log-replay.ts";
import { always, type Model, sometimes } from "../../checker/model.ts";
import { type PlainStep, plainModel } from "../../checker/plain-model.ts";
import { type DiskState, EMPTY_DISK, ModelDisk, type RecoveryChart } from "./model-disk.ts";

export interface TableBounds {
  readonly epochs: number;
  readonly txnsPerEpoch: number;
  /** Txns that the leader commits while it reads its log. */
  readonly commits: number;
}

export const MC10: TableBounds = { epochs: 3, txnsPerEpoch: 2, commits: 2 };

type Zxids = readonly Zxid[];

/** What the leader has kept: all lengths count its history's txns. */
interface Kept {
  /** The last so many are in memory. */
  readonly window: number;
  /** The log begins after so many … */
  readonly purged: number;
  /** … and lacks those from `hole[0]` to before `hole[1]`, for which a snapshot came from an older leader. */
  readonly hole: readonly [number, number] | null;
  /** Before the hole it has this one, logged by an older leader alone and never committed. */
  readonly tail: Zxid | null;
}

interface Outcome {
  readonly plan: string;
  readonly leader: Zxids;
  readonly learner: Zxids;
  /** Not broken off. */
  readonly ended: boolean;
  /** Sent as committed, which the leader does not have. A connection that breaks does not take it back. */
  readonly uncommitted: Zxids;
  readonly wrong: string | null;
}

export interface TableState {
  readonly leader: Zxids | null;
  readonly learner: Zxids | null;
  /** Where the learner says it stands. */
  readonly reported: Zxid;
  readonly kept: Kept | null;
  readonly outcome: Outcome | null;
}

/** What a variant may replace. */
export interface TableParts {
  readonly HistorySender: typeof HistorySender;
  readonly Disk: typeof ModelDisk;
}

const PARTS: TableParts = { HistorySender, Disk: ModelDisk };

export const tableBoundsText = ({ epochs, txnsPerEpoch, commits }: TableBounds): string =>
  `${epochs} epochs, ${txnsPerEpoch} txns in each, every window, log, hole and tail before it, ${commits} commits meanwhile`;

export function syncTable(bounds: TableBounds = MC10, parts: TableParts = PARTS): Model<TableState> {
  const planned = (name: string, plan: string) =>
    sometimes<TableState>(name, ({ outcome }) => outcome?.plan === plan && outcome.ended);
  return plainModel<TableState>({
    name: "sync table",
    initial: [{ leader: null, learner: null, reported: ZERO_ZXID, kept: null, outcome: null }],
    actions: ["Leader has", "Learner has", "Leader keeps", "Synchronize"],
    steps: (state) => stepsOf(bounds, parts, state),
    properties: {
      always: [
        always("I1 ProcessConsistency", ({ outcome }) => {
          if (outcome === null || outcome.wrong !== null) return true;
          return outcome.uncommitted.length === 0 && (!outcome.ended || isEqual(outcome.leader, outcome.learner));
        }),
        always("Z10 NothingUnexpected", ({ outcome }) => outcome === null || outcome.wrong === null),
        always("a synchronization ends", ({ outcome }) => outcome === null || outcome.ended),
      ],
      sometimes: [
        planned("the window is enough", "DIFF"),
        planned("too much is cut off", "TRUNC"),
        planned("the whole tree is sent", "SNAP"),
        planned("the log is enough", "log, DIFF"),
        planned("too much is cut off, says the log", "log, TRUNC"),
        planned("the log has nothing of use", "log, SNAP"),
        sometimes("the log has a hole, so the whole tree is sent", ({ kept, outcome }) => {
          return kept !== null && kept.hole !== null && kept.tail === null && outcome?.plan === "log, SNAP";
        }),
        sometimes("before the hole there is what was never committed", ({ kept, outcome }) => {
          return kept !== null && kept.tail !== null && outcome?.plan === "log, SNAP";
        }),
      ],
    },
    lanes: ["leader", "learner"],
  });
}

function* stepsOf(bounds: TableBounds, parts: TableParts, state: TableState): Generator<PlainStep<TableState>> {
  const { leader, learner, reported, kept, outcome } = state;
  const all = historiesOf(bounds);
  if (leader === null) {
    for (const history of all)
      yield { action: "Leader has", detail: text(history), lane: 0, next: { ...state, leader: history } };
  } else if (learner === null) {
    for (const history of all) {
      if (!agree(leader, history)) continue;
      for (const zxid of reports(leader, history, bounds)) {
        const detail = `${text(history)} and says ${text([zxid])}`;
        yield { action: "Learner has", detail, lane: 1, next: { ...state, learner: history, reported: zxid } };
      }
    }
  } else if (kept === null) {
    for (const keep of keeps(leader, bounds))
      yield { action: "Leader keeps", detail: JSON.stringify(keep), lane: 0, next: { ...state, kept: keep } };
  } else if (outcome === null) {
    for (const commits of new Set([0, bounds.commits])) {
      const next = { ...state, outcome: synchronized(leader, learner, reported, kept, commits, bounds, parts) };
      yield { action: "Synchronize", detail: `with ${commits} commits meanwhile`, lane: 0, next };
    }
  }
}

// --- the cases

function historiesOf({ epochs, txnsPerEpoch }: TableBounds): Zxids[] {
  let all: Zxids[] = [[]];
  for (let epoch = 1; epoch <= epochs; epoch++)
    all = all.flatMap((history) =>
      Array.from({ length: txnsPerEpoch + 1 }, (_, count) => [...history, ...txnsIn(epoch, count)]),
    );
  return all;
}

const txnsIn = (epoch: number, count: number): Zxids =>
  Array.from({ length: count }, (_, i) => makeZxid(epoch as Epoch, i + 1));

const epochsOf = (history: Zxids): Set<Epoch> => new Set(history.map(epochOf));

const before = (history: Zxids, epoch: Epoch): Zxids => history.filter((zxid) => epochOf(zxid) < epoch);

/** Could the learner's history have come about before this leader's epoch? */
const agree = (leader: Zxids, learner: Zxids): boolean =>
  [...epochsOf(learner)].every((epoch) => isEqual(before(leader, epoch), before(learner, epoch)));

/** A learner of another make that led an epoch and logged nothing in it reports the beginning of that epoch. */
function reports(leader: Zxids, learner: Zxids, { epochs }: TableBounds): Zxid[] {
  const found = [learner[learner.length - 1] ?? ZERO_ZXID];
  for (let epoch = 1 as Epoch; epoch <= epochs; epoch++) {
    const newer = learner.every((zxid) => epochOf(zxid) < epoch);
    if (newer && isEqual(before(leader, epoch), learner)) found.push(makeZxid(epoch, 0));
  }
  return found;
}

function* keeps(leader: Zxids, bounds: TableBounds): Generator<Kept> {
  const { length } = leader;
  for (let purged = 0; purged <= length; purged++)
    for (let window = 0; window <= length - purged; window++) yield { window, purged, hole: null, tail: null };
  for (let from = 0; from < length; from++)
    for (let to = from + 1; to <= length; to++)
      for (let window = 0; window <= length - to; window++)
        for (const tail of [null, ...tails(leader, from, bounds)]) yield { window, purged: 0, hole: [from, to], tail };
}

/** What a leader may have logged alone behind the first `length` txns: the next one comes from a later leader. */
function* tails(leader: Zxids, length: number, { epochs }: TableBounds): Generator<Zxid> {
  const last = leader[length - 1] ?? ZERO_ZXID;
  for (let epoch = Math.max(epochOf(last), 1); epoch <= epochs; epoch++) {
    const tail = makeZxid(epoch as Epoch, epoch === epochOf(last) ? counterOf(last) + 1 : 1);
    if (epoch < epochOf(leader[length] as Zxid)) yield tail;
  }
}

// --- a synchronization

function synchronized(
  leader: Zxids,
  learner: Zxids,
  reported: Zxid,
  kept: Kept,
  commits: number,
  { epochs }: TableBounds,
  parts: TableParts,
): Outcome {
  const side = new LeaderSide(leader, kept, txnsIn(epochs + 1, commits), parts);
  const { packets, ended } = side.send(reported);
  const { plan, history } = side;
  const uncommitted = packets.flatMap((packet) =>
    packet.type === PacketType.COMMIT && !history.includes(packet.zxid) ? [packet.zxid] : [],
  );
  const result = received(learner, packets);
  const wrong = typeof result === "string" ? result : null;
  const now = typeof result === "string" ? learner : result;
  return { plan, leader: history, learner: now, ended, uncommitted, wrong };
}

/** LeaderRole (src/server/leader-role.ts) around HistorySender. */
class LeaderSide {
  history: Zxids;
  plan = "";
  readonly #parts: TableParts;
  readonly #committedLog: CommittedLog;
  #disk: ModelDisk;
  #toCommit: Zxids;

  constructor(history: Zxids, { window, purged, hole, tail }: Kept, toCommit: Zxids, parts: TableParts) {
    this.history = history;
    this.#parts = parts;
    this.#toCommit = toCommit;
    this.#committedLog = new CommittedLog(Math.max(window, 1));
    for (const zxid of history.slice(history.length - window)) this.#committedLog.add(zxid, ENTRY);
    const inLog = history.filter((_, i) => i >= purged && (hole === null || i < hole[0] || i >= hole[1]));
    const received = hole === null ? [] : [history.slice(0, hole[1])];
    const snapshots = received.map((tree) => tree.map((zxid) => [zxid, 0] as const));
    if (hole !== null && tail !== null) inLog.splice(hole[0], 0, tail);
    const log = inLog.map((zxid) => [zxid, 0] as const);
    this.#disk = this.#diskWith({ ...EMPTY_DISK, snapshots, log });
  }

  /** Nothing is recovered here. */
  #diskWith(state: DiskState): ModelDisk {
    return new this.#parts.Disk(state, null as unknown as RecoveryChart);
  }

  send(reported: Zxid): { readonly packets: readonly Sent[]; readonly ended: boolean } {
    const packets: Sent[] = [];
    const pending: Reading[] = [];
    // The link is full when the first txn of the log is on it, and more is committed meanwhile.
    const link = {
      congested: this.#toCommit.length > 0,
      hold: () => {},
      sendBulk: (type: number, zxid: number) => void packets.push({ type, zxid: zxid as Zxid }),
      sendRaw: () => {},
    } satisfies HistoryLink;
    let ended = false;
    this.plan = "";
    const sender = new this.#parts.HistorySender(link, {
      committedLog: this.#committedLog,
      lastProcessed: () => lastOf(this.history),
      readLog: (from, to, visitor) => this.#readLog(from, to, visitor, pending),
      openSnapshot: () => {
        packets.push({ type: "tree", tree: this.history });
        return { next: () => null, close: () => {} };
      },
      forward: () => {},
      sent: () => {
        ended = true;
      },
      broken: () => {},
      later: () => {},
      told: (kind) => {
        this.plan += kind;
      },
    });
    sender.start(reported);
    for (let reading = pending.shift(); reading !== undefined; reading = pending.shift()) {
      reading.resume();
      while (reading.paused) {
        this.#commitMore();
        link.congested = false;
        sender.more();
      }
    }
    if (!ended) return { packets, ended };
    for (const zxid of this.#commitMore()) {
      packets.push({ type: PacketType.PROPOSAL, zxid }, { type: PacketType.COMMIT, zxid });
    }
    return { packets, ended };
  }

  #readLog(from: Zxid, to: Zxid, visitor: Visitor, pending: Reading[]): LogStretch {
    if (!this.plan.startsWith("log, ")) this.plan = `log, ${this.plan}`;
    const { txns, complete } = this.#disk.stretch(from, to);
    const zxids = txns.map(([zxid]) => zxid);
    const reading = new Reading(zxids, {
      entry: (zxid, entry) => visitor.entry(zxid, entry),
      end: () => visitor.end(complete),
    });
    pending.push(reading);
    return reading;
  }

  #commitMore(): Zxids {
    const committed = this.#toCommit;
    for (const zxid of committed) this.#committedLog.add(zxid, ENTRY);
    const { log, ...rest } = this.#disk.state;
    this.#disk = this.#diskWith({ ...rest, log: [...log, ...committed.map((zxid) => [zxid, 0] as const)] });
    this.history = [...this.history, ...committed];
    this.#toCommit = [];
    return committed;
  }
}

type Visitor = Parameters<HistorySenderPorts["readLog"]>[2];

/** What is on the wire; `tree` is the stream that follows SNAP. */
type Sent = { readonly type: number; readonly zxid: Zxid } | { readonly type: "tree"; readonly tree: Zxids };

/** A stretch of the log, handed out in a later turn than it was asked for. */
class Reading implements LogStretch {
  paused = false;
  #at = 0;
  #over = false;
  readonly #zxids: Zxids;
  readonly #visitor: Visitor;

  constructor(zxids: Zxids, visitor: Visitor) {
    this.#zxids = zxids;
    this.#visitor = visitor;
  }

  resume(): void {
    this.paused = false;
    while (!this.#over && !this.paused && this.#at < this.#zxids.length)
      this.paused = !this.#visitor.entry(this.#zxids[this.#at++] as Zxid, ENTRY) && !this.#over;
    if (this.#over || this.paused) return;
    this.#over = true;
    this.#visitor.end(true);
  }

  cancel(): void {
    this.#over = true;
    this.paused = false;
  }
}

/** @returns what the learner has in the end, or what is wrong with what it was sent. */
function received(learner: Zxids, packets: readonly Sent[]): Zxids | string {
  let history = learner;
  const proposed: Zxid[] = [];
  for (const packet of packets) {
    if (packet.type === "tree") {
      history = packet.tree;
      continue;
    }
    const { type, zxid } = packet;
    if (type === PacketType.TRUNC) {
      if (zxid !== ZERO_ZXID && !history.includes(zxid)) return `it cannot cut its log at ${text([zxid])}`;
      history = history.filter((own) => own <= zxid);
    } else if (type === PacketType.PROPOSAL) {
      if (!follows(proposed[proposed.length - 1] ?? lastOf(history), zxid)) return `${text([zxid])} follows nothing`;
      proposed.push(zxid);
    } else if (type === PacketType.COMMIT) {
      if (proposed.shift() !== zxid) return `${text([zxid])} was not proposed`;
      history = [...history, zxid];
    }
  }
  return history;
}

// --- small change

const ENTRY = Buffer.alloc(1);

const lastOf = (history: Zxids): Zxid => history[history.length - 1] ?? ZERO_ZXID;

const isEqual = (a: Zxids, b: Zxids): boolean => a.length === b.length && a.every((zxid, i) => zxid === b[i]);

const text = (history: Zxids): string => `[${history.map((zxid) => `${epochOf(zxid)}.${counterOf(zxid)}`).join(" ")}]`;
