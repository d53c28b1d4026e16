/**
 * sync at a leader that may have been deposed without knowing it: production's LeadershipProof of server 1 among three. A
 * follower that has joined a newer leader answers no ping of the old one any more, but an answer may be under way.
 */

import { SYNC_INVARIANTS, type SyncWorld } from "../../../spec/invariants/leadership.invariants.ts";
import type { QuorumConfig } from "../../../spec/quorum.ts";
import type { ServerId, Zxid } from "../../../spec/vocabulary.ts";
import { LeadershipProof, type PingedLink } from "../../../src/ensemble/leadership-proof.ts";
import { always, type Model, sometimes } from "../../checker/model.ts";
import { type PlainStep, plainModel } from "../../checker/plain-model.ts";

export interface SyncBounds {
  readonly syncs: number;
  /** Acknowledged by the old leader or, once it has a quorum, the new one. */
  readonly writes: number;
}

export const SYNC_BOUNDS: SyncBounds = { syncs: 2, writes: 2 };

export function syncBoundsText({ syncs, writes }: SyncBounds): string {
  return `3 servers, ${syncs} syncs, ${writes} writes, a newer leader elected at any moment`;
}

export interface SyncState extends SyncWorld {
  /** What the proof saw: s a sync, a and b an answer of server 2 or 3, w a commit. */
  readonly moves: string;
  /** Pings on their way to each follower, and answers on their way back. */
  readonly pings: readonly number[];
  readonly answers: readonly number[];
  readonly left: readonly boolean[];
  /** Writes that were acknowledged; how many of them by the old leader; and how many when each sync was asked for. */
  readonly acknowledged: number;
  readonly own: number;
  readonly asked: readonly number[];
}

/** Must a quorum confirm that this server still leads? */
export type NeedsProof = boolean;

const QUORUM: QuorumConfig = { voters: [1, 2, 3].map((id) => id as ServerId) };
const FOLLOWERS = [0, 1] as const;

export function syncModel(bounds: SyncBounds, needsProof: NeedsProof = true): Model<SyncState> {
  const initial = { moves: "", pings: [0, 0], answers: [0, 0], left: [false, false] };
  return plainModel<SyncState>({
    name: "sync",
    initial: [{ ...initial, acknowledged: 0, own: 0, asked: [], answered: [] }],
    actions: ["Sync", "Ping", "Pong", "Write", "Leave", "NewLeaderWrites"],
    faults: ["Leave"],
    steps: (state) => stepsOf(bounds, needsProof, state),
    properties: {
      always: SYNC_INVARIANTS.map(({ name, holds }) => always<SyncState>(name, holds)),
      sometimes: [
        sometimes("every sync is answered", ({ answered }) => answered.length === bounds.syncs),
        sometimes("a deposed leader keeps a sync waiting", ({ asked, answered, own, acknowledged }) => {
          return asked.length > answered.length && acknowledged > own;
        }),
      ],
    },
    lanes: ["leader", "server 2", "server 3"],
  });
}

function* stepsOf(bounds: SyncBounds, needsProof: NeedsProof, state: SyncState): Generator<PlainStep<SyncState>> {
  const { pings, answers, left, acknowledged, asked, moves } = state;
  const deposed = left.every((gone) => gone);
  if (asked.length < bounds.syncs) {
    const next = { ...state, asked: [...asked, acknowledged] };
    yield { action: "Sync", lane: 0, next: proved(next, `${moves}s`, needsProof) };
  }
  for (const f of FOLLOWERS) {
    const lane = f + 1;
    if ((pings[f] as number) > 0 && left[f] !== true) {
      const next = { ...state, pings: add(pings, f, -1), answers: add(answers, f, 1) };
      yield { action: "Ping", lane, next };
    }
    if ((answers[f] as number) > 0) {
      const next = { ...state, answers: add(answers, f, -1) };
      yield { action: "Pong", detail: `of server ${f + 2}`, lane: 0, next: proved(next, moves + "ab"[f], needsProof) };
    }
    if (left[f] !== true)
      yield { action: "Leave", lane, next: { ...state, left: left.map((gone, i) => gone || i === f) } };
  }
  if (acknowledged < bounds.writes) {
    const next = { ...state, acknowledged: acknowledged + 1 };
    if (deposed) yield { action: "NewLeaderWrites", lane: 1, next };
    else yield { action: "Write", lane: 0, next: proved({ ...next, own: state.own + 1 }, `${moves}w`, needsProof) };
  }
}

/** Runs the proof along the moves: which pings it sends with the last one, and which syncs that answers. */
function proved(state: SyncState, moves: string, needsProof: NeedsProof): SyncState {
  const links = FOLLOWERS.map((f): PingedLink => ({ sid: (f + 2) as ServerId, pingsSent: 0, pingsAnswered: 0 }));
  let sent = [0, 0];
  let completed = 0;
  let committed = 0;
  const proof = new LeadershipProof(
    1 as ServerId,
    QUORUM,
    () => links,
    (link) => {
      link.pingsSent++;
      sent = add(sent, link.sid - 2, 1);
    },
  );
  for (const move of moves) {
    sent = [0, 0];
    if (move === "w") committed++;
    if (move === "s") {
      if (needsProof) proof.await(committed as Zxid, committed as Zxid, () => completed++);
      else completed++;
      continue;
    }
    const link = links["ab".indexOf(move)];
    if (link !== undefined) link.pingsAnswered++;
    proof.progress(committed as Zxid);
  }
  const answered = [...state.answered];
  while (answered.length < completed) {
    answered.push({ acknowledgedBefore: state.asked[answered.length] as number, known: state.own });
  }
  return { ...state, moves, answered, pings: state.pings.map((count, f) => count + (sent[f] as number)) };
}

function add(list: readonly number[], at: number, by: number): number[] {
  return list.map((value, i) => (i === at ? value + by : value));
}
