/**
 * The end of an epoch's zxids: production's LeaderBroadcast a few proposals before its 32-bit counter runs out. A leader that
 * is exhausted gives up its epoch; the next one starts anew.
 */

import { COUNTER_INVARIANTS, type ProposedView } from "../../../spec/invariants/replay.invariants.ts";
import type { QuorumConfig } from "../../../spec/quorum.ts";
import {
  counterOf,
  epochOf,
  MAX_COUNTER,
  makeZxid,
  type ServerId,
  type SessionId,
  type Zxid,
} from "../../../spec/vocabulary.ts";
import { LeaderBroadcast } from "../../../src/ensemble/leader-broadcast.ts";
import { OpCode } from "../../../src/protocol/opcodes.ts";
import { makeTxn } from "../../../src/protocol/txn.ts";
import { always, type Model, sometimes } from "../../checker/model.ts";
import { type PlainStep, plainModel } from "../../checker/plain-model.ts";

export interface CounterBounds {
  /** Zxids that the first epoch has left. */
  readonly left: number;
  readonly proposals: number;
  readonly epochs: number;
}

export const COUNTER_BOUNDS: CounterBounds = { left: 2, proposals: 5, epochs: 3 };

export function counterBoundsText({ left, proposals, epochs }: CounterBounds): string {
  return `${left} zxids left in the first of ${epochs} epochs, <= ${proposals} proposals an epoch, acks by 2 of 3`;
}

/** How a leader takes its next zxid; null when its epoch has none left. Production's way: Primary.submit. */
export type NextZxid = (broadcast: LeaderBroadcast) => Zxid | null;
const productionZxid: NextZxid = (broadcast) => (broadcast.exhausted ? null : broadcast.nextZxid());

export interface CounterState extends ProposedView {
  readonly start: number;
  /** p: a proposal. 1, 2: that server has logged everything. */
  readonly moves: string;
  readonly lastCommitted: number;
}

const QUORUM: QuorumConfig = { voters: [1, 2, 3].map((id) => id as ServerId) };
const BODY = { type: OpCode.delete, path: "/a" } as const;

export function counterModel(bounds: CounterBounds, nextZxid: NextZxid = productionZxid): Model<CounterState> {
  const start = MAX_COUNTER - 1 - bounds.left;
  return plainModel<CounterState>({
    name: "counter",
    initial: [{ epoch: 1, start, moves: "", proposed: [], lastCommitted: makeZxid(1, start) }],
    actions: ["Propose", "Ack", "NextEpoch"],
    steps: (state) => stepsOf(bounds, nextZxid, state),
    properties: {
      always: COUNTER_INVARIANTS.map(({ name, holds }) => always<CounterState>(name, holds)),
      sometimes: [
        sometimes("a leader has given up its epoch", ({ epoch }) => epoch > 1),
        sometimes("the last zxid of an epoch is committed", ({ lastCommitted }) => {
          return counterOf(lastCommitted as Zxid) === MAX_COUNTER - 1;
        }),
      ],
    },
    lanes: ["leader", "follower"],
  });
}

function* stepsOf(bounds: CounterBounds, nextZxid: NextZxid, state: CounterState): Generator<PlainStep<CounterState>> {
  const { epoch, moves } = state;
  const broadcast = play(state, nextZxid).broadcast;
  if (nextZxid(broadcast) === null) {
    const next = { epoch: epoch + 1, start: 0, moves: "", proposed: [], lastCommitted: makeZxid(epoch + 1, 0) };
    if (epoch < bounds.epochs) yield { action: "NextEpoch", lane: 0, next };
  } else if (moves.split("p").length <= bounds.proposals) {
    yield { action: "Propose", lane: 0, next: after({ ...state, moves: `${moves}p` }, nextZxid) };
  }
  for (const server of [1, 2]) {
    // Without a proposal since, the same ack says nothing new.
    if (!moves.slice(moves.lastIndexOf(String(server)) + 1).includes("p")) continue;
    yield {
      action: "Ack",
      detail: `of s${server}`,
      lane: server - 1,
      next: after({ ...state, moves: `${moves}${server}` }, nextZxid),
    };
  }
}

function after(state: CounterState, nextZxid: NextZxid): CounterState {
  const { broadcast, proposed } = play(state, nextZxid);
  return {
    ...state,
    proposed: proposed.map((zxid) => ({ epoch: epochOf(zxid), counter: counterOf(zxid) })),
    lastCommitted: broadcast.lastCommitted,
  };
}

function play({ epoch, start, moves }: CounterState, nextZxid: NextZxid) {
  const proposed: Zxid[] = [];
  const ports = { log: () => {}, deliver: () => {} };
  const broadcast = new LeaderBroadcast(1 as ServerId, QUORUM, makeZxid(epoch, start), ports);
  for (const move of moves) {
    if (move !== "p") {
      broadcast.ack(Number(move) as ServerId, broadcast.lastProposed);
      continue;
    }
    const zxid = nextZxid(broadcast);
    if (zxid === null) break;
    proposed.push(zxid);
    const txn = makeTxn(1n as SessionId, 1, zxid, 0, BODY, null);
    broadcast.propose({ zxid, txn, entry: Buffer.alloc(0), proposedAtMs: 0 });
  }
  return { broadcast, proposed };
}
