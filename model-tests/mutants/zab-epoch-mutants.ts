/** Known bugs of discovery: what servers promise, and whether they remember it. */

import { peerMachine } from "../../spec/peer/peer.machine.ts";
import { Member } from "../models/zab/member.ts";
import { changed, withGuards } from "./chart-variants.ts";
import type { ZabMutant } from "./zab-mutants.ts";

interface Context {
  readonly context: { readonly newEpoch: number; readonly currentEpoch: number; readonly lastZxid: number };
}

/** M17: the leader names its epoch without having written it down. */
const unwrittenByLeader = changed(peerMachine, {
  "leading.discovery.persistingAcceptedEpoch": (node) => {
    delete node.entry;
    node.always = {
      target: "awaitingEpochAcks",
      actions: {
        type: "effect",
        params: ({ context }: Context) => ({ type: "learners.announceEpoch", epoch: context.newEpoch }),
      },
    };
  },
});

/** M36: so does a follower that promises it. */
const unwrittenByFollower = changed(peerMachine, {
  "following.discovery.persistingAcceptedEpoch": (node) => {
    delete node.entry;
    node.always = {
      target: "#peer.following.synchronization",
      actions: {
        type: "effect",
        params: ({ context }: Context) => ({
          type: "packet.send",
          packet: "ACKEPOCH",
          epoch: context.currentEpoch,
          zxid: context.lastZxid,
        }),
      },
    };
  },
});

/** Of our own: the promise is sent while it is being written. */
class ImpatientPromise extends Member {
  protected override perform(effect: Parameters<Member["perform"]>[0]): void {
    super.perform(effect);
    if (effect.type !== "acceptedEpoch.write" || !this.peer.matches("following")) return;
    const { currentEpoch, lastZxid } = this.peer.state.context as Context["context"];
    this.sendToLeader({ type: "packet.send", packet: "ACKEPOCH", epoch: currentEpoch, zxid: lastZxid as never });
  }
}

/** Of our own: a leader starts an epoch that somebody has accepted before. */
const takenEpoch = withGuards(peerMachine, { newerEpoch: () => true });

/** Of our own: the leader alone is a quorum. */
const lonelyLeader = withGuards(peerMachine, { alone: () => true });

/** Of our own: nobody looks whether a quorum still follows. */
class ContentLeader extends Member {
  override get lacksQuorum(): boolean {
    return false;
  }
}

export const EPOCH_MUTANTS: readonly ZabMutant[] = [
  {
    name: "M17 a leader does not write its epoch down",
    story: "ZOOKEEPER-335, -790, -1081: after a crash the epoch is used again, with other txns under the same zxids.",
    parts: { peer: unwrittenByLeader },
    killer: "I5 EpochDiscipline",
    depth: 3,
  },
  {
    name: "M36 a follower does not write its promise down",
    story: "It forgets the epoch that it promised, and helps a second leader to establish the same one.",
    parts: { peer: unwrittenByFollower },
    bounds: { serving: 2 },
    killer: "Z9 Leadership2",
    depth: 12,
    only: true,
  },
  {
    name: "a promise is given while it is being written",
    story: "The leader counts on it; a crash finds the old epoch on disk.",
    parts: { Member: ImpatientPromise },
    killer: "I5 EpochDiscipline",
    depth: 5,
  },
  {
    name: "an older epoch is accepted",
    story: "A follower goes along with a leader of the past, and its acceptedEpoch goes back.",
    parts: { peer: takenEpoch },
    bounds: { serving: 2, breaks: 1, epochs: 3, txns: 0 },
    killer: "I5 EpochsGoBack",
    depth: 9,
    only: true,
  },
  {
    name: "a leader needs no quorum",
    story: "Two servers lead at the same time, in the same epoch.",
    parts: { peer: lonelyLeader },
    bounds: { crashes: 1, epochs: 2 },
    killer: "Z8 Leadership1",
    depth: 8,
    only: true,
  },
  {
    name: "a leader does not miss its quorum",
    story: "A deposed leader whose last follower has left leads on, alone and for ever.",
    parts: { Member: ContentLeader },
    bounds: { txns: 0, crashes: 1, epochs: 3 },
    killer: "L1 AllInStep",
    depth: 13,
    only: true,
  },
];
