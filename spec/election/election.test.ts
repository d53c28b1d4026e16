import { expect, test } from "vitest";
import { ChartRunner } from "../../src/runtime/chart.ts";
import type { Epoch, PeerState, ServerId, Vote, Zxid } from "../vocabulary.ts";
import { type ElectionEffect, electionMachine } from "./election.machine.ts";

/** An election of server 1 (of three, unless said otherwise) that notes what its chart asks for. */
function election(options: { self?: number; voters?: number[] } = {}) {
  const effects: ElectionEffect[] = [];
  const timers = new Map<string, number>();
  const chart = new ChartRunner<typeof electionMachine, ElectionEffect>(electionMachine, {
    name: "election",
    input: { self: (options.self ?? 1) as ServerId, quorum: { voters: (options.voters ?? [1, 2, 3]) as ServerId[] } },
    perform: (effect) => effects.push(effect),
    timer: (id, delayMs) => (delayMs === null ? timers.delete(id) : timers.set(id, delayMs)),
    unexpected: (state, event) => {
      throw new Error(`${state} does not expect ${event}`);
    },
  });
  chart.start();
  return {
    chart,
    look: (zxid = 0, currentEpoch = 0) =>
      chart.send({ type: "LOOK", zxid: zxid as Zxid, currentEpoch: currentEpoch as Epoch }),
    hear: (from: number, vote: Vote, state: PeerState = "LOOKING") =>
      chart.send({ type: "NOTIFICATION", from: from as ServerId, vote, state }),
    down: (peer: number) => chart.send({ type: "CHANNEL_DOWN", peer: peer as ServerId }),
    fire: () => {
      const [id] = timers.keys();
      if (id === undefined) throw new Error("no timer is set");
      timers.delete(id);
      chart.fire(id);
    },
    /** What was asked for since the last call. */
    asked: () => effects.splice(0),
    said: () => effects.splice(0).filter((effect) => effect.type.startsWith("notification")),
  };
}

function vote(leader: number, zxid = 0, electionEpoch = 1, peerEpoch = 0): Vote {
  return { leader: leader as ServerId, zxid: zxid as Zxid, electionEpoch, peerEpoch: peerEpoch as Epoch };
}

test("a server that looks proposes itself to all voters", () => {
  const one = election();
  one.look(7, 2);
  expect(one.asked()).toEqual([
    { type: "channels.connect" },
    { type: "notification.broadcast", vote: vote(1, 7, 1, 2) },
  ]);
});

test("a better vote is adopted and told to everybody", () => {
  const one = election({ voters: [1, 2, 3, 4, 5] });
  one.look();
  one.asked();
  one.hear(3, vote(3));
  expect(one.said()).toEqual([{ type: "notification.broadcast", vote: vote(3) }]);
});

// Found by the simulator (seed 1): a re-entered parent state repeated its entry, so every vote was answered by a broadcast
// and five servers kept each other busy for ever.
test("a vote that changes nothing is answered by nothing", () => {
  const one = election({ voters: [1, 2, 3, 4, 5] });
  one.look();
  for (const peer of [5, 4, 3]) one.hear(peer, vote(5));
  expect(one.chart.matches("looking.finalizing")).toBe(true);
  one.asked();
  one.hear(4, vote(5));
  one.hear(3, vote(5));
  expect(one.asked()).toEqual([]);
});

test("a quorum waits a moment for a better vote", () => {
  const one = election();
  one.look();
  one.hear(2, vote(2));
  expect(one.chart.matches("looking.finalizing")).toBe(true);
  one.hear(3, vote(3));
  expect(one.chart.context.proposal).toEqual(vote(3));
  one.hear(2, vote(3));
  expect(one.chart.matches("settled")).toBe(true);
});

test("nobody is waited for who has spoken or cannot be reached", () => {
  const one = election();
  one.look();
  one.down(3);
  one.asked();
  one.hear(2, vote(2));
  expect(one.asked().at(-1)).toEqual({ type: "election.decided", vote: vote(2) });
});

test("the wait ends when the last voter that was waited for becomes unreachable", () => {
  const one = election();
  one.look();
  one.hear(2, vote(2));
  one.down(3);
  expect(one.chart.matches("settled")).toBe(true);
});

