/**
 * The composite values of the Zab specification: histories, channels, and two of its sets. Each is interned, and what the
 * specification does to them is memoised on their ids, so a step of the model is integer work.
 *
 * A zxid <<epoch, counter>> is the number epoch * 256 + counter, whose order is the order of zxids; <<0, 0>> is 0. A set
 * of servers is a bit mask.
 */

import { InternPool } from "../intern-pool.ts";
import { PairMemo } from "../memo.ts";

export interface Txn {
  readonly zxid: number;
  readonly value: number;
  /** The servers that have acknowledged it, as far as the owner of the history knows. */
  readonly ackSid: number;
  readonly epoch: number;
}
export type History = readonly Txn[];

export const MessageType = {
  CEPOCH: 1,
  NEWEPOCH: 2,
  ACKEPOCH: 3,
  NEWLEADER: 4,
  ACKLD: 5,
  COMMITLD: 6,
  PROPOSE: 7,
  ACK: 8,
  COMMIT: 9,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];
export const MESSAGE_NAMES = ["", ...Object.keys(MessageType)];

export interface Message {
  readonly type: MessageType;
  /** Its mepoch or its mzxid; no message has both. */
  readonly mark: number;
  /** PROPOSE only. */
  readonly data: number;
  /** ACKEPOCH and NEWLEADER only. */
  readonly history: History;
}
export type Channel = readonly Message[];

/** What a leader keeps of an ACKEPOCH; by server. */
export interface AckEpoch {
  readonly connected: boolean;
  readonly peerLastEpoch: number;
  readonly peerHistory: History;
}
export type AckEpochs = readonly (AckEpoch | null)[];

/** A broadcast proposal, for the properties only. */
export interface Proposal {
  readonly source: number;
  readonly epoch: number;
  readonly zxid: number;
  readonly data: number;
}
export type Proposals = readonly Proposal[];

export const zxid = (epoch: number, counter: number): number => epoch * 256 + counter;
export const epochOfZxid = (z: number): number => z >> 8;
export const counterOfZxid = (z: number): number => z & 255;
export const lastZxidOf = (history: History): number => history.at(-1)?.zxid ?? 0;

/** 1..length where it stands, length + 1 if it does not, -1 if more than once, 0 for the zero zxid (ZxidToIndex). */
export function zxidToIndex(history: History, z: number): number {
  if (z === 0) return 0;
  const first = history.findIndex((txn) => txn.zxid === z);
  if (first === -1) return history.length + 1;
  return history.some((txn, at) => at > first && txn.zxid === z) ? -1 : first + 1;
}

const txnKey = (t: Txn) => `${t.zxid},${t.value},${t.ackSid},${t.epoch}`;
const historyKey = (history: History) => history.map(txnKey).join(";");
const messageKey = (m: Message) => `${m.type}:${m.mark}:${m.data}:${historyKey(m.history)}`;
const ackEpochKey = (a: AckEpoch | null) =>
  a === null ? "-" : `${a.connected ? 1 : 0}:${a.peerLastEpoch}:${historyKey(a.peerHistory)}`;
const proposalKey = (p: Proposal) => `${p.source},${p.epoch},${p.zxid},${p.data}`;

export class ZabValues {
  readonly histories = new InternPool<History>("histories", historyKey);
  readonly channels = new InternPool<Channel>("channels", (c) => c.map(messageKey).join("|"));
  readonly ackEpochs = new InternPool<AckEpochs>("ackeRecv", (set) => set.map(ackEpochKey).join("|"));
  readonly proposals = new InternPool<Proposals>("proposalMsgsLog", (set) => set.map(proposalKey).join("|"));
  readonly emptyHistory = this.histories.intern([]);
  readonly emptyChannel = this.channels.intern([]);
  readonly noProposals = this.proposals.intern([]);

  // Messages are not part of a state by themselves: their ids only serve the memos below.
  readonly #messages = new InternPool<Message>("messages", messageKey);
  readonly #messageOf = new PairMemo();
  readonly #appended = new PairMemo();
  readonly #tails: number[] = [];
  readonly #heads: number[] = [];
  readonly #txnAppended = new PairMemo();
  readonly #acked = new PairMemo();
  readonly #ackedUpTo = new PairMemo();
  readonly #ackedBy = new PairMemo();
  readonly #ackEpochSet = new PairMemo();
  readonly #ackEpochCut = new PairMemo();
  readonly #proposed = new PairMemo();
  readonly #proposedAll = new PairMemo();

  message(type: MessageType, mark: number, data = 0, history = this.emptyHistory): number {
    const a = type + 16 * mark;
    const b = type === MessageType.PROPOSE ? data : history;
    const known = this.#messageOf.get(a, b);
    if (known !== -1) return known;
    const message = { type, mark, data, history: this.histories.get(history) };
    return this.#messageOf.set(a, b, this.#messages.intern(message));
  }

