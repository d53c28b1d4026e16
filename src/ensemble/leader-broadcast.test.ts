import { describe, expect, test } from "vitest";
import { type Epoch, MAX_COUNTER, makeZxid, type ServerId, type SessionId, type Zxid } from "../../spec/vocabulary.ts";
import { OpCode } from "../protocol/opcodes.ts";
import { packetName } from "../protocol/quorum-packet.ts";
import { makeTxn } from "../protocol/txn.ts";
import { type ForwardingLink, LeaderBroadcast } from "./leader-broadcast.ts";

const ENTRY = Buffer.from("entry");
const ids = (...numbers: number[]) => numbers as ServerId[];

/** A leader (server 1) in epoch 1 that writes down what leaves it: `log 1`, `2 PROPOSAL 1`, `deliver 1`. */
function leading(voters = 3, lastZxid = makeZxid(1, 0)) {
  const out: string[] = [];
  const counter = (zxid: number) => zxid - makeZxid(1, 0);
  const broadcast = new LeaderBroadcast(1 as ServerId, { voters: ids(1, 2, 3, 4, 5).slice(0, voters) }, lastZxid, {
    log: (zxid) => out.push(`log ${counter(zxid)}`),
    deliver: ({ zxid }) => out.push(`deliver ${counter(zxid)}`),
  });
  const link = (sid: number, kind: "participant" | "observer" = "participant"): ForwardingLink => ({
    sid: sid as ServerId,
    kind,
    send: (type, zxid) => out.push(`${sid} ${packetName(type)} ${counter(zxid)}`),
  });
  return {
    broadcast,
    link,
    out: () => out.splice(0),
    propose: (): Zxid => {
      const zxid = broadcast.nextZxid();
      const txn = makeTxn(0n as SessionId, 0, zxid, 0, { type: OpCode.error, err: 0 }, null);
      broadcast.propose({ zxid, txn, entry: ENTRY, proposedAtMs: 5 });
      return zxid;
    },
  };
}

test("learners hear of a proposal before the leader's own disk does", () => {
  const leader = leading();
  leader.broadcast.forward(leader.link(2));
  leader.propose();
  expect(leader.out()).toEqual(["2 PROPOSAL 1", "log 1"]);
});

test("an ack counts for every proposal before it", () => {
  const leader = leading();
  leader.broadcast.forward(leader.link(2));
  leader.propose();
  const second = leader.propose();
  leader.out();
  leader.broadcast.appended(second);
  expect(leader.out()).toEqual([]);
  leader.broadcast.ack(2 as ServerId, second);
  expect(leader.out()).toEqual(["2 COMMIT 1", "deliver 1", "2 COMMIT 2", "deliver 2"]);
});

test("followers alone can commit while the leader's own disk is slow", () => {
  const leader = leading();
  for (const sid of [2, 3]) leader.broadcast.forward(leader.link(sid));
  const zxid = leader.propose();
  leader.out();
  leader.broadcast.ack(2 as ServerId, zxid);
  leader.broadcast.ack(3 as ServerId, zxid);
  expect(leader.out()).toContain("deliver 1");
});

test("late, duplicate and foreign acks raise nothing", () => {
  const leader = leading();
  leader.broadcast.forward(leader.link(2));
  const first = leader.propose();
  leader.broadcast.appended(first);
  leader.broadcast.ack(2 as ServerId, first);
  leader.out();
  leader.broadcast.ack(2 as ServerId, first);
  leader.broadcast.ack(9 as ServerId, first);
  leader.broadcast.ack(3 as ServerId, makeZxid(2, 7));
  expect(leader.out()).toEqual([]);
});

test("observers get the txn with its commit, and never count", () => {
  const leader = leading();
  leader.broadcast.forward(leader.link(9, "observer"));
  const zxid = leader.propose();
  leader.broadcast.appended(zxid);
  leader.broadcast.ack(9 as ServerId, zxid);
  expect(leader.out()).toEqual(["log 1"]);
  leader.broadcast.ack(2 as ServerId, zxid);
  expect(leader.out()).toEqual(["9 INFORM 1", "deliver 1"]);
});

describe("a connection that breaks", () => {
  // A learner that comes back may be told to truncate what it acked and nobody has committed. An ack of its old connection
  // would then count for a txn that its disk no longer holds.
  test("takes its acks with it", () => {
    const leader = leading();
    const link = leader.link(2);
    leader.broadcast.forward(link);
    const zxid = leader.propose();
    leader.broadcast.ack(2 as ServerId, zxid);
    leader.broadcast.forget(link);
    leader.out();
    leader.broadcast.appended(zxid);
    expect(leader.out()).toEqual([]);
  });

  test("does not take those of the connection that replaced it", () => {
    const leader = leading();
    const old = leader.link(2);
    leader.broadcast.forward(old);
    leader.broadcast.forget(old);
    leader.broadcast.forward(leader.link(2));
    const zxid = leader.propose();
    leader.broadcast.ack(2 as ServerId, zxid);
    leader.broadcast.forget(old);
    leader.out();
    leader.broadcast.appended(zxid);
    expect(leader.out()).toEqual(["2 COMMIT 1", "deliver 1"]);
  });
});

test("a learner that joins late is brought level with what is under way", () => {
  const leader = leading();
  leader.propose();
  leader.propose();
  leader.out();
  leader.broadcast.forward(leader.link(2));
  expect(leader.out()).toEqual(["2 PROPOSAL 1", "2 PROPOSAL 2"]);
});

test("it tells since when a learner has not acknowledged", () => {
  const leader = leading();
  leader.broadcast.forward(leader.link(2));
  expect(leader.broadcast.unackedSince(2 as ServerId)).toBeNull();
  const zxid = leader.propose();
  expect(leader.broadcast.unackedSince(2 as ServerId)).toBe(5);
  leader.broadcast.ack(2 as ServerId, zxid);
  expect(leader.broadcast.unackedSince(2 as ServerId)).toBeNull();
});

test("the counter never runs into the epoch", () => {
  const leader = leading(3, makeZxid(1, MAX_COUNTER - 2));
  expect(leader.broadcast.exhausted).toBe(false);
  leader.propose();
  expect(leader.broadcast.exhausted).toBe(true);
  expect(() => leader.broadcast.nextZxid()).toThrow("never runs into the epoch");
});

test("a standalone server goes on in the next epoch instead", () => {
  const alone = leading(1, makeZxid(1, MAX_COUNTER - 1));
  alone.broadcast.continueInEpoch(2 as Epoch);
  expect(alone.propose()).toBe(makeZxid(2, 1));
});

test("what is not committed when the role ends is handed over in order", () => {
  const leader = leading();
  const [first, second] = [leader.propose(), leader.propose()];
  expect(leader.broadcast.takeUncommitted().map(({ zxid }) => zxid)).toEqual([first, second]);
  expect(leader.broadcast.outstandingCount).toBe(0);
});
