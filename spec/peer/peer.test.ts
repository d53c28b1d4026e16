import { expect, test } from "vitest";
import { initialTransition, transition } from "xstate";
import { type Epoch, MAX_EPOCH, makeZxid, NO_EPOCH, NO_ZXID, type ServerId, type Zxid } from "../vocabulary.ts";
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

// It may have been told of an epoch whose leader died before a quorum took it over. It cannot lead, so electing again helps nobody.
test("an observer that knows more does not make the leader step down", () => {
  const acked = (from: number, voter: boolean, currentEpoch: number): PeerEvent => ({
    type: "EPOCH_ACKED",
    from: from as ServerId,
    voter,
    currentEpoch: currentEpoch as Epoch,
    lastZxid: 0 as Zxid,
  });
  const written: PeerEvent = { type: "ACCEPTED_EPOCH_WRITTEN", epoch: 3 as Epoch };
  const discovery = [recovered(2), { type: "ELECTED", leader: self } as const, joined(2), written];
  const waiting = { leading: { discovery: "awaitingEpochAcks" } };
  expect(stateAfter(...discovery, acked(9, false, 2))).toEqual(waiting);
  expect(stateAfter(...discovery, acked(9, false, 2), acked(2, true, 0))).toEqual({
    leading: { discovery: "persistingCurrentEpoch" },
  });
  expect(stateAfter(...discovery, acked(2, true, 2))).toBe("settling");
});

test("a learner leaves a leader whose NEWLEADER is of another epoch than it was promised", () => {
  const upToNewLeader: readonly PeerEvent[] = [
    recovered(0),
    { type: "ELECTED", leader: 2 as ServerId },
    { type: "LEADER_CONNECTED" },
    { type: "LEADERINFO", epoch: 1 as Epoch },
    { type: "ACCEPTED_EPOCH_WRITTEN", epoch: 1 as Epoch },
  ];
  const newLeader = (epoch: number): PeerEvent => ({ type: "NEWLEADER", epoch: epoch as Epoch });
  const plans: readonly (readonly PeerEvent[])[] = [
    [{ type: "DIFF", zxid: 0 as Zxid }],
    [{ type: "TRUNC", zxid: 0 as Zxid }],
    [
      { type: "SNAP", zxid: 0 as Zxid },
      { type: "SNAPSHOT_RECEIVED", zxid: 0 as Zxid },
    ],
  ];
  for (const plan of plans) {
    expect(stateAfter(...upToNewLeader, ...plan, newLeader(2))).toBe("settling");
    expect(stateAfter(...upToNewLeader, ...plan, newLeader(1))).not.toBe("settling");
  }
});

// It has lost its disk and was sent a snapshot, by a leader that may have been deposed; then it was started again.
test("a server that has lost its history tells nothing of one until it has acknowledged a leader's", () => {
  const input = { self, kind: "participant", standalone: false, quorum: { voters }, initLimitMs: 1000 } as const;
  const snapshotAt = makeZxid(1, 5);
  const said: unknown[] = [];
  let [snapshot] = initialTransition(peerMachine, input);
  const events: readonly PeerEvent[] = [
    { type: "RECOVERED", lastZxid: snapshotAt, acceptedEpoch: 1 as Epoch, currentEpoch: NO_EPOCH },
    { type: "ELECTED", leader: 2 as ServerId },
    { type: "LEADER_CONNECTED" },
    { type: "LEADERINFO", epoch: 2 as Epoch },
    { type: "ACCEPTED_EPOCH_WRITTEN", epoch: 2 as Epoch },
    { type: "SNAP", zxid: snapshotAt },
    { type: "SNAPSHOT_RECEIVED", zxid: snapshotAt },
    { type: "SNAPSHOT_TAKEN", zxid: snapshotAt },
    { type: "LEADER_LOST", reason: "a test" },
    { type: "SETTLED", lastZxid: snapshotAt },
    { type: "ELECTED", leader: 2 as ServerId },
    { type: "LEADER_CONNECTED" },
    { type: "LEADERINFO", epoch: 2 as Epoch },
    { type: "SNAP", zxid: snapshotAt },
    { type: "SNAPSHOT_RECEIVED", zxid: snapshotAt },
    { type: "SNAPSHOT_TAKEN", zxid: snapshotAt },
    { type: "NEWLEADER", epoch: 2 as Epoch },
    { type: "HISTORY_LOGGED" },
    { type: "CURRENT_EPOCH_WRITTEN", epoch: 2 as Epoch },
    { type: "LEADER_LOST", reason: "a test" },
    { type: "SETTLED", lastZxid: snapshotAt },
  ];
  for (const event of events) {
    const [next, actions] = transition(peerMachine, snapshot, event);
    snapshot = next;
    for (const { params } of actions) {
      const { type, packet, zxid } = (params ?? {}) as { type?: string; packet?: string; zxid?: Zxid };
      if (type === "election.start") said.push(["vote", zxid]);
      if (packet === "ACKEPOCH") said.push(["ACKEPOCH", zxid]);
    }
  }
  expect(said).toEqual([
    ["vote", NO_ZXID],
    ["ACKEPOCH", NO_ZXID],
    ["vote", NO_ZXID],
    ["ACKEPOCH", NO_ZXID],
    ["vote", snapshotAt],
  ]);
});
