import { expect, test } from "vitest";
import { initialTransition, transition } from "xstate";
import { type Epoch, MAX_EPOCH, type ServerId, type Zxid } from "../vocabulary.ts";
import { peerMachine } from "./peer.machine.ts";
import type { PeerEvent } from "./setup.ts";

const self = 1 as ServerId;
const voters = [1, 2, 3] as ServerId[];

function stateAfter(...events: readonly PeerEvent[]): unknown {
  const input = { self, kind: "participant", standalone: false, quorum: { voters }, initLimitMs: 1000 } as const;
  let [snapshot] = initialTransition(peerMachine, input);
  for (const event of events) [snapshot] = transition(peerMachine, snapshot, event);
  return snapshot.value;
}

function recovered(acceptedEpoch: number): PeerEvent {
  return { type: "RECOVERED", lastZxid: 0 as Zxid, acceptedEpoch: acceptedEpoch as Epoch, currentEpoch: 0 as Epoch };
}

const joined = (acceptedEpoch: number): PeerEvent => ({
  type: "LEARNER_JOINED",
  from: 2 as ServerId,
  voter: true,
  acceptedEpoch: acceptedEpoch as Epoch,
});

test("a leader to be stops when there is no epoch after the one that a follower has accepted", () => {
  const elected: PeerEvent = { type: "ELECTED", leader: self };
  const accepting = { leading: { discovery: "persistingAcceptedEpoch" } };
  expect(stateAfter(recovered(0), elected, joined(MAX_EPOCH - 1))).toEqual(accepting);
  expect(stateAfter(recovered(0), elected, joined(MAX_EPOCH))).toBe("failed");
});

test("nor does it lead when it has accepted the last epoch itself", () => {
  expect(stateAfter(recovered(MAX_EPOCH), { type: "ELECTED", leader: self }, joined(0))).toBe("failed");
});

// Found by the model checker: two leaders synchronized in one epoch, both by the word of a server whose disk was emptied between.
test("the promise of a server that has lost its history does not count", () => {
  const acked = (from: number, lastZxid: number): PeerEvent => ({
    type: "EPOCH_ACKED",
    from: from as ServerId,
    voter: true,
    currentEpoch: 0,
    lastZxid: lastZxid as Zxid,
  });
  const written: PeerEvent = { type: "ACCEPTED_EPOCH_WRITTEN", epoch: 1 as Epoch };
  const discovery = [recovered(0), { type: "ELECTED", leader: self } as const, joined(0), written];
  const waiting = { leading: { discovery: "awaitingEpochAcks" } };
  expect(stateAfter(...discovery, acked(2, -1))).toEqual(waiting);
  expect(stateAfter(...discovery, acked(2, -1), acked(3, 0))).toEqual({
    leading: { discovery: "persistingCurrentEpoch" },
  });
});
