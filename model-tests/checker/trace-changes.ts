/** What each step of a trace changed, as a person would say it: values, packets sent, delivered, lost. */

import type { ChannelPicture, Model } from "./model.ts";
import type { TraceStep } from "./trace.ts";

export interface PacketMove {
  readonly from: number;
  readonly to: number;
  readonly packet: string;
}

export interface StepChanges {
  /** What happened: the action with its servers. */
  readonly text: string;
  /** Index of the lane that acted, or null for the world. */
  readonly lane: number | null;
  readonly facts: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  readonly sent: readonly PacketMove[];
  readonly delivered: readonly PacketMove[];
  readonly lost: readonly PacketMove[];
}

/** One entry per step, the initial state not counted. */
export function changesOf<State>(model: Model<State>, trace: readonly TraceStep[]): StepChanges[] {
  const { storyboard } = model;
  const picture = ({ words }: TraceStep) => {
    const state = model.decode(words, undefined);
    return { facts: storyboard.facts(state), channels: storyboard.channels(state) };
  };
  const first = trace[0];
  if (first === undefined) return [];
  const changes: StepChanges[] = [];
  let before = picture(first);
  for (const step of trace.slice(1)) {
    const after = picture(step);
    const { text, lane } = step.action === null ? { text: "", lane: null } : storyboard.describe(step.action);
    const moves = movesOf(before.channels, after.channels, lane);
    changes.push({ text, lane, facts: differences(before.facts, after.facts), ...moves });
    before = after;
  }
  return changes;
}

function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): StepChanges["facts"] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names]
    .map((name) => ({ name, from: before.get(name) ?? "-", to: after.get(name) ?? "-" }))
    .filter(({ from, to }) => from !== to);
}

function movesOf(before: readonly ChannelPicture[], after: readonly ChannelPicture[], lane: number | null) {
  const moves = { sent: [] as PacketMove[], delivered: [] as PacketMove[], lost: [] as PacketMove[] };
  const old = new Map(before.map((channel) => [keyOf(channel), channel.packets]));
  const now = new Map(after.map((channel) => [keyOf(channel), channel.packets]));
  for (const channel of new Map([...before, ...after].map((c) => [keyOf(c), c])).values()) {
    const { from, to } = channel;
    const was = old.get(keyOf(channel)) ?? [];
    const is = now.get(keyOf(channel)) ?? [];
    // Channels are FIFO: some packets left at the head, what is left of the old ones stands first, new ones follow.
    let gone = 0;
    while (gone < was.length && !startsWith(is, was.slice(gone))) gone += 1;
    const removed = was.slice(0, gone).map((packet) => ({ from, to, packet }));
    // Who takes one packet and acts has received it; whatever else disappears was lost.
    if (gone === 1 && lane === to) moves.delivered.push(...removed);
    else moves.lost.push(...removed);
    moves.sent.push(...is.slice(was.length - gone).map((packet) => ({ from, to, packet })));
  }
  return moves;
}

function keyOf({ from, to }: ChannelPicture): string {
  return `${from}>${to}`;
}

function startsWith(list: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length <= list.length && prefix.every((packet, i) => list[i] === packet);
}