test("silence after a quorum decides", () => {
  const one = election();
  one.look();
  one.hear(2, vote(2));
  one.fire();
  expect(one.chart.matches("settled")).toBe(true);
});

// Found by the model checker (MC4): while server 1 waited, server 2 had moved on to 3 and settled; 1 followed 2 all alone.
test("the wait ends without a decision when the quorum is gone", () => {
  const one = election();
  one.look();
  one.hear(2, vote(2));
  expect(one.chart.state).toBe("looking.finalizing");
  one.hear(2, vote(3), "FOLLOWING");
  expect(one.chart.state).toBe("looking.collecting");
});

test("a newer round starts over with the better of its vote and the own first one", () => {
  const one = election({ self: 3 });
  one.look();
  one.asked();
  one.hear(1, vote(1, 0, 5));
  expect(one.chart.context.round).toBe(5);
  expect(one.said()).toEqual([{ type: "notification.broadcast", vote: vote(3, 0, 5) }]);
});

test("a vote of an older round is answered, not counted", () => {
  const one = election();
  one.look();
  one.hear(2, vote(2, 0, 4));
  one.asked();
  one.hear(3, vote(3, 0, 3));
  expect(one.chart.context.ballots[3]).toBeUndefined();
  expect(one.asked()).toEqual([{ type: "notification.answer", to: 3, vote: vote(2, 0, 4), settled: false }]);
});

test("a newcomer joins an ensemble whose leader confirms that it leads", () => {
  const one = election();
  one.look();
  one.hear(3, vote(2, 9, 7, 4), "FOLLOWING");
  expect(one.chart.matches("looking")).toBe(true);
  one.hear(2, vote(2, 9, 7, 4), "LEADING");
  expect(one.chart.matches("settled")).toBe(true);
  expect(one.chart.context.proposal.leader).toBe(2);
});

test("followers of a dead leader do not make a newcomer follow it", () => {
  const one = election({ voters: [1, 2, 3, 4, 5] });
  one.look();
  for (const follower of [2, 3, 4]) one.hear(follower, vote(5, 9, 7, 4), "FOLLOWING");
  expect(one.chart.matches("looking")).toBe(true);
});

test("the round never goes backwards when a running ensemble is joined", () => {
  const one = election();
  for (let i = 0; i < 3; i++) {
    one.look();
    one.hear(2, vote(2, 0, 1, 1), "LEADING");
    one.hear(3, vote(2, 0, 1, 1), "FOLLOWING");
  }
  expect(one.chart.context.round).toBe(3);
});

test("observers' words are answered and never counted", () => {
  const one = election();
  one.look();
  one.asked();
  one.hear(9, vote(9, 99, 1, 9));
  expect(one.asked()).toEqual([{ type: "notification.answer", to: 9, vote: vote(1), settled: false }]);
});

test("an observer adopts what the voters agree on", () => {
  const observer = election({ self: 9 });
  observer.look();
  observer.hear(1, vote(2));
  observer.hear(2, vote(2));
  observer.fire();
  expect(observer.chart.context.proposal.leader).toBe(2);
});

test("a settled server tells newcomers who leads, in the epoch established since", () => {
  const one = election({ voters: [1] });
  one.look();
  expect(one.chart.matches("settled")).toBe(true);
  one.chart.send({ type: "EPOCH_ESTABLISHED", epoch: 4 as Epoch });
  one.asked();
  one.hear(9, vote(9));
  expect(one.asked()).toEqual([{ type: "notification.answer", to: 9, vote: vote(1, 0, 1, 4), settled: true }]);
});

// Found by the model checker (M20): it adopted the other's vote, which then counted like any.
test("a voter that has lost its history makes nobody leader, and joins whoever is", () => {
  const one = election();
  one.look(-1);
  expect(one.said()).toEqual([{ type: "notification.broadcast", vote: vote(1, -1) }]);
  one.hear(2, vote(2));
  one.hear(2, vote(2, 0, 3));
  expect(one.said()).toEqual([]);
  expect(one.chart.state).toBe("looking.collecting");
  one.hear(2, vote(2), "LEADING");
  one.hear(3, vote(2), "FOLLOWING");
  expect(one.chart.state).toBe("settled");
});