  append(channel: number, message: number): number {
    const known = this.#appended.get(channel, message);
    if (known !== -1) return known;
    const longer = [...this.channels.get(channel), this.#messages.get(message)];
    return this.#appended.set(channel, message, this.channels.intern(longer));
  }

  /** The id of the oldest message, or -1. */
  head(channel: number): number {
    const known = this.#heads[channel];
    if (known !== undefined) return known;
    const first = this.channels.get(channel)[0];
    const head = first === undefined ? -1 : this.#messages.intern(first);
    this.#heads[channel] = head;
    return head;
  }

  messageAt(id: number): Message {
    return this.#messages.get(id);
  }

  tail(channel: number): number {
    const known = this.#tails[channel];
    if (known !== undefined) return known;
    const tail = this.channels.intern(this.channels.get(channel).slice(1));
    this.#tails[channel] = tail;
    return tail;
  }

  appendTxn(history: number, txn: Txn): number {
    const packed = ((txn.zxid * 64 + txn.value) * 32 + txn.ackSid) * 16 + txn.epoch;
    const known = this.#txnAppended.get(history, packed);
    if (known !== -1) return known;
    return this.#txnAppended.set(history, packed, this.histories.intern([...this.histories.get(history), txn]));
  }

  /** Adds a server's ack to the txn at `index`, counted from 1 as in the specification. */
  ackTxn(history: number, index: number, server: number): number {
    const known = this.#acked.get(history, index * 8 + server);
    if (known !== -1) return known;
    const txns = this.histories.get(history);
    const acked = txns.map((t, at) => (at === index - 1 ? { ...t, ackSid: t.ackSid | (1 << server) } : t));
    return this.#acked.set(history, index * 8 + server, this.histories.intern(acked));
  }

  /** Adds a server's ack to every txn before the first one beyond `end` (UpdateAcksid). */
  ackUpTo(history: number, end: number, server: number): number {
    const known = this.#ackedUpTo.get(history, end * 8 + server);
    if (known !== -1) return known;
    const txns = this.histories.get(history);
    const beyond = txns.findIndex((t) => t.zxid > end);
    const upTo = beyond === -1 ? txns.length : beyond;
    const acked = txns.map((t, at) => (at < upTo ? { ...t, ackSid: t.ackSid | (1 << server) } : t));
    return this.#ackedUpTo.set(history, end * 8 + server, this.histories.intern(acked));
  }

  /** The same txns, acknowledged by this server alone (InitAcksid). */
  ackedOnlyBy(history: number, server: number): number {
    const known = this.#ackedBy.get(history, server);
    if (known !== -1) return known;
    const acked = this.histories.get(history).map((t) => ({ ...t, ackSid: 1 << server }));
    return this.#ackedBy.set(history, server, this.histories.intern(acked));
  }

  /** Enters or replaces what `server` said in its ACKEPOCH. */
  setAckEpoch(set: number, server: number, peerLastEpoch: number, history: number): number {
    const packed = (history * 16 + peerLastEpoch) * 8 + server;
    const known = this.#ackEpochSet.get(set, packed);
    if (known !== -1) return known;
    const said: AckEpoch = { connected: true, peerLastEpoch, peerHistory: this.histories.get(history) };
    const next = this.ackEpochs.get(set).map((old, at) => (at === server ? said : old));
    return this.#ackEpochSet.set(set, packed, this.ackEpochs.intern(next));
  }

  /** Marks what `server` said as coming from a lost connection. */
  cutAckEpoch(set: number, server: number): number {
    const known = this.#ackEpochCut.get(set, server);
    if (known !== -1) return known;
    const next = this.ackEpochs.get(set).map((a, at) => (a !== null && at === server ? { ...a, connected: false } : a));
    return this.#ackEpochCut.set(set, server, this.ackEpochs.intern(next));
  }

  noAckEpochs(servers: number): number {
    return this.ackEpochs.intern(new Array<null>(servers).fill(null));
  }

  addProposal(set: number, proposal: Proposal): number {
    const packed = ((proposal.zxid * 64 + proposal.data) * 16 + proposal.epoch) * 8 + proposal.source;
    const known = this.#proposed.get(set, packed);
    if (known !== -1) return known;
    return this.#proposed.set(set, packed, this.proposals.intern(united(this.proposals.get(set), [proposal])));
  }

  /** Adds every txn of a history that a leader sends along with NEWLEADER. */
  addProposals(set: number, source: number, epoch: number, history: number): number {
    const packed = (history * 16 + epoch) * 8 + source;
    const known = this.#proposedAll.get(set, packed);
    if (known !== -1) return known;
    const sent = this.histories.get(history).map((t) => ({ source, epoch, zxid: t.zxid, data: t.value }));
    return this.#proposedAll.set(set, packed, this.proposals.intern(united(this.proposals.get(set), sent)));
  }
}

/** A set as a sorted list, so that equal sets are equal values. */
export function united(a: Proposals, b: Proposals): Proposals {
  const all = new Map<string, Proposal>();
  for (const proposal of [...a, ...b]) all.set(proposalKey(proposal), proposal);
  return [...all.values()].sort(
    (p, q) => p.source - q.source || p.epoch - q.epoch || p.zxid - q.zxid || p.data - q.data,
  );
}
